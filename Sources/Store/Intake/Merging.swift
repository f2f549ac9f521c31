public import Hub
internal import Postgres

/// What a merge did to how many rows.
public struct MergeCounts: Sendable {
    public private(set) var byVerdict: [String: Int] = [:]
    public init() {}
    public mutating func add(_ other: MergeCounts) { byVerdict.merge(other.byVerdict, uniquingKeysWith: +) }
    mutating func add(_ verdict: String, _ count: Int) { byVerdict[verdict, default: 0] += count }
    /// Rows that a report left open: the records are to be read again.
    public var unclear: Int { byVerdict["unclear"] ?? 0 }
    public var json: JSON { .object(byVerdict.mapValues { .int(Int64($0)) }) }
    /// Rows that change golden records.
    public var effective: Int { Self.changing.reduce(0) { $0 + (byVerdict[$1] ?? 0) } }
    static let changing = ["new", "changed", "unlinked"]
    /// What can become of a row.
    public static let verdicts =
        changing + ["unchanged", "echo", "outdated", "unclear", "superseded", "deleted_here", "merged_away", "refused"]
}

/// A run would change more contacts than it may without approval.
public struct TooManyChanges: Error {
    /// Contacts that the run would have changed by now.
    public let total: Int
}

/// Merges the staged rows of a run that have no verdict yet into the golden records: match, decide field by
/// field, write, link. Runs inside the caller's transaction.
struct Merge {
    let tenant: TenantDatabase
    let run: Int64
    /// The connector the rows come from; nil for a file or a program.
    let connector: Int64?
    let actor: Actor
    /// Precedence of the source, 1 first.
    let rank: Int
    var reading = Reading()
    /// Fields that go to the connector's remote: where the hub's value is kept, it has to get it.
    var pushedFields: [String] = []
    /// Lines of this call, so that a long run goes in pieces.
    let lines: ClosedRange<Int64>
    /// What the run changes of each contact; nil where the rows say it.
    var edit: JSON?

    func table(_ name: String) -> SQL { tenant.table(name) }
    var mine: SQL {
        "s.run = \(run) AND s.line BETWEEN \(lines.lowerBound) AND \(lines.upperBound) AND s.verdict IS NULL"
    }

    func apply(_ session: Session) async throws -> MergeCounts {
        if let edit {
            try await change(edit, session)
            return try await count(session)
        }
        let keys: [String] = try await session.query(
            "SELECT coalesce(array_agg(key), '{}') AS keys FROM \(table("field")) WHERE is_key")[0].get("keys")
        if let connector { try await settleBound(connector, session) }
        // A wave takes at most one row per contact and per e-mail; the others find what it wrote. Rows of one
        // connector never share a contact, so there one wave does.
        var isLeft = true
        var mayAdd = false
        while isLeft {
            try await matchByKeys(keys, session)
            if !mayAdd, try await hasUnmatched(session) {
                // one merge of the tenant makes contacts at a time, and sees those made before it
                _ = try await session.query("LOCK TABLE \(table("duplicate")) IN SHARE UPDATE EXCLUSIVE MODE")
                mayAdd = true
                continue
            }
            try await changeMatched(session)
            // what this wave wrote may be what another row goes by
            if connector == nil { try await matchByKeys(keys, session) }
            isLeft = try await addNew(keys, session)
        }
        if let connector {
            try await reassert(session)
            try await bind(connector, session)
        }
        return try await count(session)
    }

    private func hasUnmatched(_ session: Session) async throws -> Bool {
        try await session.query(
            "SELECT EXISTS (SELECT FROM \(table("stage")) s WHERE \(mine) AND s.contact IS NULL) AS has")[0].get("has")
    }

    /// Rows whose remote record is known: echoes, old news and deletions end here.
    private func settleBound(_ connector: Int64, _ session: Session) async throws {
        // a push that ends meanwhile waits: what it agrees on must not be lost
        _ = try await session.query(
            """
            SELECT FROM \(table("binding")) b WHERE b.connector = \(connector) AND b.entity = 'contact'
                AND (b.remote_id = ANY (ARRAY(SELECT s.remote_id FROM \(table("stage")) s WHERE \(mine)))
                    OR b.record = ANY (ARRAY(SELECT s.contact FROM \(table("stage")) s WHERE \(mine))))
            ORDER BY b.record FOR UPDATE
            """)
        _ = try await session.query(
            """
            UPDATE \(table("stage")) s SET verdict = 'superseded' FROM \(table("stage")) t
            WHERE \(mine) AND t.run = s.run AND t.remote_id = s.remote_id
                AND t.line BETWEEN \(lines.lowerBound) AND \(lines.upperBound)
                AND (coalesce(t.remote_at, 'infinity'), t.line) > (coalesce(s.remote_at, 'infinity'), s.line)
            """)
        _ = try await session.query(
            """
            UPDATE \(table("stage")) s SET contact = b.record, verdict = CASE
                WHEN s.deleted THEN 'unlinked'
                WHEN b.gone_at IS NULL AND s.hash = ANY (b.pushed)
                    AND (s.remote_at <= b.remote_at OR s.remote_at IS NULL OR b.remote_at IS NULL) THEN 'echo'
                WHEN s.remote_at < b.remote_at AND (b.gone_at IS NULL OR \(reading.isReport)) THEN 'outdated'
                WHEN \(reading.isReport) AND s.remote_at = b.remote_at
                    AND jsonb_strip_nulls(s.data) <> b.agreed THEN 'unclear' END
            FROM \(table("binding")) b
            WHERE \(mine) AND b.connector = \(connector) AND b.entity = 'contact' AND b.remote_id = s.remote_id
            """)
        _ = try await session.query("UPDATE \(table("stage")) s SET verdict = 'unchanged' WHERE \(mine) AND s.deleted")
        // a key that Kontor wrote there counts only while its contact lives and has no other record there
        _ = try await session.query(
            """
            UPDATE \(table("stage")) s SET contact = NULL WHERE \(mine) AND s.contact IS NOT NULL
                AND NOT EXISTS (SELECT FROM \(table("binding")) b WHERE b.connector = \(connector)
                    AND b.entity = 'contact' AND b.record = s.contact AND b.remote_id = s.remote_id)
                AND (NOT EXISTS (SELECT FROM \(table("contact")) c WHERE c.id = s.contact)
                    OR EXISTS (SELECT FROM \(table("binding")) b WHERE b.connector = \(connector)
                        AND b.entity = 'contact' AND b.record = s.contact AND b.gone_at IS NULL))
            """)
        // a contact that was merged away lives on in the one it was merged into, but a record that was let go then, and
        // a second one beside that one's own, count no more
        _ = try await session.query(
            """
            UPDATE \(table("stage")) s SET contact = c.merged_into, verdict = CASE WHEN EXISTS (
                SELECT FROM \(table("binding")) b WHERE b.connector = \(connector) AND b.entity = 'contact'
                    AND (b.record = c.merged_into AND b.gone_at IS NULL AND b.remote_id <> s.remote_id
                        OR b.record = c.id AND b.remote_id = s.remote_id)) THEN 'merged_away' END
            FROM \(table("contact")) c WHERE \(mine) AND c.id = s.contact AND c.merged_into IS NOT NULL
            """)
        // nor does a contact come back that was deleted while it was being made there
        _ = try await session.query(
            """
            UPDATE \(table("stage")) s SET contact = d.record, verdict = 'deleted_here'
            FROM \(table("delivery")) d JOIN \(table("plugin")) p ON p.id = d.plugin AND p.connector = \(connector)
            WHERE \(mine) AND s.contact IS NULL AND d.removes AND d.state <> 'done' AND EXISTS (
                SELECT FROM hub.match_keys(s.data) m WHERE m.kind = 'email'
                    AND m.value = ANY (\(table("free_emails"))(d.sent)))
            """)
        _ = try await session.query(
            """
            UPDATE \(table("binding")) b SET gone_at = now() FROM \(table("stage")) s
            WHERE s.run = \(run) AND s.line BETWEEN \(lines.lowerBound) AND \(lines.upperBound) AND s.verdict = 'unlinked'
                AND b.connector = \(connector) AND b.entity = 'contact' AND b.remote_id = s.remote_id AND b.gone_at IS NULL
            """)
    }

    /// The tenant's key fields come first. An e-mail address is strong evidence, too; a telephone number only together
    /// with the same name. A contact that this connector already binds to another record is never taken.
    private func matchByKeys(_ keys: [String], _ session: Session) async throws {
        let free: SQL =
            connector.map {
                """
                AND NOT EXISTS (SELECT FROM \(table("binding")) b WHERE b.connector = \($0) AND b.entity = 'contact'
                    AND b.record = k.contact AND b.gone_at IS NULL) AND NOT EXISTS (SELECT FROM \(table("stage")) t
                    WHERE t.run = \(run) AND t.contact = k.contact)
                """
            } ?? ""
        // rows of a file may all be one contact, records of a connector never are
        let distinct: SQL = connector == nil ? "SELECT" : "SELECT DISTINCT ON (contact)"
        let own: [(String, SQL)] = keys.isEmpty ? [] : [("field:%", "")]
        for (kind, demand) in own
            + [("email", ""), ("phone", "AND lower(c.name) = lower(hub.display_name(s.data))")]
        {
            _ = try await session.query(
                """
                UPDATE \(table("stage")) s SET contact = m.contact FROM (
                    \(distinct) line, contact FROM (
                        SELECT DISTINCT ON (s.line) s.line, k.contact
                        FROM \(table("stage")) s CROSS JOIN LATERAL hub.match_keys(s.data, \(keys)) mk
                        JOIN \(table("contact_key")) k ON k.kind = mk.kind AND k.value = mk.value
                        JOIN \(table("contact")) c ON c.id = k.contact AND c.deleted_at IS NULL
                        WHERE \(mine) AND s.contact IS NULL AND mk.kind LIKE \(kind) \(free) \(demand)
                        ORDER BY s.line, k.contact) one
                    ORDER BY contact, line) m
                WHERE s.run = \(run) AND s.line = m.line
                """)
        }
    }

    private func changeMatched(_ session: Session) async throws {
        _ = try await session.query(
            """
            WITH first AS (
                SELECT DISTINCT ON (s.contact) s.line, s.contact, s.data, s.remote_at, s.remote_id
                FROM \(table("stage")) s WHERE \(mine) AND s.contact IS NOT NULL ORDER BY s.contact, s.line),
            merged AS MATERIALIZED (
                SELECT f.line, f.contact, hub.merge_record(y.base, c.data, f.data, c.locks, c.origins, f.remote_at,
                    \(rank)) AS m, c.deleted_at IS NOT NULL AS deleted,
                    -- what a late reading shows of former values says nothing of the remote as it is
                    CASE WHEN l.late THEN hub.changed_fields(b.agreed, y.base) ELSE '{}' END AS held
                FROM first f JOIN \(table("contact")) c ON c.id = f.contact
                LEFT JOIN \(table("binding")) b ON b.connector = \(connector ?? 0) AND b.entity = 'contact'
                    AND b.record = f.contact AND (b.gone_at IS NULL OR b.remote_id = f.remote_id)
                CROSS JOIN LATERAL (SELECT coalesce(b.pushed_at > \(reading.began)::timestamptz, false) AS late) l
                CROSS JOIN LATERAL (
                    SELECT coalesce(jsonb_agg(i), '[]') || CASE WHEN l.late THEN b.past ELSE '[]' END AS known
                    FROM \(table("plugin")) p JOIN \(table("delivery")) d ON d.plugin = p.id AND d.record = f.contact,
                        jsonb_array_elements(d.sent) i
                    WHERE p.connector = \(connector ?? 0) AND (d.unsure OR d.state = 'leased' OR l.late)) k
                CROSS JOIN LATERAL (SELECT hub.merge_base(b.agreed, k.known, f.data) AS base) y),
            changed AS (
                UPDATE \(table("contact")) c SET data = hub.apply(c.data, m.m -> 'set'), version = c.version + 1,
                    updated_at = now(), origins = c.origins || (SELECT jsonb_object_agg(k, \(origin("f.remote_at")))
                        FROM jsonb_object_keys(m.m -> 'set') k)
                FROM merged m JOIN first f USING (line)
                WHERE c.id = m.contact AND m.m -> 'set' <> '{}' AND NOT m.deleted AND c.deleted_at IS NULL
                RETURNING c.id),
            conflicts AS (
                INSERT INTO \(table("conflict")) (contact, connector, run, field, base, hub, remote, kept, reason)
                SELECT m.contact, \(connector), \(run), x.field, x.base, x.hub, x.remote, x.kept, x.reason
                FROM merged m, jsonb_to_recordset(m.m -> 'conflicts') AS x (field text, base jsonb, hub jsonb,
                    remote jsonb, kept text, reason text) WHERE NOT m.deleted)
            UPDATE \(table("stage")) s SET difference = m.m || jsonb_build_object('held', m.held),
                verdict = CASE WHEN m.deleted THEN 'deleted_here' WHEN m.m -> 'set' = '{}' THEN 'unchanged'
                    -- or it was deleted, or merged into another, while this waited for it
                    WHEN m.contact IN (SELECT id FROM changed) THEN 'changed' ELSE 'deleted_here' END
            FROM merged m WHERE s.run = \(run) AND s.line = m.line
            """)
    }

    /// - Returns: whether rows are left for another wave.
    private func addNew(_ keys: [String], _ session: Session) async throws -> Bool {
        // rows of a file that share an e-mail or a key are one person: the first makes the contact
        let later: SQL =
            connector != nil
            ? ""
            : """
            AND NOT EXISTS (SELECT FROM later l WHERE l.line = s.line)
            """
        let rows = try await session.query(
            """
            WITH later AS MATERIALIZED (
                SELECT DISTINCT p.line FROM (
                    SELECT s.line, row_number() OVER (PARTITION BY mk.kind, mk.value ORDER BY s.line) AS place
                    FROM \(table("stage")) s CROSS JOIN LATERAL hub.match_keys(s.data, \(keys)) mk
                    WHERE \(mine) AND s.contact IS NULL AND mk.kind <> 'phone') p WHERE p.place > 1),
            fresh AS MATERIALIZED (
                SELECT s.line, nextval(\("\(tenant.tenant.schema).contact_id")::regclass) AS id, s.data, s.remote_at
                FROM \(table("stage")) s WHERE \(mine) AND s.contact IS NULL \(later)),
            made AS (
                INSERT INTO \(table("contact")) (id, data, origins) OVERRIDING SYSTEM VALUE
                SELECT f.id, jsonb_strip_nulls(f.data), jsonb_build_object('*', \(origin("f.remote_at"))) FROM fresh f
                ORDER BY f.line),
            marked AS (
                UPDATE \(table("stage")) s SET contact = f.id, verdict = 'new' FROM fresh f
                WHERE s.run = \(run) AND s.line = f.line)
            SELECT count(*) AS made, (SELECT count(*) FROM \(table("stage")) s WHERE \(mine)) AS open FROM fresh
            """)
        let made: Int = try rows[0].get("made")
        if made > 0 { try await noteDuplicates(keys, session) }
        return try rows[0].get("open", as: Int.self) > made
    }

    /// What shares a key with a new contact but was not strong enough to be it.
    private func noteDuplicates(_ keys: [String], _ session: Session) async throws {
        _ = try await session.query(
            """
            INSERT INTO \(table("duplicate")) (a, b, evidence)
            SELECT DISTINCT ON (1, 2) least(s.contact, k.contact), greatest(s.contact, k.contact), k.kind
            FROM \(table("stage")) s CROSS JOIN LATERAL hub.match_keys(s.data, \(keys)) mk
            JOIN \(table("contact_key")) k ON k.kind = mk.kind AND k.value = mk.value AND k.contact <> s.contact
            WHERE s.run = \(run) AND s.line BETWEEN \(lines.lowerBound) AND \(lines.upperBound) AND s.verdict = 'new'
            ORDER BY 1, 2, k.kind
            ON CONFLICT DO NOTHING
            """)
    }

    /// Has the remote told of values that differ there from what the merge made of them.
    private func reassert(_ session: Session) async throws {
        guard !pushedFields.isEmpty else { return }
        _ = try await session.query(
            """
            SELECT \(table("reassert"))(s.contact, x.behind)
            FROM \(table("stage")) s, LATERAL (SELECT hub.pick(s.difference -> 'behind', \(pushedFields))
                - ARRAY(SELECT jsonb_array_elements_text(s.difference -> 'held')) AS behind) x
            WHERE s.run = \(run) AND s.line BETWEEN \(lines.lowerBound) AND \(lines.upperBound)
                AND s.verdict IN ('changed', 'unchanged') AND x.behind <> '{}'
            """)
    }

    private func bind(_ connector: Int64, _ session: Session) async throws {
        _ = try await session.query(
            """
            INSERT INTO \(table("binding")) AS b (connector, entity, record, remote_id, remote_version, remote_at, agreed, seen_run)
            SELECT DISTINCT ON (s.contact) \(connector), 'contact', s.contact, s.remote_id, s.remote_version, s.remote_at,
                jsonb_strip_nulls(s.data) - h.held || hub.pick(coalesce(o.agreed, '{}'), h.held), \(run)
            FROM \(table("stage")) s LEFT JOIN \(table("binding")) o ON o.connector = \(connector) AND o.entity = 'contact'
                AND o.record = s.contact
            CROSS JOIN LATERAL (SELECT ARRAY(SELECT jsonb_array_elements_text(s.difference -> 'held')) AS held) h
            WHERE s.run = \(run) AND s.line BETWEEN \(lines.lowerBound) AND \(lines.upperBound)
                AND s.verdict IN ('new', 'changed', 'unchanged') AND s.contact IS NOT NULL
                AND s.remote_id IS NOT NULL AND NOT s.deleted
            ORDER BY s.contact, s.line DESC
            ON CONFLICT (connector, entity, record) DO UPDATE SET remote_id = excluded.remote_id,
                remote_version = CASE WHEN excluded.remote_at < b.remote_at THEN b.remote_version
                    ELSE coalesce(excluded.remote_version, b.remote_version) END,
                remote_at = greatest(b.remote_at, excluded.remote_at),
                agreed = CASE WHEN excluded.remote_at < b.remote_at THEN b.agreed ELSE excluded.agreed END,
                -- the remote has moved on: values pushed before are no echo when they come again
                pushed = '{}', bound_at = CASE WHEN b.gone_at IS NULL THEN b.bound_at ELSE now() END, gone_at = NULL,
                seen_run = excluded.seen_run
            """)
        // what else the remote showed is there, whatever became of the row; an old or unclear report shows nothing
        _ = try await session.query(
            """
            UPDATE \(table("binding")) b SET gone_at = NULL, seen_run = \(run),
                remote_version = CASE WHEN s.verdict = 'echo' THEN coalesce(s.remote_version, b.remote_version)
                    ELSE b.remote_version END
            FROM \(table("stage")) s WHERE s.run = \(run) AND s.line BETWEEN \(lines.lowerBound) AND \(lines.upperBound)
                AND s.verdict IN ('echo', 'outdated', 'deleted_here', 'refused') AND NOT s.deleted
                AND NOT (s.verdict = 'outdated' AND \(reading.isReport))
                AND b.connector = \(connector) AND b.entity = 'contact' AND b.remote_id = s.remote_id
            """)
    }

    private func count(_ session: Session) async throws -> MergeCounts {
        var counts = MergeCounts()
        for row in try await session.query(
            """
            SELECT s.verdict, count(*) AS n FROM \(table("stage")) s
            WHERE s.run = \(run) AND s.line BETWEEN \(lines.lowerBound) AND \(lines.upperBound) GROUP BY 1
            """)
        {
            counts.add(try row.get("verdict"), try row.get("n"))
        }
        return counts
    }

    func origin(_ at: SQL) -> SQL {
        "jsonb_build_object('by', \(actor.description)::text, 'at', coalesce(\(at), now()), 'rank', \(rank)::int)"
    }
}
