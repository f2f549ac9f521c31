public import Hub
internal import Postgres

/// Who a token belongs to, and what it allows.
public struct TokenGrant: Sendable {
    /// Number of the token, or of the session.
    public let id: Int64
    /// Who acts with it.
    public let actor: Actor
    /// Nil for the operator's own.
    public let tenant: Tenant?
    public let scopes: Set<String>
    public var sight = Sight.whole
    /// What the account is to be given first, before which the session is good for nothing else: `factor` or `password`.
    public var confined: String?
    /// Calls that all programs of the tenant together may make in a minute; nil for any number, and for people.
    public var callsPerMinute: Int?
}

extension Node {
    /// Looks a token up, and notes that it was used.
    /// - Returns: nil for an unknown, revoked or expired token, and while its tenant is not open.
    public func open(token: APIToken) async throws -> TokenGrant? {
        let results = try await database.run(
            ("SELECT id, tenant, country, scopes, role, masked, reads, calls FROM auth.open(\(token.hash))" as SQL)
                .prepared(),
            ("SELECT auth.token_used(o.id) FROM auth.open(\(token.hash)) o" as SQL).prepared())
        guard let row = results[0].first else { return nil }
        let tenant: Int64? = try row.get("tenant")
        let country: String? = try row.get("country")
        let scopes: [String] = try row.get("scopes")
        let id: Int64 = try row.get("id")
        let role: Int64? = try row.get("role")
        return TokenGrant(
            id: id, actor: role == nil ? .token(id) : .agent(id),
            tenant: tenant.map { Tenant(id: $0, country: country ?? "") }, scopes: Set(scopes),
            sight: Sight(isMasked: try row.get("masked"), owners: try row.get("reads")),
            callsPerMinute: try row.get("calls", as: Int64?.self).map { Int($0) })
    }

    /// Returns when the database answers.
    public func ping() async throws { _ = try await database.run(deadline: .seconds(2), "SELECT 1") }

    /// Counts of the connection pools by name, for metrics; counters end in "total".
    public func poolCounts() -> [(name: String, value: Int)] {
        let counts = database.statistics()
        return [
            ("shared_connections", counts.sharedConnections), ("shared_in_flight", counts.sharedInFlight),
            ("leased_connections", counts.leasedConnections), ("leased_in_use", counts.leasedInUse),
            ("lease_waiting", counts.waiting), ("connections_made_total", counts.connectionsMade),
            ("leases_refused_total", counts.leasesRefused),
        ]
    }

    /// An open tenant by number; nil when there is none.
    public func openTenant(_ id: Int64) async throws -> Tenant? {
        let rows = try await database.run(
            ("SELECT id, country FROM kontor.open_tenants() WHERE id = \(id)" as SQL).prepared())[0]
        return try rows.first.map { Tenant(id: try $0.get("id"), country: try $0.get("country")) }
    }

    /// The last part of the address a connector's webhooks are sent to. It cannot be guessed, and it names no tenant.
    /// - Throws: `Failure` `not_found` for a tenant without keys.
    public func hookPath(tenant: Int64, connector: Int64) async throws -> String {
        try await self.tenant(Tenant(id: tenant, country: "")).signedPath(Self.hooks, to: connector)
    }

    /// Tenant and connector of a path made by `hookPath`; nil for any other.
    public func hookTarget(_ path: String) async throws -> (tenant: Int64, connector: Int64)? {
        try await numbers(ofPath: path, Self.hooks).map { ($0.tenant, $0.number) }
    }
    private static let hooks = "hook address"
}
