import Hub

/// A segment's condition as rows of a form: what is asked, how it compares, with what.
struct SegmentForm {
    private struct Row {
        var what: String
        var how: String
        var value: String
        var isUntouched: Bool { what.isEmpty && value.isEmpty }
        var isBlank: Bool { what.isEmpty || (value.isEmpty && how != "exists" && how != "missing") }
    }
    private static let mostRows = 20
    static let kinds = [
        "tag", "no_tag", "consent", "bought_supplier", "bought_category", "bought_product", "birth_month",
        "no_order_in_days", "unchanged_in_days",
        "orders", "spent",
    ]
    static let kindsOfChanges = ["change", "origin"]
    static let ways = ["is", "is_not", "contains", "at_least", "at_most", "exists", "missing"]

    let name: String
    private let matchesAny: Bool
    private var rows: [Row]

    init(_ form: FormBody? = nil) {
        name = form?["name"] ?? ""
        matchesAny = form?["match"] == "any"
        let (whats, hows, values) = (form?.all("what") ?? [], form?.all("how") ?? [], form?.all("value") ?? [])
        rows = whats.indices.map { place in
            Row(
                what: whats[place], how: place < hows.count ? hows[place] : "is",
                value: place < values.count ? values[place] : "")
        }
    }

    /// A condition as rows; nil when it has conditions within conditions, or asks what rows do not offer.
    /// - Parameter fields: that rows offer, as the interface lists them.
    init?(_ condition: JSON, fields: [JSON]) {
        let members = condition.object ?? [:]
        guard members.count == 1, let (head, parts) = members.first, head == "all" || head == "any",
            let leaves = parts.array, leaves.count <= Self.mostRows
        else { return nil }
        let offered = Set(Self.kinds + Self.kindsOfChanges + Self.keys(fields).map { "field.\($0)" })
        name = ""
        matchesAny = head == "any"
        rows = []
        for leaf in leaves {
            guard let row = Self.row(leaf), offered.contains(row.what), Self.ways.contains(row.how), !row.isBlank else {
                return nil
            }
            rows.append(row)
        }
        // what it says again is what was said
        guard self.condition == condition || leaves.isEmpty else { return nil }
    }

    private static func row(_ leaf: JSON) -> Row? {
        let members = leaf.object ?? [:]
        if let field = members["field"]?.string, members.count == 2,
            let (way, value) = members.first(where: { $0.key != "field" })
        {
            if way == "exists" {
                return Row(what: "field.\(field)", how: value == true ? "exists" : "missing", value: "")
            }
            return Row(what: "field.\(field)", how: way, value: value.scalarText ?? "")
        }
        guard members.count == 1, let (head, value) = members.first else { return nil }
        switch head {
        case "not": return value["tag"]?.string.map { Row(what: "no_tag", how: "is", value: $0) }
        case "bought":
            guard let (what, of) = value.object?.first, value.object?.count == 1 else { return nil }
            return Row(what: "bought_\(what)", how: "is", value: of.scalarText ?? "")
        case "orders", "spent": return Row(what: head, how: "is", value: value["at_least"]?.scalarText ?? "")
        case "change", "origin":
            let one = value.array?.count == 1 ? value.array?.first : value
            return Row(what: head, how: "is", value: one?.scalarText ?? "")
        default: return kinds.contains(head) ? Row(what: head, how: "is", value: value.scalarText ?? "") : nil
        }
    }

    /// The condition, to be kept: nothing that was begun is left out, for the rest would mean more than was meant.
    /// - Throws: `Failure` `condition.incomplete`, `condition.too_long`.
    func whole() throws -> JSON {
        guard rows.allSatisfy({ $0.isUntouched || !$0.isBlank }) else {
            throw Failure(
                .invalid, "condition.incomplete", "A condition is only half filled in: complete it, or empty it.")
        }
        guard rows.filter({ !$0.isUntouched }).count <= Self.mostRows else {
            throw Failure(.invalid, "condition.too_long", "These are more than \(Self.mostRows) conditions.")
        }
        return condition
    }

    /// The condition as far as it is filled in, to be looked at.
    var condition: JSON {
        let leaves = rows.filter { !$0.isBlank }.map(leaf)
        return [matchesAny && !leaves.isEmpty ? "any" : "all": .array(leaves)]
    }

    private func leaf(_ row: Row) -> JSON {
        let text = JSON.string(row.value)
        let number = Int64(row.value).map { JSON.int($0) } ?? text
        return switch row.what {
        case "tag": ["tag": text]
        case "no_tag": ["not": ["tag": text]]
        case "consent": ["consent": text]
        case "bought_supplier": ["bought": ["supplier": text]]
        case "bought_category": ["bought": ["category": text]]
        case "bought_product": ["bought": ["product": text]]
        case "birth_month": ["birth_month": row.value == "this" ? "this" : number]
        case "no_order_in_days": ["no_order_in_days": number]
        case "unchanged_in_days": ["unchanged_in_days": number]
        case "origin": ["origin": text]
        case "change": ["change": [text]]
        case "orders": ["orders": ["at_least": number]]
        case "spent": ["spent": ["at_least": text]]
        default: field(row, text)
        }
    }

    /// A comparison of a field, whose key follows `field.`.
    private func field(_ row: Row, _ text: JSON) -> JSON {
        let key = JSON.string(row.what.hasPrefix("field.") ? String(row.what.dropFirst(6)) : row.what)
        switch row.how {
        case "exists": return ["field": key, "exists": true]
        case "missing": return ["field": key, "exists": false]
        case "is_not", "contains", "at_least", "at_most": return ["field": key, row.how: text]
        default: return ["field": key, "is": text]
        }
    }

    /// The form's model: its rows, and with `more` one to be filled in.
    /// - Parameter fields: that the caller sees, as the interface lists them.
    /// - Parameter ofChanges: whether it may ask about a change, too, as filters of plugins do.
    func model(_ texts: ConsoleTexts, fields: [JSON], more: Bool, ofChanges: Bool = false) -> JSON {
        var shown = rows.filter { !$0.isBlank }
        if (more || shown.isEmpty) && shown.count < Self.mostRows { shown.append(Row(what: "", how: "is", value: "")) }
        return [
            "name": .string(name), "matches_any": .bool(matchesAny),
            "rows": .array(
                shown.map { row in
                    [
                        "value": .string(row.value),
                        "whats": .array(
                            (Self.kinds + (ofChanges ? Self.kindsOfChanges : [])).map {
                                choice($0, texts["condition_\($0)"], row.what)
                            }
                                + fields.compactMap { field in
                                    guard let key = field["key"]?.string, key != "tags" else { return nil }
                                    let label =
                                        field["is_standard"] == false ? field["label"]?.string ?? key : texts.field(key)
                                    return choice("field.\(key)", label, row.what)
                                }),
                        "hows": .array(Self.ways.map { choice($0, texts["way_\($0)"], row.how) }),
                    ]
                }),
        ]
    }

    /// Keys of the fields that rows ask about.
    private static func keys(_ fields: [JSON]) -> [String] {
        fields.compactMap { $0["key"]?.string }.filter { $0 != "tags" }
    }

    private func choice(_ value: String, _ text: String, _ chosen: String) -> JSON {
        ["value": .string(value), "text": .string(text), "is_chosen": .bool(value == chosen)]
    }
}
