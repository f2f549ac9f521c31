public import Hub
internal import Postgres

/// What is known of a request that carries an idempotency key.
public enum IdempotentRequest: Sendable {
    /// It is the first: do it, then `finish` or `release`.
    case fresh
    /// It was answered so.
    case answered(status: Int, answer: [UInt8])
    /// The same is being done.
    case running
    /// The key came with another request before.
    case other
}

extension TenantDatabase {
    /// Takes an idempotency key. Keys hold for a day. One whose request was begun and whose end nobody knows can
    /// be taken again after ten minutes.
    /// - Parameter request: hash of what is asked for.
    public func begin(key: String, request: [UInt8], as actor: Actor) async throws -> IdempotentRequest {
        let taken = try await run(
            as: actor,
            """
            INSERT INTO \(table("idempotency")) AS i (key, actor, request)
            VALUES (\(key), \(actor.description), \(request))
            ON CONFLICT (actor, key) DO UPDATE SET request = excluded.request, status = NULL, answer = NULL, at = now()
                WHERE i.at < now() - interval '1 day' OR i.status IS NULL AND i.at < now() - interval '10 minutes'
            """,
            """
            SELECT request = \(request) AS same, status, answer FROM \(table("idempotency"))
            WHERE key = \(key) AND actor = \(actor.description)
            """)
        if taken[0].affected == 1 { return .fresh }
        guard let row = taken[1].first else { return .running }
        guard try row.get("same") else { return .other }
        guard let status = try row.get("status", as: Int?.self) else { return .running }
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
