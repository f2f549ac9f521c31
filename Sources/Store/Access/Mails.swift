public import Hub
internal import Postgres

/// A mail that is due, held by who claimed it until its time is over.
public struct DueMail: Sendable {
    public let id: Int64
    public let tenant: Tenant
    public let shop: String
    public let account: Int64
    public let email: String
    public let name: String
    /// `invitation`, `reset` or `password`.
    public let kind: String
    public let attempt: Int

    init(_ row: Row) throws {
        id = try row.get("id")
        tenant = Tenant(id: try row.get("tenant"), country: try row.get("country"))
        shop = try row.get("shop")
        account = try row.get("account")
        email = try row.get("email")
        name = try row.get("name")
        kind = try row.get("kind")
        attempt = try row.get("attempt")
    }

    /// Whether the mail carries a link by which a password is set.
    public var hasLink: Bool { kind != "password" }
}

/// The queue of mails to staff.
extension Node {
    /// Says whether this instance has a mail server: without one nothing is queued.
    public func setMails(_ hasServer: Bool) async throws {
        _ = try await asService("SELECT auth.set_mails(\(hasServer)) AS done")
    }

    /// Takes mails to send.
    /// - Parameter lease: seconds after which others may take them over.
    public func claimMails(most: Int, lease: Int) async throws -> [DueMail] {
        let contexts = contexts
        return try await database.run(
            prelude: { contexts.statement(tenant: 0, actor: .system, backend: $0) },
            """
            SELECT id, tenant, shop, country, account, email, name, kind, attempt
            FROM auth.claim_mails(\(most), \(lease))
            """)[0].map { try DueMail($0) }
    }

    /// The link a mail is to carry.
    /// - Returns: nil when the mail is no longer the caller's.
    public func link(for mail: DueMail) async throws -> InvitationLink? {
        let link = InvitationLink.make()
        let done: Bool? = try await asService(
            "SELECT auth.add_mail_link(\(mail.id), \(mail.attempt), \(link.hash)) AS done"
        ).get("done")
        return done == true ? link : nil
    }

    /// Puts on record how an attempt ended.
    /// - Parameters:
    ///   - problem: the mail server's words; nil when the mail was taken.
    ///   - delay: seconds until it is tried again; nil to give up.
    public func finish(_ mail: DueMail, problem: String?, retryAfter delay: Int?) async throws {
        _ = try await asService(
            "SELECT auth.mail_done(\(mail.id), \(mail.attempt), \(problem), \(delay)) AS done")
    }

    /// Queues a mail with a link to set a new password, if there is such an account; that does not show.
    /// - Throws: `Failure` `mail.none`, `sign_in.wait`.
    public func askReset(tenant: String, email: String, address: String) async throws {
        let has: Bool = try await asService("SELECT auth.mails() AS has").get("has")
        guard has else {
            throw Failure(
                .conflict, "mail.none",
                "This instance has no mail server: ask who manages staff in your shop for a new link.")
        }
        let seconds: Int = try await asService("SELECT auth.ask_reset(\(tenant), \(email), \(address)) AS seconds")
            .get("seconds")
        if let failure = Self.wait(seconds) { throw failure }
    }
}

extension TenantDatabase {
    /// The language a member of staff works in; English for who is none.
    public func language(of account: Int64) async throws -> String {
        try await run(as: .system, "SELECT language FROM \(table("staff")) WHERE account = \(account)")[0].first?.get(
            "language") ?? "en"
    }

    /// The last mails to staff, as a JSON array.
    public func mails(as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            """
            SELECT id, account, email, kind, state, attempts, error, made_at, sent_at FROM auth.mails_of(\(tenant.id))
            """)[0].json()
    }
}
