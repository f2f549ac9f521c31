import Hub

/// A mapping as rows of a form: a field here, which way it goes, where it is there, and what else its rule says.
struct MappingForm {
    private struct Row {
        var hub: String
        var way: String
        var remote: String
        var more: String
        /// A rule without either end says nothing: that is how one is taken away.
        var isBlank: Bool { hub.isEmpty && remote.isEmpty }
    }
    /// Most rules a mapping may have.
    private static let most = 500
    static let ways = ["both", "in", "out"]

    private var rows: [Row]

    /// What was typed.
    init(_ form: FormBody) {
        let (hubs, ways) = (form.all("hub"), form.all("way"))
        let (remotes, mores) = (form.all("remote"), form.all("more"))
        rows = hubs.indices.map { place in
            Row(
                hub: hubs[place], way: place < ways.count ? ways[place] : "both",
                remote: place < remotes.count ? remotes[place] : "", more: place < mores.count ? mores[place] : "")
        }
    }

    /// A mapping as it is.
    init(_ mapping: JSON?) {
        rows = (mapping?["rules"]?.array ?? []).map { rule in
            var more = rule.object ?? [:]
            let ends = ["hub", "remote"].map { Self.text(more.removeValue(forKey: $0)) }
            let way = more.removeValue(forKey: "direction")?.string
            return Row(
                hub: ends[0], way: way ?? "both", remote: ends[1], more: more.isEmpty ? "" : JSON.object(more).text)
        }
    }

    /// The mapping that the rows say.
    /// - Throws: `Failure` `mapping.row` with the number of the row in which JSON is wrong, and what is wrong with it.
    func mapping() throws -> JSON {
        let rules = try rows.enumerated().filter { !$0.element.isBlank }.map { place, row in
            var rule = try Self.more(row.more, place)
            if !row.hub.isEmpty { rule["hub"] = try Self.ends(row.hub, place) }
            if !row.remote.isEmpty { rule["remote"] = try Self.ends(row.remote, place) }
            if row.way != "both" { rule["direction"] = .string(row.way) }
            return rule
        }
        return ["rules": .array(rules)]
    }

    /// What a rule says besides its ends and its way.
    private static func more(_ text: String, _ place: Int) throws -> JSON {
        if text.isEmpty { return [:] }
        let value = try document(text, place)
        guard value.object != nil else { throw wrong(place, "it is no object such as {\"format\": \"dmy.\"}") }
        return value
    }

    private static func document(_ text: String, _ place: Int) throws -> JSON {
        do { return try JSON(text: text) } catch { throw wrong(place, "\(error)") }
    }

    private static func wrong(_ place: Int, _ what: String) -> Failure {
        Failure(.invalid, "mapping.row", "Row \(place + 1): \(what).")
    }

    /// - Parameters:
    ///   - fields: as the interface lists them.
    ///   - more: whether one row more was asked for.
    func model(_ texts: ConsoleTexts, fields: [JSON], more: Bool) -> JSON {
        let keys = fields.compactMap { $0["key"]?.string }
        var shown = rows
        if more || shown.isEmpty { shown.append(Row(hub: "", way: "both", remote: "", more: "")) }
        return .array(
            shown.prefix(Self.most).map { row in
                // parts of a field, and several fields in one, are no field of the list
                let own = row.hub.isEmpty || keys.contains(row.hub) ? [] : [row.hub]
                return [
                    "hubs": .array(
                        (own + keys).map { key in
                            [
                                "value": .string(key),
                                "text": .string(
                                    own.contains(key) ? Self.label(key, texts, fields) : texts.label(key, fields)),
                                "is_chosen": .bool(key == row.hub),
                            ]
                        }),
                    "ways": .array(
                        Self.ways.map { way in
                            [
                                "value": .string(way), "text": .string(texts["way_\(way)"]),
                                "is_chosen": .bool(way == row.way),
                            ]
                        }),
                    "remote": .string(row.remote), "more": .string(row.more),
                    "further": (try? JSON(text: row.more))?.object.map {
                        .string(texts.filled("rule_more_set", ["n": String($0.count)]))
                    } ?? .null,
                    // what is wrong is seen
                    "is_open": .bool(!row.more.isEmpty && (try? JSON(text: row.more))?.object == nil),
                ]
            })
    }

    /// Part of a field, or several fields in one, in words: "Addresses 1: city".
    /// - Parameter path: as a mapping has it, such as `addresses[0].city`; several in JSON's brackets.
    static func label(_ path: String, _ texts: ConsoleTexts, _ fields: [JSON]) -> String {
        if path.utf8.first == UInt8(ascii: "["), let several = (try? JSON(text: path))?.array {
            return several.compactMap(\.string).map { label($0, texts, fields) }.joined(separator: ", ")
        }
        let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
        let halves = (parts.first ?? path).split(separator: "[").map(String.init)
        let field = texts.label(halves.first ?? path, fields)
        let place = halves.dropFirst().first.flatMap { Int($0.prefix { $0 != "]" }) }.map { " \($0 + 1)" } ?? ""
        guard parts.count == 2, parts[1] != "value" else { return field + place }
        return "\(field)\(place): \(texts.known("part_\(parts[1])") ?? parts[1])"
    }

    /// Fields of the other system that a kind's own mappings know, by what they hold: to be chosen from.
    /// - Parameter manifest: of the kind; nil for one that this program does not have.
    static func remotes(_ manifest: Manifest?, _ texts: ConsoleTexts, _ fields: [JSON]) -> JSON {
        var known: [String: String] = [:]
        for rule in (manifest?.plugins ?? []).flatMap({ $0.mapping["rules"]?.array ?? [] }) {
            guard let hub = rule["hub"], let remote = rule["remote"]?.string else { continue }
            known[remote] = known[remote] ?? label(text(hub), texts, fields)
        }
        return .array(
            known.sorted { $0.key < $1.key }.map { ["value": .string($0.key), "text": .string($0.value)] })
    }

    /// Several ends of one rule stand in JSON's brackets.
    private static func text(_ value: JSON?) -> String {
        guard let value else { return "" }
        return value.string ?? value.text
    }

    private static func ends(_ text: String, _ place: Int) throws -> JSON {
        // no path begins with a bracket
        text.utf8.first == UInt8(ascii: "[") ? try document(text, place) : .string(text)
    }
}
