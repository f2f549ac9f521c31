public import Hub
internal import Postgres

/// What a shop demands of its people's passwords.
extension TenantDatabase {
    /// The policy as a JSON object.
    /// - Throws: `Failure` `right.missing`.
    public func passwordPolicy(as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            "SELECT length, strength, words, history, expires_days, factor_roles FROM \(table("password_policy"))()")[0]
            .json(row: 0)
    }

    /// Sets it whole. Passwords that are there stay until they are changed or expire.
    /// - Parameter policy: the members that `passwordPolicy` shows.
    /// - Throws: `Failure` `policy.role`, `right.missing`.
    public func setPasswordPolicy(_ policy: JSON, as actor: Actor) async throws {
        let words = (policy["words"]?.array ?? []).compactMap(\.string)
        let roles = (policy["factor_roles"]?.array ?? []).compactMap(\.int)
        do {
            _ = try await run(
                as: actor,
                """
                SELECT \(table("set_password_policy"))(\(policy["length"]?.int ?? 15)::int, \(policy["strength"]?.int ?? 3)::int,
                    \(words)::text[], \(policy["history"]?.int ?? 0)::int, \(policy["expires_days"]?.int)::int,
                    \(roles)::bigint[])
                """)
        } catch let error as PostgresError where error.sqlState == "23503" {
            throw Failure(.invalid, "policy.role", "There is no such role.")
        }
    }
}
