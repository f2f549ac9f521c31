import Cryptography
public import Hub
internal import Postgres

extension TenantDatabase {
    /// Records how a batch of attempts ended. Those whose lease another worker took over meanwhile are left to it.
    /// - Returns: how many counted.
    public func finish(_ plugin: DeliveryPlugin, _ results: [DeliveryResult], maxAttempts: Int) async throws -> Int {
        guard !results.isEmpty else { return 0 }
        let list = JSON.array(results.map(\.json)).text
        // said beside each join, so that PostgreSQL expects few rows and goes by the keys
        let records = results.map(\.record)
        let unbound: SQL =
            !results.contains { $0.outcome == .gone }
            ? ""
            : """
            , unbound AS (
                UPDATE \(table("binding")) b SET gone_at = now() FROM r JOIN held USING (record)
                WHERE r.outcome = 'gone' AND b.connector = \(plugin.connector) AND b.entity = 'contact'
                    AND b.record = r.record)
            """
        // what a crash takes back is a lease that ends: an attempt of unknown end
        let rows = try await runByKeys(
            as: .connector(plugin.connector), isAwaited: false,
            """
            WITH told AS (
                SELECT x.*, decode(x.pushed, 'hex') AS push_hash,
                    x.outcome IN ('done', 'stale') AND (row_number() OVER (PARTITION BY x.outcome, x.remote_id ORDER BY x.record) > 1
                        OR EXISTS (SELECT FROM \(table("binding")) o WHERE o.connector = \(plugin.connector)
                            AND o.entity = 'contact' AND o.remote_id = x.remote_id AND o.record <> x.record))
                        AND x.remote_id IS NOT NULL AS is_taken
                FROM jsonb_to_recordset(\(list)::jsonb) AS x (record bigint,
                    change bigint, fence bigint, outcome text, code text, message text, delay double precision, remote_id text,
                    remote_version text, remote_at timestamptz, agreed jsonb, pushed text, is_new boolean)),
            r AS MATERIALIZED (
                SELECT t.record, t.change, t.fence, t.delay, t.remote_id, t.remote_version, t.remote_at, t.agreed, t.push_hash, t.is_new,
                    CASE WHEN t.is_taken THEN 'refused' ELSE t.outcome END AS outcome,
                    CASE WHEN t.is_taken THEN 'remote_taken' ELSE t.code END AS code,
                    CASE WHEN t.is_taken THEN 'the remote answered with record ' || t.remote_id || ', which is another contact''s'
                        ELSE t.message END AS message
                FROM told t),
            -- in the order in which routers mark, so that none waits for one that waits for it
            locked AS MATERIALIZED (
                SELECT d.record FROM \(table("delivery")) d WHERE d.plugin = \(plugin.id)
                    AND d.record = ANY (\(records)) ORDER BY d.record FOR UPDATE),
            held AS (
                UPDATE \(table("delivery")) d SET
                    state = CASE WHEN r.outcome IN ('done', 'gone', 'skipped') AND d.wanted <= r.change THEN 'done'
                        WHEN r.outcome = 'refused' AND d.wanted <= r.change OR r.outcome IN ('retry', 'unsure', 'stale')
                            AND d.attempts >= \(maxAttempts) THEN 'dead'
                        ELSE 'due' END,
                    due_at = CASE WHEN r.outcome IN ('retry', 'unsure', 'stale', 'locked', 'unsent')
                        THEN clock_timestamp() + make_interval(secs => r.delay) ELSE now() END,
                    delivered = CASE WHEN r.outcome = 'done' THEN r.change ELSE d.delivered END,
                    attempts = CASE WHEN r.outcome IN ('done', 'gone', 'refused', 'skipped') AND d.wanted > r.change THEN 0
                        WHEN r.outcome IN ('locked', 'unsent') THEN d.attempts - 1 ELSE d.attempts END,
                    unsure = CASE WHEN r.outcome IN ('done', 'gone', 'refused', 'skipped') THEN false
                        ELSE d.unsure OR r.outcome = 'unsure' END,
                    -- after an uncertain attempt the remote may still tell of any state sent
                    sent = CASE WHEN r.outcome = 'done' AND d.unsure AND NOT d.removes THEN d.sent
                        WHEN r.outcome IN ('done', 'gone', 'refused', 'skipped') THEN '[]'
                        WHEN r.outcome <> 'unsure' AND r.is_new THEN d.sent - 0 ELSE d.sent END,
                    leased_until = NULL, code = r.code, message = r.message, changed_at = now()
                FROM r JOIN locked USING (record)
                WHERE d.plugin = \(plugin.id) AND d.record = r.record AND d.record = ANY (\(records))
                    AND d.fence = r.fence AND d.leased_until IS NOT NULL
                RETURNING d.record),
            logged AS (
                UPDATE \(table("attempt")) a SET ended_at = clock_timestamp(), outcome = r.outcome, code = r.code,
                    message = r.message
                FROM r WHERE a.plugin = \(plugin.id) AND a.record = r.record AND a.record = ANY (\(records))
                    AND a.fence = r.fence AND a.outcome IS NULL),
            bound AS (
                INSERT INTO \(table("binding")) AS b (connector, entity, record, remote_id, remote_version, remote_at,
                    agreed, pushed, pushed_at)
                SELECT \(plugin.connector), 'contact', r.record, r.remote_id, r.remote_version, r.remote_at,
                    jsonb_strip_nulls(coalesce(r.agreed, '{}')), CASE WHEN r.push_hash IS NULL THEN '{}' ELSE ARRAY[r.push_hash] END,
                    clock_timestamp()
                FROM r JOIN held USING (record) WHERE r.outcome = 'done' AND r.remote_id IS NOT NULL
                -- what was taken in meanwhile from a newer state of the record is not undone
                ON CONFLICT (connector, entity, record) DO UPDATE SET
                    (remote_id, remote_version, remote_at, agreed, past) = (
                        SELECT x.remote_id,
                            CASE WHEN o.is_old THEN b.remote_version ELSE coalesce(x.remote_version, o.version) END,
                            CASE WHEN o.is_old THEN b.remote_at ELSE coalesce(x.remote_at, o.at) END,
                            n.agreed, hub.remember(hub.former(b.agreed, n.agreed), b.past, 4)
                        FROM r x
                        CROSS JOIN LATERAL (SELECT b.gone_at IS NULL AND b.remote_id = x.remote_id AS same) s
                        CROSS JOIN LATERAL (SELECT s.same AND coalesce(x.remote_at < b.remote_at, false) AS is_old,
                            CASE WHEN s.same THEN b.agreed ELSE '{}' END AS agreed,
                            CASE WHEN s.same THEN b.remote_version END AS version,
                            CASE WHEN s.same THEN b.remote_at END AS at) o
                        CROSS JOIN LATERAL (SELECT CASE WHEN o.is_old THEN o.agreed
                            ELSE jsonb_strip_nulls(o.agreed || coalesce(x.agreed, '{}')) END AS agreed) n
                        WHERE x.record = b.record),
                    pushed = (excluded.pushed || b.pushed)[1:5], pushed_at = excluded.pushed_at,
                    bound_at = CASE WHEN b.gone_at IS NULL THEN b.bound_at ELSE now() END, gone_at = NULL)\(unbound)
            SELECT count(*) AS n FROM held
            """)
        show()
        return try rows[0].get("n")
    }
}

extension DeliveryResult {
    fileprivate var json: JSON {
        var row: JSON = [
            "record": .int(record), "change": .int(change), "fence": .int(fence), "outcome": .string(outcome.rawValue),
            "delay": .double(delay), "is_new": .bool(isNewState),
        ]
        for (key, value) in [
            ("code", code), ("message", message), ("remote_id", remoteID), ("remote_version", remoteVersion),
            ("remote_at", remoteAt),
        ] {
            if let value { row[key] = .string(value) }
        }
        if let agreed { row["agreed"] = agreed }
        if let pushed { row["pushed"] = .string(Crypto.hex(pushed)) }
        return row
    }
}
