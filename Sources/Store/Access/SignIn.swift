import Cryptography
public import Hub
internal import Postgres

/// Who wants to sign in, and from where.
public struct SignIn: Sendable {
    let tenant: String
    let email: String
    let password: String
    let code: String?
    let address: String
    let agent: String

    /// - Parameters:
    ///   - tenant: the shop's name, as it was made with.
    ///   - code: of the second factor, for an account that has one.
    ///   - address: the caller's network address, by which guesses are counted.
    ///   - agent: the caller's program, as it calls itself.
    public init(tenant: String, email: String, password: String, code: String? = nil, address: String, agent: String) {
        (self.tenant, self.email, self.password, self.code) = (tenant, email, password, code)
        (self.address, self.agent) = (address, agent)
    }
}

extension Node {
    /// Begins a session of a staff member. Whether shop and account are known shows neither in the error nor in the time
    /// it takes; each guess is on record before its password is looked at.
    /// - Returns: the session's number and its token, which can be read only now.
    /// - Throws: `Failure` `sign_in.failed`, `sign_in.code` when the password is right and a code of the second factor is
    ///   needed or wrong, `sign_in.wait` (with the seconds), `sign_in.busy`, `PostgresError`.
    public func signIn(_ attempt: SignIn, gate: PasswordGate) async throws -> (id: Int64, token: SessionToken) {
        // who is turned away at the gate has not guessed, and nothing is counted
        try await gate.turn { turn in try await signIn(attempt, turn) }
    }

    private func signIn(_ attempt: SignIn, _ turn: PasswordGate.Turn) async throws -> (id: Int64, token: SessionToken) {
        let found = try await asService(
            "SELECT wait, account, password FROM auth.begin_sign_in(\(attempt.tenant), \(attempt.email), \(attempt.address))"
        )
        if let failure = Self.wait(try found.get("wait")) { throw failure }
        let account: Int64? = try found.get("account")
        let stored: String = try found.get("password", as: String?.self) ?? PasswordHash.decoy()
        let password = attempt.password
        let isRight = try await turn.run { try PasswordHash.verify(password, against: stored) }
        guard isRight, let account else { throw Self.refused }
        try await demandCode(attempt.code, of: account, stored)
        let rehashed = PasswordHash.needsRehash(stored) ? try await turn.run { try PasswordHash.make(password) } : nil
        let token = SessionToken.make()
        let made = try await asService(
            """
            SELECT auth.begin_session(\(account), \(stored), \(rehashed), \(token.hash), \(attempt.address),
                \(attempt.agent)) AS id
            """)
        guard let id: Int64 = try made.get("id") else { throw Self.refused }
        return (id, token)
    }

    /// An account with a second factor needs a code, too. The attempt is on record as failed until a session begins, so that
    /// codes are guessed no faster than passwords.
    private func demandCode(_ code: String?, of account: Int64, _ stored: String) async throws {
        let factor = try await asService("SELECT tenant, factor, last_step FROM auth.factor(\(account), \(stored))")
        guard let sealed: [UInt8] = try factor.get("factor") else { return }
        let tenant = tenant(Tenant(id: try factor.get("tenant"), country: ""))
        guard let code,
            try await tenant.takesCode(code, account: account, sealed: sealed, last: factor.get("last_step"))
        else {
            throw Failure(
                .unauthenticated, "sign_in.code",
                code == nil
                    ? "Give the code of your second factor, too." : "The code is wrong, too old, or was used already.")
        }
    }

    /// The refusal of an attempt that came too soon; nil for one that may go on.
    static func wait(_ seconds: Int) -> Failure? {
        guard seconds > 0 else { return nil }
        return Failure(
            .tooMany, "sign_in.wait", "There were too many failed attempts. Try again in \(seconds) seconds.",
            retryAfter: seconds)
    }

    private static let refused = Failure(
        .unauthenticated, "sign_in.failed", "Shop, e-mail address or password is wrong.")

    /// Runs a statement of the service itself, before any tenant is known.
    func asService(_ statement: SQL) async throws -> Row {
        let contexts = contexts
        let rows = try await database.run(
            prelude: { contexts.statement(tenant: 0, actor: .system, backend: $0) }, statement)[0]
        guard let row = rows.first else {
            throw Failure(.broken, "context.refused", "PostgreSQL did not take the service's signature.")
        }
        return row
    }

    /// Looks a session up, and notes that it was used.
    /// - Parameter isIdle: nobody did anything: a page that lies open asks by itself. The session ends as if it had not.
    /// - Returns: nil for one that is unknown or over, and while its tenant is not open.
    public func open(session: SessionToken, isIdle: Bool = false) async throws -> TokenGrant? {
        let results = try await database.run(
            ("SELECT id, account, tenant, country, scopes, masked, reads, confined FROM auth.open_session(\(session.hash))"
                as SQL).prepared(),
            ("SELECT auth.session_used(o.id) FROM auth.open_session(\(session.hash)) o WHERE NOT \(isIdle)" as SQL)
                .prepared())
        guard let row = results[0].first else { return nil }
        let scopes: [String] = try row.get("scopes")
        return TokenGrant(
            id: try row.get("id"), actor: .staff(try row.get("account")),
            tenant: Tenant(id: try row.get("tenant"), country: try row.get("country")), scopes: Set(scopes),
            sight: Sight(isMasked: try row.get("masked"), owners: try row.get("reads")),
            confined: try row.get("confined"))
    }
}
