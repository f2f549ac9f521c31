public import Hub
internal import Postgres

/// Work that was asked for and that this worker holds.
public struct ClaimedRun: Sendable {
    public let id: Int64
    public let kind: String
    public let plugin: Int64?
    public let connector: Int64?
    public let params: JSON
    public let isDry: Bool
    public let fence: Int64
    public let actor: Actor
}

/// A pull plugin as its poll needs it.
public struct PullPlugin: Sendable {
    public let id: Int64
    public let name: String
    public let connector: Int64
    public let connectorKind: String
    public let connectorName: String
    public let settings: JSON
    public let entity: RemoteEntity
    public let mapping: Mapping
    public let closedFields: [String]
    public let rank: Int
    public let cursor: String?
    public let since: String?
    /// Contacts that one run may change without approval; nil for any number.
    public let maxChanges: Int?
}

extension TenantDatabase {
    /// Asks for work; the relay does it.
    /// - Parameter kind: poll, check, csv, batch, undo, segment, retention.
    /// - Returns: the run's number.
    public func createRun(
        as actor: Actor, kind: String, plugin: Int64? = nil, connector: Int64? = nil, params: JSON = [:],
        isDry: Bool = false,
        state: String = "queued"
    ) async throws -> Int64 {
        let rows = try await run(
            as: actor,
            """
            INSERT INTO \(table("run")) (kind, plugin, connector, state, params, dry, actor)
            VALUES (\(kind), \(plugin), \(connector), \(state), \(params.text)::jsonb, \(isDry), \(actor.description))
            RETURNING id
            """)[0]
        ring()
        return try rows[0].get("id")
    }

    /// Has a plugin poll soon, unless a poll waits already.
    public func queuePoll(plugin: Int64, connector: Int64) async throws {
        _ = try await run(
            as: .system,
            """
            INSERT INTO \(table("run")) (kind, plugin, connector, actor)
            SELECT 'poll', \(plugin), \(connector), \(Actor.system.description)
            WHERE NOT EXISTS (SELECT FROM \(table("run")) r WHERE r.plugin = \(plugin) AND r.kind = 'poll'
                AND r.state = 'queued')
            """)
        ring()
    }

    /// Makes runs of the polls that are due. One run of a plugin at a time. Uploads that ended in the middle are
    /// given up.
    public func queueDuePolls() async throws -> Int {
        try await run(
            as: .system,
            """
            WITH due AS (
                UPDATE \(table("plugin")) p SET next_at = now() + make_interval(secs => p.every_seconds)
                FROM \(table("connector")) k
                WHERE k.id = p.connector AND k.state = 'on' AND p.state = 'on' AND p.capability = 'pull'
                    AND p.every_seconds IS NOT NULL AND p.next_at <= now()
                    AND NOT EXISTS (SELECT FROM \(table("run")) r WHERE r.plugin = p.id AND r.kind = 'poll'
                        AND r.state IN ('queued', 'running', 'awaiting_approval'))
                RETURNING p.id, p.connector)
            INSERT INTO \(table("run")) (kind, plugin, connector, actor) SELECT 'poll', id, connector, 'system' FROM due
            """,
            """
            UPDATE \(table("run")) SET state = 'failed', message = 'The upload ended in the middle.', ended_at = now()
            WHERE state = 'staging' AND created_at < now() - interval '6 hours'
            """, "DELETE FROM \(table("upload")) WHERE created_at < now() - interval '1 day'")[0].affected
    }

    /// Takes the oldest run that waits, or whose worker is gone.
    public func claimRun(lease: Double) async throws -> ClaimedRun? {
        let rows = try await runByKeys(
            as: .system, isAwaited: true,
            """
            UPDATE \(table("run")) r SET state = 'running', fence = r.fence + 1, started_at = coalesce(r.started_at, now()),
                leased_until = clock_timestamp() + make_interval(secs => \(lease)),
                -- a first import waits behind live changes, a later poll does not
                params = CASE WHEN r.kind = 'poll' AND NOT r.params ? 'first' THEN r.params || jsonb_build_object('first',
                    (SELECT p.cursor IS NULL FROM \(table("plugin")) p WHERE p.id = r.plugin)) ELSE r.params END
            WHERE r.id = (SELECT x.id FROM \(table("run")) x
                WHERE (x.state = 'queued' OR x.state = 'running' AND x.leased_until < clock_timestamp())
                    -- polls of a plugin go on from one cursor: one at a time, in their order
                    AND NOT (x.kind = 'poll' AND NOT x.dry AND EXISTS (SELECT FROM \(table("run")) o WHERE o.plugin = x.plugin
                        AND o.kind = 'poll' AND o.id < x.id AND o.state IN ('queued', 'running', 'awaiting_approval')
                        AND NOT o.dry))
                ORDER BY x.id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING r.id, r.kind, r.plugin, r.connector, r.params, r.dry, r.fence, r.actor
            """)
        if !rows.isEmpty { show() }
        return try rows.first.map { row in
            ClaimedRun(
                id: try row.get("id"), kind: try row.get("kind"), plugin: try row.get("plugin"),
                connector: try row.get("connector"), params: try JSON(text: row.get("params")),
                isDry: try row.get("dry"),
                fence: try row.get("fence"), actor: Actor(text: try row.get("actor")) ?? .system)
        }
    }

    /// Ends a transaction whose run another worker has taken over.
    func demand(_ fence: Int64, of run: Int64, _ session: Session) async throws {
        let held = try await session.query(
            "SELECT id FROM \(table("run")) WHERE id = \(run) AND fence = \(fence) AND state = 'running' FOR UPDATE")
        if held.isEmpty { throw RunLost() }
    }

    /// Holds a run longer; false when another worker took it.
    public func renew(_ claimed: ClaimedRun, lease: Double) async throws -> Bool {
        try await run(
            as: .system,
            """
            UPDATE \(table("run")) SET leased_until = clock_timestamp() + make_interval(secs => \(lease))
            WHERE id = \(claimed.id) AND fence = \(claimed.fence) AND state = 'running'
            """)[0].affected == 1
    }

    /// Ends a run.
    /// - Parameter state: done, failed, awaiting_approval or, to be gone on with, queued.
    public func end(_ claimed: ClaimedRun, state: String, counts: JSON = [:], message: String? = nil) async throws {
        _ = try await run(
            as: .system,
            """
            UPDATE \(table("run")) SET state = \(state), counts = counts || \(counts.text)::jsonb, message = \(message),
                leased_until = NULL, ended_at = CASE WHEN \(state) = 'queued' THEN NULL ELSE now() END
            WHERE id = \(claimed.id) AND fence = \(claimed.fence)
            """)
        ring()
    }

    /// One run as JSON.
    public func runJSON(_ id: Int64, as actor: Actor) async throws -> [UInt8] {
        let rows = try await run(
            as: actor,
            """
            SELECT id, kind, plugin, connector, state, params, dry, counts, message, actor, created_at, started_at, ended_at,
                -- from its counts: staged rows may be millions, and this is asked for all the time
                greatest(0, coalesce((counts ->> 'rows')::bigint, 0) + coalesce((counts ->> 'faults')::bigint, 0)
                    - (SELECT coalesce(sum((counts ->> v)::bigint), 0) FROM unnest(\(MergeCounts.verdicts)::text[]) v))::bigint AS waiting
            FROM \(table("run")) r WHERE id = \(id)
            """)[0]
        guard rows.count == 1 else { throw Failure.notFound("run") }
        return Array(rows.json().dropFirst().dropLast())
    }

    /// Lets a run that waits for approval go on.
    public func approve(_ id: Int64, as actor: Actor) async throws {
        try await demandMassChange(as: actor)
        let isRetention = try await !run(
            as: actor, "SELECT FROM \(table("run")) WHERE id = \(id) AND kind = 'retention'")[0].isEmpty
        if isRetention { try await demandErasing(as: actor) }
        let rows = try await run(
            as: actor,
            """
            UPDATE \(table("run")) SET state = 'queued', params = params || '{"approved": true}'
            WHERE id = \(id) AND state = 'awaiting_approval'
            """)[0]
        guard rows.affected == 1 else {
            throw Failure(.conflict, "run.state", "The run does not wait for approval.")
        }
        ring()
    }

    /// Gives up a run that has not begun, or that waits for approval.
    public func cancelRun(_ id: Int64, as actor: Actor) async throws {
        try await demandMassChange(as: actor)
        let rows = try await run(
            as: actor,
            """
            UPDATE \(table("run")) SET state = 'failed', message = 'Given up by hand.', ended_at = now()
            WHERE id = \(id) AND state IN ('queued', 'awaiting_approval')
            """)[0]
        guard rows.affected == 1 else {
            throw Failure(.conflict, "run.state", "Only a run that waits can be given up.")
        }
        ring()
    }

    /// A pull plugin with its rule in force.
    public func pullPlugin(_ id: Int64) async throws -> PullPlugin? {
        try await run(
            as: .system,
            """
            SELECT p.id, p.name, p.connector, k.kind, k.name AS connector_name, k.settings, p.entity, p.mapping,
                k.closed_fields, k.rank, p.cursor, p.since::text AS since, p.max_changes
            FROM \(table("plugin")) p JOIN \(table("connector")) k ON k.id = p.connector
            WHERE p.id = \(id) AND p.capability = 'pull'
            """)[0].first.map { row in
                PullPlugin(
                    id: try row.get("id"), name: try row.get("name"), connector: try row.get("connector"),
                    connectorKind: try row.get("kind"), connectorName: try row.get("connector_name"),
                    settings: try JSON(text: row.get("settings")),
                    entity: RemoteEntity(rawValue: try row.get("entity")) ?? .contact,
                    mapping: try Mapping(JSON(text: row.get("mapping"))), closedFields: try row.get("closed_fields"),
                    rank: try row.get("rank"), cursor: try row.get("cursor"), since: try row.get("since"),
                    maxChanges: try row.get("max_changes"))
            }
    }

    /// The pull plugins of a connector by entity.
    public func pullPlugins(ofConnector id: Int64) async throws -> [PullPlugin] {
        var plugins: [PullPlugin] = []
        let rows = try await run(
            as: .system,
            "SELECT id FROM \(table("plugin")) WHERE connector = \(id) AND capability = 'pull' AND state = 'on' ORDER BY id"
        )[0]
        for row in rows { if let plugin = try await pullPlugin(row.get("id")) { plugins.append(plugin) } }
        return plugins
    }

    /// A connector as its worker needs it: kind, name, settings, state.
    public func connector(_ id: Int64) async throws -> (kind: String, name: String, settings: JSON, state: String)? {
        try await run(as: .system, "SELECT kind, name, settings, state FROM \(table("connector")) WHERE id = \(id)")[0]
            .first
            .map { (try $0.get("kind"), try $0.get("name"), try JSON(text: $0.get("settings")), try $0.get("state")) }
    }
}

/// Another worker goes on with the run: this one was held up past its lease.
public struct RunLost: Error {}
