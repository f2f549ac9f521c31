import Foundation
public import Logging
public import Postgres
public import Store

/// One private cluster for the whole test process, set up as in operation but for durability.
public final class TestCluster: Sendable {
    public let node: Node
    public let provisioner: Provisioner
    public let instance: Instance
    public let files: SQLFiles
    public let superuser: Database
    public let secrets: InstanceSecrets
    private let postgres: EmbeddedPostgres
    private let gate = Gate(1)

    /// The cluster, started at first use and ended with the process.
    public static let shared: Task<TestCluster, any Error> = Task { try await TestCluster() }

    public static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private init() async throws {
        var log = Logger(label: "test")
        log.logLevel = .warning
        let folder = NSTemporaryDirectory() + "/kontor-test-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        postgres = EmbeddedPostgres(
            directory: folder + "/pg", log: log, rules: ReportingServer.primaryRules, durable: false)
        let conninfo = try await postgres.start()
        secrets = try InstanceSecrets.load(from: folder + "/master.key")
        // another folder is for scripts/mutants, which takes cures out
        files = SQLFiles(folder: ProcessInfo.processInfo.environment["KONTOR_TEST_SQL"] ?? Self.root + "/sql")
        instance = Instance(admin: try ConnectionText(conninfo), secrets: secrets, files: files, log: log)
        try await instance.prepare()
        provisioner = Provisioner(instance)
        try await provisioner.start()
        let database = Database(DatabaseConfiguration(conninfo: instance.serviceConnection), log: log)
        try await database.start()
        node = Node(database: database, secrets: secrets, log: log)
        var admin = DatabaseConfiguration(
            conninfo: conninfo.replacingOccurrences(of: "dbname=postgres", with: "dbname=kontor"))
        (admin.sharedConnections, admin.leasedConnections) = (1, 2)
        superuser = Database(admin, log: log)
        try await superuser.start()
        TestCluster.folder = folder
        atexit { TestCluster.removeFolder() }
    }

    nonisolated(unsafe) private static var folder: String?
    private static func removeFolder() {
        guard let folder else { return }
        // the server ends with this process (PDEATHSIG); its files need not outlive it
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The hot standby that SQL logins work on, started at first use.
    public var reporting: TestReporting { get async throws { try await standby.value } }
    private var standby: Task<TestReporting, any Error> { Self.standby }
    private static let standby: Task<TestReporting, any Error> = Task {
        let cluster = try await shared.value
        return try await TestReporting(of: cluster, folder: folder ?? "")
    }

    /// A tenant of its own for one test. One is made at a time: the tests of a run all ask at once, and the
    /// provisioner has few connections.
    public func makeTenant(modules: [String] = []) async throws -> TenantDatabase {
        let name = "t" + UUID().uuidString.lowercased().prefix(12).replacingOccurrences(of: "-", with: "x")
        await gate.enter()
        do {
            let tenant = try await provisioner.create(name: name, title: "Test", country: "PL")
            for module in modules { try await provisioner.ensure(module: module, for: tenant) }
            await gate.leave()
            return node.tenant(tenant)
        } catch {
            await gate.leave()
            throw error
        }
    }
}

/// A tenant of its own on the shared cluster.
public func withTenant<T: Sendable>(
    modules: [String] = [], _ body: @Sendable (TenantDatabase) async throws -> T
) async throws -> T {
    try await body(TestCluster.shared.value.makeTenant(modules: modules))
}
