public import ConnectorKit
public import Hub

extension WooCommerce {
    /// Records in the order of their numbers.
    ///
    /// Customers cannot be asked for by time (the shop passes `modified_after` over in silence), so each poll is a
    /// pass through all of them, complete at its end; webhooks tell of changes earlier. Orders and products
    /// come complete at first, then those changed since the pass before began.
    public func page(of entity: RemoteEntity, after cursor: Cursor?, since: String?) async throws -> Page {
        var pass = try cursor.map(ListingPass.init) ?? ListingPass(sinceDay: entity == .contact ? nil : since)
        let api = api
        let lower = pass.since
        let isFirst = pass.last == nil
        let (records, isEnd) = try await pass.slice(size: 100, key: Self.sortKey) {
            (offset) async throws(RemoteError) in
            var query = [("per_page", "100"), ("offset", String(offset)), ("orderby", "id"), ("order", "asc")]
            if entity != .contact, let lower {
                query += [("modified_after", RemoteTime.text(lower)), ("dates_are_gmt", "true")]
            }
            let response = try await api.send("GET", WooRecords.path(of: entity), query)
            return (try response.json().array ?? [], response.headers["date"].flatMap(HTTPDate.seconds))
        }
        let isComplete = isEnd && (entity == .contact || lower == nil)
        return Page(
            records: records.compactMap { WooRecords.record($0, entity) },
            next: isEnd ? pass.following.cursor : pass.cursor, isLast: isEnd, isFirst: isFirst,
            isComplete: isComplete)
    }

    /// A record's number with leading zeros, so that numbers sort as text.
    private static func sortKey(_ record: JSON) -> String {
        let digits = record["id"]?.scalarText ?? ""
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }
}
