public import Hub
internal import Postgres

extension TenantDatabase {
    /// The tenant's tokens as a JSON array; what is shown of a token is its beginning.
    public func tokens(as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            """
            SELECT id, prefix, label, scopes, role, created_at, expires_at, revoked_at, used_at
            FROM auth.tokens(\(tenant.id))
            """)[0].json()
    }

    /// Makes a token; it can be read only now.
    /// - Parameters:
    ///   - expiresAt: RFC 3339; nil for a token that holds until it is revoked.
    ///   - role: number of the role whose rights it has, within its scopes; nil for a program of the whole shop.
    /// - Throws: `Failure` `token.role` when there is no such role, `right.missing`.
    public func addToken(
        as actor: Actor, label: String, scopes: [String], expiresAt: String?, role: Int64? = nil
    ) async throws -> (id: Int64, text: String) {
        let token = APIToken.make()
        do {
            let rows = try await run(
                as: actor,
                """
                SELECT \(table("add_token"))(\(token.hash), \(token.prefix), \(label), \(scopes)::text[],
                    \(expiresAt)::timestamptz, \(role)) AS id
                """)[0]
            return (try rows[0].get("id"), token.text)
        } catch let error as PostgresError where error.sqlState == "23503" {
            throw Failure(.invalid, "token.role", "There is no such role: GET /roles lists them.")
        }
    }

    /// - Throws: `Failure` `not_found`.
    public func revokeToken(_ id: Int64, as actor: Actor) async throws {
        let done = try await run(as: actor, "SELECT auth.revoke_token(\(tenant.id), \(id)) AS done")[0][0]
        guard try done.get("done", as: Bool?.self) == true else { throw Failure.notFound("token") }
    }
}
