import Hub
import Store

/// The form a contact is made and changed with: every field that its reader sees, each typed as its type wants.
struct ContactForm {
    let desk: Desk
    /// As the interface lists them to the reader.
    let fields: [JSON]

    /// Those with a place of their own at the start; then the tenant's, and these at the end.
    private static let first = [
        "given_name", "family_name", "company", "job_title", "emails", "phones", "birthday", "birth_month", "language",
        "type", "source", "profiles",
    ]
    private static let last = ["tags", "addresses", "notes"]
    static let addressParts = ["street", "postal_code", "city", "region", "country"]

    static func open(_ desk: Desk) async throws -> ContactForm {
        let known = try await desk.call.ask("listFields")["items"]?.array ?? []
        func standard(_ keys: [String]) -> [JSON] {
            keys.compactMap { key in known.first { $0["key"]?.string == key && $0["is_standard"] == true } }
        }
        return ContactForm(
            desk: desk, fields: standard(first) + known.filter { $0["is_standard"] == false } + standard(last))
    }

    /// - Parameters:
    ///   - contact: as the interface gives it; nil for one that is to be made.
    ///   - form: what was typed, where that was refused, and why.
    func page(_ contact: JSON?, _ form: FormBody? = nil, _ failure: Failure? = nil) throws -> Answer {
        let stored = contact?["fields"]?.object ?? [:]
        return try desk.page(
            "contact-edit", title: contact?["name"]?.string ?? desk.texts["contact_new"], place: "/contacts",
            failure: failure,
            [
                // a form that was overtaken stays so: what others changed is not written over unseen
                "version": form.map { .string($0["version"]) } ?? contact?["version"] ?? .null,
                "is_stale": .bool(failure?.kind == .stale),
                "back": .string(contact?["id"].map { "/contacts/\($0.scalarText ?? "")" } ?? "/contacts"),
                "fields": .array(
                    // the month is part of the day
                    fields.filter { $0["key"] != "birth_month" || stored["birthday"] == nil }.map {
                        control($0, stored[$0["key"]?.string ?? ""] ?? .null, form)
                    }),
            ])
    }

    /// The name of a field in the form: those of the tenant's own are apart.
    private static func name(_ field: JSON) -> String {
        (field["is_standard"] == true ? "" : "own.") + (field["key"]?.string ?? "")
    }

    private func control(_ field: JSON, _ stored: JSON, _ form: FormBody?) -> JSON {
        let (key, type, name) = (field["key"]?.string ?? "", field["type"]?.string ?? "", Self.name(field))
        var model: JSON = ["name": .string(name), "label": .string(desk.texts.label(key, fields))]
        switch type {
        case "addresses":
            model["is_addresses"] = true
            model["entries"] = .array(addresses(name, stored, form))
        case "multi_choice":
            let chosen = form.map { $0.all(name) } ?? (stored.array ?? []).compactMap(\.string)
            model["is_boxes"] = true
            model["choices"] = .array(choices(field, chosen))
        case "entries", "words":
            let lines = (stored.array ?? []).compactMap { $0["value"]?.string ?? $0.string }
            model["is_lines"] = true
            model["value"] = .string(form?.raw(name) ?? lines.joined(separator: "\n"))
        default:
            let value = form?.raw(name) ?? stored.scalarText ?? ""
            let offered = choices(field, [value])
            model["value"] = .string(value)
            model["is_select"] = .bool(!offered.isEmpty)
            model["choices"] = .array(offered)
            model["is_area"] = .bool(key == "notes" || (type == "text" && field["is_standard"] == false))
            model["is_whole"] = .bool(key == "notes")
            model["type"] = type == "date" ? "date" : type == "link" ? "url" : "text"
        }
        return model
    }

    /// What can be chosen; nothing for what is typed.
    private func choices(_ field: JSON, _ chosen: [String]) -> [JSON] {
        let offered: [(value: String, text: String)] =
            switch field["type"]?.string {
            case "flag": ["true", "false"].map { ($0, desk.texts["flag_\($0)"]) }
            case "month": (1...12).map { (String($0), desk.texts.month($0)) }
            default: (field["choices"]?.array ?? []).compactMap(\.string).map { ($0, $0) }
            }
        // what is held and is no choice any more, or is masked, stays as it is
        let others =
            offered.isEmpty ? [] : chosen.filter { one in !one.isEmpty && !offered.contains { $0.value == one } }
        return (offered + others.map { ($0, $0) }).map { value, text in
            ["value": .string(value), "text": .string(text), "is_chosen": .bool(chosen.contains(value))]
        }
    }

    /// Those there are, and an empty one.
    private func addresses(_ name: String, _ stored: JSON, _ form: FormBody?) -> [JSON] {
        let known = stored.array ?? []
        return (0...known.count).map { index in
            let parts = Self.addressParts.map { part -> JSON in
                let place = "\(name).\(index).\(part)"
                let value = known.indices.contains(index) ? known[index][part]?.scalarText ?? "" : ""
                let label = desk.texts["part_\(part)"]
                return [
                    "name": .string(place), "label": .string(label.prefix(1).uppercased() + label.dropFirst()),
                    "value": .string(form?.raw(place) ?? value),
                ]
            }
            return ["parts": .array(parts)]
        }
    }

    /// What was changed in the form, as the interface takes it; null for what was emptied.
    /// - Parameter before: the contact's fields.
    func changes(_ form: FormBody, before: [String: JSON]) -> [String: JSON] {
        var changes: [String: JSON] = [:]
        for field in fields {
            guard let key = field["key"]?.string, let value = Self.value(field, form, before[key] ?? .null) else {
                continue
            }
            let isSame =
                field["type"] == "words"
                ? Set(value.array ?? []) == Set(before[key]?.array ?? []) : value == before[key] ?? .null
            if !isSame { changes[key] = value }
        }
        return changes
    }

    /// What a field holds by the form; null when it is empty there, nil when the form does not have it.
    private static func value(_ field: JSON, _ form: FormBody, _ before: JSON) -> JSON? {
        let name = name(field)
        func list(_ items: [JSON]) -> JSON { items.isEmpty ? .null : .array(items) }
        switch field["type"]?.string {
        case "addresses": return addresses(name, form, before.array ?? []).map(list)
        // boxes that are not marked are not sent
        case "multi_choice": return form.has("\(name).asked") ? list(form.all(name).map(JSON.string)) : nil
        case _ where !form.has(name): return nil
        case "words": return list(form.lines(name).map(JSON.string))
        case "entries":
            // with the label that it has
            return list(
                form.lines(name).map { line in
                    (before.array ?? []).first { $0["value"]?.string == line } ?? ["value": .string(line)]
                })
        default: return scalar(form[name], field["type"]?.string ?? "")
        }
    }

    private static func scalar(_ text: String, _ type: String) -> JSON {
        switch type {
        case _ where text.isEmpty: .null
        // what is no number is told where every value is judged
        case "number", "month":
            Int64(text).map { .int($0) } ?? Double(text).flatMap { $0.isFinite ? .double($0) : nil } ?? .string(text)
        case "flag" where ["true", "false"].contains(text): .bool(text == "true")
        default: .string(text)
        }
    }

    private static func addresses(_ name: String, _ form: FormBody, _ before: [JSON]) -> [JSON]? {
        let sent = (0...before.count).filter { form.has("\(name).\($0).\(addressParts[0])") }
        guard !sent.isEmpty else { return nil }
        return sent.compactMap { index in
            var address: JSON = before.indices.contains(index) ? before[index] : [:]
            for part in addressParts {
                let text = form["\(name).\(index).\(part)"]
                address[part] = text.isEmpty ? nil : .string(text)
            }
            return addressParts.contains { address[$0] != nil } ? address : nil
        }
    }
}
