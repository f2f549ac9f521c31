/// What a token allows.
enum Scope: String, Sendable, CaseIterable {
    case contactsRead = "contacts:read"
    case contactsWrite = "contacts:write"
    /// Connectors, plugins, segments, fields.
    case config
    case runs
    case feed
    case tokens
    /// Staff, teams and roles; only for people who signed in.
    case staff
    /// SQL logins; only for people who signed in.
    case sql
    /// The audit log.
    case audit
    /// Tenants; only for tokens that belong to no tenant.
    case `operator`

    /// Scopes a tenant's token may have.
    static let ofTenants = allCases.filter { ![.operator, .staff, .sql].contains($0) }
}

/// Who may call an operation.
enum Access: Sendable, Equatable {
    /// Anybody.
    case open
    /// Somebody who signed in, whatever they may.
    case staff
    /// A tenant's token or session with this scope.
    case tenant(Scope)
    /// An operator's token.
    case operators
}
