public import Hub
internal import Postgres

/// What one pass of the router did.
public struct RoutingPass: Sendable {
    public let changes: Int
    public let accepted: Int
    /// Plugins that have something to deliver now.
    public let plugins: [Int64]
}

extension TenantDatabase {
    /// Decides one batch of changes for every plugin, in one statement: takes them off the outbox, stores
    /// each verdict with its rule, and marks what is behind. All or nothing.
    /// - Parameter limit: most changes to take.
    public func route(limit: Int) async throws -> RoutingPass {
        let (plugins, compiler) = try await routingInput()
        return try await route(plugins, compiler, limit: limit)
    }

    /// Routes until the outbox is empty.
    public func routeAll(batch: Int = 500) async throws -> RoutingPass {
        let (plugins, compiler) = try await routingInput()
        var total = RoutingPass(changes: 0, accepted: 0, plugins: [])
        while true {
            let pass = try await route(plugins, compiler, limit: batch)
            total = RoutingPass(
                changes: total.changes + pass.changes, accepted: total.accepted + pass.accepted,
                plugins: Set(total.plugins + pass.plugins).sorted())
            if pass.accepted > 0 { ring() }
            if pass.changes < batch { return total }
            try Task.checkCancellation()
        }
    }

    private func route(_ plugins: [RoutedPlugin], _ compiler: ConditionCompiler, limit: Int) async throws -> RoutingPass
    {
        let verdicts = try plugins.map { try $0.verdict(compiler) }
        let ids = plugins.map(\.id)
        let rows = try await run(
            as: .system,
            """
            WITH taken AS (
                DELETE FROM \(table("outbox")) o WHERE o.change IN (
                    SELECT x.change FROM \(table("outbox")) x ORDER BY x.change LIMIT \(limit) FOR UPDATE SKIP LOCKED)
                RETURNING o.change),
            e AS MATERIALIZED (
                SELECT h.id, h.entity, h.record, h.kind, h.fields, h.origin, h.actor,
                    coalesce(r.kind NOT IN ('hook', 'poll') OR r.params @> '{"first": true}', false) AS backfill
                FROM taken t JOIN \(table("change")) h ON h.id = t.change LEFT JOIN \(table("run")) r ON r.id = h.run),
            v AS MATERIALIZED (
                SELECT e.id, e.record, e.backfill, e.kind IN ('deleted', 'merged') AS removes, ARRAY[\(verdicts.joined(separator: ", "))]::text[] AS verdict
                FROM e LEFT JOIN \(table("contact")) c ON c.id = e.record AND e.entity = 'contact'),
            decided AS (
                INSERT INTO \(table("decision")) (change, plugin, verdict, rule)
                SELECT v.id, \(ids)::bigint[], v.verdict, \(plugins.map { Int64($0.rule) })::int[] FROM v),
            dirty AS (
                INSERT INTO \(table("delivery")) AS d (plugin, record, wanted, backfill, removes)
                SELECT p.plugin, v.record, max(v.id), bool_and(v.backfill), (array_agg(v.removes ORDER BY v.id DESC))[1]
                FROM v, unnest(\(ids)::bigint[], v.verdict) AS p (plugin, verdict)
                WHERE p.verdict IN ('accepted', 'paused')
                GROUP BY p.plugin, v.record ORDER BY p.plugin, v.record
                ON CONFLICT (plugin, record) DO UPDATE SET
                    wanted = greatest(d.wanted, excluded.wanted),
                    removes = CASE WHEN excluded.wanted >= d.wanted THEN excluded.removes ELSE d.removes END,
                    backfill = d.state = 'due' AND d.backfill AND excluded.backfill,
                    state = CASE d.state WHEN 'leased' THEN 'leased' ELSE 'due' END,
                    due_at = CASE WHEN d.state = 'due' AND d.attempts > 0 THEN d.due_at ELSE now() END,
                    attempts = CASE d.state WHEN 'due' THEN d.attempts WHEN 'leased' THEN d.attempts ELSE 0 END,
                    changed_at = now()
                RETURNING d.plugin)
            SELECT (SELECT count(*) FROM v) AS changes, (SELECT count(*) FROM dirty) AS accepted,
                ARRAY(SELECT DISTINCT plugin FROM dirty) AS plugins
            """)[0]
        return RoutingPass(
            changes: try rows[0].get("changes"), accepted: try rows[0].get("accepted"),
            plugins: try rows[0].get("plugins"))
    }
}
