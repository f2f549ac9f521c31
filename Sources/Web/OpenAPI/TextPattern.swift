/// Regular expressions of schemas, which must match the whole text.
enum TextPattern {
    static func matches(_ text: String, _ pattern: String) -> Bool {
        guard let regex = try? Regex(pattern) else {
            preconditionFailure("a schema has a pattern that is none: \(pattern)")
        }
        // "$" alone would let a line feed pass behind it
        return text.wholeMatch(of: regex) != nil
    }
}
