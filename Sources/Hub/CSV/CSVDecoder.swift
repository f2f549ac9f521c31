/// Turns the bytes of a file into UTF-8, piece by piece.
public struct CSVDecoder: Sendable {
    private let encoding: CSVEncoding
    /// UTF-8 of the bytes 0x80 to 0xFF; empty for UTF-8 and UTF-16.
    private let letters: [[UInt8]]
    /// Bytes at the end of the last piece that are only part of a letter.
    private var rest: [UInt8] = []

    public init(_ encoding: CSVEncoding) {
        self.encoding = encoding
        self.letters = (encoding.table ?? []).map { code in
            Array(String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
        }
    }

    /// UTF-8 of the next piece. A byte order mark must have been taken off. UTF-8 is passed on as it is; elsewhere
    /// what is no letter becomes U+FFFD.
    public mutating func decode(_ bytes: [UInt8]) -> [UInt8] {
        switch encoding {
        case .utf8: return bytes
        case .utf16LittleEndian, .utf16BigEndian: return utf16(bytes)
        default: break
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 8)
        for byte in bytes {
            if byte < 0x80 { result.append(byte) } else { result += letters[Int(byte - 0x80)] }
        }
        return result
    }

    private mutating func utf16(_ bytes: [UInt8]) -> [UInt8] {
        let all = rest + bytes
        var units: [UInt16] = []
        units.reserveCapacity(all.count / 2)
        for index in stride(from: 0, to: all.count - 1, by: 2) {
            let (first, second) = (UInt16(all[index]), UInt16(all[index + 1]))
            units.append(encoding == .utf16LittleEndian ? second << 8 | first : first << 8 | second)
        }
        var kept = all.count % 2
        if let last = units.last, UTF16.isLeadSurrogate(last) {
            units.removeLast()
            kept += 2
        }
        rest = Array(all.suffix(kept))
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }

    /// UTF-8 of what is left at the end of the file: U+FFFD for part of a letter.
    public mutating func finish() -> [UInt8] {
        defer { rest = [] }
        return rest.isEmpty ? [] : Array("\u{FFFD}".utf8)
    }
}
