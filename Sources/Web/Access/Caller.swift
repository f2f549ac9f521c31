import Hub
import Store

/// On whose behalf a request is done.
enum Caller: Sendable {
    case anybody
    case tenant(TenantDatabase, token: Int64, scopes: Set<String>)
    case operators(token: Int64)

    /// The caller an operation lets in.
    /// - Throws: `Failure` `scope.missing`.
    init(_ grant: TokenGrant, _ access: Access, node: Node) throws {
        switch (access, grant.tenant) {
        case (.open, _): self = .anybody
        case (.tenant(let scope), let tenant?):
            guard grant.scopes.contains(scope.rawValue) else { throw Self.missing(scope) }
            self = .tenant(node.tenant(tenant), token: grant.id, scopes: grant.scopes)
        case (.tenant, nil):
            throw Failure(
                .forbidden, "scope.missing", "This needs a token of a tenant; an operator's token opens tenants only.")
        case (.operators, nil):
            guard grant.scopes.contains(Scope.operator.rawValue) else { throw Self.missing(.operator) }
            self = .operators(token: grant.id)
        case (.operators, _): throw Self.missing(.operator)
        }
    }

    private static func missing(_ scope: Scope) -> Failure {
        Failure(.forbidden, "scope.missing", "This needs a token with the scope “\(scope.rawValue)”.")
    }
}
