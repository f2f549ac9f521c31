/// HTML written straight into bytes, for what is too long for templates: they ask of every value what it is, which for the rows
/// of a list takes longer than to find them.
struct Markup {
    private(set) var bytes: [UInt8] = []

    /// Tags: what stands in the program, and nothing else, goes out as it is.
    mutating func tags(_ html: StaticString) {
        html.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// A text, escaped, also for attributes in quotes.
    mutating func text(_ text: String) { bytes.append(contentsOf: HTMLPage.escaped(text).utf8) }
}
