import Foundation
import Hub
import Logging
import Postgres
import Store

/// A durable private cluster set up as in operation, and an empty database beside it for the baselines.
final class BenchCluster: Sendable {
    let folder: String
    /// Where the SQL files are.
    let sql: String
    /// The superuser's connection to Kontor's database.
    let conninfo: String
    /// The superuser's connection to the baselines' database.
    let plainConninfo: String
    let instance: Instance
    let secrets: InstanceSecrets
    let provisioner: Provisioner
    let superuser: Database
    let log: Logger
    private let postgres: EmbeddedPostgres

    /// - Parameters:
    ///   - folder: an empty folder for the cluster.
    ///   - sql: where the SQL files are.
    init(folder: String, sql: String) async throws {
        var log = Logger(label: "bench") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .error
        self.log = log
        (self.folder, self.sql) = (folder, sql)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        postgres = EmbeddedPostgres(directory: folder + "/pg", log: log)
        let server = try await postgres.start()
        secrets = try InstanceSecrets.load(from: folder + "/master.key")
        instance = Instance(
            admin: try ConnectionText(server), secrets: secrets, files: SQLFiles(folder: sql), log: log)
        try await instance.prepare()
        provisioner = Provisioner(instance)
        try await provisioner.start()
        conninfo = server.replacingOccurrences(of: "dbname=postgres", with: "dbname=kontor")
        plainConninfo = server.replacingOccurrences(of: "dbname=postgres", with: "dbname=bench")
        var configuration = DatabaseConfiguration(conninfo: conninfo)
        (configuration.sharedConnections, configuration.leasedConnections) = (1, 4)
        configuration.statementTimeout = nil
        superuser = Database(configuration, log: log)
        try await superuser.start()
        try await superuser.lease { session in
            try await session.execute(script: "CREATE DATABASE bench")
            // the service does not start beside a database that anybody may enter
            try await session.execute(script: "REVOKE ALL ON DATABASE bench FROM PUBLIC")
        }
    }

    func close() async {
        await superuser.close()
        await provisioner.close()
        await postgres.stop()
    }

    /// The superuser's connection to the server, as `kontor serve --database` takes it.
    var serverConninfo: String { conninfo.replacingOccurrences(of: "dbname=kontor", with: "dbname=postgres") }

    /// A node with pools of its own.
    func node(shared: Int = 4, leased: Int = 12) async throws -> Node {
        var configuration = DatabaseConfiguration(conninfo: instance.serviceConnection)
        (configuration.sharedConnections, configuration.leasedConnections) = (shared, leased)
        let database = Database(configuration, log: log)
        try await database.start()
        return Node(database: database, secrets: secrets, log: log)
    }

    func makeTenant(_ name: String, modules: [String] = []) async throws -> Tenant {
        let tenant = try await provisioner.create(name: name, title: name, country: "PL")
        for module in modules { try await provisioner.ensure(module: module, for: tenant) }
        return tenant
    }

    /// A signed context that holds on any connection for some hours, as behind a transaction pooler: pgbench
    /// cannot sign.
    func context(of tenant: Tenant, actor: String) async throws -> String {
        let payload = "\(tenant.id)|\(actor)|\(Int(Date().timeIntervalSince1970) + 36_000)|0"
        let rows = try await superuser.run(
            "UPDATE auth.key SET pooled = true",
            """
            SELECT \(payload) || '|' || encode(sha256(outer_pad || sha256(inner_pad
                || convert_to(\(payload), 'UTF8'))), 'hex') AS context FROM auth.key
            """)
        return try rows[1][0].get("context")
    }

    /// Runs a script on the superuser's connection under a tenant's signed context, so that the change log's
    /// triggers know who acts.
    func script(_ text: String, as actor: String = "token:1", in tenant: Tenant) async throws {
        let context = try await context(of: tenant, actor: actor)
        try await superuser.lease { session in
            _ = try await session.query(
                "SELECT set_config('kontor.context', \(context), false), set_config('kontor.bell', 'own', false)")
            try await session.execute(script: text.replacingOccurrences(of: "{s}", with: tenant.schema))
        }
    }

    /// One number out of Kontor's database.
    func number(_ query: SQL) async throws -> Double {
        try await superuser.lease { try await $0.query(query)[0].get(0) }
    }

    /// One number out of the baselines' database or Kontor's, over psql, which also takes \copy.
    func psql(_ conninfo: String, _ commands: String...) async throws -> String {
        try await ChildProcess.run(
            "psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-At", conninfo] + commands.flatMap { ["-c", $0] })
    }

    /// Contacts `range` of a tenant, made in SQL with the change log running or not.
    func makeContacts(_ range: ClosedRange<Int>, in tenant: Tenant, logged: Bool) async throws {
        let (off, on) = (
            "ALTER TABLE {s}.contact DISABLE TRIGGER USER;", "ALTER TABLE {s}.contact ENABLE TRIGGER USER;"
        )
        try await script(
            """
            \(logged ? "" : off)
            INSERT INTO {s}.contact (data, consents, origins)
            SELECT jsonb_build_object('given_name', 'Anna' || i % 300, 'family_name', 'Kowalska' || i % 7001,
                'emails', jsonb_build_array(jsonb_build_object('value', 'a' || i || '@example.org')),
                'phones', jsonb_build_array(jsonb_build_object('value', '+4860' || 1000000 + i)),
                'language', (ARRAY['pl', 'de', 'en'])[i % 3 + 1], 'birth_month', i % 12 + 1,
                'tags', jsonb_build_array(CASE WHEN i % 5 = 0 THEN 'supplier' ELSE 'client' END)),
                CASE WHEN i % 2 = 0 THEN '{consent:newsletter}'::text[] ELSE '{}' END,
                jsonb_build_object('*', jsonb_build_object('by', 'token:1', 'at', now(), 'rank', 0))
            FROM generate_series(\(range.lowerBound), \(range.upperBound)) i;
            \(logged ? "" : on)
            ANALYZE {s}.contact;
            """, in: tenant)
    }
}
