import Cryptography
public import Hub
internal import Postgres

/// What staff do with their own accounts.
extension TenantDatabase {
    /// The account that acts, as a JSON object.
    /// - Throws: `Failure` `not_found`.
    public func account(as actor: Actor) async throws -> [UInt8] {
        let rows = try await run(
            as: actor, "SELECT id, email, name, scopes, password_at FROM auth.account(\(tenant.id))")[0]
        guard rows.count == 1 else { throw Failure.notFound("account") }
        return rows.json(row: 0)
    }

    /// Its sessions that could still be used, as a JSON array.
    public func sessions(as actor: Actor) async throws -> [UInt8] {
        try await run(as: actor, "SELECT id, address, agent, created_at, used_at FROM auth.sessions(\(tenant.id))")[0]
            .json()
    }

    /// Ends one of its sessions.
    /// - Throws: `Failure` `not_found`.
    public func endSession(_ id: Int64, as actor: Actor) async throws {
        let done = try await run(as: actor, "SELECT auth.end_session(\(tenant.id), \(id)) AS done")[0][0]
        guard try done.get("done", as: Bool?.self) == true else { throw Failure.notFound("session") }
    }

    /// Changes its password; its other sessions end.
    /// - Parameter session: the one it is changed in.
    /// - Throws: `Failure` `password.wrong`, `sign_in.busy`, and as `PasswordRule`.
    public func changePassword(
        from old: String, to new: String, in session: Int64, as actor: Actor, gate: PasswordGate
    ) async throws {
        let rows = try await run(
            as: actor, "SELECT email FROM auth.account(\(tenant.id))", "SELECT auth.my_password(\(tenant.id)) AS stored"
        )
        guard let email: String = try rows[0].first?.get("email"), let stored: String = try rows[1][0].get("stored")
        else { throw Failure.notFound("account") }
        try PasswordRule.check(new, email: email)
        let hash = try await gate.run {
            try PasswordHash.verify(old, against: stored) ? PasswordHash.make(new) : nil
        }
        guard let hash else { throw Self.wrong }
        let done = try await run(
            as: actor, "SELECT auth.change_password(\(tenant.id), \(stored), \(hash), \(session)) AS done")[0][0]
        guard try done.get("done", as: Bool.self) else { throw Self.wrong }
    }

    private static let wrong = Failure(.forbidden, "password.wrong", "The present password is wrong.")
}
