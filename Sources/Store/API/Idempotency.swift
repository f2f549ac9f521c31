public import Hub
internal import Postgres

/// What is known of a request that carries an idempotency key.
public enum IdempotentRequest: Sendable {
    /// It is the first: do it, then `finish` or `release`.
    case fresh
    /// It was answered so.
    case answered(status: Int, answer: [UInt8])
    /// It made this contact; its answer was never stored.
    case made(contact: Int64)
    /// The same is being done.
    case running
    /// The key came with another request before.
    case other
}

extension TenantDatabase {
    /// Takes an idempotency key. Keys hold for a day. One whose request was begun and made nothing can be taken
    /// again after a minute: no statement runs that long.
    /// - Parameter request: hash of what is asked for.
    public func begin(key: String, request: [UInt8], as actor: Actor) async throws -> IdempotentRequest {
        let taken = try await run(
            as: actor,
            """
            INSERT INTO \(table("idempotency")) AS i (key, actor, request)
            VALUES (\(key), \(actor.description), \(request))
            ON CONFLICT (actor, key) DO UPDATE SET request = excluded.request, status = NULL, answer = NULL, effect = NULL,
                    at = now()
                WHERE i.at < now() - interval '1 day' OR i.status IS NULL AND i.effect IS NULL AND i.at < now() - interval '1 minute'
            """,
            """
            SELECT request = \(request) AS same, status, answer, effect FROM \(table("idempotency"))
            WHERE key = \(key) AND actor = \(actor.description)
            """)
        if taken[0].affected == 1 { return .fresh }
        guard let row = taken[1].first else { return .running }
        guard try row.get("same") else { return .other }
        guard let status = try row.get("status", as: Int?.self) else {
            return try row.get("effect", as: Int64?.self).map { .made(contact: $0) } ?? .running
        }
        return .answered(status: status, answer: Array(try row.get("answer", as: String.self).utf8))
    }

    /// Keeps the answer for those who ask again.
    public func finish(key: String, status: Int, answer: [UInt8], as actor: Actor) async throws {
        _ = try await run(
            as: actor,
            """
            UPDATE \(table("idempotency")) SET status = \(status), answer = \(String(decoding: answer, as: UTF8.self))
            WHERE key = \(key) AND actor = \(actor.description)
            """)
    }

    /// Frees a key whose request was refused and had no effect.
    public func release(key: String, as actor: Actor) async throws {
        _ = try await run(
            as: actor,
            """
            DELETE FROM \(table("idempotency")) WHERE key = \(key) AND actor = \(actor.description) AND status IS NULL
            """)
    }
}
