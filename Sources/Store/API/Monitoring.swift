public import Hub
internal import Postgres

extension TenantDatabase {
    /// How each connector does: what waits, and what was delivered and failed in each hour, and how quickly.
    /// - Parameter hours: how many whole hours back besides the present one, 1 to 168.
    /// - Returns: {"undecided": changes the router has not decided yet, null for who may not know, "connectors": [{"id", "name",
    ///   "state", "due": deliveries that wait, "oldest_seconds": how long the oldest of those has been due, "dead",
    ///   "closed_seconds": for how long the remote is not called, null when it is, "hours": [{"hour", "done", "failed",
    ///   "median_ms", "slow_ms": the 95th percentile}]}]}.
    public func monitoring(hours: Int, as actor: Actor) async throws -> JSON {
        let rows = try await run(
            as: actor,
            """
            SELECT CASE WHEN \(table("is_program"))() THEN (SELECT count(*) FROM \(table("outbox"))) END AS undecided,
                coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name, 'state', k.state, 'due', w.due,
                    'oldest_seconds', w.oldest, 'dead', w.dead, 'closed_seconds', w.closed, 'budget', u.budget,
                    'hours', coalesce(h.hours, '[]'))
                    ORDER BY k.id), '[]') AS connectors
            FROM \(seen("connector")) k
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE d.state IN ('due', 'leased')) AS due,
                    CASE WHEN bool_or(d.state = 'due') THEN
                        greatest(0, extract(epoch FROM now() - min(d.due_at) FILTER (WHERE d.state = 'due')))::bigint END AS oldest,
                    count(*) FILTER (WHERE d.state = 'dead') AS dead,
                    (SELECT greatest(0, extract(epoch FROM b.closed_until - now()))::bigint FROM \(table("budget")) b
                        WHERE b.connector = k.id AND b.closed_until > now()) AS closed
                FROM \(table("plugin")) p JOIN \(table("delivery")) d ON d.plugin = p.id
                WHERE p.connector = k.id AND d.state IN ('due', 'leased', 'dead')) w
            LEFT JOIN LATERAL (
                SELECT jsonb_build_object('per_second', b.per_second, 'burst', b.burst, 'left', greatest(0, floor(least(b.burst,
                    b.tokens + b.per_second * extract(epoch FROM clock_timestamp() - b.filled_at)))::bigint)) AS budget
                FROM \(table("budget")) b WHERE b.connector = k.id) u ON true
            LEFT JOIN (
                SELECT x.connector, jsonb_agg(jsonb_build_object('hour',
                    to_char(x.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24":00:00Z"'), 'done', x.done, 'failed', x.failed,
                    'median_ms', x.median, 'slow_ms', x.slow) ORDER BY x.hour) AS hours
                FROM (
                    SELECT p.connector, date_trunc('hour', a.started_at) AS hour,
                        count(*) FILTER (WHERE a.outcome IN ('done', 'gone', 'skipped')) AS done,
                        count(*) FILTER (WHERE a.outcome IN ('retry', 'refused', 'unsure', 'locked')) AS failed,
                        round(1000 * percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.ended_at - a.started_at)))::bigint AS median,
                        round(1000 * percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM a.ended_at - a.started_at)))::bigint AS slow
                    FROM \(table("attempt")) a JOIN \(table("plugin")) p ON p.id = a.plugin
                    WHERE a.started_at >= date_trunc('hour', now()) - make_interval(hours => \(hours)) AND a.ended_at IS NOT NULL
                    GROUP BY 1, 2) x
                GROUP BY x.connector) h ON h.connector = k.id
            """)[0]
        let undecided: Int64? = try rows[0].get("undecided")
        return [
            "undecided": undecided.map { .int($0) } ?? .null, "connectors": try JSON(text: rows[0].get("connectors")),
        ]
    }
}
