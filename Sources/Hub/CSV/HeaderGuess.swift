/// Guesses which hub field each column of a file holds, from its header in English, Polish, German,
/// Norwegian, Lithuanian or Italian.
public struct HeaderGuess: Sendable, Hashable {
    /// The header as it stands in the file.
    public let header: String
    /// Hub field path ("given_name", "emails[1].value"); nil when nothing fits.
    public let hub: String?

    /// One guess for each header; no two guess the same path.
    public static func guess(_ headers: [String], catalogue: FieldCatalogue = FieldCatalogue()) -> [HeaderGuess] {
        numbered(headers, fields: headers.map { field(for: $0, catalogue) })
    }

    /// What a column can hold, as `fields` of `mapping` takes it: "[n]" stands for the next entry of a list.
    public static func choices(_ catalogue: FieldCatalogue) -> [String] {
        let custom = catalogue.fields.dropFirst(FieldCatalogue.standard.count).map(\.key)
        return HeaderWords.fields + custom
    }

    /// The same with "[n]" in lists, for somebody to choose otherwise; nil where nothing fits, and where another column
    /// holds that already.
    public static func fields(_ headers: [String], catalogue: FieldCatalogue = FieldCatalogue()) -> [String?] {
        let fields = headers.map { field(for: $0, catalogue) }
        return zip(fields, numbered(headers, fields: fields)).map { $1.hub == nil ? nil : $0 }
    }

    private static func numbered(_ headers: [String], fields: [String?]) -> [HeaderGuess] {
        var taken: Set<String> = []
        return zip(headers, fields).map { header, field in
            HeaderGuess(header: header, hub: field.flatMap { free($0, &taken) })
        }
    }

    /// A mapping (see `Mapping`) of the columns guessed; the remote document has one member for each header.
    /// - Parameters:
    ///   - fields: what each column holds, of `choices`; nil to guess.
    ///   - samples: rows of the file, from which the form of dates is told.
    public static func mapping(
        _ headers: [String], fields: [String?]? = nil, samples: [[String]] = [],
        catalogue: FieldCatalogue = FieldCatalogue()
    ) -> JSON {
        var rules: [JSON] = []
        let guesses = fields.map { numbered(headers, fields: $0) } ?? guess(headers, catalogue: catalogue)
        for (column, guess) in guesses.enumerated() {
            guard let hub = guess.hub, !guess.header.isEmpty else { continue }
            var rule: JSON = ["hub": .string(hub), "remote": .string(quoted(guess.header)), "trim": true]
            let type = catalogue[hub]?.type
            if type == .words || type == .multiChoice {
                rule["separator"] = separator(samples.compactMap { $0.indices.contains(column) ? $0[column] : nil })
            }
            if type == .date {
                rule["format"] = format(samples.compactMap { $0.indices.contains(column) ? $0[column] : nil })
            }
            rules.append(rule)
        }
        return ["rules": .array(rules)]
    }

    /// `header` as a step of a path.
    private static func quoted(_ header: String) -> String {
        var text = "\""
        for scalar in header.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { text.unicodeScalars.append("\\") }
            text.unicodeScalars.append(scalar)
        }
        return text + "\""
    }

    private static func separator(_ cells: [String]) -> JSON {
        .string([";", "|", ","].first { mark in cells.contains { Text.contains($0, mark) } } ?? ",")
    }

    private static func format(_ cells: [String]) -> JSON? {
        let filled = cells.filter { !JSON.string($0).isEmpty }
        let formats: [ValueFormat] = [.date, .dayMonthYear, .monthDayYear, .dateTimeUTC]
        let fitting = formats.first { format in
            filled.allSatisfy { (try? format.inward(.string(Text.trimmed($0)))) != nil }
        }
        return fitting.map { .string($0.rawValue) }
    }

    /// The path itself, or that of the next entry of its list; nil when it is taken.
    private static func free(_ path: String, _ taken: inout Set<String>) -> String? {
        guard path.contains("[n]") else { return taken.insert(path).inserted ? path : nil }
        let halves = Text.split(path, by: "[n]", into: 2)
        return (0..<10).lazy.map { "\(halves[0])[\($0)]\(halves[1])" }.first { taken.insert($0).inserted }
    }

    private static func field(for header: String, _ catalogue: FieldCatalogue) -> String? {
        let key = Folding.key(header)
        if key.isEmpty { return nil }
        let custom = catalogue.fields.dropFirst(FieldCatalogue.standard.count)
        if let own = custom.first(where: { Folding.key($0.key) == key || Folding.key($0.label) == key }) {
            return own.key
        }
        if let path = HeaderWords.paths[key] { return path }
        // "E-mail 2", "Phone 1 - Value", "Telefon (dom)": numbered or with a remark.
        let plain = String(key.filter { !$0.isNumber })
        if let path = HeaderWords.paths[plain] { return path }
        return plain.hasSuffix("value") ? HeaderWords.paths[String(plain.dropLast(5))] : nil
    }
}
