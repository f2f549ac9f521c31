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
    /// What the rule is about, by which it is known again.
    let terms: JSON
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
                UPDATE \(table("retention")) t SET name = n.name, subject = n.subject, condition = n.condition, action = n.action,
                    most = n.most,
                    -- what it is about now has not been looked at
                    state = CASE WHEN (n.subject, n.condition, n.action) IS DISTINCT FROM (t.subject, t.condition, t.action)
                        THEN 'off' ELSE n.state END,
                    next_at = CASE WHEN n.state = 'on' AND t.state = 'off' THEN now() ELSE t.next_at END
                FROM (SELECT x.id, coalesce(\(rule.name), x.name) AS name, coalesce(\(rule.subject), x.subject) AS subject,
                        coalesce(\(condition)::jsonb, x.condition) AS condition, coalesce(\(rule.action), x.action) AS action,
                        coalesce(\(rule.most), x.most) AS most, coalesce(\(rule.state), x.state) AS state
                    FROM \(table("retention")) x WHERE x.id = \(id)) n
                WHERE t.id = n.id
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

    /// Ends the contacts that a rule is about, each by itself, so that what is cut short is gone on with; never more than
    /// the rule may, or than somebody approved.
    /// - Throws: ``TooManyEnd`` before the first when they are more; `RunLost`; `Failure` `retention.off` when the rule was
    ///   switched off, changed or removed meanwhile.
    public func applyRetention(_ claimed: ClaimedRun, lease: Double) async throws {
        let rule = try await retentionRule(claimed.params["rule"]?.int ?? 0, as: .system)
        guard rule["state"] == "on" else { throw Self.isOff }
        let terms = Self.terms(rule)
        let (due, kind) = (try await due(rule, as: .system), rule["action"] == "erase" ? "erased" : "deleted")
        var left = try await allowance(claimed, terms, most: rule["most"]?.int ?? 0, due: due)
        var last: Int64 = 0
        while left > 0 {
            let batch: [Int64] = try await run(
                as: .system,
                "SELECT c.id FROM \(contacts) c WHERE c.id > \(last) AND \(due) ORDER BY c.id LIMIT \(min(50, left))")[
                    0
                ]
                .map { try $0.get("id") }
            guard let end = batch.last else { break }
            for id in batch where try await self.end(contact: id, by: rule, of: claimed, as: kind, where: due) {
                left -= 1
            }
            last = end
            show()
            guard try await renew(claimed, lease: lease) else { throw RunLost() }
            try Task.checkCancellation()
        }
    }

    private static let isOff = Failure(
        .conflict, "retention.off", "The rule has been switched off, changed or removed.")

    private static func terms(_ rule: JSON) -> JSON {
        [
            "subject": rule["subject"] ?? .null, "condition": rule["condition"] ?? .null,
            "action": rule["action"] ?? .null,
        ]
    }

    /// How many contacts a run may still end. What it may in all is kept with it at its beginning, with what the rule is
    /// about: after a kill it goes on by that.
    private func allowance(_ claimed: ClaimedRun, _ terms: JSON, most: Int64, due: SQL) async throws -> Int64 {
        if let began = claimed.params["began"] {
            guard began["terms"] == terms else { throw Self.isOff }
            let ended: Int64 = try await run(
                as: .system,
                """
                SELECT coalesce((counts ->> 'erased')::bigint, 0) + coalesce((counts ->> 'deleted')::bigint, 0) AS n
                FROM \(table("run")) WHERE id = \(claimed.id)
                """)[0][0].get("n")
            return (began["most"]?.int ?? 0) - ended
        }
        var allowed = most
        // somebody approved that many, of what the rule was about then
        if claimed.params["approved"] == true, let held = claimed.params["held"], held["terms"] == terms {
            allowed = max(most, held["due"]?.int ?? 0)
        }
        let count: Int64 = try await run(as: .system, "SELECT count(*) AS n FROM \(contacts) c WHERE \(due)")[0][0].get(
            "n")
        guard count <= allowed else { throw TooManyEnd(due: Int(count), terms: terms) }
        let began: JSON = ["began": ["terms": terms, "most": .int(allowed)]]
        _ = try await run(
            as: .system,
            """
            UPDATE \(table("run")) SET params = params || \(began.text)::jsonb
            WHERE id = \(claimed.id) AND fence = \(claimed.fence)
            """)
        return allowed
    }

    /// Has a run wait for somebody's approval of what it was found to be about.
    public func hold(_ claimed: ClaimedRun, _ tooMany: TooManyEnd) async throws {
        let held: JSON = ["approved": false, "held": ["terms": tooMany.terms, "due": .int(Int64(tooMany.due))]]
        _ = try await run(
            as: .system,
            """
            UPDATE \(table("run")) SET params = params || \(held.text)::jsonb
            WHERE id = \(claimed.id) AND fence = \(claimed.fence)
            """)
        try await end(
            claimed, state: "awaiting_approval", counts: ["due": .int(Int64(tooMany.due))],
            message: "The rule is about \(tooMany.due) contacts by now, more than it may end without approval.")
    }

    /// Ends one, if it still is one that the rule is about, and the rule still is what it was.
    /// - Returns: whether it was.
    private func end(
        contact id: Int64, by rule: JSON, of claimed: ClaimedRun, as kind: String, where due: SQL
    ) async throws -> Bool {
        try await transaction(as: .system, run: claimed.id) { session in
            try await demand(claimed.fence, of: claimed.id, session)
            let standing = try await session.query(
                """
                SELECT FROM \(table("retention")) WHERE id = \(rule["id"]?.int) AND state = 'on'
                    AND subject = \(rule["subject"]?.string) AND action = \(rule["action"]?.string)
                    AND condition = \((rule["condition"] ?? .null).text)::jsonb FOR SHARE
                """)
            guard !standing.isEmpty else { throw Self.isOff }
            // held first and asked then, by a statement that sees what others committed meanwhile
            _ = try await session.query("SELECT FROM \(table("contact")) WHERE id = \(id) FOR UPDATE")
            let still = try await session.query("SELECT FROM \(contacts) c WHERE c.id = \(id) AND \(due)")
            guard !still.isEmpty else { return false }
            if rule["action"] == "erase" {
                _ = try await session.query("SELECT \(table("erase_contact"))(\(id))")
            } else {
                let outcome: String = try await session.query("SELECT \(table("set_deleted"))(\(id), NULL, true)")[0]
                    .get(0)
                try Self.judge(outcome)
            }
            _ = try await session.query(
                """
                UPDATE \(table("run")) SET counts = counts || jsonb_build_object(\(kind)::text,
                    coalesce((counts ->> \(kind))::int, 0) + 1) WHERE id = \(claimed.id)
                """)
            return true
        }
    }

    /// What holds of a contact `c` that a rule is about. One that was merged goes with whom it was merged into; one that was
    /// erased is over. Who is asked about orders has been there for as long.
    private func due(_ rule: JSON, as actor: Actor) async throws -> SQL {
        let condition = try Condition(rule["condition"] ?? .null)
        let compiler = try await compiler(as: actor)
        let days =
            condition.leaves.compactMap { if case .noOrderInDays(let days) = $0 { days } else { nil } }.max() ?? 0
        guard days == 0 || compiler.hasSales else { throw Self.noOrders }
        let filter: SQL =
            "\(try compiler.compile(condition)) AND c.created_at <= now() - make_interval(days => \(days))"
        return rule["subject"] == "deleted"
            ? """
            c.deleted_at IS NOT NULL AND c.merged_into IS NULL AND \(filter)
                AND NOT EXISTS (SELECT FROM \(table("erasure")) x WHERE x.contact = c.id AND x.at >= c.deleted_at)
            """
            : "c.deleted_at IS NULL AND \(filter)"
    }

    private func checked(_ condition: JSON, as actor: Actor) async throws -> String {
        let checked = try Condition.checked(condition, await catalogue(as: actor))
        _ = try await due(["condition": condition], as: actor)
        try await demandOpen(checked, as: actor)
        guard !checked.leaves.isEmpty else {
            throw Failure(.invalid, "retention.everything", "The condition is empty: it would end every contact.")
        }
        return condition.text
    }

    private static let noOrders = Failure(
        .invalid, "retention.no_orders", "The rule asks about orders, and the shop has none here yet.")

    func demandErasing(as actor: Actor) async throws {
        guard
            try await run(as: actor, "SELECT \(table("may"))('settings') AND \(table("may_erase"))() AS may")[0][0].get(
                "may")
        else { throw Failure.right }
    }

    private func named<T>(_ name: String?, _ write: () async throws -> T) async throws -> T {
        do { return try await write() } catch let error as PostgresError where error.sqlState == "23514" {
            throw Failure(.invalid, "retention.bin", "What is in the bin is deleted already: it can only be erased.")
        } catch let error as PostgresError where error.isUniqueViolation {
            throw Failure(.conflict, "retention.exists", "There is a rule of the name “\(name ?? "")” already.")
        }
    }
}
