public import Hub
internal import Postgres

extension TenantDatabase {
    /// The tenant's tokens as a JSON array; what is shown of a token is its beginning.
    public func tokens(as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            """
            SELECT id, prefix, label, scopes, created_at, expires_at, revoked_at, used_at FROM auth.tokens(\(tenant.id))
            """)[0].json()
    }

    /// Makes a token; it can be read only now.
    /// - Parameter expiresAt: RFC 3339; nil for a token that holds until it is revoked.
    public func addToken(
        as actor: Actor, label: String, scopes: [String], expiresAt: String?
    ) async throws -> (id: Int64, text: String) {
        let token = APIToken.make()
        let rows = try await run(
            as: actor,
            """
            SELECT auth.add_token(\(tenant.id), \(token.hash), \(token.prefix), \(label), \(scopes)::text[],
                \(expiresAt)::timestamptz) AS id
            """)[0]
        return (try rows[0].get("id"), token.text)
    }

    /// - Throws: `Failure` `not_found`.
    public func revokeToken(_ id: Int64, as actor: Actor) async throws {
        let done = try await run(as: actor, "SELECT auth.revoke_token(\(tenant.id), \(id)) AS done")[0][0]
        guard try done.get("done", as: Bool?.self) == true else { throw Failure.notFound("token") }
    }
}
