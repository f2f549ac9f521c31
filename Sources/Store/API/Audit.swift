public import Hub
internal import Postgres

/// What is asked of the audit log; nil for any.
public struct AuditQuery: Sendable {
    public var actor: String?
    public var action: String?
    public var entity: String?
    public var record: Int64?
    /// Number of the entry to go on before.
    public var before: Int64?
    public var limit = 50
    public init() {}
}

/// The audit log: who read, exported, changed rights, credentials, settings and accounts.
extension TenantDatabase {
    /// A page of entries, newest first, as a JSON array, and the number of its last one.
    public func audit(_ query: AuditQuery, as actor: Actor) async throws -> (json: [UInt8], last: Int64?, count: Int) {
        let rows = try await run(
            as: actor,
            """
            SELECT id, at, actor, action, entity, record, details, place, encode(hash, 'hex') AS hash FROM \(table("audit"))
            WHERE (\(query.before)::bigint IS NULL OR id < \(query.before))
                AND (\(query.actor)::text IS NULL OR actor = \(query.actor))
                AND (\(query.action)::text IS NULL OR action = \(query.action))
                AND (\(query.entity)::text IS NULL OR entity = \(query.entity))
                AND (\(query.record)::bigint IS NULL OR record = \(query.record))
            ORDER BY id DESC LIMIT \(query.limit)
            """)[0]
        return (rows.json(), try rows.last?.get("id"), rows.count)
    }

    /// Adds an entry of what the actor does.
    public func note(
        _ action: String, entity: String? = nil, record: Int64? = nil, _ details: JSON = [:], as actor: Actor
    )
        async throws
    {
        _ = try await run(
            as: actor, "SELECT \(table("note"))(\(action), \(entity), \(record), \(details.text)::jsonb)")
    }

    /// Seals new entries into the chain.
    /// - Returns: the end of the chain: how many entries it has, and its hash (SHA-256) in hexadecimal digits.
    public func sealAudit() async throws -> (place: Int64, hash: String) {
        let row = try await run(
            as: .system, "SELECT place, encode(hash, 'hex') AS hash FROM \(table("seal_audit"))()")[0][0]
        return (try row.get("place"), try row.get("hash"))
    }

    /// Works the chain out anew and compares it.
    /// - Parameter known: an end of the chain that was kept elsewhere; nil to hold it against nothing.
    /// - Returns: `sealed` and `open` entries, `head`, and whether it is `whole`; if not, `broken_at`, the place of the first entry
    ///   that is not as it was sealed, missing or added.
    public func verifyAudit(known: (place: Int64, hash: String)?, as actor: Actor) async throws -> JSON {
        _ = try await sealAudit()
        let row = try await run(
            as: actor,
            "SELECT sealed, broken_at, encode(head, 'hex') AS head, open FROM \(table("verify_audit"))()")[0][0]
        var broken: Int64? = try row.get("broken_at")
        if let known, known.place > 0, broken.map({ $0 > known.place }) ?? true {
            let there: String? = try await run(
                as: actor, "SELECT encode(hash, 'hex') AS hash FROM \(table("audit")) WHERE place = \(known.place)")[0]
                .first?
                .get("hash")
            if there != known.hash { broken = known.place }
        }
        return [
            "whole": .bool(broken == nil), "sealed": .int(try row.get("sealed")),
            "open": try row.get("open", as: Int64?.self).map(JSON.int) ?? .null,
            "head": try row.get("head", as: String?.self).map(JSON.string) ?? .null,
            "broken_at": broken.map(JSON.int) ?? .null,
        ]
    }
}
