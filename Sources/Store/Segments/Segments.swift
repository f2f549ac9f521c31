public import Hub
internal import Postgres

/// A segment that is due to be pushed as a group.
public struct SegmentPush: Sendable {
    public let id: Int64
    public let connector: Int64
    public let connectorKind: String
    public let connectorName: String
    public let settings: JSON
    public let groupName: String
    public let remoteID: String?
}

extension TenantDatabase {
    /// - Returns: the segment's number.
    /// - Throws: `Failure` `condition.invalid`, `segment.exists`.
    public func createSegment(as actor: Actor, name: String, condition: JSON) async throws -> Int64 {
        let checked = try Condition.checked(condition, await catalogue(as: actor))
        _ = try await compiler(as: actor).compile(checked)
        try await demandOpen(checked, as: actor)
        do {
            return try await run(
                as: actor,
                "INSERT INTO \(table("segment")) (name, condition) VALUES (\(name), \(condition.text)::jsonb) RETURNING id"
            )[0][0]
            .get("id")
        } catch let error as PostgresError where error.isUniqueViolation {
            throw Failure(.conflict, "segment.exists", "There is a segment of the name “\(name)” already.")
        }
    }

    /// All segments with their conditions in words, as JSON.
    public func segments(as actor: Actor) async throws -> JSON {
        let rows = try await run(
            as: actor, "SELECT id, name, condition, created_at FROM \(table("segment")) ORDER BY id")[0]
        return .array(
            try (JSON(parsing: rows.json()).array ?? []).map { row in
                var row = row
                row["words"] = .string(try Condition(row["condition"] ?? .null).words)
                return row
            })
    }

    public func deleteSegment(_ id: Int64, as actor: Actor) async throws {
        guard try await run(as: actor, "DELETE FROM \(table("segment")) WHERE id = \(id)")[0].affected == 1 else {
            throw Failure.notFound("segment")
        }
    }

    func condition(ofSegment id: Int64, as actor: Actor) async throws -> Condition {
        guard let row = try await run(as: actor, "SELECT condition FROM \(table("segment")) WHERE id = \(id)")[0].first
        else {
            throw Failure.notFound("segment")
        }
        return try Condition(JSON(text: row.get("condition")))
    }

    /// How many living contacts meet a condition.
    public func count(_ condition: Condition, as actor: Actor) async throws -> Int {
        let compiler = try await compiler(as: actor)
        let filter = try compiler.compile(condition)
        let isByFacets = compiler.isByFacets(condition)
        // beside that of facets the index by owner is only more to read
        let statement: SQL =
            "SELECT count(*) AS n FROM \(contacts) c WHERE c.deleted_at IS NULL AND \(filter) \(isByFacets ? "" : reach)"
        // whatever the facets are, there is one way to find them: it need not be planned anew
        return try await run(as: actor, isByFacets ? statement.prepared() : statement)[0][0].get("n")
    }

    public func count(segment id: Int64, as actor: Actor) async throws -> Int {
        try await count(condition(ofSegment: id, as: actor), as: actor)
    }

    /// A page of a segment's members, like `contacts`.
    public func members(ofSegment id: Int64, after: Int64, limit: Int, as actor: Actor) async throws
        -> (json: [UInt8], ids: [Int64])
    {
        var query = ContactQuery()
        (query.condition, query.after, query.limit) = (try await condition(ofSegment: id, as: actor), after, limit)
        return try await contacts(query, as: actor)
    }

    /// Why a contact is or is not in a segment.
    public func explain(member contact: Int64, ofSegment id: Int64, as actor: Actor) async throws -> JSON {
        let condition = try await condition(ofSegment: id, as: actor)
        _ = try await self.contact(contact, as: actor)
        let compiler = try await compiler(as: actor)
        let terms = try condition.leaves.map { "(\(try compiler.compile($0)))" as SQL }
        var results: [Bool] = []
        if !terms.isEmpty {
            let rows = try await run(
                as: actor,
                "SELECT \(terms.joined(separator: ", ")) FROM \(contacts) c WHERE c.id = \(contact) AND c.deleted_at IS NULL"
            )[0]
            guard let row = rows.first else { throw Failure.notFound("contact") }
            results = try terms.indices.map { try row.get($0) }
        }
        let judged = condition.verdict(leafResults: results)
        return [
            "member": .bool(judged.result), "words": .string(condition.words),
            "answers": .array(
                zip(condition.leaves, results).map {
                    ["asked": .string(Condition.leaf($0).words), "answer": .bool($1)]
                }),
            "what_would_change": .array(judged.whatWouldChange(in: EnglishPhrases()).map(JSON.string)),
        ]
    }

    /// Keeps a segment as a group in a remote, on demand or by schedule.
    /// - Parameters:
    ///   - purpose: the consent without which nobody is pushed.
    ///   - schedule: nil, {"monthly": day 1...28} or {"every_seconds": n}.
    public func createSegmentPush(
        as actor: Actor, segment: Int64, plugin: Int64, groupName: String, purpose: String, schedule: JSON?
    ) async throws -> Int64 {
        if let schedule {
            let isMonthly = schedule["monthly"]?.int.map { (1...28).contains($0) } ?? false
            let isPeriodic = schedule["every_seconds"]?.int.map { $0 >= 60 } ?? false
            guard isMonthly != isPeriodic else {
                throw Failure(
                    .invalid, "segment.schedule",
                    "A schedule is {\"monthly\": day from 1 to 28} or {\"every_seconds\": 60 or more}.")
            }
        }
        try await demandPush(ofSegment: segment, as: actor)
        let known = try await run(
            as: actor,
            "SELECT (SELECT capability FROM \(seen("plugin")) WHERE id = \(plugin)) AS capability, EXISTS (SELECT FROM \(table("segment")) WHERE id = \(segment)) AS found"
        )[0][0]
        guard try known.get("found", as: Bool.self) else { throw Failure.notFound("segment") }
        guard try known.get("capability", as: String?.self) == "group" else {
            throw Failure(.invalid, "segment.plugin", "The plugin does not keep groups.")
        }
        return try await run(
            as: actor,
            """
            INSERT INTO \(table("segment_push")) (segment, plugin, group_name, purpose, schedule, next_at)
            VALUES (\(segment), \(plugin), \(groupName), \(purpose), \(schedule?.text)::jsonb,
                \(nextTime("\(schedule?.text)::jsonb")))
            RETURNING id
            """)[0][0].get("id")
    }

    /// A group shows who is in it, and is made of everybody's contacts: who pushes one must read them all, and every field
    /// that the segment asks about.
    private func demandPush(ofSegment id: Int64, as actor: Actor) async throws {
        let isAll: Bool = try await run(
            as: actor,
            """
            SELECT coalesce(r.actor IS NOT NULL AND r.reads IS NULL AND coalesce(r.tags, r.sources, r.countries, r.consents) IS NULL, false)
                AS "all" FROM \(table("mine"))() r
            """)[0][0].get("all")
        guard isAll else { throw Failure.right }
        try await demandOpen(condition(ofSegment: id, as: actor), as: actor)
    }

    /// - Throws: `Failure` `right.field` for a condition on a field that the actor's role hides or masks.
    func demandOpen(_ condition: Condition, as actor: Actor) async throws {
        let closed: [String] = try await run(
            as: actor, "SELECT coalesce(r.hidden || r.masked, '{}') AS closed FROM \(table("mine"))() r")[0][0].get(
                "closed")
        guard Set(condition.leaves.compactMap(\.fieldKey)).isDisjoint(with: closed) else {
            throw Failure(
                .forbidden, "right.field", "The condition asks about a field that your role hides or masks.")
        }
    }

    /// When a schedule next falls due, at six in the morning UTC on its day.
    private func nextTime(_ schedule: SQL) -> SQL {
        """
        CASE WHEN \(schedule) ? 'monthly' THEN (SELECT min(t) FROM (VALUES
                (date_trunc('month', now()) + make_interval(days => (\(schedule) ->> 'monthly')::int - 1, hours => 6)),
                (date_trunc('month', now()) + interval '1 month'
                    + make_interval(days => (\(schedule) ->> 'monthly')::int - 1, hours => 6))) AS x (t) WHERE t > now())
            WHEN \(schedule) ? 'every_seconds' THEN now() + make_interval(secs => (\(schedule) ->> 'every_seconds')::int) END
        """
    }

    /// Makes runs of the segment pushes that are due.
    public func queueDueSegmentPushes() async throws -> Int {
        try await run(
            as: .system,
            """
            WITH due AS (
                UPDATE \(table("segment_push")) s SET next_at = \(nextTime("s.schedule")) WHERE s.next_at <= now()
                RETURNING s.id, s.plugin)
            INSERT INTO \(table("run")) (kind, plugin, connector, params, actor)
            SELECT 'segment', d.plugin, p.connector, jsonb_build_object('push', d.id), 'system'
            FROM due d JOIN \(table("plugin")) p ON p.id = d.plugin
            """)[0].affected
    }

    /// Asks for a segment push now.
    public func runSegmentPush(_ id: Int64, as actor: Actor) async throws -> Int64 {
        let segments = try await run(as: actor, "SELECT segment FROM \(table("segment_push")) WHERE id = \(id)")[0]
        guard let segment = segments.first else { throw Failure.notFound("segment push") }
        try await demandPush(ofSegment: segment.get("segment"), as: actor)
        let rows = try await run(
            as: actor,
            """
            INSERT INTO \(table("run")) (kind, plugin, connector, params, actor)
            SELECT 'segment', p.id, p.connector, jsonb_build_object('push', s.id), \(actor.description)
            FROM \(table("segment_push")) s JOIN \(seen("plugin")) p ON p.id = s.plugin WHERE s.id = \(id) RETURNING id
            """)[0]
        guard let row = rows.first else { throw Failure.notFound("segment push") }
        ring()
        return try row.get("id")
    }

    public func segmentPush(_ id: Int64) async throws -> SegmentPush? {
        try await run(
            as: .system,
            """
            SELECT s.id, p.connector, k.kind, k.name, k.settings, s.group_name, s.remote_id
            FROM \(table("segment_push")) s JOIN \(table("plugin")) p ON p.id = s.plugin
            JOIN \(table("connector")) k ON k.id = p.connector WHERE s.id = \(id)
            """)[0].first.map {
                SegmentPush(
                    id: try $0.get("id"), connector: try $0.get("connector"), connectorKind: try $0.get("kind"),
                    connectorName: try $0.get("name"), settings: try JSON(text: $0.get("settings")),
                    groupName: try $0.get("group_name"), remoteID: try $0.get("remote_id"))
            }
    }

    /// Who belongs in the group now: members that granted the purpose, seen under the connector's policy.
    public func recipients(of push: SegmentPush) async throws -> [Recipient] {
        let rows = try await run(
            as: .system,
            "SELECT g.condition, s.purpose FROM \(table("segment_push")) s JOIN \(table("segment")) g ON g.id = s.segment WHERE s.id = \(push.id)"
        )[0]
        guard let row = rows.first else { throw Failure.notFound("segment push") }
        let condition = Condition.all([
            try Condition(JSON(text: row.get("condition"))), .leaf(.consent(purpose: try row.get("purpose"))),
        ])
        let filter = try await compiler(as: .system).compile(condition)
        // which contacts the connector may see is asked of the barrier view, the condition of the table behind it
        let ids = try await run(
            as: .system, "SELECT c.id FROM \(table("contact")) c WHERE c.deleted_at IS NULL AND \(filter)")[0].map {
                try $0.get("id", as: Int64.self)
            }
        return try await run(
            as: .connector(push.connector),
            """
            SELECT DISTINCT ON (1) s.data #>> '{emails,0,value}' AS email, coalesce(s.name, '') AS name, s.id
            FROM \(table("contact_shared")) s WHERE s.id = ANY (\(ids)) AND s.data #>> '{emails,0,value}' IS NOT NULL ORDER BY 1, s.id
            """)[0].map {
                Recipient(contact: try $0.get("id"), email: try $0.get("email"), name: try $0.get("name"))
            }
    }

    public func save(remoteID: String, ofSegmentPush id: Int64, run: Int64) async throws {
        _ = try await self.run(
            as: .system,
            "UPDATE \(table("segment_push")) SET remote_id = \(remoteID), last_run = \(run) WHERE id = \(id)")
    }
}
