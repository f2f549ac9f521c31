/// When a card says it was changed.
enum VCardStamp {
    /// REV as RFC 3339 text in UTC: "20240131T120000Z" and "2024-01-31T12:00:00.5Z" give
    /// "2024-01-31T12:00:00Z". Nil for local times, dates alone, and anything else.
    static func read(_ card: VCard) -> String? {
        guard let text = card.first("REV")?.value, text.utf8.last == UInt8(ascii: "Z") else { return nil }
        let halves = text.dropLast().split(separator: "T", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let date = halves[0].filter { $0 != "-" }
        let time = halves[1].prefix { $0 != "." }.filter { $0 != ":" }
        let digits = Array((date + time).utf8)
        guard date.count == 8, time.count == 6, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        func part(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
        return "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(8..<10)):\(part(10..<12)):\(part(12..<14))Z"
    }
}
