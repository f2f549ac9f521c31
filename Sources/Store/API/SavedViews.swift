public import Hub
internal import Postgres

/// Lists of contacts that people look at often.
extension TenantDatabase {
    /// One's own and those that colleagues share, as a JSON array.
    public func savedViews(as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            """
            SELECT v.id, v.name, v.query, v.shared, \(actor.description) = 'staff:' || v.account AS own
            FROM \(table("saved_view")) v ORDER BY own DESC, lower(v.name), v.id
            """)[0].json()
    }

    /// Keeps a view; one's own of the same name is replaced.
    /// - Parameter query: `q`, `tag`, `segment`.
    /// - Returns: its number.
    /// - Throws: `Failure` `view.too_many`.
    public func saveView(_ name: String, query: JSON, isShared: Bool, as actor: Actor, account: Int64) async throws
        -> Int64
    {
        let rows = try await run(
            as: actor, "DELETE FROM \(table("saved_view")) WHERE account = \(account) AND name = \(name)",
            """
            INSERT INTO \(table("saved_view")) (account, name, query, shared)
            SELECT \(account), \(name), \(query.text)::jsonb, \(isShared)
            WHERE (SELECT count(*) FROM \(table("saved_view")) v WHERE v.account = \(account)) < 50 RETURNING id
            """)[1]
        guard let row = rows.first else {
            throw Failure(.conflict, "view.too_many", "A person keeps at most 50 views: delete some first.")
        }
        return try row.get("id")
    }

    /// - Throws: `Failure` `not_found` for one that is not one's own.
    public func deleteView(_ id: Int64, as actor: Actor) async throws {
        let gone = try await run(as: actor, "DELETE FROM \(table("saved_view")) WHERE id = \(id)")[0].affected
        guard gone == 1 else { throw Failure.notFound("view") }
    }
}
