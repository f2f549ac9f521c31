/// How the letters of a CSV file are written.
public enum CSVEncoding: String, Sendable, Hashable, CaseIterable {
    case utf8 = "utf-8"
    case utf16LittleEndian = "utf-16le"
    case utf16BigEndian = "utf-16be"
    case windows1250 = "windows-1250"
    case windows1252 = "windows-1252"
    case windows1257 = "windows-1257"
    case latin2 = "iso-8859-2"

    /// The encoding of a file that begins so, and how many bytes of byte order mark come first. Without a mark, what
    /// is UTF-8 is UTF-8; else the encoding is taken in which the letters best fit the languages written in it.
    /// - Parameter sample: the first bytes of the file; 64 kB are plenty.
    public static func detect(_ sample: [UInt8]) -> (encoding: CSVEncoding, markLength: Int) {
        if sample.starts(with: [0xEF, 0xBB, 0xBF]) { return (.utf8, 3) }
        if sample.starts(with: [0xFF, 0xFE]) { return (.utf16LittleEndian, 2) }
        if sample.starts(with: [0xFE, 0xFF]) { return (.utf16BigEndian, 2) }
        if isUTF8(sample) { return (.utf8, 0) }
        let candidates: [CSVEncoding] = [.windows1252, .windows1250, .latin2, .windows1257]
        var counts = [Int](repeating: 0, count: 256)
        for byte in sample where byte >= 0x80 { counts[Int(byte)] += 1 }
        var best = (encoding: CSVEncoding.windows1252, score: Int.min)
        for candidate in candidates {
            let score = candidate.score(counts)
            if score > best.score { best = (candidate, score) }
        }
        return (best.encoding, 0)
    }

    /// Whether the bytes are UTF-8, but for a letter cut off at their end.
    private static func isUTF8(_ sample: [UInt8]) -> Bool {
        if String(validating: sample, as: UTF8.self) != nil { return true }
        let tail = sample.suffix(3).lastIndex { $0 >= 0xC0 }
        return tail.map { String(validating: sample[..<$0], as: UTF8.self) != nil } ?? false
    }

    /// The table of an encoding of one byte a letter.
    var table: [UInt16]? {
        switch self {
        case .utf8, .utf16LittleEndian, .utf16BigEndian: nil
        case .windows1250: CodePages.windows1250
        case .windows1252: CodePages.windows1252
        case .windows1257: CodePages.windows1257
        case .latin2: CodePages.latin2
        }
    }

    /// Letters usual in the languages written in this encoding.
    private var usualLetters: String {
        switch self {
        case .windows1250, .latin2: "ąćęłńóśźżĄĆĘŁŃÓŚŹŻäöüßÄÖÜ"
        case .windows1252: "äöüßÄÖÜæøåÆØÅàèéìòùÀÈÉÌÒÙ"
        case .windows1257: "ąčęėįšųūžĄČĘĖĮŠŲŪŽ"
        default: ""
        }
    }

    private func score(_ counts: [Int]) -> Int {
        guard let table else { return .min }
        let usual = Set(usualLetters.unicodeScalars)
        var score = 0
        for (index, code) in table.enumerated() where counts[index + 0x80] > 0 {
            let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
            score += CSVEncoding.worth(scalar, usual) * counts[index + 0x80]
        }
        return score
    }

    /// How well a letter fits: a symbol hardly, a control character not at all.
    private static func worth(_ scalar: Unicode.Scalar, _ usual: Set<Unicode.Scalar>) -> Int {
        if usual.contains(scalar) { return 2 }
        if scalar.properties.isAlphabetic { return -1 }
        return scalar.value < 0xA0 || scalar == "\u{FFFD}" ? -5 : -2
    }
}
