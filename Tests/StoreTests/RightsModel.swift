import Hub

/// What a role's rights mean, worked out a second time and plainly, to hold PostgreSQL's answers against.
struct RightsModel {
    /// A contact as it was made.
    struct Subject {
        let id: Int64
        let owner: Int64?
        let fields: JSON
        var consents: [String] = []

        func list(_ field: String) -> [String] { fields[field]?.array?.compactMap(\.string) ?? [] }
        var countries: [String] { fields["addresses"]?.array?.compactMap { $0["country"]?.string } ?? [] }
    }

    let rights: JSON
    /// Whose contacts the person reaches, by scope.
    let reach: [String: Set<Int64>]

    func sees(_ subject: Subject) -> Bool { isWithin(subject, "read") }
    func mayChange(_ subject: Subject) -> Bool { sees(subject) && isWithin(subject, "change") }

    private func isWithin(_ subject: Subject, _ right: String) -> Bool {
        let scope = rights["contact"]?[right]?.string ?? "none"
        guard scope == "all" || subject.owner.map({ reach[scope]?.contains($0) ?? false }) ?? false else {
            return false
        }
        let only = rights["contact"]?["only"]
        return fits(only?["tag"], subject.list("tags")) && fits(only?["country"], subject.countries)
            && fits(only?["source"], subject.fields["source"]?.string.map { [$0] } ?? [])
            && fits(only?["consent"], subject.consents)
    }

    private func fits(_ wanted: JSON?, _ values: [String]) -> Bool {
        guard let wanted = wanted?.array?.compactMap(\.string) else { return true }
        return !Set(wanted).isDisjoint(with: values)
    }

    private func fields(_ part: String) -> [String] {
        rights["contact"]?[part]?.array?.compactMap(\.string) ?? []
    }
    var hidden: [String] { fields("hidden") }
    var masked: [String] { fields("masked") }

    /// The fields as the person sees them.
    func shown(_ fields: JSON) -> JSON {
        var shown = fields
        for field in hidden { shown[field] = nil }
        for field in masked { if let value = shown[field] { shown[field] = Self.mask(value) } }
        return shown
    }

    static func mask(_ value: JSON) -> JSON {
        if let items = value.array { return .array(items.map(mask)) }
        if let members = value.object {
            return .object(Dictionary(uniqueKeysWithValues: members.map { ($0, $0 == "label" ? $1 : mask($1)) }))
        }
        guard let text = value.string, text.unicodeScalars.count > 2 else { return "•••" }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        if parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty {
            return .string("\(text.prefix(1))•••@\(parts[1])")
        }
        if text.wholeMatch(of: /\+?[0-9 ]{7,}/) != nil { return .string("•••\(text.suffix(3))") }
        return .string("\(text.prefix(1))•••")
    }

    /// Whether a word stands in one of the values, as the person sees them.
    func finds(_ word: String, in fields: JSON) -> Bool { Self.texts(shown(fields)).contains { $0.contains(word) } }

    private static func texts(_ value: JSON) -> [String] {
        if let items = value.array { return items.flatMap(texts) }
        if let members = value.object { return members.values.flatMap(texts) }
        return value.scalarText.map { [$0.lowercased()] } ?? []
    }
}
