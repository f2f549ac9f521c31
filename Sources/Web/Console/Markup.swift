/// HTML written straight into bytes, for what is too long for templates: they ask of every value what it is, which for the rows
/// of a list takes longer than to find them.
struct Markup {
    private(set) var bytes: [UInt8]

    /// - Parameter room: how many bytes it is likely to take.
    init(room: Int = 0) {
        bytes = []
        bytes.reserveCapacity(room)
    }

    /// Tags: what stands in the program, and nothing else, goes out as it is.
    mutating func tags(_ html: StaticString) {
        html.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// A text, escaped, also for attributes in quotes.
    mutating func text(_ text: String) {
        var text = text
        text.withUTF8 { letters in
            var start = 0
            for (at, letter) in letters.enumerated() {
                guard let entity = HTMLPage.entity(letter) else { continue }
                bytes.append(contentsOf: letters[start..<at])
                entity.withUTF8Buffer { bytes.append(contentsOf: $0) }
                start = at + 1
            }
            bytes.append(contentsOf: letters[start...])
        }
    }
}
