/// Says what a person's rights to a contact hang on.
public struct RightsWords<Book: Phrasebook>: Sendable {
    private let answer: JSON
    private let book: Book

    /// - Parameter answer: of the function `explain_rights`: role, owner, `..._fits`, may, hidden, masked.
    public init(_ answer: JSON, in book: Book) { (self.answer, self.book) = (answer, book) }

    public var sentences: [String] {
        let role = ["role": book.quoted(answer["role"]?.string ?? "")]
        var sentences: [String] = []
        if answer["owner_fits"] == false {
            let owner = answer["owner"]?.int
            sentences.append(
                owner.map { book.phrase("right_others", it: book.staffName($0)) } ?? book.phrase("right_nobodys", role))
        }
        for facet in ["tag", "source", "country", "consent"] where answer["\(facet)_fits"] == false {
            sentences.append(book.phrase("right_\(facet)"))
        }
        guard answer["may"]?["read"] == true else { return sentences }
        sentences.append(book.phrase("right_read", role))
        for right in ["change", "delete"] where answer["may"]?[right] == false {
            sentences.append(book.phrase("right_\(right)"))
        }
        for sight in ["hidden", "masked"] {
            let fields = (answer[sight]?.array ?? []).compactMap(\.string).map(book.fieldName)
            if !fields.isEmpty {
                sentences.append(book.phrase("right_\(sight)", it: fields.joined(separator: ", ")))
            }
        }
        return sentences
    }
}
