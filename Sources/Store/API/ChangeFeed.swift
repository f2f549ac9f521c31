public import Hub
internal import Postgres

extension TenantDatabase {
    /// A page of the change feed: changes of transactions that have ended, and before which none is running, so
    /// that a reader who goes on from `next` misses none.
    /// - Parameter after: transaction and number of the last change seen; (0, 0) to begin with.
    /// - Returns: the changes as a JSON array, and where to go on ("transaction.number"): `after` when there is
    ///   nothing new.
    public func changeFeed(
        after: (transaction: UInt64, id: Int64), limit: Int, as actor: Actor
    ) async throws -> (json: [UInt8], next: String) {
        let rows = try await run(
            as: actor,
            """
            SELECT f.tx, f.id, f.at, f.entity, f.record, f.kind, f.version, f.fields, f.before, f.after, k.name AS origin,
                f.actor
            FROM \(table("feed"))(\(String(after.transaction))::xid8, \(after.id), \(limit)) f
            LEFT JOIN \(seen("connector")) k ON k.id = f.origin ORDER BY f.tx, f.id
            """)[0]
        guard let last = rows.last else { return (rows.json(), "\(after.transaction).\(after.id)") }
        return (rows.json(), "\(try last.get("tx", as: String.self)).\(try last.get("id", as: Int64.self))")
    }
}
