internal import Postgres

/// One page of a list.
public struct Page: Sendable {
    /// The rows as a JSON array.
    public let json: [UInt8]
    /// The place to go on from; nil when the list ended before the page was full.
    public let next: String?

    /// - Parameter columns: whose values in the last row, joined by dots, tell where the page ended.
    init(_ rows: Rows, limit: Int, by columns: String...) throws {
        json = rows.json()
        guard rows.count == limit, let last = rows.last else {
            next = nil
            return
        }
        next = try columns.map { String(try last.get($0, as: Int64.self)) }.joined(separator: ".")
    }
}
