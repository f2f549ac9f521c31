public import Hub
internal import Postgres

extension TenantDatabase {
    /// Looks whether anybody does much more than ever, and whether limits are reached; see the functions `watch` and `measure`
    /// in SQL.
    /// - Parameter pause: seconds since the last look, before which there is none.
    /// - Returns: how many alerts there are anew.
    @discardableResult
    public func watch(pause: Double = 300) async throws -> Int {
        let told: Int? = try await run(
            as: .system, "SELECT \(table("watch"))(make_interval(secs => \(pause))) AS told")[0][0].get("told")
        guard let told else { return 0 }
        if told > 0 { show() }
        _ = try await run(as: .system, "SELECT \(table("measure"))() AS reached")
        return told
    }

    /// Alerts, newest first, as JSON.
    /// - Parameter openOnly: those that nobody has seen yet.
    public func alerts(openOnly: Bool, limit: Int, as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            """
            SELECT id, who, what, hour, count, usual, paused, at, seen_at FROM \(table("alert"))
            WHERE seen_at IS NULL OR NOT \(openOnly) ORDER BY id DESC LIMIT \(limit)
            """)[0].json()
    }

    /// - Throws: `Failure` `not_found`.
    public func setSeen(alert id: Int64, as actor: Actor) async throws {
        let changed = try await run(
            as: actor, "UPDATE \(table("alert")) SET seen_at = coalesce(seen_at, now()) WHERE id = \(id)")[0].affected
        guard changed == 1 else { throw Failure.notFound("alert") }
        show()
    }
}
