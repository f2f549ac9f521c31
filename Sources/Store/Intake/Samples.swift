public import Hub
internal import Postgres

/// What a mapping would do to records as they are now.
extension TenantDatabase {
    /// Remote records as the hub would read them.
    /// - Parameter closed: fields that the connector may not write.
    /// - Returns: {"remote_id", "remote", "fields", "problems"} for each.
    public func inwardSamples(_ records: [IncomingRecord], _ mapping: Mapping, closed: [String]) async throws -> [JSON]
    {
        let normaliser = normaliser(try await catalogue(as: .system))
        return records.map { record in
            let read = Self.read(record.values, mapping, normaliser, without: closed)
            return [
                "remote_id": .string(record.id), "remote": record.values, "fields": read.document,
                "problems": .array(read.problems.map(\.json)),
            ]
        }
    }

    /// The newest contacts, as far as the connector's policy shows them, in the remote's form.
    /// - Returns: {"contact", "fields", "remote", "problems"} for each.
    public func outwardSamples(_ count: Int, _ mapping: Mapping, connector: Int64) async throws -> [JSON] {
        try await run(
            as: .connector(connector),
            """
            SELECT s.id, s.data || CASE WHEN s.name IS NULL THEN '{}' ELSE jsonb_build_object('name', s.name) END AS data
            FROM \(table("contact_shared")) s WHERE s.deleted_at IS NULL ORDER BY s.id DESC LIMIT \(count)
            """)[0].map { row in
                let fields = try JSON(text: row.get("data"))
                let mapped = mapping.outward(fields)
                return [
                    "contact": .int(try row.get("id")), "fields": fields, "remote": mapped.document,
                    "problems": .array(mapped.problems.map(\.json)),
                ]
            }
    }

    /// Keeps samples with a run, for the person who asked; an erasure takes them away.
    public func keep(samples: [JSON], of claimed: ClaimedRun) async throws {
        _ = try await run(
            as: .system,
            """
            UPDATE \(table("run")) SET params = params || \((["samples": .array(samples)] as JSON).text)::jsonb
            WHERE id = \(claimed.id) AND fence = \(claimed.fence)
            """)
    }

    /// The line after the last that a run has staged rows of.
    public func nextLine(ofRun id: Int64) async throws -> Int64 {
        try await run(
            as: .system, "SELECT coalesce(max(line), 0) + 1 AS next FROM \(table("stage")) WHERE run = \(id)")[0][0]
            .get("next")
    }

    /// Takes the staged rows of a run away, to stage them anew.
    public func clearStaged(run id: Int64) async throws {
        _ = try await run(as: .system, "DELETE FROM \(table("stage")) WHERE run = \(id)")
    }
}
