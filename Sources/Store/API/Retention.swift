public import Hub
internal import Postgres

/// A rule for how long contacts are kept, to be made or changed; what is nil stays as it is.
public struct RetentionEdit: Sendable {
    public var name: String?
    /// living or deleted.
    public var subject: String?
    public var condition: JSON?
    /// delete or erase.
    public var action: String?
    /// on or off.
    public var state: String?
    /// Contacts of one day that need no approval.
    public var most: Int?
    public init() {}
}

/// A rule would end more contacts than it may without approval.
public struct TooManyEnd: Error {
    public let due: Int
}

extension TenantDatabase {
    private static let retentionColumns: SQL = "id, name, subject, condition, action, state, most, next_at, created_at"

    /// All rules, with their conditions in words, as JSON.
    public func retentionRules(as actor: Actor) async throws -> JSON {
        let rows = try await run(
            as: actor, "SELECT \(Self.retentionColumns) FROM \(table("retention")) ORDER BY id")[0]
        return .array(try (JSON(parsing: rows.json()).array ?? []).map(Self.spoken))
    }

    public func retentionRule(_ id: Int64, as actor: Actor) async throws -> JSON {
        let rows = try await run(
            as: actor, "SELECT \(Self.retentionColumns) FROM \(table("retention")) WHERE id = \(id)")[0]
        guard let rule = try JSON(parsing: rows.json()).array?.first else { throw Failure.notFound("retention rule") }
        return try Self.spoken(rule)
    }

    private static func spoken(_ rule: JSON) throws -> JSON {
        var rule = rule
        rule["words"] = .string(try Condition(rule["condition"] ?? .null).words)
        return rule
    }

    /// Makes a rule, which is off until it is switched on.
    /// - Returns: its number.
    /// - Throws: `Failure` `condition.invalid`, `retention.everything`, `retention.exists`, `right.missing`, `right.field`.
    public func createRetention(_ rule: RetentionEdit, as actor: Actor) async throws -> Int64 {
        try await demandErasing(as: actor)
        let condition = try await checked(rule.condition ?? .null, as: actor)
        return try await named(rule.name) {
            try await run(
                as: actor,
                """
                INSERT INTO \(table("retention")) (name, subject, condition, action, most)
                VALUES (\(rule.name), \(rule.subject ?? "living"), \(condition)::jsonb, \(rule.action ?? "erase"),
                    \(rule.most ?? 100)) RETURNING id
                """)[0][0].get("id")
        }
    }

    /// - Throws: as `createRetention`, and `not_found`.
    public func editRetention(_ id: Int64, _ rule: RetentionEdit, as actor: Actor) async throws {
        try await demandErasing(as: actor)
        var condition: String?
        if let new = rule.condition { condition = try await checked(new, as: actor) }
        let changed = try await named(rule.name) {
            try await run(
                as: actor,
                """
                UPDATE \(table("retention")) SET name = coalesce(\(rule.name), name),
                    subject = coalesce(\(rule.subject), subject), condition = coalesce(\(condition)::jsonb, condition),
                    action = coalesce(\(rule.action), action), most = coalesce(\(rule.most), most),
                    next_at = CASE WHEN \(rule.state) = 'on' AND state = 'off' THEN now() ELSE next_at END,
                    state = coalesce(\(rule.state), state)
                WHERE id = \(id)
                """)[0].affected
        }
        guard changed == 1 else { throw Failure.notFound("retention rule") }
        ring()
    }

    public func deleteRetention(_ id: Int64, as actor: Actor) async throws {
        try await demandErasing(as: actor)
        guard try await run(as: actor, "DELETE FROM \(table("retention")) WHERE id = \(id)")[0].affected == 1 else {
            throw Failure.notFound("retention rule")
        }
    }

    /// Whom a rule would end now: how many, and the first ten.
    public func previewRetention(_ id: Int64, as actor: Actor) async throws -> JSON {
        let due = try await due(retentionRule(id, as: actor), as: actor)
        let rows = try await run(
            as: actor, "SELECT count(*) AS n FROM \(contacts) c WHERE \(due)",
            "SELECT c.id, c.name, c.updated_at FROM \(contacts) c WHERE \(due) ORDER BY c.id LIMIT 10")
        return ["count": .int(try rows[0][0].get("n")), "items": try JSON(parsing: rows[1].json())]
    }

    /// Asks for the rules whose day has come.
    public func queueDueRetention() async throws -> Int {
        try await run(
            as: .system,
            """
            WITH due AS (
                UPDATE \(table("retention")) t SET next_at = now() + interval '1 day'
                WHERE t.state = 'on' AND t.next_at <= now()
                    AND NOT EXISTS (SELECT FROM \(table("run")) r WHERE r.kind = 'retention' AND r.params -> 'rule' = to_jsonb(t.id)
                        AND r.state IN ('queued', 'running', 'awaiting_approval'))
                RETURNING t.id)
            INSERT INTO \(table("run")) (kind, params, actor) SELECT 'retention', jsonb_build_object('rule', id), 'system' FROM due
            """)[0].affected
    }

    /// Ends the contacts that a rule is about, each by itself, so that what is cut short is gone on with.
    /// - Throws: ``TooManyEnd`` before the first when they are more than the rule may end without approval; `RunLost`.
    public func applyRetention(_ claimed: ClaimedRun, lease: Double) async throws -> JSON {
        let rule = try await retentionRule(claimed.params["rule"]?.int ?? 0, as: .system)
        guard rule["state"] == "on" else {
            throw Failure(.conflict, "retention.off", "The rule has been switched off.")
        }
        let (due, ends) = (try await due(rule, as: .system), rule["action"] == "erase" ? "erased" : "deleted")
        let began = claimed.params["began"] == true || claimed.params["approved"] == true
        let count: Int = try await run(as: .system, "SELECT count(*) AS n FROM \(contacts) c WHERE \(due)")[0][0].get(
            "n")
        if !began, Int64(count) > rule["most"]?.int ?? 0 { throw TooManyEnd(due: count) }
        try await note(claimed, ended: 0, as: ends)
        var last: Int64 = 0
        while true {
            let batch: [Int64] = try await run(
                as: .system,
                "SELECT c.id FROM \(contacts) c WHERE c.id > \(last) AND \(due) ORDER BY c.id LIMIT 50")[0]
                .map { try $0.get("id") }
            guard let end = batch.last else { return [:] }
            var count = 0
            for id in batch where try await self.end(contact: id, by: rule, of: claimed, where: due) { count += 1 }
            last = end
            try await note(claimed, ended: count, as: ends)
            guard try await renew(claimed, lease: lease) else { throw RunLost() }
            try Task.checkCancellation()
        }
    }

    /// Ends one, if it still is one that the rule is about.
    /// - Returns: whether it was.
    private func end(contact id: Int64, by rule: JSON, of claimed: ClaimedRun, where due: SQL) async throws -> Bool {
        try await transaction(as: .system, run: claimed.id) { session in
            try await demand(claimed.fence, of: claimed.id, session)
            let still = try await session.query(
                "SELECT c.id FROM \(contacts) c WHERE c.id = \(id) AND \(due) FOR UPDATE")
            guard !still.isEmpty else { return false }
            if rule["action"] == "erase" {
                _ = try await session.query("SELECT \(table("erase_contact"))(\(id))")
            } else {
                let outcome: String = try await session.query("SELECT \(table("set_deleted"))(\(id), NULL, true)")[0]
                    .get(0)
                try Self.judge(outcome)
            }
            return true
        }
    }

    /// Counts what a run ended. That it began is kept, so that what is left after a kill needs no approval again.
    private func note(_ claimed: ClaimedRun, ended count: Int, as name: String) async throws {
        _ = try await run(
            as: .system,
            """
            UPDATE \(table("run")) SET params = params || '{"began": true}',
                counts = counts || jsonb_build_object(\(name)::text, coalesce((counts ->> \(name))::int, 0) + \(count))
            WHERE id = \(claimed.id) AND fence = \(claimed.fence)
            """)
        show()
    }

    /// What holds of a contact `c` that a rule is about. One that was merged goes with whom it was merged into; one that was
    /// erased is over.
    private func due(_ rule: JSON, as actor: Actor) async throws -> SQL {
        let filter = try await compiler(as: actor).compile(Condition(rule["condition"] ?? .null))
        return rule["subject"] == "deleted"
            ? """
            c.deleted_at IS NOT NULL AND c.merged_into IS NULL AND \(filter)
                AND NOT EXISTS (SELECT FROM \(table("erasure")) x WHERE x.contact = c.id)
            """
            : "c.deleted_at IS NULL AND \(filter)"
    }

    private func checked(_ condition: JSON, as actor: Actor) async throws -> String {
        let checked = try Condition.checked(condition, await catalogue(as: actor))
        _ = try await compiler(as: actor).compile(checked)
        try await demandOpen(checked, as: actor)
        guard !checked.leaves.isEmpty else {
            throw Failure(.invalid, "retention.everything", "The condition is empty: it would end every contact.")
        }
        return condition.text
    }

    private func demandErasing(as actor: Actor) async throws {
        guard
            try await run(as: actor, "SELECT \(table("may"))('settings') AND \(table("may_erase"))() AS may")[0][0].get(
                "may")
        else { throw Failure.right }
    }

    private func named<T>(_ name: String?, _ write: () async throws -> T) async throws -> T {
        do { return try await write() } catch let error as PostgresError where error.isUniqueViolation {
            throw Failure(.conflict, "retention.exists", "There is a rule of the name “\(name ?? "")” already.")
        }
    }
}
