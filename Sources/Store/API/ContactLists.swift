public import Hub
internal import Postgres

extension TenantDatabase {
    /// What happened to a contact, newest first.
    /// - Parameter before: the last change of the page before.
    /// - Throws: `Failure` `not_found`.
    public func history(of id: Int64, before: Int64?, limit: Int, as actor: Actor) async throws -> Page {
        try Page(
            await list(
                id, as: actor,
                """
                SELECT h.id, h.at, h.kind, h.version, h.fields, h.before, h.after, h.actor, k.name AS origin
                FROM \(seen("change")) h LEFT JOIN \(seen("connector")) k ON k.id = h.origin
                WHERE h.entity = 'contact' AND h.record = \(id) AND (\(before)::bigint IS NULL OR h.id < \(before))
                ORDER BY h.id DESC LIMIT \(limit)
                """), limit: limit, by: "id")
    }

    /// Attempts to deliver a contact, newest first.
    /// - Throws: `Failure` `not_found`.
    public func attempts(of id: Int64, before: Int64?, limit: Int, as actor: Actor) async throws -> Page {
        try Page(
            await list(
                id, as: actor,
                """
                SELECT a.id, a.plugin, k.name AS connector, p.name AS plugin_name, a.change, a.started_at, a.ended_at,
                    a.outcome, a.code, a.message
                FROM \(seen("attempt")) a LEFT JOIN \(seen("plugin")) p ON p.id = a.plugin
                LEFT JOIN \(seen("connector")) k ON k.id = p.connector
                WHERE a.record = \(id) AND (\(before)::bigint IS NULL OR a.id < \(before)) ORDER BY a.id DESC LIMIT \(limit)
                """), limit: limit, by: "id")
    }

    /// Where else a contact is, and what was agreed on there, as a JSON array.
    /// - Throws: `Failure` `not_found`.
    public func bindings(of id: Int64, as actor: Actor) async throws -> [UInt8] {
        try await list(
            id, as: actor,
            """
            SELECT b.connector, k.name AS connector_name, b.remote_id, b.remote_version, b.remote_at, b.agreed, b.bound_at,
                b.gone_at
            FROM \(seen("binding")) b LEFT JOIN \(seen("connector")) k ON k.id = b.connector
            WHERE b.entity = 'contact' AND b.record = \(id) ORDER BY b.connector
            """
        ).json()
    }

    /// Rows about a contact that there is.
    private func list(_ id: Int64, as actor: Actor, _ statement: SQL) async throws -> Rows {
        let results = try await run(as: actor, "SELECT FROM \(contacts) c WHERE c.id = \(id)", statement)
        guard results[0].count == 1 else { throw Failure.notFound("contact") }
        return results[1]
    }

    /// Decisions, newest first: for each change what every plugin said.
    /// - Parameters:
    ///   - contact: nil for all contacts.
    ///   - connector: those about which one of its plugins said something.
    ///   - verdict: those of which it, or with no connector any, said this.
    ///   - before: the last change of the page before.
    public func decisions(
        contact: Int64?, connector: Int64? = nil, verdict: String? = nil, before: Int64?, limit: Int, as actor: Actor
    ) async throws -> Page {
        let rows = try await run(
            as: actor,
            """
            SELECT d.change, d.at, h.entity, h.record,
                (SELECT c.name FROM \(contacts) c WHERE h.entity = 'contact' AND c.id = h.record) AS name, h.kind, h.fields,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('plugin', v.plugin, 'verdict', v.verdict, 'rule', v.rule)
                    ORDER BY v.plugin), '[]') FROM unnest(d.plugin, d.verdict, d.rule) AS v (plugin, verdict, rule)) AS verdicts
            FROM \(seen("change")) h JOIN \(seen("decision")) d ON d.change = h.id
            WHERE (\(contact)::bigint IS NULL OR h.entity = 'contact' AND h.record = \(contact))
                AND (\(before)::bigint IS NULL OR h.id < \(before))
                AND (\(connector)::bigint IS NULL AND \(verdict)::text IS NULL OR EXISTS (
                    SELECT FROM unnest(d.plugin, d.verdict) AS v (plugin, verdict) JOIN \(seen("plugin")) p ON p.id = v.plugin
                    WHERE (\(connector)::bigint IS NULL OR p.connector = \(connector))
                        AND (\(verdict)::text IS NULL OR v.verdict = \(verdict))))
            ORDER BY h.id DESC LIMIT \(limit)
            """)[0]
        return try Page(rows, limit: limit, by: "change")
    }
}
