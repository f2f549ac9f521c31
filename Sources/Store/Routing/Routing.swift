public import Hub
internal import Postgres
import Synchronization

/// What one pass of the router did.
public struct RoutingPass: Sendable {
    public let changes: Int
    public let accepted: Int
    /// Plugins that have something to deliver now.
    public let plugins: [Int64]
}

extension TenantDatabase {
    /// Changes that the first statement decides: enough to make up for planning it and waiting for the disk, and soon done.
    public static let routingBatch = 1000
    /// How many times as many each further one decides, when a backlog is there.
    private static let backlogFactor = 5
    /// Routers that share a backlog. What two of them say about one record is settled by `wanted`.
    private static let routers = 2

    /// Routes until the outbox is empty.
    public func routeAll(batch: Int = routingBatch) async throws -> RoutingPass {
        let total = Mutex(RoutingPass(changes: 0, accepted: 0, plugins: []))
        _ = try await route(batch: batch, passes: .max) { pass in
            total.withLock {
                $0 = RoutingPass(
                    changes: $0.changes + pass.changes, accepted: $0.accepted + pass.accepted,
                    plugins: Set($0.plugins + pass.plugins).sorted())
            }
            if pass.accepted > 0 { ring() }
        }
        return total.withLock { $0 }
    }

    /// Routes what waits: decides changes for every plugin, a batch in one statement that takes them off the outbox, stores
    /// each verdict with its rule, and marks what is behind, all or nothing. One router does when it is at most a
    /// batch; a backlog is shared by some, each with larger batches of its own.
    /// - Parameters:
    ///   - passes: most batches to decide, all by the rules read in the beginning; odd.
    ///   - each: told of every batch when it is decided.
    /// - Returns: whether more may wait.
    public func route(
        batch: Int = routingBatch, passes: Int, each: @escaping @Sendable (RoutingPass) -> Void
    ) async throws -> Bool {
        let (plugins, compiler) = try await routingInput()
        let statement = try routing(plugins, compiler, limit: batch)
        let first = try await decide(statement)
        each(first)
        guard first.changes == batch else { return false }
        let share = batch * Self.backlogFactor
        let larger = try routing(plugins, compiler, limit: share)
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<Self.routers {
                group.addTask {
                    for _ in 0..<(passes - 1) / Self.routers {
                        try Task.checkCancellation()
                        let pass = try await decide(larger)
                        each(pass)
                        if pass.changes < share { return false }
                    }
                    return true
                }
            }
            return try await group.reduce(false) { $0 || $1 }
        }
    }

    private func decide(_ statement: SQL) async throws -> RoutingPass {
        // what a crash takes back is on the outbox again
        let row = try await runByKeys(as: .system, isAwaited: false, statement)[0]
        return RoutingPass(
            changes: try row.get("changes"), accepted: try row.get("accepted"), plugins: try row.get("plugins"))
    }

    /// The statement that decides a batch.
    ///
    /// What it takes off the outbox is an array of places, of which PostgreSQL expects few: so each change and its
    /// contact are looked up by key, however large their tables are and whatever it knows of them. Records that have a
    /// delivery are updated, for an upsert would lock each row first; the others are added, unless another router was
    /// quicker. A record that is due already keeps its place in the queue, and its row its place in the indexes. All
    /// routers mark in one order, the key's, in which most batches come anyway, so that hardly ever one waits for one that
    /// waits for it; a batch that PostgreSQL then gives up is decided again.
    private func routing(_ plugins: [RoutedPlugin], _ compiler: ConditionCompiler, limit: Int) throws -> SQL {
        let verdicts = try plugins.map { try $0.contactVerdict(compiler) }
        let others = plugins.map { _ in RoutedPlugin.otherEntity }
        let ids = plugins.map(\.id)
        return """
            WITH taken AS (
                DELETE FROM \(table("outbox")) o WHERE o.ctid = ANY (ARRAY(
                    SELECT x.ctid FROM \(table("outbox")) x ORDER BY x.change LIMIT \(limit) FOR UPDATE SKIP LOCKED))
                RETURNING o.change),
            v AS MATERIALIZED (
                SELECT e.id, e.record, e.id * 2 + (e.kind IN ('deleted', 'merged'))::int AS mark,
                    coalesce(r.kind NOT IN ('hook', 'poll') OR r.params @> '{"first": true}', false) AS backfill,
                    CASE WHEN e.entity = 'contact' THEN ARRAY[\(verdicts.joined(separator: ", "))]::text[]
                        ELSE \(others)::text[] END AS verdict
                FROM taken t JOIN \(table("change")) e ON e.id = t.change LEFT JOIN \(table("run")) r ON r.id = e.run
                LEFT JOIN \(table("contact")) c ON c.id = e.record AND e.entity = 'contact'),
            decided AS (
                INSERT INTO \(table("decision")) (change, plugin, verdict, rule)
                SELECT v.id, \(ids)::bigint[], v.verdict, \(plugins.map { Int64($0.rule) })::int[] FROM v),
            behind AS MATERIALIZED (
                SELECT p.plugin, v.record, max(v.mark) >> 1 AS wanted, bool_and(v.backfill) AS backfill,
                    max(v.mark) & 1 = 1 AS removes
                FROM v, unnest(\(ids)::bigint[]) WITH ORDINALITY AS p (plugin, place)
                WHERE v.verdict[p.place::int] IN ('accepted', 'paused')
                GROUP BY v.record, p.plugin ORDER BY v.record, p.plugin),
            known AS (
                UPDATE \(table("delivery")) d SET \(Self.marking("b")) FROM behind b
                WHERE d.record = b.record AND d.plugin = b.plugin RETURNING d.plugin),
            new AS (
                INSERT INTO \(table("delivery")) AS d (plugin, record, wanted, backfill, removes)
                SELECT b.plugin, b.record, b.wanted, b.backfill, b.removes FROM behind b
                WHERE (SELECT count(*) FROM known) < (SELECT count(*) FROM behind)
                    AND NOT EXISTS (SELECT FROM \(table("delivery")) x WHERE x.record = b.record AND x.plugin = b.plugin)
                ON CONFLICT (plugin, record) DO UPDATE SET \(Self.marking("excluded"))
                RETURNING d.plugin),
            dirty AS (SELECT plugin FROM known UNION ALL SELECT plugin FROM new)
            SELECT (SELECT count(*) FROM v) AS changes, count(*) AS accepted,
                coalesce(array_agg(DISTINCT plugin), '{}') AS plugins FROM dirty
            """
    }

    /// Marks the delivery `d` as behind, by a change that `mark` tells of.
    private static func marking(_ mark: String) -> SQL {
        let mark = SQL(unsafeRaw: mark)
        return """
            wanted = greatest(d.wanted, \(mark).wanted),
            removes = CASE WHEN \(mark).wanted >= d.wanted THEN \(mark).removes ELSE d.removes END,
            backfill = d.state = 'due' AND d.backfill AND \(mark).backfill,
            state = CASE d.state WHEN 'leased' THEN 'leased' ELSE 'due' END,
            due_at = CASE WHEN d.state = 'due' AND (d.attempts > 0
                OR d.due_at <= now() AND (\(mark).backfill OR NOT d.backfill)) THEN d.due_at ELSE now() END,
            attempts = CASE d.state WHEN 'due' THEN d.attempts WHEN 'leased' THEN d.attempts ELSE 0 END,
            changed_at = now()
            """
    }
}
