/// What a token allows.
enum Scope: String, Sendable, CaseIterable {
    case contactsRead = "contacts:read"
    case contactsWrite = "contacts:write"
    /// Connectors, plugins, segments, fields.
    case config
    case runs
    case feed
    case tokens
    /// Tenants; only for tokens that belong to no tenant.
    case `operator`

    /// Scopes a tenant's token may have.
    static let ofTenants = allCases.filter { $0 != .operator }
}

/// Who may call an operation.
enum Access: Sendable {
    /// Anybody.
    case open
    /// A tenant's token with this scope.
    case tenant(Scope)
    /// An operator's token.
    case operators
}
