public import Hub
public import Logging
public import Postgres

/// Sets up and checks the database of an instance: roles, control schema, keys, lint.
public struct Instance: Sendable {
    /// Version of the control schema this program works with.
    static let version = 13
    /// Of the one database everything is in.
    public static let databaseName = "kontor"
    /// What brings the control schema from each version to the next, beginning with none.
    private static let steps = [
        ["003_control.sql", "004_hub.sql", "005_grants.sql"], ["006_accounts.sql"], ["007_rights.sql"],
        ["008_logins.sql"], ["009_keys.sql"], ["010_audit.sql"],
        ["011_usage.sql"], ["012_second_factor.sql"], ["013_mail.sql"],
        ["014_merge.sql"], ["015_agents.sql"], ["016_limits.sql"], ["017_edits.sql"],
    ]

    let admin: ConnectionText
    let secrets: InstanceSecrets
    let files: SQLFiles
    let isPooled: Bool
    let log: Logger

    /// - Parameters:
    ///   - admin: a superuser's connection to the server.
    ///   - isPooled: the service goes through a transaction pooler.
    public init(admin: ConnectionText, secrets: InstanceSecrets, files: SQLFiles, isPooled: Bool = false, log: Logger) {
        self.admin = admin
        self.secrets = secrets
        self.files = files
        self.isPooled = isPooled
        self.log = log
    }

    /// Connection text of the superuser it was given.
    public var superuser: String { admin.with(database: "postgres") }
    /// The same on another server of the same cluster, in Kontor's database.
    public func admin(at host: String, port: Int) -> String {
        admin.with(database: Self.databaseName, host: (host, port))
    }
    /// Connection text of the service's login.
    public var serviceConnection: String { connection(of: "kontor_app") }
    var migrationConnection: String { connection(of: "kontor_migrate") }

    private func connection(of role: String) -> String {
        admin.with(user: role, password: secrets.password(of: role), database: Self.databaseName)
    }

    /// Makes what is missing; safe to run again and from two processes at once.
    /// - Throws: `Failure` `instance.newer` when a newer Kontor has been here, `PostgresError`.
    public func prepare() async throws {
        try await connected(admin.with(database: "postgres")) { session in
            // one at a time: CREATE ROLE and CREATE DATABASE have no transaction to hide in
            _ = try await session.query("SELECT pg_advisory_lock(726553)")
            try await session.execute(script: try files.instance("001_roles.sql"))
            for role in ["kontor_app", "kontor_migrate"] {
                let verifier = ScramVerifier.make(password: secrets.password(of: role))
                try await session.execute(script: "ALTER ROLE \(role) PASSWORD '\(verifier)'")
            }
            if try await session.query("SELECT FROM pg_database WHERE datname = \(Self.databaseName)").isEmpty {
                try await session.execute(script: "CREATE DATABASE kontor OWNER kontor_owner")
            }
            try await session.execute(
                script: """
                    REVOKE ALL ON DATABASE kontor FROM PUBLIC;
                    GRANT CONNECT ON DATABASE kontor TO kontor_app, kontor_migrate, kontor_sql;
                    """)
            try await connected(admin.with(database: Self.databaseName)) { try await makeControl($0) }
            _ = try await session.query("SELECT pg_advisory_unlock(726553)")
        }
    }

    private func makeControl(_ session: Session) async throws {
        try await session.execute(script: try files.instance("002_lockdown.sql"))
        let isMade: Bool = try await session.query("SELECT to_regclass('kontor.instance') IS NOT NULL AS made")[0].get(
            "made")
        let found: Int = isMade ? try await session.query("SELECT version FROM kontor.instance")[0].get("version") : 0
        guard found <= Self.version else { throw newer(found) }
        for step in Self.steps[found...] {
            let parts = try step.map(files.instance)
            try await session.execute(script: "BEGIN; SET LOCAL ROLE kontor_owner;" + parts.joined() + "COMMIT;")
        }
        let pads = Self.pads(secrets.contextKey)
        _ = try await session.query(
            """
            INSERT INTO auth.key (inner_pad, outer_pad, pooled) VALUES (\(pads.inner), \(pads.outer), \(isPooled))
            ON CONFLICT (only_row) DO UPDATE
            SET inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad, pooled = excluded.pooled
            """)
    }

    /// What must hold before the service opens.
    /// - Throws: `Failure` `instance.unsafe` with all findings, `instance.newer`.
    public static func check(_ database: Database, files: SQLFiles) async throws {
        let found: Int = try await database.run("SELECT version FROM kontor.instance")[0][0].get("version")
        guard found <= version else { throw newer(found) }
        var findings = try await database.run(
            """
            SELECT name || ' is off' AS finding FROM pg_settings
            WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
            """)[0].map { try $0.get("finding", as: String.self) }
        let lint = try await database.run(SQL(unsafeRaw: try files.instance("lint.sql")))[0]
        findings += try lint.map { try $0.get(0, as: String.self) + ": " + $0.get(1, as: String.self) }
        guard findings.isEmpty else {
            throw Failure(
                .broken, "instance.unsafe",
                "The database is not safe to serve from: \(findings.joined(separator: "; ")). See docs/operations.md.")
        }
    }

    private static func pads(_ key: [UInt8]) -> (inner: [UInt8], outer: [UInt8]) {
        let block = key + [UInt8](repeating: 0, count: 64 - key.count)
        return (block.map { $0 ^ 0x36 }, block.map { $0 ^ 0x5C })
    }

    private static func newer(_ found: Int) -> Failure {
        Failure(
            .broken, "instance.newer",
            "The database was made by a newer Kontor (version \(found), this one knows \(version)): install that one.")
    }
    private func newer(_ found: Int) -> Failure { Self.newer(found) }

    /// Runs `body` on one connection made for it.
    private func connected(_ conninfo: String, _ body: @Sendable (Session) async throws -> Void) async throws {
        var configuration = DatabaseConfiguration(conninfo: conninfo)
        (configuration.sharedConnections, configuration.leasedConnections) = (1, 1)
        configuration.applicationName = "kontor setup"
        let database = Database(configuration, log: log)
        try await database.start()
        do {
            try await database.lease(body)
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }
}
