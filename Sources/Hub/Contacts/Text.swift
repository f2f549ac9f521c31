/// Text handling by Unicode scalars: a `Character` may be "\r\n" or a letter with its accents.
enum Text {
    /// Without white space at both ends.
    static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }

    /// The words: what stands between white space.
    static func words(_ text: String) -> [String] {
        text.unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map { String($0) }
    }

    /// One line: NFC, without control characters, each stretch of white space one space, none at the ends.
    static func line(_ text: String) -> String {
        if isPlainLine(text) { return text }
        let kept = words(text).map { string($0.unicodeScalars.filter(isKept)) }.filter { !$0.isEmpty }
        return CanonicalForm.composed(kept.joined(separator: " "))
    }

    /// Whether `line` would leave it as it is: printable ASCII with single spaces, the usual case.
    private static func isPlainLine(_ text: String) -> Bool {
        var last: UInt8 = 0x20
        for byte in text.utf8 {
            guard (0x20..<0x7F).contains(byte), byte != 0x20 || last != 0x20 else { return false }
            last = byte
        }
        return last != 0x20
    }

    /// Several lines: as `line`, but line breaks stay, as "\n", at most one empty line in a row.
    static func lines(_ text: String) -> String {
        var lines: [String] = []
        for part in breaks(text) {
            let line = line(string(part))
            if line.isEmpty && (lines.isEmpty || lines.last == "") { continue }
            lines.append(line)
        }
        if lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    private static func breaks(_ text: String) -> [ArraySlice<Unicode.Scalar>] {
        var scalars: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars {
            if scalar == "\n" && scalars.last == "\r" { scalars.removeLast() }
            scalars.append(scalar)
        }
        return scalars.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r" || $0 == "\u{2028}" }
    }

    /// Neither a control character, nor a mark that turns the direction of text or cannot be seen.
    private static func isKept(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x200B, 0x202A...0x202E, 0x2060, 0x2066...0x2069, 0xFEFF, 0xFFFE, 0xFFFF: false
        default: true
        }
    }

    /// The first `count` scalars.
    static func cut(_ text: String, to count: Int) -> String { string(text.unicodeScalars.prefix(count)) }

    /// Each word with a capital first letter and the rest small.
    static func titled(_ text: String) -> String {
        var result = ""
        var startsWord = true
        for scalar in text.unicodeScalars {
            let isLetter = scalar.properties.isAlphabetic || scalar == "'" || scalar == "’"
            if isLetter {
                result += startsWord ? scalar.properties.titlecaseMapping : scalar.properties.lowercaseMapping
            } else {
                result.unicodeScalars.append(scalar)
            }
            let joins = scalar.properties.generalCategory == .nonspacingMark
            if !joins { startsWord = !isLetter }
        }
        return result
    }

    /// The parts between separators, trimmed; a blank separator means any white space. At most `count`: the last
    /// has all the rest.
    static func split(_ text: String, by separator: String, into count: Int) -> [String] {
        if trimmed(separator).isEmpty { return splitWords(text, into: count) }
        let mark = Array(separator.unicodeScalars)
        var parts: [String] = []
        var rest = Array(text.unicodeScalars)[...]
        while parts.count < count - 1, let found = position(of: mark, in: rest) {
            parts.append(trimmed(string(rest[..<found])))
            rest = rest[(found + mark.count)...]
        }
        return parts + [trimmed(string(rest))]
    }

    private static func splitWords(_ text: String, into count: Int) -> [String] {
        let words = words(text)
        if words.count <= count { return words }
        return words[..<(count - 1)] + [words[(count - 1)...].joined(separator: " ")]
    }

    /// Whether `part` occurs in `text`, scalar by scalar.
    static func contains(_ text: String, _ part: String) -> Bool {
        position(of: Array(part.unicodeScalars), in: Array(text.unicodeScalars)[...]) != nil
    }

    private static func position(of mark: [Unicode.Scalar], in text: ArraySlice<Unicode.Scalar>) -> Int? {
        text.indices.first { text[$0...].starts(with: mark) }
    }

    static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
