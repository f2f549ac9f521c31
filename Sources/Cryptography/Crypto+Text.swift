extension Crypto {
    /// Lower-case hexadecimal digits.
    public static func hex(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.underestimatedCount * 2)
        for byte in bytes {
            text.append(hexDigit(byte >> 4))
            text.append(hexDigit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// Bytes of hexadecimal digits of either case; nil when anything else is in the text.
    public static func unhex(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for at in stride(from: 0, to: digits.count, by: 2) {
            guard let high = hexValue(digits[at]), let low = hexValue(digits[at + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Base64 with padding (RFC 4648, section 4).
    public static func base64(_ bytes: some Sequence<UInt8>) -> String {
        encode(Array(bytes), alphabet: standard, isPadded: true)
    }

    /// Base64 for URLs, without padding (RFC 4648, section 5).
    public static func base64url(_ bytes: some Sequence<UInt8>) -> String {
        encode(Array(bytes), alphabet: forURLs, isPadded: false)
    }

    /// Bytes of base64 text; padding may be missing. Nil for letters outside the alphabet (white space
    /// too), impossible lengths, and stray bits behind the last byte, so that no two texts mean the same.
    public static func unbase64(_ text: some StringProtocol) -> [UInt8]? {
        decode(text, values: standardValues)
    }

    /// As `unbase64`, for the alphabet of `base64url`.
    public static func unbase64url(_ text: some StringProtocol) -> [UInt8]? {
        decode(text, values: urlValues)
    }

    private static let common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    private static let standard = Array((common + "+/").utf8)
    private static let forURLs = Array((common + "-_").utf8)
    private static let standardValues = values(of: standard)
    private static let urlValues = values(of: forURLs)
    private static let padding = UInt8(ascii: "=")

    /// For each byte its place in an alphabet, 255 for those outside.
    private static func values(of alphabet: [UInt8]) -> [UInt8] {
        var values = [UInt8](repeating: 255, count: 256)
        for (place, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(place) }
        return values
    }

    private static func encode(_ bytes: [UInt8], alphabet: [UInt8], isPadded: Bool) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for place in 0..<3 { bits = bits << 8 | (place < group.count ? UInt32(group[start + place]) : 0) }
            for place in 0..<4 {
                if place <= group.count {
                    text.append(alphabet[Int(bits >> UInt32(18 - 6 * place)) & 63])
                } else if isPadded {
                    text.append(padding)
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func decode(_ text: some StringProtocol, values: [UInt8]) -> [UInt8]? {
        var letters = Array(text.utf8)
        if letters.count.isMultiple(of: 4) {
            for _ in 0..<2 where letters.last == padding { letters.removeLast() }
        }
        guard letters.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(letters.count * 3 / 4)
        var bits: UInt32 = 0
        var held = 0
        for letter in letters {
            let value = values[Int(letter)]
            guard value < 64 else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0xFFFF
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
            }
        }
        guard bits & (1 << UInt32(held) - 1) == 0 else { return nil }
        return bytes
    }
}
