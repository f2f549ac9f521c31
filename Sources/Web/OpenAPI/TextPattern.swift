/// Regular expressions of schemas, which must match the whole text.
enum TextPattern {
    static func matches(_ text: String, _ pattern: String) -> Bool {
        do {
            // "$" alone would let a line feed pass behind it
            return try Regex(pattern).wholeMatch(in: text) != nil
        } catch {
            preconditionFailure("a schema has a pattern that is none: \(pattern): \(error)")
        }
    }
}
