import Hub
import Store

/// On whose behalf a request is done.
enum Caller: Sendable {
    case anybody
    case tenant(TenantDatabase, TokenGrant)
    case operators(TokenGrant)

    /// The caller an operation lets in.
    /// - Throws: `Failure` `scope.missing`.
    init(_ grant: TokenGrant, _ access: Access, node: Node) throws {
        switch (access, grant.tenant) {
        case (.open, _): self = .anybody
        case (.tenant(let scope), let tenant?):
            guard grant.scopes.contains(scope.rawValue) else { throw Self.missing(scope) }
            self = .tenant(node.tenant(tenant, sight: grant.sight), grant)
        case (.staff, let tenant?):
            guard case .staff = grant.actor else { throw Self.noSession }
            self = .tenant(node.tenant(tenant, sight: grant.sight), grant)
        case (.staff, nil): throw Self.noSession
        case (.tenant, nil):
            throw Failure(
                .forbidden, "scope.missing", "This needs a token of a tenant; an operator's token opens tenants only.")
        case (.operators, nil):
            guard grant.scopes.contains(Scope.operator.rawValue) else { throw Self.missing(.operator) }
            self = .operators(grant)
        case (.operators, _): throw Self.missing(.operator)
        }
    }

    static let noSession = Failure(
        .forbidden, "session.needed", "This is for people who signed in; the token is none of a session.")

    static func missing(_ scope: Scope) -> Failure {
        Failure(.forbidden, "scope.missing", "This needs a token with the scope “\(scope.rawValue)”.")
    }
}
