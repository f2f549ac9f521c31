import Cryptography
public import Hub
internal import Postgres

/// Changes of a member of staff; nil leaves a part as it is.
public struct StaffEdit: Sendable {
    public var name: String?
    public var role: Int64?
    /// Nil inside: nobody.
    public var superior: Int64??
    public var language: String?
    public var teams: [Int64]?
    public var isDisabled: Bool?
    public init() {}
}

/// People who work in a tenant. Who manages them may give anybody any right.
extension TenantDatabase {
    /// What somebody of the table `staff` (s) says of themselves, as long as it lasts.
    static var presence: SQL {
        """
        CASE WHEN s.presence_until <= now() THEN 'available' ELSE s.presence END AS presence,
            CASE WHEN s.presence_until > now() THEN s.presence_until END AS presence_until
        """
    }

    private var staffRows: SQL {
        """
        SELECT s.account AS id, s.email, s.name, s.role, r.name AS role_name, s.superior, s.language,
            ARRAY(SELECT m.team FROM \(table("team_member")) m WHERE m.account = s.account ORDER BY 1) AS teams,
            \(Self.presence),
            s.account IN (SELECT auth.online(\(tenant.id))) AS online, s.disabled_at IS NOT NULL AS disabled, s.created_at
        FROM \(table("staff")) s JOIN \(table("role")) r ON r.id = s.role
        """
    }

    /// Everybody, as a JSON array.
    public func staff(as actor: Actor) async throws -> [UInt8] {
        try await run(as: actor, "\(staffRows) ORDER BY s.account")[0].json()
    }

    /// One of them as a JSON object.
    /// - Throws: `Failure` `not_found`.
    public func member(_ id: Int64, as actor: Actor) async throws -> [UInt8] {
        let rows = try await run(as: actor, "\(staffRows) WHERE s.account = \(id)")[0]
        guard rows.count == 1 else { throw Failure.notFound("member of staff") }
        return rows.json(row: 0)
    }

    /// Makes an account that its owner opens by a link, which holds for two days.
    /// - Parameter byMail: whether Kontor is to send a link; it does where it has a mail server.
    /// - Returns: the person's number, and the link, which can be read only now; nil when one goes by mail.
    /// - Throws: `Failure` `staff.email`, `staff.exists`, `staff.reference`, `right.missing`.
    public func invite(as actor: Actor, email: String, byMail: Bool = false, _ details: StaffEdit) async throws -> (
        id: Int64, link: InvitationLink?
    ) {
        guard email.wholeMatch(of: /[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]+/) != nil else {
            throw Failure(.invalid, "staff.email", "This is no e-mail address.")
        }
        let link = InvitationLink.make()
        let (id, isMailed): (Int64, Bool) = try await managing {
            let row = try await run(
                as: actor,
                """
                SELECT m.id, \(byMail) AND auth.post_invitation(\(tenant.id), m.id) AS mailed
                FROM \(table("add_staff"))(\(email), \(details.name ?? ""), \(details.role), \(details.superior ?? nil),
                    \(details.language ?? "en"), \(details.teams ?? [])::bigint[], \(link.hash)) m (id)
                """)[0][0]
            return (try row.get("id"), try row.get("mailed"))
        }
        return (id, isMailed ? nil : link)
    }

    /// Makes a new link for somebody who has not come yet, or lost the password. Older ones end.
    /// - Returns: the link; nil when one goes by mail.
    /// - Throws: `Failure` `not_found`, `right.missing`.
    public func renewInvitation(of id: Int64, byMail: Bool = false, as actor: Actor) async throws -> InvitationLink? {
        let link = InvitationLink.make()
        let isMailed: Bool = try await managing {
            try await run(
                as: actor, "SELECT \(table("invite"))(\(id), \(link.hash))",
                "SELECT \(byMail) AND auth.post_invitation(\(tenant.id), \(id)) AS mailed")[1][0].get("mailed")
        }
        return isMailed ? nil : link
    }

    /// Changes what a person is to the shop. A disabled one is signed out at once, and keeps the contacts.
    /// - Throws: `Failure` `not_found`, `staff.reference`, `staff.last_owner`, `right.missing`.
    public func editStaff(_ id: Int64, as actor: Actor, _ edit: StaffEdit) async throws {
        let done: Bool = try await managing {
            try await run(
                as: actor,
                """
                SELECT \(table("edit_staff"))(\(id), \(edit.name), \(edit.role), \(edit.superior != nil),
                    \(edit.superior ?? nil), \(edit.language), \(edit.teams)::bigint[], \(edit.isDisabled)) AS done
                """)[0][0].get("done")
        }
        guard done else { throw Failure.notFound("member of staff") }
    }

    /// Makes all contacts of one person another's.
    /// - Returns: how many there were.
    /// - Throws: `Failure` `not_found`, `right.missing`.
    public func handOver(from id: Int64, to other: Int64, as actor: Actor) async throws -> Int64 {
        let moved: Int64 = try await managing {
            try await run(as: actor, "SELECT \(table("hand_over"))(\(id), \(other)) AS moved")[0][0].get("moved")
        }
        ring()
        return moved
    }

    /// Removes a person and their account.
    /// - Throws: `Failure` `not_found`, `staff.has_contacts`, `staff.last_owner`, `right.missing`.
    public func removeStaff(_ id: Int64, as actor: Actor) async throws {
        let outcome: String = try await managing {
            try await run(as: actor, "SELECT \(table("remove_staff"))(\(id)) AS outcome")[0][0].get("outcome")
        }
        switch outcome {
        case "done": return
        case "missing": throw Failure.notFound("member of staff")
        default:
            throw Failure(
                .conflict, "staff.has_contacts", "Contacts are this person's: hand them over to somebody first.")
        }
    }

    private func managing<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PostgresError {
            switch error.sqlState {
            case "KL001": throw Failure(storeError: error)
            case "P0002": throw Failure.notFound("member of staff")
            case "23505":
                throw Failure(.conflict, "staff.exists", "Somebody with this e-mail address works here already.")
            case "23503",
                "23514" where error.constraint != "staff_owner_left":
                throw Failure(
                    .invalid, "staff.reference",
                    "There is no such role, team or superior, or they are their own superior.")
            case "23514":
                throw Failure(.conflict, "staff.last_owner", "Somebody in the role of the owner must be left.")
            default: throw error
            }
        }
    }

    /// The effective rights of a person: their own, or of anybody for who manages staff.
    /// - Throws: `Failure` `not_found`.
    public func rights(of id: Int64, as actor: Actor) async throws -> [UInt8] {
        let rows = try await run(
            as: actor,
            """
            SELECT e.role, e.sees_all, coalesce(to_jsonb(e.reads), '"all"') AS reads,
                coalesce(to_jsonb(e.changes), '"all"') AS changes, coalesce(to_jsonb(e.deletes), '"all"') AS deletes,
                coalesce(to_jsonb(e.tags), '"any"') AS tags, coalesce(to_jsonb(e.sources), '"any"') AS sources,
                coalesce(to_jsonb(e.countries), '"any"') AS countries,
                coalesce(to_jsonb(e.consents), '"any"') AS consents, e.hidden, e.masked, e.orders, e.products, e.may
            FROM \(table("effective")) e WHERE e.actor = \(Actor.staff(id).description)
            """)[0]
        guard rows.count == 1 else { throw Failure.notFound("member of staff") }
        return rows.json(row: 0)
    }

    /// What a person may do with a contact, and what it hangs on: as it is, and in words.
    /// - Throws: `Failure` `not_found`, `right.missing`.
    public func explainRights(of id: Int64, contact: Int64, as actor: Actor) async throws -> JSON {
        let found: String? = try await run(
            as: actor, "SELECT \(table("explain_rights"))(\(id), \(contact)) AS answer")[0][0].get("answer")
        guard let found else { throw Failure.notFound("member of staff or contact") }
        var answer = try JSON(text: found)
        answer["owners"] = nil
        answer["because"] = .array(RightsWords(answer, in: EnglishPhrases()).sentences.map(JSON.string))
        return answer
    }
}

extension Node {
    /// Sets the password of an account by a link; its sessions end.
    /// - Throws: `Failure` `invitation.invalid`, `sign_in.busy`, and as `PasswordRule`.
    public func accept(_ link: InvitationLink, password: String, gate: PasswordGate) async throws {
        let invalid = Failure(
            .notFound, "invitation.invalid", "The link is not known, was used, or is too old: ask for a new one.")
        let found = try await database.run(
            "SELECT email, name, shop, length, strength, words, old FROM auth.invited_rules(\(link.hash))")[0]
        guard let row = found.first else { throw invalid }
        let rule = try PasswordRule(row)
        try rule.check(password)
        let hash = try await gate.turn { turn in
            try await turn.run {
                try rule.checkHistory(password)
                return try PasswordHash.make(password)
            }
        }
        let done: Bool = try await asService("SELECT auth.accept(\(link.hash), \(hash)) AS done").get("done")
        guard done else { throw invalid }
    }
}
