public import Hub
internal import Postgres

extension TenantDatabase {
    /// One segment with its condition in words.
    /// - Throws: `Failure` `not_found`.
    public func segment(_ id: Int64, as actor: Actor) async throws -> JSON {
        let rows = try await run(
            as: actor, "SELECT id, name, condition, created_at FROM \(table("segment")) WHERE id = \(id)")[0]
        guard var segment = try JSON(parsing: rows.json())[0] else { throw Failure.notFound("segment") }
        segment["words"] = .string(try Condition(segment["condition"] ?? .null).words)
        return segment
    }

    /// The groups a segment is kept as, as a JSON array.
    /// - Throws: `Failure` `not_found`.
    public func segmentPushes(ofSegment id: Int64, as actor: Actor) async throws -> [UInt8] {
        let results = try await run(
            as: actor, "SELECT FROM \(table("segment")) WHERE id = \(id)",
            """
            SELECT s.id, s.segment, s.plugin, k.name AS connector, s.group_name, s.remote_id, s.purpose, s.schedule, s.next_at,
                s.last_run
            FROM \(table("segment_push")) s JOIN \(seen("plugin")) p ON p.id = s.plugin
            JOIN \(seen("connector")) k ON k.id = p.connector WHERE s.segment = \(id) ORDER BY s.id
            """)
        guard results[0].count == 1 else { throw Failure.notFound("segment") }
        return results[1].json()
    }

    /// Stops keeping a segment as a group; the group stays as it is.
    /// - Throws: `Failure` `not_found`.
    public func deleteSegmentPush(_ id: Int64, as actor: Actor) async throws {
        guard try await run(as: actor, "DELETE FROM \(table("segment_push")) WHERE id = \(id)")[0].affected == 1 else {
            throw Failure.notFound("segment push")
        }
    }
}
