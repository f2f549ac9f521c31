import Cryptography
public import Hub
internal import Postgres

/// What staff do with their own accounts.
extension TenantDatabase {
    /// The account that acts, as a JSON object.
    /// - Throws: `Failure` `not_found`.
    public func account(as actor: Actor) async throws -> [UInt8] {
        let rows = try await run(
            as: actor,
            """
            SELECT a.id, a.email, a.name, a.scopes, a.password_at, \(Self.presence)
            FROM auth.account(\(tenant.id)) a JOIN \(table("staff")) s ON s.account = a.id
            """)[0]
        guard rows.count == 1 else { throw Failure.notFound("account") }
        return rows.json(row: 0)
    }

    /// Who acts, for the head of a page: number, address, name, shop, language and the role's title.
    /// - Throws: `Failure` `not_found`.
    public func frame(as actor: Actor) async throws -> JSON {
        // every page asks
        let statement: SQL = """
            SELECT f.account, f.email, f.name, f.shop, coalesce(s.language, 'en') AS language, r.title AS role
            FROM auth.my_frame(\(tenant.id)) f
                LEFT JOIN \(table("staff")) s ON s.account = f.account LEFT JOIN \(table("role")) r ON r.id = s.role
            """
        let rows = try await lookUp(as: actor, statement.prepared())[0]
        guard rows.count == 1 else { throw Failure.notFound("account") }
        return try JSON(parsing: rows.json(row: 0))
    }

    /// Changes the language that the account that acts works in.
    public func setLanguage(_ language: String, as actor: Actor) async throws {
        _ = try await run(as: actor, "SELECT \(table("set_my_language"))(\(language))")
    }

    /// Says whether the account that acts is at work.
    /// - Parameters:
    ///   - presence: `available`, `busy` or `away`.
    ///   - until: RFC 3339; from then on it is `available`. Nil for until further notice.
    public func setPresence(_ presence: String, until: String?, as actor: Actor) async throws {
        _ = try await run(as: actor, "SELECT \(table("set_my_presence"))(\(presence), \(until)::timestamptz)")
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
    /// - Throws: `Failure` `password.wrong`, `sign_in.wait`, `sign_in.busy`, and as `PasswordRule`.
    public func changePassword(
        from old: String, to new: String, in session: Int64, as actor: Actor, gate: PasswordGate
    ) async throws {
        let (stored, hash): (String, String?) = try await gate.turn { turn in
            let rules = try await run(
                as: actor,
                "SELECT email, name, shop, length, strength, words, old FROM auth.my_password_rules(\(tenant.id))")[0]
            guard let rules = rules.first else { throw Failure.notFound("account") }
            let rule = try PasswordRule(rules)
            // who is refused for the new one has not guessed at the old one
            try rule.check(new)
            let found = try await run(as: actor, "SELECT wait, password FROM auth.begin_password_change(\(tenant.id))")[
                0]
            guard let row = found.first else { throw Failure.notFound("account") }
            if let failure = Node.wait(try row.get("wait")) { throw failure }
            let stored: String = try row.get("password")
            guard try await turn.run({ try PasswordHash.verify(old, against: stored) }) else { return (stored, nil) }
            _ = try await run(as: actor, "SELECT auth.password_known(\(tenant.id))")
            let hash: String = try await turn.run {
                try rule.checkHistory(new)
                return try PasswordHash.make(new)
            }
            return (stored, hash)
        }
        guard let hash else { throw Self.wrong }
        let done = try await run(
            as: actor, "SELECT auth.change_password(\(tenant.id), \(stored), \(hash), \(session)) AS done")[0][0]
        guard try done.get("done", as: Bool.self) else { throw Self.wrong }
    }

    /// Lets through who knows the present password of the account that acts; guesses are slowed down.
    /// - Throws: `Failure` `password.wrong`, `sign_in.wait`, `sign_in.busy`.
    func demandPassword(_ password: String, as actor: Actor, gate: PasswordGate) async throws {
        let isRight = try await gate.turn { turn in
            let rows = try await run(as: actor, "SELECT wait, password FROM auth.begin_password_change(\(tenant.id))")[
                0]
            guard let row = rows.first else { throw Failure.notFound("account") }
            if let failure = Node.wait(try row.get("wait")) { throw failure }
            let stored: String = try row.get("password")
            return try await turn.run { try PasswordHash.verify(password, against: stored) }
        }
        guard isRight else { throw Self.wrong }
        _ = try await run(as: actor, "SELECT auth.password_known(\(tenant.id))")
    }

    private static let wrong = Failure(.forbidden, "password.wrong", "The present password is wrong.")
}
