/// A plugin's verdict about a change in words.
public struct VerdictWords<Book: Phrasebook>: Sendable {
    private let code: String
    private let book: Book

    /// - Parameter code: as it is kept with the decision: "accepted", "missing_tag" ...
    public init(_ code: String, in book: Book) { (self.code, self.book) = (code, book) }

    /// Why; the code itself where a newer program has decided.
    /// - Parameter system: name of the connection.
    public func because(system: String) -> String {
        EnglishPhrases.texts["verdict_\(code)"] == nil ? code : book.phrase("verdict_\(code)", ["system": system])
    }

    /// Every code there is words for.
    public static var codes: [String] {
        EnglishPhrases.texts.keys.filter { $0.hasPrefix("verdict_") }.map { String($0.dropFirst(8)) }.sorted()
    }

    /// What would change it.
    /// - Parameters:
    ///   - judged: how the plugin's filter stands to the contact.
    ///   - mapped: paths of the fields that the plugin's mapping reads.
    public func advice(_ judged: Explanation, mapped: [String]) -> [String] {
        switch code {
        case "own_change", "not_permitted", "paused": [book.phrase("turn_\(code)")]
        case "nothing_mapped":
            [book.phrase("turn_nothing_mapped", it: mapped.map(book.fieldName).joined(separator: ", "))]
        default: judged.whatWouldChange(in: book)
        }
    }
}
