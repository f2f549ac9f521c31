import Hub

/// The phrases of conditions, verdicts and rights in a reader's language, with the shop's own names of its fields.
struct ReaderPhrases: Phrasebook {
    let texts: ConsoleTexts
    /// As the API lists fields.
    let fields: [JSON]
    /// As the API lists staff.
    let staff: [JSON]

    func phrase(_ key: String, _ values: [String: String]) -> String { texts.filled("says_\(key)", values) }

    func phrase(_ key: String, count: Int, _ values: [String: String]) -> String {
        texts.count("says_\(key)", count, values)
    }

    func fieldName(_ path: String) -> String {
        let parts = path.split(separator: ".").map(String.init)
        let rest = parts.dropFirst().filter { $0 != "value" }.map { texts.known("part_\($0)") ?? $0 }
        return ([texts.label(parts.first ?? "", fields)] + rest).joined(separator: " – ")
    }

    func staffName(_ number: Int64) -> String {
        let name = staff.first { $0["id"]?.int == number }?["name"]?.string ?? ""
        return name.isEmpty ? String(number) : name
    }

    func monthName(_ month: Int) -> String { texts.month(Int64(month)) }

    /// A condition as the API has it, as the contact that is wanted; null for none, and for one of a newer program's making.
    func words(_ condition: JSON?) -> JSON {
        guard let condition else { return .null }
        do {
            return .string(try Condition(condition).contact(in: self))
        } catch {
            return .null
        }
    }

    /// The same with a capital, to stand alone.
    func sentence(_ condition: JSON?) -> JSON {
        words(condition).string.map { .string($0.prefix(1).uppercased() + $0.dropFirst()) } ?? .null
    }
}

extension Desk {
    /// Phrases for who sits there.
    func phrases() async throws -> ReaderPhrases {
        async let fields = call.askIfAllowed("listFields")
        async let staff = call.askIfAllowed("listStaff")
        return try await ReaderPhrases(
            texts: texts, fields: fields?["items"]?.array ?? [], staff: staff?["items"]?.array ?? [])
    }
}
