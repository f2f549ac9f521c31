import Cryptography
public import Hub
internal import Postgres

/// A webhook that was stored and waits to be applied.
public struct StoredHook: Sendable {
    public let id: Int64
    public let connector: Int64
    public let headers: [String: String]
    public let body: [UInt8]
    /// Seconds since 1970.
    public let receivedAt: Int64
    public let attempts: Int
}

extension TenantDatabase {
    /// Stores a webhook; one that came before is not stored again.
    /// - Parameter eventKey: unique to the event at its source; nil when the source gives none: then equal bodies
    ///   within the same minute are one event.
    public func storeHook(connector: Int64, eventKey: String?, headers: [String: String], body: [UInt8]) async throws {
        let key = eventKey ?? Crypto.hex(Crypto.sha256(body))
        _ = try await run(
            as: .intake(connector),
            """
            INSERT INTO \(table("inbox")) (connector, event_key, headers, body)
            VALUES (\(connector), \(key) || CASE WHEN \(eventKey == nil) THEN to_char(now(), ' YYYY-MM-DD HH24:MI') ELSE '' END,
                \(JSON.object(headers.mapValues { .string($0) }).text)::jsonb, \(body))
            ON CONFLICT (connector, event_key) DO NOTHING
            """)
        ring()
    }

    /// Takes webhooks that are due, oldest first, for so many seconds. They stay until `settle`; applying one twice
    /// changes nothing.
    public func claimHooks(limit: Int, lease: Double) async throws -> [StoredHook] {
        try await runByKeys(
            as: .system, isAwaited: true,
            """
            WITH picked AS (
                SELECT i.id FROM \(table("inbox")) i WHERE i.state = 'new' AND i.due_at <= clock_timestamp()
                    -- what a system that is paused tells is kept until it is resumed
                    AND NOT EXISTS (SELECT FROM \(table("connector")) k WHERE k.id = i.connector AND k.state <> 'on')
                ORDER BY i.id LIMIT \(limit) FOR UPDATE OF i SKIP LOCKED),
            claimed AS (
                UPDATE \(table("inbox")) i SET due_at = clock_timestamp() + make_interval(secs => \(lease))
                FROM picked WHERE i.id = picked.id RETURNING i.*)
            SELECT id, connector, headers, body, extract(epoch FROM received_at)::bigint AS at, attempts
            FROM claimed ORDER BY id
            """
        ).map { row in
            let headers = try JSON(text: row.get("headers")).object ?? [:]
            return StoredHook(
                id: try row.get("id"), connector: try row.get("connector"),
                headers: headers.compactMapValues(\.string),
                body: try row.get("body"), receivedAt: try row.get("at"), attempts: try row.get("attempts"))
        }
    }

    /// Notes that a webhook was applied (its body is no longer kept then), or set aside, or waits for another try.
    public func settle(hook id: Int64, state: String, message: String? = nil, delay: Double = 0) async throws {
        _ = try await run(
            as: .system,
            """
            UPDATE \(table("inbox")) SET state = \(state), message = \(message), attempts = attempts + 1,
                body = CASE WHEN \(state) = 'done' THEN '' ELSE body END,
                due_at = now() + make_interval(secs => \(delay)) WHERE id = \(id) AND state = 'new'
            """)
    }

    /// Puts a webhook off, which counts as no attempt.
    public func postpone(hook id: Int64, by seconds: Double) async throws {
        _ = try await run(
            as: .system,
            """
            UPDATE \(table("inbox")) SET due_at = clock_timestamp() + make_interval(secs => \(seconds))
            WHERE id = \(id) AND state = 'new'
            """)
    }
}
