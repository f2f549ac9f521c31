public import Hub
internal import Postgres

extension TenantDatabase {
    /// Fields that both sides had changed, newest first.
    /// - Parameters:
    ///   - contact: nil for all.
    ///   - isSettled: whether somebody looked at them; nil for all.
    ///   - before: the last one of the page before.
    public func conflicts(
        contact: Int64?, isSettled: Bool?, before: Int64?, limit: Int, as actor: Actor
    ) async throws -> Page {
        let rows = try await run(
            as: actor,
            """
            SELECT x.id, x.contact, (SELECT c.name FROM \(contacts) c WHERE c.id = x.contact) AS name, x.connector, x.run,
                x.field, x.base, x.hub, x.remote, x.kept, x.reason, x.at, x.settled_at
            FROM \(seen("conflict")) x WHERE (\(contact)::bigint IS NULL OR x.contact = \(contact))
                AND (\(isSettled)::boolean IS NULL OR (x.settled_at IS NOT NULL) = \(isSettled))
                AND (\(before)::bigint IS NULL OR x.id < \(before))
            ORDER BY x.id DESC LIMIT \(limit)
            """)[0]
        return try Page(rows, limit: limit, by: "id")
    }

    /// Settles a conflict: the value chosen becomes the contact's, unless it is that already.
    /// - Parameter takesRemote: whether the remote's value is chosen, else the hub's.
    /// - Throws: `Failure` `not_found`, `conflict.settled`, and what `editContact` throws.
    public func settleConflict(_ id: Int64, takesRemote: Bool, as actor: Actor) async throws {
        let rows = try await run(
            as: actor,
            """
            SELECT contact, field, CASE WHEN \(takesRemote) THEN remote ELSE hub END AS value,
                (kept = 'remote') = \(takesRemote) AS is_kept, settled_at IS NOT NULL AS is_settled
            FROM \(seen("conflict")) WHERE id = \(id)
            """)[0]
        guard let row = rows.first else { throw Failure.notFound("conflict") }
        guard try !row.get("is_settled", as: Bool.self) else {
            throw Failure(.conflict, "conflict.settled", "The conflict was settled before.")
        }
        if try !row.get("is_kept", as: Bool.self) {
            let text: String? = try row.get("value")
            let field: String = try row.get("field")
            _ = try await editContact(
                row.get("contact"), as: actor, version: nil,
                changes: .object([field: try text.map { try JSON(text: $0) } ?? .null]))
        }
        let outcome = try await run(as: actor, "SELECT \(table("settle_conflict"))(\(id)) AS outcome")[0][0]
        try Self.judge(outcome.get("outcome"))
    }

    /// Pairs that may be the same person.
    /// - Parameter after: the last pair of the page before.
    public func duplicates(state: String, after: (a: Int64, b: Int64), limit: Int, as actor: Actor) async throws -> Page
    {
        let rows = try await run(
            as: actor,
            """
            SELECT d.a, d.b, x.name AS a_name, y.name AS b_name, d.evidence, d.at, d.state FROM \(seen("duplicate")) d
            LEFT JOIN \(contacts) x ON x.id = d.a LEFT JOIN \(contacts) y ON y.id = d.b
            WHERE d.state = \(state) AND (d.a, d.b) > (\(after.a), \(after.b)) ORDER BY d.a, d.b LIMIT \(limit)
            """)[0]
        return try Page(rows, limit: limit, by: "a", "b")
    }
}
