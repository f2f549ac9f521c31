import Cryptography
import Foundation
public import Hub
public import Logging
public import Postgres

/// Makes, migrates, suspends and drops tenants, logged in as kontor_migrate.
public final class Provisioner: Sendable {
    private let database: Database
    let files: SQLFiles
    let secrets: InstanceSecrets
    private let log: Logger
    /// Modules every tenant starts with.
    static let firstModules = ["hub"]
    /// A migration waits no longer than this for a lock, so that it never stops a tenant's traffic.
    private static let lockTimeout = "5s"

    public init(_ instance: Instance) {
        var configuration = DatabaseConfiguration(conninfo: instance.migrationConnection)
        (configuration.sharedConnections, configuration.leasedConnections) = (1, 3)
        configuration.applicationName = "kontor migrate"
        // each leaves plans and descriptions in the server's process, all of which are looked at whenever something is made
        configuration.maxScopes = 10
        database = Database(configuration, log: instance.log)
        files = instance.files
        secrets = instance.secrets
        log = instance.log
    }

    /// Opens its connections, and sees that every tenant has its keys.
    /// - Throws: `Failure` `master_key.unknown`, `PostgresError`.
    public func start() async throws {
        try await database.start()
        try await settleKeys()
    }
    public func close() async { await database.close() }

    /// Makes a tenant, or finishes one whose making was cut short.
    /// - Parameter opens: false to leave it closed, to be filled first.
    /// - Throws: `Failure` `tenant.exists`, `tenant.name`.
    public func create(name: String, title: String, country: String, opens: Bool = true) async throws -> Tenant {
        try Self.check(name: name, country: country)
        let tenant = try await asOwner { session in
            let made = try await session.query(
                """
                INSERT INTO kontor.tenant (name, title, country) VALUES (\(name), \(title), \(country))
                ON CONFLICT (name) DO UPDATE SET title = excluded.title, country = excluded.country
                WHERE tenant.state = 'making'
                RETURNING id
                """)
            guard let row = made.first else {
                throw Failure(
                    .conflict, "tenant.exists", "There is a tenant of the name \(name) already: choose another.")
            }
            let id: Int64 = try row.get("id")
            try await makeKeys(of: id, session)
            return Tenant(id: id, country: country)
        }
        try await asOwner { session in
            _ = try await session.query("CREATE SCHEMA IF NOT EXISTS \(identifier: tenant.schema)")
        }
        for module in Self.firstModules { try await migrate(tenant, module: module) }
        if opens { try await open(tenant) }
        return tenant
    }

    func open(_ tenant: Tenant) async throws {
        try await asOwner { session in
            _ = try await session.query(
                "UPDATE kontor.tenant SET state = 'open' WHERE id = \(tenant.id) AND state = 'making'")
        }
        log.info("tenant made", metadata: ["tenant": "\(tenant.id)"])
    }

    /// Adds a module to a tenant unless it is there, after those it stands on.
    public func ensure(module: String, for tenant: Tenant) async throws {
        for needed in Self.needs[module] ?? [] { try await migrate(tenant, module: needed) }
        try await migrate(tenant, module: module)
    }
    private static let needs = ["reporting": ["sales"]]

    /// Brings every tenant's modules up to date; a run that is cut short is finished by the next.
    /// - Returns: how many tenants changed.
    public func migrateAll() async throws -> Int {
        let due = try await asOwner { session in
            try await session.query(
                """
                SELECT t.id, t.country, m.name, m.version FROM kontor.tenant t JOIN kontor.module m ON m.tenant = t.id
                WHERE t.state IN ('open', 'suspended') ORDER BY t.id
                """)
        }
        var changed = Set<Int64>()
        for row in due {
            let module: String = try row.get("name")
            let version: Int = try row.get("version")
            let newest = try files.newest(of: module)
            guard version <= newest else {
                throw Failure(
                    .broken, "tenant.newer",
                    "A tenant's module \(module) was made by a newer Kontor (version \(version), this one knows \(newest))."
                )
            }
            if version < newest {
                let tenant = Tenant(id: try row.get("id"), country: try row.get("country"))
                try await migrate(tenant, module: module)
                changed.insert(tenant.id)
            }
        }
        return changed.count
    }

    /// Applies the migrations of one module that this tenant has not had, each in a transaction of its
    /// own together with its number.
    private func migrate(_ tenant: Tenant, module: String) async throws {
        for migration in try files.migrations(of: module, for: tenant) {
            try await asOwner(making: tenant) { session in
                _ = try await session.query("SELECT pg_advisory_xact_lock(\(tenant.id))")
                let have = try await session.query(
                    "SELECT version FROM kontor.module WHERE tenant = \(tenant.id) AND name = \(module)")
                let version = try have.first?.get("version", as: Int.self) ?? 0
                guard version < migration.number else { return }
                try await session.execute(script: migration.text)
                _ = try await session.query(
                    """
                    INSERT INTO kontor.module (tenant, name, version) VALUES (\(tenant.id), \(module), \(migration.number))
                    ON CONFLICT (tenant, name) DO UPDATE SET version = excluded.version
                    """)
            }
        }
    }

    /// All tenants as JSON rows: id, name, title, country, state, created_at.
    public func list() async throws -> [UInt8] {
        try await asOwner { session in
            try await session.query("SELECT id, name, title, country, state, created_at FROM kontor.tenant ORDER BY id")
                .json()
        }
    }

    /// All tenants that are open or suspended.
    public func all() async throws -> [Tenant] {
        try await asOwner { session in
            try await session.query(
                "SELECT id, country FROM kontor.tenant WHERE state IN ('open', 'suspended') ORDER BY id")
        }.map { Tenant(id: try $0.get("id"), country: try $0.get("country")) }
    }

    /// An open tenant by its name; nil when there is none.
    public func open(named name: String) async throws -> Tenant? {
        try await asOwner { session in
            try await session.query("SELECT id, country FROM kontor.tenant WHERE name = \(name) AND state = 'open'")
        }.first.map { Tenant(id: try $0.get("id"), country: try $0.get("country")) }
    }

    /// - Throws: `Failure` `not_found`.
    public func find(_ name: String) async throws -> Tenant {
        let rows = try await asOwner { session in
            try await session.query("SELECT id, country FROM kontor.tenant WHERE name = \(name)")
        }
        guard let row = rows.first else { throw Failure.notFound("tenant") }
        return Tenant(id: try row.get("id"), country: try row.get("country"))
    }

    /// Closes a tenant to everyone, or opens it again. Its tokens stop working with the next request.
    public func setSuspended(_ isSuspended: Bool, _ tenant: Tenant) async throws {
        let (from, to) = isSuspended ? ("open", "suspended") : ("suspended", "open")
        let changed = try await asOwner { session in
            try await session.query(
                "UPDATE kontor.tenant SET state = \(to) WHERE id = \(tenant.id) AND state IN (\(from), \(to))"
            ).affected
        }
        guard changed == 1 else {
            throw Failure(
                .conflict, "tenant.state", "The tenant can be neither suspended nor resumed in its present state.")
        }
    }

    /// Drops a tenant and all it holds. Each step can be repeated: a drop that is cut short is finished
    /// by the next call.
    public func drop(_ tenant: Tenant) async throws {
        try await asOwner { session in
            _ = try await session.query("UPDATE kontor.tenant SET state = 'dropping' WHERE id = \(tenant.id)")
        }
        try await asOwner { session in
            // views first: they stand on the tables, and each drop takes locks on all it removes
            _ = try await session.query("DROP SCHEMA IF EXISTS \(identifier: tenant.schema + "_rep") CASCADE")
            _ = try await session.query("DROP SCHEMA IF EXISTS \(identifier: tenant.schema) CASCADE")
        }
        try await asOwner { session in
            _ = try await session.query("DELETE FROM kontor.tenant WHERE id = \(tenant.id)")
            _ = try await session.query("SELECT auth.drop_group(\(tenant.id))")
        }
        log.info("tenant dropped", metadata: ["tenant": "\(tenant.id)"])
    }

    /// Makes an API token; it can be read only now.
    /// - Parameter tenant: nil for the operator's own.
    public func issueToken(for tenant: Tenant?, label: String, scopes: [String]) async throws -> String {
        let token = APIToken.make()
        try await asOwner { session in
            _ = try await session.query(
                """
                INSERT INTO auth.token (tenant, hash, prefix, label, scopes)
                VALUES (\(tenant?.id), \(token.hash), \(token.prefix), \(label), \(scopes))
                """)
        }
        return token.text
    }

    /// Makes or renews the owner's account of a tenant; its sessions end, and a second factor is taken away.
    /// - Throws: `Failure` as `PasswordRule`.
    public func setOwner(of tenant: Tenant, email: String, password: String) async throws {
        try PasswordRule(email: email).check(password)
        let hash = try PasswordHash.make(password)
        try await asOwner(of: tenant) { session in
            let account: Int64 = try await session.query(
                """
                INSERT INTO auth.account (tenant, email, password) VALUES (\(tenant.id), lower(\(email)), \(hash))
                ON CONFLICT (tenant, email) DO UPDATE
                SET password = excluded.password, password_at = now(), disabled_at = NULL,
                    factor = NULL, factor_at = NULL, factor_step = 0, recovery = '{}'
                RETURNING id
                """)[0].get("id")
            _ = try await session.query(
                """
                INSERT INTO \(table: tenant.schema, "staff") (account, email, name, role)
                SELECT \(account), lower(\(email)), '', r.id FROM \(table: tenant.schema, "role") r WHERE r.name = 'owner'
                ON CONFLICT (account) DO UPDATE SET role = excluded.role, disabled_at = NULL
                """)
            // a statement of its own: it sees a session that began while the first one waited
            _ = try await session.query(
                """
                UPDATE auth.session s SET ended_at = now() FROM auth.account a
                WHERE a.tenant = \(tenant.id) AND a.email = lower(\(email)) AND s.account = a.id AND s.ended_at IS NULL
                """)
        }
    }

    /// Runs a transaction as the owner of all objects.
    /// - Parameters:
    ///   - tenant: whose rows are to be seen; nil for none.
    ///   - schema: of the tenant whose objects are made, where that is another.
    func asOwner<T: Sendable>(
        of tenant: Tenant? = nil, making schema: Tenant? = nil, _ body: @Sendable (Session) async throws -> T
    ) async throws -> T {
        let signer = tenant.map { ($0.id, ContextSigner(key: secrets.contextKey, isPooled: false)) }
        let role: @Sendable (Int32) -> SQL = { backend in
            let context = signer.map { $0.1.context(tenant: $0.0, actor: .system, backend: backend) } ?? ""
            return """
                SELECT set_config('role', 'kontor_owner', true), set_config('lock_timeout', \(Self.lockTimeout), true),
                    set_config('kontor.context', \(context), true)
                """
        }
        return try await database.transaction(scope: (tenant ?? schema)?.id ?? 0, prelude: role, body)
    }

    private static func check(name: String, country: String) throws {
        guard name.wholeMatch(of: /[a-z][a-z0-9-]{1,39}/) != nil else {
            throw Failure(
                .invalid, "tenant.name", "A tenant's name is 2 to 40 small letters, digits and hyphens, a letter first."
            )
        }
        guard country.wholeMatch(of: /[A-Z]{2}/) != nil else {
            throw Failure(.invalid, "tenant.country", "A country is two capital letters (ISO 3166), such as PL.")
        }
    }
}
