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
    /// How this connector's records are read; nil when none are taken in from there.
    public let pull: PullSide?
    /// How often in a row the remote failed as a whole.
    public let failures: Int

    /// The pull plugin of the same connector.
    public struct PullSide: Sendable {
        public let plugin: Int64
        public let mapping: Mapping
        /// Fields that the connector may not write into the hub.
        public let closedFields: [String]
        public let isPaused: Bool
    }
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
    /// What both sides last agreed on, and what was sent since without a certain end, newest first.
    public let agreed: JSON
    public let sent: [JSON]
    /// Whether the first of `sent` was put there by this claim.
    public let isNewState: Bool
    /// Addresses to look for a deleted record by, which no living contact has.
    public let formerEmails: [String]
}

/// How an attempt ended.
public struct DeliveryResult: Sendable {
    public enum Outcome: String, Sendable, CaseIterable {
        case done, gone, retry, refused, locked, unsure, stale
        /// There was nothing to ask of the remote.
        case skipped
        /// Not sent after all: as if it had not been claimed.
        case unsent
    }
    public let record: Int64
    public let change: Int64
    public let fence: Int64
    /// Whether the claim noted a new state as sent.
    public let isNewState: Bool
    public var outcome: Outcome
    public var code: String?
    public var message: String?
    /// Seconds until the next attempt.
    public var delay: Double = 0
    public var remoteID: String?
    public var remoteVersion: String?
    public var remoteAt: String?
    /// The fields both sides agree on since this attempt, null for one that is empty now.
    public var agreed: JSON?
    /// Hash of the pushed values.
    public var pushed: [UInt8]?

    public init(
        _ claim: ClaimedDelivery, _ outcome: Outcome, code: String? = nil, message: String? = nil, delay: Double = 0
    ) {
        (record, change, fence, isNewState) = (claim.record, claim.change, claim.fence, claim.isNewState)
        (self.outcome, self.code, self.message, self.delay) = (outcome, code, message, delay)
    }
}

extension TenantDatabase {
    /// Plugins with something due now, whose remotes may be called.
    public func duePlugins() async throws -> [Int64] {
        try await runByKeys(
            as: .system, isAwaited: true,
            """
            SELECT p.id FROM \(table("plugin")) p JOIN \(table("connector")) k ON k.id = p.connector
            LEFT JOIN \(table("budget")) b ON b.connector = k.id
            WHERE p.capability = 'push' AND p.state = 'on' AND k.state = 'on'
                AND (b.closed_until IS NULL OR b.closed_until <= clock_timestamp())
                AND ((SELECT d.record FROM \(table("delivery")) d WHERE d.plugin = p.id AND d.state = 'due'
                        AND d.due_at <= clock_timestamp() ORDER BY d.backfill, d.due_at LIMIT 1) IS NOT NULL
                    OR EXISTS (SELECT FROM \(table("delivery")) d WHERE d.plugin = p.id AND d.state = 'leased'
                        AND d.leased_until <= clock_timestamp()))
            ORDER BY p.id
            """
        ).map { try $0.get("id") }
    }

    /// Begins a slice of deliveries in one round trip: the plugin, what values are checked by on the way, and calls from
    /// its remote's budget.
    /// - Parameter batching: kinds of connectors that take a batch in one call; the others get several calls.
    /// - Returns: nil when it is off or paused; calls granted, and seconds until there is one when there was none.
    public func beginDeliveries(plugin id: Int64, batching: [String]) async throws -> (
        plugin: DeliveryPlugin, normaliser: Normaliser, granted: Int, wait: Double
    )? {
        let ready: SQL = "p.id = \(id) AND p.capability = 'push' AND p.state = 'on' AND k.state = 'on'"
        let budget: SQL = """
            SELECT b.*, CASE WHEN k.kind = ANY (\(batching)) THEN 1 ELSE \(Self.callsAtOnce) END AS wanted
            FROM \(table("plugin")) p JOIN \(table("connector")) k ON k.id = p.connector
            JOIN \(table("budget")) b ON b.connector = k.id WHERE \(ready)
            """
        let rows = try await run(
            as: .system, fieldsQuery,
            ("""
            SELECT p.id, p.connector, k.kind, k.name, k.settings, p.mapping, k.closed_fields, b.failures,
                q.id AS pull, q.mapping AS pull_mapping, q.state = 'paused' AS pull_paused
            FROM \(table("plugin")) p JOIN \(table("connector")) k ON k.id = p.connector
            JOIN \(table("budget")) b ON b.connector = k.id
            LEFT JOIN LATERAL (SELECT x.id, x.mapping, x.state FROM \(table("plugin")) x WHERE x.connector = p.connector
                AND x.capability = 'pull' AND x.entity = 'contact' AND x.state <> 'off' ORDER BY x.id LIMIT 1) q ON true
            WHERE \(ready)
            """ as SQL).prepared(), Self.byKeysUnawaited, grant(budget).prepared())
        guard let row = rows[1].first, let grant = rows[3].first else { return nil }
        let pull: DeliveryPlugin.PullSide? = try row.get("pull", as: Int64?.self).map { plugin in
            .init(
                plugin: plugin, mapping: try Mapping(JSON(text: row.get("pull_mapping"))),
                closedFields: try row.get("closed_fields"), isPaused: try row.get("pull_paused"))
        }
        let plugin = DeliveryPlugin(
            id: try row.get("id"), connector: try row.get("connector"), connectorKind: try row.get("kind"),
            connectorName: try row.get("name"), settings: try JSON(text: row.get("settings")),
            mapping: try Mapping(JSON(text: row.get("mapping"))), pull: pull, failures: try row.get("failures"))
        return (plugin, normaliser(try catalogue(rows[0])), try grant.get("granted"), try grant.get("wait"))
    }

    /// Calls a slice may take where each carries one record.
    private static let callsAtOnce = 8

    /// Milliseconds until something of this tenant falls due, at most a minute.
    public func nextDue() async throws -> Int {
        try await runByKeys(
            as: .system, isAwaited: true,
            """
            SELECT least(60000, greatest(0, extract(epoch FROM coalesce(least(
                -- the first of each plugin by its index, however many wait
                (SELECT min(greatest(d.due_at, b.closed_until)) FROM \(table("plugin")) p
                    JOIN \(table("connector")) k ON k.id = p.connector AND k.state = 'on'
                    LEFT JOIN \(table("budget")) b ON b.connector = k.id
                    CROSS JOIN (VALUES (false), (true)) AS f (backfill)
                    CROSS JOIN LATERAL (SELECT x.due_at FROM \(table("delivery")) x WHERE x.plugin = p.id
                        AND x.backfill = f.backfill AND x.state = 'due' ORDER BY x.due_at LIMIT 1) d
                    WHERE p.state = 'on' AND p.capability = 'push'),
                (SELECT min(greatest(d.leased_until, b.closed_until)) FROM \(table("delivery")) d
                    JOIN \(table("plugin")) p ON p.id = d.plugin AND p.state = 'on'
                    JOIN \(table("connector")) k ON k.id = p.connector AND k.state = 'on'
                    LEFT JOIN \(table("budget")) b ON b.connector = k.id
                    WHERE d.state = 'leased'),
                (SELECT min(p.next_at) FROM \(table("plugin")) p
                    JOIN \(table("connector")) k ON k.id = p.connector AND k.state = 'on'
                    WHERE p.state = 'on' AND p.capability = 'pull' AND p.every_seconds IS NOT NULL
                        AND NOT EXISTS (SELECT FROM \(table("run")) r WHERE r.plugin = p.id AND r.kind = 'poll'
                            AND r.state IN ('queued', 'running', 'awaiting_approval'))),
                (SELECT min(s.next_at) FROM \(table("segment_push")) s),
                (SELECT min(i.due_at) FROM \(table("inbox")) i WHERE i.state = 'new')
                ), now() + interval '1 minute') - clock_timestamp()) * 1000))::int AS ms
            """)[0].get("ms")
    }

    /// How many states of a record that may have been sent are kept: more than attempts are made.
    private static let sentKept = 20

    /// Takes up to `limit` due records of a plugin under a lease on the database's clock: live changes first.
    /// The attempt, and what it is about to send, are on record before anything is sent. A change that is routed just
    /// then stays due: `change` is the newest that the document read here surely holds.
    /// - Parameter lease: seconds after which anybody may take them over.
    public func claim(_ plugin: DeliveryPlugin, limit: Int, lease: Double) async throws -> [ClaimedDelivery] {
        let sent = plugin.mapping.hubFields(.out).sorted()
        let rows = try await runByKeys(
            as: .connector(plugin.connector), isAwaited: true,
            """
            WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at),
            -- two arms, so that each goes by its own index however much was delivered before
            held AS MATERIALIZED (
                SELECT * FROM (
                    SELECT d.record FROM \(table("delivery")) d
                    WHERE d.plugin = \(plugin.id) AND d.state = 'leased' AND d.leased_until <= (SELECT at FROM moment)
                    LIMIT \(limit) FOR UPDATE SKIP LOCKED) l
                UNION ALL SELECT * FROM (
                    SELECT d.record FROM \(table("delivery")) d
                    WHERE d.plugin = \(plugin.id) AND d.state = 'due' AND d.due_at <= (SELECT at FROM moment)
                    ORDER BY d.backfill, d.due_at LIMIT \(limit) FOR UPDATE SKIP LOCKED) w
                LIMIT \(limit)),
            -- a join does not reach through a barrier view to its index, a list of keys does
            shared AS MATERIALIZED (
                SELECT s.id, s.version, s.deleted_at,
                    s.data || CASE WHEN s.name IS NULL THEN '{}' ELSE jsonb_build_object('name', s.name) END AS data
                FROM \(table("contact_shared")) s WHERE s.id = ANY (ARRAY(SELECT record FROM held))),
            picked AS MATERIALIZED (
                -- a locked row is read in its newest form, all else as of the statement's beginning: so read it again
                SELECT d.record, d.wanted, d.sent, s.version, d.removes OR s.deleted_at IS NOT NULL AS deleted, s.data,
                    jsonb_build_array((SELECT coalesce(jsonb_object_agg(f, coalesce(s.data -> f, 'null')), '{}')
                        FROM unnest(\(sent)::text[]) f)) AS state
                FROM held h JOIN \(table("delivery")) d ON d.plugin = \(plugin.id) AND d.record = h.record
                LEFT JOIN shared s ON s.id = h.record),
            claimed AS (
                UPDATE \(table("delivery")) d SET state = 'leased', fence = d.fence + 1, attempts = d.attempts + 1,
                    unsure = d.unsure OR d.state = 'leased',
                    sent = CASE WHEN p.deleted OR p.data IS NULL THEN d.sent
                        WHEN d.sent = '[]' THEN p.state
                        ELSE hub.remember(p.state -> 0, d.sent, \(Self.sentKept)) END,
                    leased_until = clock_timestamp() + make_interval(secs => \(lease)), changed_at = now()
                FROM picked p WHERE d.plugin = \(plugin.id) AND d.record = p.record
                RETURNING d.record, p.wanted, d.fence, d.attempts, d.unsure, d.sent, d.sent <> p.sent AS is_new,
                    p.version, p.deleted, p.data),
            logged AS (
                INSERT INTO \(table("attempt")) (plugin, record, fence, change)
                SELECT \(plugin.id), record, fence, wanted FROM claimed)
            SELECT k.record, k.wanted, k.fence, k.attempts, k.unsure, k.version, coalesce(k.deleted, false) AS deleted,
                k.data, k.sent, k.is_new, b.remote_id, b.remote_version, coalesce(b.agreed, '{}') AS agreed,
                CASE WHEN k.deleted AND k.unsure AND b.remote_id IS NULL THEN \(table("free_emails"))(k.sent)
                    ELSE '{}' END AS emails
            FROM claimed k
            LEFT JOIN LATERAL (SELECT x.* FROM \(table("binding")) x WHERE x.connector = \(plugin.connector)
                AND x.entity = 'contact' AND x.record = k.record AND x.gone_at IS NULL LIMIT 1) b ON true
            ORDER BY k.record
            """)
        return try rows.map { row in
            let data: String? = try row.get("data")
            return ClaimedDelivery(
                record: try row.get("record"), change: try row.get("wanted"), fence: try row.get("fence"),
                attempts: try row.get("attempts"), isUnsure: try row.get("unsure"), isDeleted: try row.get("deleted"),
                document: try data.map { try JSON(text: $0) },
                version: try row.get("version", as: Int64?.self) ?? 0, remoteID: try row.get("remote_id"),
                remoteVersion: try row.get("remote_version"), agreed: try JSON(text: row.get("agreed")),
                sent: try JSON(text: row.get("sent")).array ?? [], isNewState: try row.get("is_new"),
                formerEmails: try row.get("emails"))
        }
    }

    /// Stops a connector whose credentials are no longer good, until somebody mends them.
    public func lock(connector: Int64, reason: String) async throws {
        _ = try await run(
            as: .system,
            "UPDATE \(table("connector")) SET state = 'locked', state_reason = \(reason) WHERE id = \(connector) AND state = 'on'"
        )
    }

    /// Tries again at once what failed: dead letters, and what waits for its next attempt. The circuit breaker of the
    /// connectors is opened for it; a pause that the remote asked for is kept.
    /// - Parameters: which ones: of a connector, with a code, of one record; nil for any.
    /// - Returns: how many.
    public func retryDeliveries(connector: Int64?, code: String?, record: Int64?, as actor: Actor) async throws -> Int {
        let rows = try await run(
            as: actor,
            """
            WITH opened AS (
                UPDATE \(table("budget")) SET closed_until = asked_until
                WHERE closed_until > clock_timestamp() AND (\(connector)::bigint IS NULL OR connector = \(connector))
                    AND (\(code)::text IS NULL AND \(record)::bigint IS NULL OR connector IN (
                        SELECT p.connector FROM \(seen("plugin")) p JOIN \(table("delivery")) d ON d.plugin = p.id
                        WHERE d.state IN ('due', 'dead') AND (\(code)::text IS NULL OR d.code = \(code))
                            AND (\(record)::bigint IS NULL OR d.record = \(record)))))
            UPDATE \(table("delivery")) d SET state = 'due', due_at = now(), changed_at = now(),
                attempts = CASE d.state WHEN 'dead' THEN 0 ELSE d.attempts END
            FROM \(seen("plugin")) p WHERE p.id = d.plugin
                AND (d.state = 'dead' OR d.state = 'due' AND d.attempts > 0 AND d.due_at > now())
                AND (\(connector)::bigint IS NULL OR p.connector = \(connector))
                AND (\(code)::text IS NULL OR d.code = \(code)) AND (\(record)::bigint IS NULL OR d.record = \(record))
            """)[0]
        ring()
        return rows.affected
    }
}
