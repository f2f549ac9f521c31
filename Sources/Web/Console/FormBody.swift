/// What a form sent (application/x-www-form-urlencoded, WHATWG URL 5.1).
struct FormBody: Sendable {
    private let pairs: [(name: String, value: String)]

    init(_ bytes: [UInt8]) {
        pairs = String(decoding: bytes, as: UTF8.self).split(separator: "&").compactMap { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentText.decode(halves[0], plusIsSpace: true),
                let value = halves.count == 2 ? PercentText.decode(halves[1], plusIsSpace: true) : ""
            else { return nil }
            // browsers end lines with both
            return (name, value.replacing("\r\n", with: "\n"))
        }
    }

    /// The value of a field, without spaces around it; empty when there is none.
    subscript(name: String) -> String { trimmed(raw(name)) }

    /// The same as it was typed, for passwords.
    func raw(_ name: String) -> String { pairs.first { $0.name == name }?.value ?? "" }

    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map { trimmed($0.value) } }

    var names: [String] { pairs.map(\.name) }

    func has(_ name: String) -> Bool { pairs.contains { $0.name == name } }

    /// Lines of a field that are not empty.
    func lines(_ name: String) -> [String] {
        raw(name).split(whereSeparator: \.isNewline).map { trimmed(String($0)) }.filter { !$0.isEmpty }
    }

    private func trimmed(_ text: String) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
