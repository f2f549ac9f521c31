import Cryptography
public import Hub
internal import Postgres

/// A plugin that deliveries are made through, and how its remote stands.
public struct DeliveryPlugin: Sendable {
    public let id: Int64
    public let connector: Int64
    public let connectorKind: String
    public let connectorName: String
    public let settings: JSON
    public let mapping: Mapping
    /// How this connector's pulled records are read, to agree on what came back; nil without such a plugin.
    public let pullMapping: Mapping?
}

/// One record that this worker holds and has to bring up to date.
public struct ClaimedDelivery: Sendable {
    public let record: Int64
    /// The newest change this delivery covers.
    public let change: Int64
    public let fence: Int64
    public let attempts: Int
    public let isUnsure: Bool
    public let isDeleted: Bool
    /// The record as the connector's policy lets it be seen; nil when it may not see it.
    public let document: JSON?
    public let version: Int64
    public let remoteID: String?
    public let remoteVersion: String?
    public let agreed: JSON
}

/// How an attempt ended.
public struct DeliveryResult: Sendable {
    public enum Outcome: String, Sendable {
        case done, gone, retry, refused, locked, unsure, stale
        /// There was nothing to ask of the remote.
        case skipped
        /// Not sent after all: as if it had not been claimed.
        case unsent
    }
    public let record: Int64
    public let change: Int64
    public let fence: Int64
    public var outcome: Outcome
    public var code: String?
    public var message: String?
    /// Seconds until the next attempt.
    public var delay: Double = 0
    public var remoteID: String?
    public var remoteVersion: String?
    public var remoteAt: String?
    /// The values both sides now agree on.
    public var agreed: JSON?
    /// Hash of the pushed values.
    public var pushed: [UInt8]?

    public init(
        _ claim: ClaimedDelivery, _ outcome: Outcome, code: String? = nil, message: String? = nil, delay: Double = 0
    ) {
        (record, change, fence) = (claim.record, claim.change, claim.fence)
        (self.outcome, self.code, self.message, self.delay) = (outcome, code, message, delay)
    }
}

extension TenantDatabase {
    /// Plugins with something due now, whose remotes may be called.
    public func duePlugins() async throws -> [DeliveryPlugin] {
        try await run(
            as: .system,
            ("""
            SELECT p.id, p.connector, k.kind, k.name, k.settings, p.mapping,
                (SELECT q.mapping FROM \(table("plugin")) q WHERE q.connector = p.connector
                    AND q.capability = 'pull' AND q.entity = 'contact' ORDER BY q.id LIMIT 1) AS pull_mapping
            FROM \(table("plugin")) p JOIN \(table("connector")) k ON k.id = p.connector
            LEFT JOIN \(table("budget")) b ON b.connector = k.id
            WHERE p.capability = 'push' AND p.state = 'on' AND k.state = 'on'
                AND (b.closed_until IS NULL OR b.closed_until <= clock_timestamp())
                AND EXISTS (SELECT FROM \(table("delivery")) d WHERE d.plugin = p.id
                    AND (d.state = 'due' AND d.due_at <= clock_timestamp()
                        OR d.state = 'leased' AND d.leased_until <= clock_timestamp()))
            ORDER BY p.id
            """ as SQL).prepared())[0].map { row in
                let pull: String? = try row.get("pull_mapping")
                return DeliveryPlugin(
                    id: try row.get("id"), connector: try row.get("connector"), connectorKind: try row.get("kind"),
                    connectorName: try row.get("name"), settings: try JSON(text: row.get("settings")),
                    mapping: try Mapping(JSON(text: row.get("mapping"))),
                    pullMapping: try pull.map { try Mapping(JSON(text: $0)) })
            }
    }

    /// Milliseconds until something of this tenant falls due, at most a minute.
    public func nextDue() async throws -> Int {
        try await run(
            as: .system,
            """
            SELECT least(60000, greatest(0, extract(epoch FROM coalesce(least(
                (SELECT min(greatest(d.due_at, b.closed_until)) FROM \(table("delivery")) d
                    JOIN \(table("plugin")) p ON p.id = d.plugin AND p.state = 'on'
                    JOIN \(table("connector")) k ON k.id = p.connector AND k.state = 'on'
                    LEFT JOIN \(table("budget")) b ON b.connector = k.id
                    WHERE d.state = 'due'),
                (SELECT min(greatest(d.leased_until, b.closed_until)) FROM \(table("delivery")) d
                    JOIN \(table("plugin")) p ON p.id = d.plugin AND p.state = 'on'
                    JOIN \(table("connector")) k ON k.id = p.connector AND k.state = 'on'
                    LEFT JOIN \(table("budget")) b ON b.connector = k.id
                    WHERE d.state = 'leased'),
                (SELECT min(p.next_at) FROM \(table("plugin")) p
                    JOIN \(table("connector")) k ON k.id = p.connector AND k.state = 'on'
                    WHERE p.state = 'on' AND p.capability = 'pull' AND p.every_seconds IS NOT NULL
                        AND NOT EXISTS (SELECT FROM \(table("run")) r WHERE r.plugin = p.id AND r.kind = 'poll'
                            AND r.state IN ('queued', 'running'))),
                (SELECT min(s.next_at) FROM \(table("segment_push")) s),
                (SELECT min(i.due_at) FROM \(table("inbox")) i WHERE i.state = 'new')
                ), now() + interval '1 minute') - clock_timestamp()) * 1000))::int AS ms
            """)[0][0].get("ms")
    }

    /// Takes calls from the remote's budget, which all processes share.
    /// - Returns: calls granted (0 to `wanted`), and seconds until there is one when there was none.
    public func takeBudget(connector: Int64, wanted: Int) async throws -> (granted: Int, wait: Double) {
        let rows = try await run(
            as: .system,
            """
            WITH state AS (
                SELECT least(b.burst, b.tokens + b.per_second * extract(epoch FROM clock_timestamp() - b.filled_at)) AS have,
                    b.per_second, b.closed_until
                FROM \(table("budget")) b WHERE b.connector = \(connector) FOR UPDATE),
            grant_now AS (
                SELECT CASE WHEN s.closed_until > clock_timestamp() THEN 0 ELSE least(\(wanted), floor(s.have))::int END AS granted,
                    s.have, s.per_second, s.closed_until FROM state s),
            kept AS (
                UPDATE \(table("budget")) b SET tokens = g.have - g.granted, filled_at = clock_timestamp()
                FROM grant_now g WHERE b.connector = \(connector))
            SELECT granted, (CASE WHEN granted > 0 THEN 0 WHEN closed_until > clock_timestamp()
                THEN extract(epoch FROM closed_until - clock_timestamp())
                ELSE greatest(0.01, (1 - have) / per_second) END)::double precision AS wait
            FROM grant_now
            """)[0]
        guard let row = rows.first else { return (wanted, 0) }
        return (try row.get("granted"), try row.get("wait"))
    }

    /// Gives calls back that were granted and not made.
    public func giveBack(_ calls: Int, connector: Int64) async throws {
        guard calls > 0 else { return }
        _ = try await run(
            as: .system,
            "UPDATE \(table("budget")) SET tokens = least(burst, tokens + \(calls)) WHERE connector = \(connector)")
    }

    /// Takes up to `limit` due records of a plugin under a lease on the database's clock: live changes first.
    /// The attempt is on record before anything is sent. A change that is routed just then stays due: `change` is
    /// the newest that the document read here surely holds.
    /// - Parameter lease: seconds after which anybody may take them over.
    public func claim(_ plugin: DeliveryPlugin, limit: Int, lease: Double) async throws -> [ClaimedDelivery] {
        let rows = try await run(
            as: .connector(plugin.connector),
            """
            WITH picked AS (
                SELECT d.record FROM \(table("delivery")) d
                WHERE d.plugin = \(plugin.id) AND (d.state = 'due' AND d.due_at <= clock_timestamp()
                    OR d.state = 'leased' AND d.leased_until <= clock_timestamp())
                ORDER BY d.backfill, d.due_at LIMIT \(limit) FOR UPDATE SKIP LOCKED),
            claimed AS (
                UPDATE \(table("delivery")) d SET state = 'leased', fence = d.fence + 1, attempts = d.attempts + 1,
                    unsure = d.unsure OR d.state = 'leased',
                    leased_until = clock_timestamp() + make_interval(secs => \(lease)), changed_at = now()
                FROM picked WHERE d.plugin = \(plugin.id) AND d.record = picked.record
                RETURNING d.record, d.wanted, d.fence, d.attempts, d.unsure),
            logged AS (
                INSERT INTO \(table("attempt")) (plugin, record, fence, change)
                SELECT \(plugin.id), record, fence, wanted FROM claimed)
            SELECT k.record, o.wanted, k.fence, k.attempts, k.unsure, s.version, s.deleted_at IS NOT NULL AS deleted,
                s.data || CASE WHEN s.name IS NULL THEN '{}' ELSE jsonb_build_object('name', s.name) END AS data,
                b.remote_id, b.remote_version, coalesce(b.agreed, '{}') AS agreed
            FROM claimed k JOIN \(table("delivery")) o ON o.plugin = \(plugin.id) AND o.record = k.record
            LEFT JOIN \(table("contact_shared")) s ON s.id = k.record
            LEFT JOIN \(table("binding")) b ON b.connector = \(plugin.connector) AND b.entity = 'contact'
                AND b.record = k.record AND b.gone_at IS NULL
            ORDER BY k.record
            """)[0]
        return try rows.map { row in
            let data: String? = try row.get("data")
            return ClaimedDelivery(
                record: try row.get("record"), change: try row.get("wanted"), fence: try row.get("fence"),
                attempts: try row.get("attempts"), isUnsure: try row.get("unsure"),
                isDeleted: try row.get("deleted", as: Bool?.self) ?? false,
                document: try data.map { try JSON(text: $0) },
                version: try row.get("version", as: Int64?.self) ?? 0, remoteID: try row.get("remote_id"),
                remoteVersion: try row.get("remote_version"), agreed: try JSON(text: row.get("agreed")))
        }
    }

    /// Records how a batch of attempts ended. Those whose lease another worker took over meanwhile are left to it.
    /// - Returns: how many counted.
    public func finish(_ plugin: DeliveryPlugin, _ results: [DeliveryResult], maxAttempts: Int) async throws -> Int {
        guard !results.isEmpty else { return 0 }
        let list = JSON.array(results.map(\.json)).text
        let rows = try await run(
            as: .connector(plugin.connector),
            """
            WITH told AS (
                SELECT x.*, decode(x.pushed, 'hex') AS push_hash,
                    x.outcome = 'done' AND (row_number() OVER (PARTITION BY x.outcome, x.remote_id ORDER BY x.record) > 1
                        OR EXISTS (SELECT FROM \(table("binding")) o WHERE o.connector = \(plugin.connector)
                            AND o.entity = 'contact' AND o.remote_id = x.remote_id AND o.record <> x.record))
                        AND x.remote_id IS NOT NULL AS is_taken
                FROM jsonb_to_recordset(\(list)::jsonb) AS x (record bigint,
                    change bigint, fence bigint, outcome text, code text, message text, delay double precision, remote_id text,
                    remote_version text, remote_at timestamptz, agreed jsonb, pushed text)),
            r AS MATERIALIZED (
                SELECT t.record, t.change, t.fence, t.delay, t.remote_id, t.remote_version, t.remote_at, t.agreed, t.push_hash,
                    CASE WHEN t.is_taken THEN 'refused' ELSE t.outcome END AS outcome,
                    CASE WHEN t.is_taken THEN 'remote_taken' ELSE t.code END AS code,
                    CASE WHEN t.is_taken THEN 'the remote answered with record ' || t.remote_id || ', which is another contact''s'
                        ELSE t.message END AS message
                FROM told t),
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
                    leased_until = NULL, code = r.code, message = r.message, changed_at = now()
                FROM r WHERE d.plugin = \(plugin.id) AND d.record = r.record AND d.fence = r.fence AND d.state = 'leased'
                RETURNING d.record),
            logged AS (
                UPDATE \(table("attempt")) a SET ended_at = clock_timestamp(), outcome = r.outcome, code = r.code,
                    message = r.message
                FROM r WHERE a.plugin = \(plugin.id) AND a.record = r.record AND a.fence = r.fence AND a.outcome IS NULL),
            bound AS (
                INSERT INTO \(table("binding")) AS b (connector, entity, record, remote_id, remote_version, remote_at,
                    agreed, pushed)
                SELECT \(plugin.connector), 'contact', r.record, r.remote_id, r.remote_version, r.remote_at,
                    coalesce(r.agreed, '{}'), CASE WHEN r.push_hash IS NULL THEN '{}' ELSE ARRAY[r.push_hash] END
                FROM r JOIN held USING (record) WHERE r.outcome = 'done' AND r.remote_id IS NOT NULL
                ON CONFLICT (connector, entity, record) DO UPDATE SET remote_id = excluded.remote_id,
                    remote_version = coalesce(excluded.remote_version, b.remote_version),
                    remote_at = coalesce(excluded.remote_at, b.remote_at), agreed = b.agreed || excluded.agreed,
                    previous = b.agreed, pushed = (excluded.pushed || b.pushed)[1:5],
                    bound_at = CASE WHEN b.gone_at IS NULL THEN b.bound_at ELSE now() END, gone_at = NULL),
            unbound AS (
                UPDATE \(table("binding")) b SET gone_at = now() FROM r JOIN held USING (record) WHERE r.outcome = 'gone'
                AND b.connector = \(plugin.connector) AND b.entity = 'contact' AND b.record = r.record)
            SELECT count(*) AS n FROM held
            """)[0]
        return try rows[0].get("n")
    }

    /// Notes how the remote answered as a whole: closes it for a while, or counts its failures anew. A call that
    /// began before the remote was closed and ends well does not open it.
    /// - Parameter closedFor: seconds without calls; nil when it works.
    public func noteRemote(connector: Int64, closedFor seconds: Double?) async throws {
        _ = try await run(
            as: .system,
            """
            UPDATE \(table("budget")) SET
                failures = CASE WHEN \(seconds)::double precision IS NULL THEN 0 ELSE failures + 1 END,
                closed_until = CASE WHEN \(seconds)::double precision IS NULL THEN closed_until
                    ELSE greatest(closed_until, clock_timestamp() + make_interval(secs => \(seconds))) END
            WHERE connector = \(connector) AND (\(seconds)::double precision IS NOT NULL OR failures > 0)
            """)
    }

    /// Seconds that the remote is still to be left alone; nil when it may be called.
    public func closedFor(connector: Int64) async throws -> Double? {
        try await run(
            as: .system,
            ("""
            SELECT extract(epoch FROM closed_until - clock_timestamp())::double precision AS seconds
            FROM \(table("budget")) WHERE connector = \(connector) AND closed_until > clock_timestamp()
            """ as SQL).prepared())[0].first?.get("seconds")
    }

    /// Closes the remote for all processes, without counting a failure.
    public func close(connector: Int64, for seconds: Double) async throws {
        _ = try await run(
            as: .system,
            """
            UPDATE \(table("budget")) SET
                closed_until = greatest(closed_until, clock_timestamp() + make_interval(secs => \(seconds)))
            WHERE connector = \(connector)
            """)
    }

    /// How often in a row the remote failed as a whole.
    public func remoteFailures(connector: Int64) async throws -> Int {
        try await run(as: .system, "SELECT failures FROM \(table("budget")) WHERE connector = \(connector)")[0].first?
            .get("failures") ?? 0
    }

    /// Stops a connector whose credentials are no longer good, until somebody mends them.
    public func lock(connector: Int64, reason: String) async throws {
        _ = try await run(
            as: .system,
            "UPDATE \(table("connector")) SET state = 'locked', state_reason = \(reason) WHERE id = \(connector) AND state = 'on'"
        )
    }

    /// Sends dead letters out again.
    /// - Parameters: which ones: of a connector, with a code, of one record; nil for any.
    /// - Returns: how many.
    public func retryDeliveries(connector: Int64?, code: String?, record: Int64?, as actor: Actor) async throws -> Int {
        let rows = try await run(
            as: actor,
            """
            UPDATE \(table("delivery")) d SET state = 'due', due_at = now(), attempts = 0, changed_at = now()
            FROM \(table("plugin")) p WHERE p.id = d.plugin AND d.state = 'dead'
                AND (\(connector)::bigint IS NULL OR p.connector = \(connector))
                AND (\(code)::text IS NULL OR d.code = \(code)) AND (\(record)::bigint IS NULL OR d.record = \(record))
            """)[0]
        ring()
        return rows.affected
    }
}

extension DeliveryResult {
    fileprivate var json: JSON {
        var row: JSON = [
            "record": .int(record), "change": .int(change), "fence": .int(fence), "outcome": .string(outcome.rawValue),
            "delay": .double(delay),
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
