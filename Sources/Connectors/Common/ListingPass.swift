import ConnectorKit
import Hub

/// One pass through a remote's listing by offset, and the lower bound of the next pass.
///
/// Listings by offset slip when records vanish between two pages. So each page asks for the last record of the page
/// before once more: when it is not where it was, the pass steps back and leaves out what it has shown. That
/// holds for an order that never changes (by id, by time of creation).
///
/// The next pass begins where this one did, by the remote's own clock and with some overlap: a record that
/// changed behind the pass's back is shown by the next one.
struct ListingPass {
    /// Records changed before this second since 1970 are left out; nil for a pass through everything.
    var since: Int64?
    /// When the pass began by the remote's clock, seconds since 1970; nil when the remote did not say.
    var began: Int64?
    var offset = 0
    /// Sort key of the last record shown.
    var last: String?

    /// Seconds of overlap between two passes: remotes stamp records before they are committed.
    static let overlap: Int64 = 60

    /// A pass through what changed since a day ("2026-01-31"), or through everything.
    init(sinceDay day: String?) {
        since = day.flatMap { Day(iso: $0) }.map { Int64($0.daysSinceEpoch) * 86_400 }
    }

    /// - Throws: `RemoteError.cursorExpired` when the text is not of this connector.
    init(_ cursor: Cursor) throws(RemoteError) {
        guard let json = try? JSON(text: cursor.text), let offset = json["offset"]?.int, offset >= 0 else {
            throw .cursorExpired
        }
        since = json["since"]?.int
        began = json["began"]?.int
        self.offset = Int(offset)
        last = json["last"]?.string
    }

    var cursor: Cursor {
        var json: JSON = ["offset": .int(Int64(offset))]
        if let since { json["since"] = .int(since) }
        if let began { json["began"] = .int(began) }
        if let last { json["last"] = .string(last) }
        return Cursor(json.text)
    }

    /// The pass after this one. When the remote has no clock it covers the same changes once more.
    var following: ListingPass {
        var next = self
        next.since = began.map { max(0, $0 - Self.overlap) } ?? since
        next.began = nil
        next.offset = 0
        next.last = nil
        return next
    }

    /// The next slice of the listing; moves the pass on.
    ///
    /// - Parameters:
    ///   - size: records per call; fewer than that mean the end.
    ///   - key: sort key of a record, growing (by bytes) in the order of the listing.
    ///   - fetch: asks for records from an offset on, and says what time it is there.
    /// - Returns: records not shown yet, and whether the listing is at its end.
    mutating func slice(
        size: Int, key: (JSON) -> String,
        fetch: (_ offset: Int) async throws(RemoteError) -> (records: [JSON], clock: Int64?)
    ) async throws(RemoteError) -> (records: [JSON], isEnd: Bool) {
        var from = last == nil ? offset : max(0, offset - 1)
        while true {
            let (records, clock) = try await fetch(from)
            if began == nil, last == nil { began = clock }
            if let last, from > 0, records.first.map({ Self.isBefore(last, key($0)) }) ?? true {
                from = max(0, from - size)
                continue
            }
            let shown = last
            let fresh = records.filter { record in shown.map { Self.isBefore($0, key(record)) } ?? true }
            offset = from + records.count
            last = fresh.last.map(key) ?? last
            return (fresh, records.count < size)
        }
    }

    private static func isBefore(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}

/// Times of day in UTC as remotes write them.
enum RemoteTime {
    /// "2026-01-31T23:59:59" with another letter between date and time if wanted.
    static func text(_ seconds: Int64, separator: String = "T") -> String {
        let seconds = min(max(seconds, 0), 253_402_300_799)
        let day = Day(daysSinceEpoch: Int(seconds / 86_400))?.iso ?? "1970-01-01"
        let inDay = Int(seconds % 86_400)
        return day + separator + [inDay / 3600, inDay / 60 % 60, inDay % 60].map(twoDigits).joined(separator: ":")
    }

    /// RFC 3339 of a remote's time in UTC without a zone ("2026-01-31 23:59:59", "2026-01-31T23:59:59").
    static func rfc3339(_ text: String?) -> String? {
        guard let text, text.utf8.count >= 19 else { return nil }
        let bytes = Array(text.utf8.prefix(19))
        let date = String(decoding: bytes[..<10], as: UTF8.self)
        guard Day(iso: date) != nil else { return nil }
        return date + "T" + String(decoding: bytes[11...], as: UTF8.self) + "Z"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
