public import Hub
internal import Postgres

/// Who was put into a segment's group, so that one who leaves it there is not put in again.
extension TenantDatabase {
    /// Someone who belongs in a group now.
    public struct Recipient: Sendable {
        public let contact: Int64
        public let email: String
        public let name: String
    }

    /// Withdraws the consent of members who were in the group and have left it there.
    /// - Parameters:
    ///   - present: everybody who is in the group at the remote.
    ///   - isNew: the remote's group was made just now: then nobody has left it, whatever was known of the one before.
    /// - Returns: how many consents were withdrawn.
    /// - Throws: `Failure` `group.emptied` when more than half of the members, and more than 20, are gone at once:
    ///   hardly by themselves.
    public func noteLeft(_ push: SegmentPush, present: Set<String>, isNew: Bool) async throws -> Int64 {
        if isNew {
            _ = try await run(as: .system, "DELETE FROM \(table("group_member")) WHERE push = \(push.id)")
            return 0
        }
        let present = present.sorted()
        let counts = try await run(
            as: .system,
            """
            SELECT count(*) AS known, count(*) FILTER (WHERE email <> ALL (\(present)::text[])) AS gone
            FROM \(table("group_member")) WHERE push = \(push.id) AND state = 'in'
            """)[0][0]
        let (known, gone): (Int64, Int64) = (try counts.get("known"), try counts.get("gone"))
        guard gone <= max(20, known / 2) else {
            throw Failure(
                .conflict, "group.emptied",
                "\(gone) of \(known) members are no longer in the group. If they were taken out by mistake, put them back there; "
                    + "if not, delete this push and make it anew.")
        }
        return try await run(
            as: .system, "SELECT \(table("left_group"))(\(push.id), \(present)::text[]) AS withdrawn")[0][0].get(
                "withdrawn")
    }

    /// Notes who is to be put into a group, before that is tried.
    public func noteAdding(_ members: [Recipient], to push: SegmentPush) async throws {
        try await note(members, push, state: "adding")
    }

    /// Notes who is in a group now; everybody else no longer counts as a member.
    public func noteMembers(_ members: [Recipient], of push: SegmentPush) async throws {
        try await note(members, push, state: "in")
        try await noteRemoving(allBut: members, from: push)
    }

    /// Notes that everybody else no longer counts as a member, before they are taken out.
    public func noteRemoving(allBut members: [Recipient], from push: SegmentPush) async throws {
        _ = try await run(
            as: .system,
            """
            DELETE FROM \(table("group_member")) WHERE push = \(push.id) AND email <> ALL (\(members.map(\.email))::text[])
            """)
    }

    private func note(_ members: [Recipient], _ push: SegmentPush, state: String) async throws {
        _ = try await run(
            as: .system,
            """
            INSERT INTO \(table("group_member")) AS m (push, email, contact, state)
            SELECT DISTINCT ON (x.email) \(push.id), x.email, x.contact, \(state)
            FROM unnest(\(members.map(\.email))::text[], \(members.map(\.contact))::bigint[]) x (email, contact)
            ON CONFLICT (push, email) DO UPDATE SET contact = excluded.contact, state = excluded.state
            """)
    }
}
