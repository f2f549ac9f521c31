public import Hub
internal import Postgres

/// A change of many contacts, as a run: it can be tried, waits for approval above a number, goes on after a kill, and can be undone.
public struct BulkEdit: Sendable {
    /// New values by field; null takes one away.
    public var set: JSON = [:]
    public var addedTags: [String] = []
    public var removedTags: [String] = []
    public init() {}

    /// As the run keeps it, for `hub.bulk_set`.
    fileprivate func json(_ fields: JSON) -> JSON {
        var edit: JSON = ["set": fields]
        if !addedTags.isEmpty || !removedTags.isEmpty {
            edit["add_tags"] = .array(addedTags.map(JSON.string))
            edit["remove_tags"] = .array(removedTags.map(JSON.string))
        }
        return edit
    }
}

extension TenantDatabase {
    /// Makes a run that changes contacts, of those there are now.
    /// - Parameters:
    ///   - ids: of these alone; nil for all that the query finds.
    ///   - query: its beginning and limit do not count.
    ///   - params: of the run, such as `max_changes`.
    /// - Returns: its number.
    /// - Throws: `Failure` `edit.empty`, `edit.tags`, `contact.invalid`, `right.missing`.
    public func createEdit(
        _ edit: BulkEdit, ids: [Int64]?, query: ContactQuery, params: JSON, isDry: Bool, as actor: Actor
    ) async throws -> Int64 {
        let catalogue = try await catalogue(as: actor)
        let fields = try checked(edit.set, catalogue)
        func clean(_ tags: [String]) throws -> [String] {
            tags.isEmpty
                ? []
                : try checked(["tags": .array(tags.map(JSON.string))], catalogue)["tags"]?.array?.compactMap(\.string)
                    ?? []
        }
        var edit = edit
        (edit.addedTags, edit.removedTags) = (try clean(edit.addedTags), try clean(edit.removedTags))
        let tags = edit.addedTags + edit.removedTags
        guard fields != [:] || !tags.isEmpty else {
            throw Failure(.invalid, "edit.empty", "Say what is to change: fields to set, tags to add or to take away.")
        }
        guard tags.isEmpty || fields["tags"] == nil, Set(edit.addedTags).isDisjoint(with: edit.removedTags) else {
            throw Failure(.invalid, "edit.tags", "Tags are either set, or added and taken away, each once.")
        }
        var params = params
        params["edit"] = edit.json(fields)
        let run = try await createRun(as: actor, kind: "edit", params: params, isDry: isDry, state: "staging")
        do {
            let terms = try await terms(query, as: actor)
            let staged = try await self.run(
                as: actor, deadline: .seconds(600),
                """
                INSERT INTO \(table("stage")) (run, line, contact, data)
                SELECT \(run), row_number() OVER (ORDER BY c.id), c.id, '{}' FROM \(table("contact")) c
                WHERE \(terms) AND (\(ids)::bigint[] IS NULL OR c.id = ANY (\(ids)::bigint[]))
                """)[0].affected
            try await queueStaged(run: run, counts: ["rows": .int(Int64(staged))], as: actor)
        } catch {
            // the request may be cancelled; the run must end all the same
            let words = "It could not be begun: \(Failure.logText(error))."
            try await Task { try await abandonStaged(run: run, message: words, as: actor) }.value
            throw error
        }
        return run
    }
}

extension Merge {
    /// Changes the staged contacts by the run's own edit.
    func change(_ edit: JSON, _ session: Session) async throws {
        _ = try await session.query(
            """
            WITH first AS MATERIALIZED (SELECT s.line, s.contact FROM \(table("stage")) s WHERE \(mine)),
            held AS MATERIALIZED (
                SELECT c.id, c.deleted_at IS NOT NULL AS gone, hub.bulk_set(c.data, \(edit.text)::jsonb) AS set
                FROM \(table("contact")) c WHERE c.id IN (SELECT f.contact FROM first f) ORDER BY c.id FOR UPDATE),
            changed AS (
                UPDATE \(table("contact")) c SET data = hub.apply(c.data, h.set), version = c.version + 1, updated_at = now(),
                    origins = c.origins || (SELECT jsonb_object_agg(k, \(origin("NULL::timestamptz"))) FROM jsonb_object_keys(h.set) k)
                FROM held h WHERE c.id = h.id AND NOT h.gone AND h.set <> '{}')
            UPDATE \(table("stage")) s SET difference = jsonb_build_object('set', coalesce(h.set, '{}')),
                -- erased or deleted since
                verdict = CASE WHEN h.id IS NULL OR h.gone THEN 'deleted_here' WHEN h.set = '{}' THEN 'unchanged' ELSE 'changed' END
            FROM first f LEFT JOIN held h ON h.id = f.contact WHERE s.run = \(run) AND s.line = f.line
            """)
    }
}
