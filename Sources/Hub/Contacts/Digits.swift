/// Reading and writing of plain ASCII digits.
enum Digits {
    static let range: ClosedRange<UInt8> = 0x30...0x39

    /// The number these bytes spell; nil unless they are 1 to 18 ASCII digits.
    static func number(_ bytes: some Sequence<UInt8>) -> Int? {
        var result = 0
        var count = 0
        for byte in bytes {
            guard range.contains(byte), count < 18 else { return nil }
            result = result * 10 + Int(byte - 0x30)
            count += 1
        }
        return count > 0 ? result : nil
    }

    /// `number` with zeros in front up to `width` digits.
    static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }

    /// Whether `text` is an amount in plain notation ("-12", "100.00"): an optional minus, 1 to 18
    /// digits, and at most 9 after a point.
    static func isAmount(_ text: some StringProtocol) -> Bool {
        var bytes = Array(text.utf8)[...]
        if bytes.first == UInt8(ascii: "-") { bytes = bytes.dropFirst() }
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, (1...18).contains(whole.count), whole.allSatisfy(range.contains) else {
            return false
        }
        return parts.count == 1 || ((1...9).contains(parts[1].count) && parts[1].allSatisfy(range.contains))
    }
}
