public import Hub
internal import Postgres

extension TenantDatabase {
    /// How deliveries stand, by record and plugin.
    /// - Parameters:
    ///   - state: due, leased, done, dead; nil for all.
    ///   - after: the last record and plugin of the page before.
    public func deliveries(
        state: String?, connector: Int64?, after: (record: Int64, plugin: Int64), limit: Int, as actor: Actor
    ) async throws -> Page {
        let rows = try await run(
            as: actor,
            """
            SELECT d.plugin, k.name AS connector, p.name AS plugin_name, d.record,
                (SELECT c.name FROM \(contacts) c WHERE c.id = d.record) AS name, d.state, d.attempts, d.due_at, d.backfill, d.unsure,
                d.wanted, d.delivered, d.code, d.message, d.changed_at
            FROM \(seen("delivery")) d JOIN \(seen("plugin")) p ON p.id = d.plugin
            JOIN \(seen("connector")) k ON k.id = p.connector
            WHERE (\(state)::text IS NULL OR d.state = \(state)) AND (\(connector)::bigint IS NULL OR k.id = \(connector))
                AND (d.record, d.plugin) > (\(after.record), \(after.plugin))
            ORDER BY d.record, d.plugin LIMIT \(limit)
            """)[0]
        return try Page(rows, limit: limit, by: "record", "plugin")
    }

    /// Runs, newest first.
    /// - Parameter before: the last one of the page before.
    public func runs(kind: String?, state: String?, before: Int64?, limit: Int, as actor: Actor) async throws -> Page {
        let rows = try await run(
            as: actor,
            """
            SELECT id, kind, plugin, connector, state, dry, counts, message, actor, created_at, started_at, ended_at
            FROM \(table("run")) WHERE (\(before)::bigint IS NULL OR id < \(before))
                AND (\(kind)::text IS NULL OR kind = \(kind)) AND (\(state)::text IS NULL OR state = \(state))
            ORDER BY id DESC LIMIT \(limit)
            """)[0]
        return try Page(rows, limit: limit, by: "id")
    }

    /// The staged rows of a run with what became of them, by line.
    /// - Parameter isFaulty: only those that were refused, or had a value that could not be taken.
    /// - Throws: `Failure` `not_found`.
    public func stagedPage(
        _ id: Int64, verdict: String?, isFaulty: Bool = false, after: Int64, limit: Int, as actor: Actor
    ) async throws -> Page {
        let results = try await run(
            as: actor, "SELECT FROM \(table("run")) WHERE id = \(id)",
            """
            SELECT line, remote_id, contact, verdict, data AS fields, difference, problems FROM \(table("stage"))
            WHERE run = \(id) AND line > \(after) AND (\(verdict)::text IS NULL OR verdict = \(verdict))
                AND (NOT \(isFaulty) OR verdict = 'refused' OR problems <> '[]')
            ORDER BY line LIMIT \(limit)
            """)
        guard results[0].count == 1 else { throw Failure.notFound("run") }
        return try Page(results[1], limit: limit, by: "line")
    }

    /// A plugin as a JSON object.
    /// - Throws: `Failure` `not_found`.
    public func plugin(_ id: Int64, as actor: Actor) async throws -> [UInt8] {
        let rows = try await run(
            as: actor,
            """
            SELECT id, connector, name, capability, entity, state, rule, filter, mapping, every_seconds, since, next_at,
                max_changes
            FROM \(table("plugin")) WHERE id = \(id)
            """)[0]
        guard rows.count == 1 else { throw Failure.notFound("plugin") }
        return rows.json(row: 0)
    }

    /// Asks for a poll of a plugin now.
    /// - Parameters:
    ///   - maxChanges: contacts it may change without approval; nil for what the plugin says.
    ///   - isDry: tells what would happen, and does nothing.
    /// - Returns: the run's number.
    /// - Throws: `Failure` `not_found`, `plugin.no_pull`, `plugin.no_preview`.
    public func runPlugin(_ id: Int64, as actor: Actor, maxChanges: Int64? = nil, isDry: Bool = false) async throws
        -> Int64
    {
        let rows = try await run(
            as: actor, "SELECT connector, capability = 'pull' AS pulls, entity FROM \(table("plugin")) WHERE id = \(id)"
        )[0]
        guard let row = rows.first else { throw Failure.notFound("plugin") }
        guard try row.get("pulls") else {
            throw Failure(
                .conflict, "plugin.no_pull", "Only a plugin that pulls records can be run; others follow changes.")
        }
        guard try !isDry || row.get("entity") == RemoteEntity.contact.rawValue else {
            throw Failure(.conflict, "plugin.no_preview", "Only a plugin that pulls contacts can be run dry.")
        }
        var params: JSON = [:]
        if let maxChanges { params["max_changes"] = .int(maxChanges) }
        return try await createRun(
            as: actor, kind: "poll", plugin: id, connector: row.get("connector"), params: params, isDry: isDry)
    }

    /// Asks for a mapping to be tried on a few records as they are now, without any effect.
    /// - Parameters:
    ///   - mapping: nil for the one in force.
    ///   - records: how many.
    /// - Returns: the run's number; its `samples` show each record before and after.
    /// - Throws: `Failure` `not_found`, `mapping.invalid`, `plugin.no_preview`.
    public func tryMapping(plugin id: Int64, mapping: JSON?, records: Int, as actor: Actor) async throws -> Int64 {
        let known = try await catalogue(as: actor)
        if let mapping { try Mapping.check(mapping, known) }
        let rows = try await run(
            as: actor,
            """
            SELECT connector, mapping, capability IN ('pull', 'push') AND entity = 'contact' AS can
            FROM \(table("plugin")) WHERE id = \(id)
            """)[0]
        guard let row = rows.first else { throw Failure.notFound("plugin") }
        guard try row.get("can") else {
            throw Failure(.conflict, "plugin.no_preview", "Only plugins that pull or push contacts have a mapping.")
        }
        let (stored, connector): (String, Int64) = (try row.get("mapping"), try row.get("connector"))
        var params: JSON = ["records": .int(Int64(records))]
        params["mapping"] = try mapping ?? JSON(text: stored)
        return try await createRun(
            as: actor, kind: "try", plugin: id, connector: connector, params: params, isDry: true)
    }

    /// Asks for a run to be taken back.
    /// - Returns: the number of the run that does it.
    /// - Throws: `Failure` `not_found`, `run.state`.
    public func undoRun(_ id: Int64, as actor: Actor) async throws -> Int64 {
        try await demandMassChange(as: actor)
        let rows = try await run(
            as: actor,
            """
            SELECT state IN ('done', 'failed') AND NOT dry AND kind IN ('csv', 'batch', 'edit', 'poll', 'hook') AS can
            FROM \(table("run")) WHERE id = \(id)
            """)[0]
        guard let row = rows.first else { throw Failure.notFound("run") }
        guard try row.get("can") else {
            throw Failure(
                .conflict, "run.state", "Only a run that took contacts in and has ended can be undone, and only once.")
        }
        return try await createRun(as: actor, kind: "undo", params: ["run": .int(id)])
    }
}
