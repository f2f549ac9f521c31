/// Pieces of sentences about conditions, verdicts and rights in one language. The keys, and what stands in braces in each, are those
/// of `EnglishPhrases`.
public protocol Phrasebook: Sendable {
    /// A piece with values in place of {names}.
    func phrase(_ key: String, _ values: [String: String]) -> String
    /// A piece in the form for so many, {n}.
    func phrase(_ key: String, count: Int, _ values: [String: String]) -> String
    /// What a field is called.
    /// - Parameter path: such as `emails` or `addresses.city`.
    func fieldName(_ path: String) -> String
    /// - Parameter month: 1 to 12.
    func monthName(_ month: Int) -> String
    /// Who a member of staff is.
    /// - Parameter number: of their account.
    func staffName(_ number: Int64) -> String
}

extension Phrasebook {
    func phrase(_ key: String) -> String { phrase(key, [:]) }
    func phrase(_ key: String, it: String) -> String { phrase(key, ["it": it]) }
    func quoted(_ text: String) -> String { phrase("quoted", it: text) }

    /// One of these, or none of them: "new or edited".
    func choice(_ items: [String], negated: Bool = false) -> String {
        items.joined(separator: " \(phrase(negated ? "nor" : "or")) ")
    }
}
