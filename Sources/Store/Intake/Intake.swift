public import Hub
internal import Postgres

/// A dry run ends like this, so that nothing it did stays.
private struct RolledBack: Error {
    let counts: MergeCounts
    let effects: JSON
    let samples: JSON
}

/// A record of a remote, on its way in.
public struct IncomingRecord: Sendable {
    public let id: String
    public let version: String?
    /// RFC 3339.
    public let changedAt: String?
    public let isDeleted: Bool
    /// The key Kontor wrote there.
    public let key: String?
    /// The vendor's document.
    public let values: JSON

    public init(id: String, version: String?, changedAt: String?, isDeleted: Bool, key: String?, values: JSON) {
        (self.id, self.version, self.changedAt) = (id, version, changedAt)
        (self.isDeleted, self.key, self.values) = (isDeleted, key, values)
    }
}

extension TenantDatabase {
    /// How many staged rows one transaction merges.
    static let mergeSize: Int64 = 5000

    /// How many rows one statement stages.
    static let stageSize = 1000

    /// Makes remote records ready to be staged: mapped, checked, in the hub's one form.
    /// - Parameters:
    ///   - records: as the remote shows them.
    ///   - firstLine: number of the first.
    public func stagedRows(
        _ records: [IncomingRecord], plugin: PullPlugin, firstLine: Int64
    ) async throws -> [StagedRow] {
        let normaliser = normaliser(try await catalogue(as: .system))
        return records.enumerated().map { index, record in
            let read = Self.read(record.values, plugin.mapping, normaliser, without: plugin.closedFields)
            return StagedRow(
                line: firstLine + Int64(index), remoteID: record.id, remoteVersion: record.version,
                remoteAt: record.changedAt, isDeleted: record.isDeleted, contact: record.key.flatMap(contact(ofKey:)),
                data: read.document, problems: read.problems)
        }
    }

    /// Key that Kontor writes to remotes for a contact.
    public func key(ofContact id: Int64) -> String { "kontor-\(tenant.id)-\(id)" }

    private func contact(ofKey key: String) -> Int64? {
        let parts = key.split(separator: "-")
        guard parts.count == 3, parts[0] == "kontor", parts[1] == String(tenant.id) else { return nil }
        return Int64(parts[2])
    }

    /// Hub fields of a remote document, null for mapped ones that it holds empty.
    /// - Parameter closed: fields that the connector may not write.
    public static func read(
        _ values: JSON, _ mapping: Mapping, _ normaliser: Normaliser, without closed: [String] = []
    ) -> (document: JSON, problems: [FieldProblem]) {
        let mapped = mapping.inward(values)
        let normal = normaliser.normalise(mapped.document, isPartial: true)
        var document = normal.document
        for field in closed { document[field] = nil }
        return (document, mapped.problems + normal.problems)
    }

    /// Takes one page of a poll in, and remembers where it ended, in one transaction.
    /// - Parameters:
    ///   - fence: of the claimed run; nil for one that nobody else can take.
    ///   - reading: when and how the records were read.
    ///   - cursor: where to go on; nil leaves it where it was.
    ///   - part: which part of a listing of everything the page is.
    ///   - maxChanges: contacts that the run may change in all; nil for any number.
    /// - Returns: how many rows met which end; "unclear" ones are to be read again.
    /// - Throws: `RunLost`, `TooManyChanges`; then nothing was taken.
    public func takePage(
        _ rows: [StagedRow], plugin: PullPlugin, run: Int64, fence: Int64? = nil, reading: Reading,
        cursor: String? = nil,
        part: ListingPart = ListingPart(), maxChanges: Int? = nil
    ) async throws -> MergeCounts {
        let actor = Actor.intake(plugin.connector)
        return try await transaction(as: actor, run: run) { session in
            if let fence { try await demand(fence, of: run, session) }
            try await stage(rows, run: run, session)
            var counts = MergeCounts()
            if let first = rows.first, let last = rows.last {
                let merge = Merge(
                    tenant: self, run: run, connector: plugin.connector, actor: actor, rank: plugin.rank,
                    reading: reading,
                    pushedFields: try await pushedFields(plugin.connector, session), lines: first.line...last.line)
                counts = try await merge.apply(session)
            }
            if part.isFirst {
                _ = try await session.query("UPDATE \(table("plugin")) SET listing = \(run) WHERE id = \(plugin.id)")
            }
            if part.isLast { counts.add("unlinked", try await unlinkUnseen(plugin, session)) }
            // what was refused stays for the report
            _ = try await session.query(
                "DELETE FROM \(table("stage")) WHERE run = \(run) AND verdict <> 'refused' AND problems IS NULL")
            _ = try await session.query(
                "UPDATE \(table("plugin")) SET cursor = coalesce(\(cursor), cursor) WHERE id = \(plugin.id)")
            let total = try await addCounts(counts, run: run, session)
            if let maxChanges, total > maxChanges { throw TooManyChanges(total: total) }
            return counts
        }
    }

    private func pushedFields(_ connector: Int64, _ session: Session) async throws -> [String] {
        let mappings = try await session.query(
            "SELECT mapping FROM \(table("plugin")) WHERE connector = \(connector) AND capability = 'push' AND state = 'on'"
        )
        return try Set(mappings.flatMap { try Mapping(JSON(text: $0.get("mapping"))).hubFields(.out) }).sorted()
    }

    /// A listing may take several runs, as each can be cut short: gone is what no run since its first page showed.
    private func unlinkUnseen(_ plugin: PullPlugin, _ session: Session) async throws -> Int {
        try await session.query(
            """
            UPDATE \(table("binding")) b SET gone_at = now()
            FROM \(table("plugin")) p JOIN \(table("run")) r ON r.id = p.listing
            WHERE p.id = \(plugin.id) AND b.connector = \(plugin.connector) AND b.entity = 'contact' AND b.gone_at IS NULL
                AND (b.seen_run IS NULL OR b.seen_run < r.id) AND b.bound_at < r.created_at
            """
        ).affected
    }

    /// Stages rows of a run.
    public func stage(_ rows: [StagedRow], run: Int64, as actor: Actor) async throws {
        try await transaction(as: actor) { try await stage(rows, run: run, $0) }
    }

    private func stage(_ rows: [StagedRow], run: Int64, _ session: Session) async throws {
        for start in stride(from: 0, to: rows.count, by: Self.stageSize) {
            let some = Array(rows[start..<min(start + Self.stageSize, rows.count)])
            _ = try await session.query(
                """
                INSERT INTO \(table("stage")) (run, line, remote_id, remote_version, remote_at, deleted, data, hash,
                    problems, verdict, contact)
                SELECT \(run)::bigint, x.* FROM \(some.source) AS x
                """)
        }
    }

    /// Merges what a file or program staged, piece by piece; a run that is cut short goes on where it was.
    /// - Parameters:
    ///   - isDry: tells what would happen, and does nothing.
    ///   - keepGoing: called after each piece; false ends the merge.
    public func mergeRun(
        _ claimed: ClaimedRun, isDry: Bool, keepGoing: @Sendable () async throws -> Bool
    ) async throws -> MergeCounts {
        let bounds = try await run(
            as: .system,
            """
            SELECT coalesce(max(line) FILTER (WHERE verdict <> 'refused') + 1, min(line)) AS low, max(line) AS high
            FROM \(table("stage")) WHERE run = \(claimed.id)
            """)[0][0]
        guard var low = try bounds.get("low", as: Int64?.self), let high = try bounds.get("high", as: Int64?.self)
        else {
            return MergeCounts()
        }
        var total = MergeCounts()
        while low <= high {
            let size = isDry ? high - low + 1 : Self.mergeSize
            let merge = Merge(
                tenant: self, run: claimed.id, connector: nil, actor: claimed.actor,
                // what somebody asks for of contacts that are there precedes every system
                rank: Int(claimed.params["rank"]?.int ?? (claimed.params["edit"] == nil ? 50 : 0)),
                lines: low...(low + size - 1), edit: claimed.params["edit"])
            total.add(isDry ? try await preview(merge, claimed) : try await apply(merge, claimed))
            low += size
            if low <= high, try await !keepGoing() { return total }
        }
        return total
    }

    /// What a poll would do with rows that were staged for it, and what would follow; does nothing. The rows go.
    /// - Parameter isComplete: whether they are all the remote has.
    public func previewPoll(_ claimed: ClaimedRun, plugin: PullPlugin, isComplete: Bool) async throws {
        let last = try await run(
            as: .system, "SELECT coalesce(max(line), 0) AS last FROM \(table("stage")) WHERE run = \(claimed.id)")[0][0]
        let merge = Merge(
            tenant: self, run: claimed.id, connector: plugin.connector, actor: .intake(plugin.connector),
            rank: plugin.rank, reading: try await reading(), lines: 1...max(1, try last.get("last")))
        _ = try await preview(merge, claimed, unlinking: isComplete ? plugin : nil)
        _ = try await run(
            as: .system,
            """
            DELETE FROM \(table("stage")) WHERE run = \(claimed.id) AND verdict IS DISTINCT FROM 'refused'
                AND EXISTS (SELECT FROM \(table("run")) r WHERE r.id = \(claimed.id) AND r.fence = \(claimed.fence))
            """)
    }

    private func apply(_ merge: Merge, _ claimed: ClaimedRun) async throws -> MergeCounts {
        try await transaction(as: claimed.actor, run: claimed.id, deadline: .seconds(600)) { session in
            // who asked for it may have another role by now
            try await demandMassChange(session)
            let counts = try await merge.apply(session)
            try await addCounts(counts, run: claimed.id, session)
            return counts
        }
    }

    /// Does the merge and the routing that would follow, reports, and rolls all of it back.
    private func preview(_ merge: Merge, _ claimed: ClaimedRun, unlinking plugin: PullPlugin? = nil) async throws
        -> MergeCounts
    {
        do {
            try await transaction(as: merge.actor, run: claimed.id, deadline: .seconds(600)) { session in
                try await demandMassChange(session)
                var counts = try await merge.apply(session)
                if let plugin {
                    _ = try await session.query(
                        "UPDATE \(table("plugin")) SET listing = \(claimed.id) WHERE id = \(plugin.id)")
                    counts.add("unlinked", try await unlinkUnseen(plugin, session))
                }
                let samples = try await session.query(
                    """
                    SELECT line, contact, verdict, CASE WHEN verdict = 'new' THEN jsonb_build_object('set', data)
                        ELSE difference END AS difference
                    FROM \(table("stage")) WHERE run = \(claimed.id) AND verdict IN ('new', 'changed') ORDER BY line LIMIT 200
                    """)
                throw RolledBack(
                    counts: counts, effects: try await effects(of: claimed.id, session),
                    samples: try JSON(parsing: samples.json()))
            }
            return MergeCounts()
        } catch let preview as RolledBack {
            _ = try await run(
                as: .system,
                """
                UPDATE \(table("run")) SET counts = counts || \((["preview": preview.counts.json, "effects": preview.effects] as JSON).text)::jsonb,
                    params = params || \((["samples": preview.samples] as JSON).text)::jsonb
                WHERE id = \(claimed.id) AND fence = \(claimed.fence)
                """)
            show()
            return preview.counts
        }
    }

    /// What each plugin would say to the changes of a run that is not yet committed.
    private func effects(of run: Int64, _ session: Session) async throws -> JSON {
        let compiler = try await compiler(as: .system, hasChange: true)
        var effects: JSON = [:]
        for plugin in try await routedPlugins(as: .system) {
            let rows = try await session.query(
                """
                SELECT verdict, count(*) AS n FROM (SELECT \(try plugin.verdict(compiler)) AS verdict
                    FROM \(table("change")) e LEFT JOIN \(table("contact")) c ON c.id = e.record WHERE e.run = \(run)) x
                GROUP BY verdict
                """)
            var counts: JSON = [:]
            for row in rows { counts[try row.get("verdict")] = .int(try row.get("n")) }
            effects["\(plugin.connectorName)/\(plugin.name)"] = counts
        }
        return effects
    }

    /// - Returns: how many contacts the run has changed in all.
    @discardableResult
    private func addCounts(_ counts: MergeCounts, run: Int64, _ session: Session) async throws -> Int {
        let rows = try await session.query(
            """
            UPDATE \(table("run")) SET counts = counts || (
                SELECT coalesce(jsonb_object_agg(key, value::int + coalesce((counts ->> key)::int, 0)), '{}')
                FROM jsonb_each_text(\(counts.json.text)::jsonb))
            WHERE id = \(run) RETURNING (SELECT coalesce(sum((counts ->> k)::int), 0)
                FROM unnest(\(MergeCounts.changing)::text[]) k)::int AS changed
            """)
        return try rows.first?.get("changed") ?? 0
    }

    /// Takes back what a run changed, field by field, where nobody changed it since; contacts it made are deleted.
    /// - Returns: how many contacts were put back, and how many had moved on.
    public func undo(run undone: Int64, under claimed: ClaimedRun) async throws -> JSON {
        try await transaction(as: claimed.actor, run: claimed.id, deadline: .seconds(600)) { session in
            try await demandMassChange(session)
            let removed = try await session.query(
                """
                UPDATE \(table("contact")) c SET deleted_at = now(), version = c.version + 1, updated_at = now()
                FROM \(table("change")) h WHERE h.run = \(undone) AND h.entity = 'contact' AND h.kind = 'new' AND h.record = c.id
                    AND c.deleted_at IS NULL
                    AND NOT EXISTS (SELECT FROM \(table("change")) l WHERE l.record = c.id AND l.entity = 'contact'
                        AND l.id > h.id AND l.run IS DISTINCT FROM \(undone))
                """)
            let restored = try await session.query(
                """
                WITH touched AS (
                    SELECT h.record, f.field, (array_agg(h.before -> f.field ORDER BY h.id))[1] AS was,
                        (array_agg(h.after -> f.field ORDER BY h.id DESC))[1] AS became
                    FROM \(table("change")) h, unnest(h.fields) AS f (field)
                    WHERE h.run = \(undone) AND h.entity = 'contact' AND h.kind = 'edited' GROUP BY 1, 2),
                back AS (
                    SELECT c.id, jsonb_object_agg(t.field, coalesce(t.was, 'null')) AS set
                    FROM touched t JOIN \(table("contact")) c ON c.id = t.record
                    WHERE c.deleted_at IS NULL AND c.data -> t.field IS NOT DISTINCT FROM t.became GROUP BY c.id)
                UPDATE \(table("contact")) c SET data = hub.apply(c.data, b.set), version = c.version + 1, updated_at = now()
                FROM back b WHERE b.id = c.id AND hub.apply(c.data, b.set) <> c.data
                """)
            _ = try await session.query("UPDATE \(table("run")) SET state = 'undone' WHERE id = \(undone)")
            return ["deleted": .int(Int64(removed.affected)), "restored": .int(Int64(restored.affected))]
        }
    }
}
