public import Hub
internal import Postgres

/// A file that was sent to be taken in.
public struct Upload: Sendable {
    public let id: Int64
    public let name: String
    public let bytes: Int64
    /// RFC 3339.
    public let createdAt: String
}

extension TenantDatabase {
    /// Bytes of a part, but for the last one's.
    public static let uploadPart = 262_144

    /// Begins to keep a file; `finish(upload:bytes:)` says that it is whole. It is kept for a day.
    /// - Parameters:
    ///   - name: what it is called where it comes from.
    ///   - bytes: most that it may have; files that arrive count as much.
    /// - Throws: `Failure` `upload.quota`, `right.missing`.
    public func createUpload(name: String, bytes: Int, as actor: Actor) async throws -> Int64 {
        let rows = try await run(
            as: actor,
            """
            INSERT INTO \(table("upload")) (actor, name) SELECT \(actor.description), \(name)
            WHERE (SELECT coalesce(sum(coalesce(u.bytes, \(bytes))), 0) FROM \(table("upload")) u) + \(bytes) <= \(Self.uploadQuota)
            RETURNING id
            """)[0]
        guard let row = rows.first else {
            throw Failure(
                .tooMany, "upload.quota",
                "Files of \(Self.uploadQuota / 1_000_000) MB wait already: throw some away, or wait for a day.",
                retryAfter: 3600)
        }
        return try row.get("id")
    }

    /// Bytes of files that may wait for one actor.
    private static let uploadQuota = 500_000_000

    public func add(part: Int, _ bytes: [UInt8], toUpload id: Int64, as actor: Actor) async throws {
        _ = try await run(
            as: actor, "INSERT INTO \(table("upload_part")) (upload, part, data) VALUES (\(id), \(part), \(bytes))")
    }

    public func finish(upload id: Int64, bytes: Int, as actor: Actor) async throws {
        _ = try await run(as: actor, "UPDATE \(table("upload")) SET bytes = \(bytes) WHERE id = \(id)")
    }

    /// - Throws: `Failure` `not_found`, also for somebody else's.
    public func upload(_ id: Int64, as actor: Actor) async throws -> Upload {
        let rows = try await run(
            as: actor,
            """
            SELECT name, bytes, to_json(created_at) #>> '{}' AS created_at FROM \(table("upload"))
            WHERE id = \(id) AND bytes IS NOT NULL
            """)[0]
        guard let row = rows.first else { throw Failure.notFound("upload") }
        return Upload(
            id: id, name: try row.get("name"), bytes: try row.get("bytes"), createdAt: try row.get("created_at"))
    }

    /// - Returns: nil after the last part.
    public func part(_ number: Int, ofUpload id: Int64, as actor: Actor) async throws -> [UInt8]? {
        try await run(
            as: actor, "SELECT data FROM \(table("upload_part")) WHERE upload = \(id) AND part = \(number)")[0].first?
            .get("data")
    }

    public func deleteUpload(_ id: Int64, as actor: Actor) async throws {
        guard try await run(as: actor, "DELETE FROM \(table("upload")) WHERE id = \(id)")[0].affected == 1 else {
            throw Failure.notFound("upload")
        }
    }
}
