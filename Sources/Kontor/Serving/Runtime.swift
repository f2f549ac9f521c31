import ConnectorKit
import Connectors
import Foundation
import Hub
import Logging
import Postgres
import Relay
import Store

/// A database to work on, with what belongs to it: the private cluster or the external server.
final class Runtime: Sendable {
    let instance: Instance
    let secrets: InstanceSecrets
    let files: SQLFiles
    let log: Logger
    private let embedded: EmbeddedPostgres?
    private let settings: Settings

    private init(
        instance: Instance, secrets: InstanceSecrets, files: SQLFiles, embedded: EmbeddedPostgres?, settings: Settings,
        log: Logger
    ) {
        (self.instance, self.secrets, self.files) = (instance, secrets, files)
        (self.embedded, self.settings, self.log) = (embedded, settings, log)
    }

    /// Opens the database: starts the private cluster, or joins one that a service of the same folder runs.
    /// - Parameter mayJoin: false for the service itself, which must own its folder.
    static func open(_ settings: Settings, mayJoin: Bool) async throws -> Runtime {
        let log = settings.logger
        try FileManager.default.createDirectory(atPath: settings.folder, withIntermediateDirectories: true)
        let secrets = try InstanceSecrets.load(from: settings.masterKeyPath)
        let files = SQLFiles(folder: settings.sqlFolder)
        var embedded: EmbeddedPostgres?
        var conninfo: String
        if let external = settings.database {
            conninfo = external
        } else {
            // staff's SQL logins work on the copy, never here
            let cluster = EmbeddedPostgres(
                directory: settings.folder + "/postgres", log: log, settings: ["wal_keep_size": "512MB"],
                rules: ReportingServer.primaryRules)
            let note = settings.folder + "/connection"
            do {
                conninfo = try await cluster.start()
                embedded = cluster
                guard
                    FileManager.default.createFile(
                        atPath: note, contents: Data(conninfo.utf8), attributes: [.posixPermissions: 0o600])
                else {
                    throw Failure(.broken, "data.unwritable", "The folder \(settings.folder) cannot be written to.")
                }
            } catch let error as EmbeddedError where error.code == "embedded.in_use" && mayJoin {
                guard let data = FileManager.default.contents(atPath: note) else { throw error }
                conninfo = String(decoding: data, as: UTF8.self)
            }
        }
        let instance = Instance(
            admin: try ConnectionText(conninfo), secrets: secrets, files: files, isPooled: settings.pooled, log: log)
        return Runtime(
            instance: instance, secrets: secrets, files: files, embedded: embedded, settings: settings, log: log)
    }

    /// The node with its pools, after the checks that must hold before anything is served.
    func node() async throws -> Node {
        var configuration = DatabaseConfiguration(conninfo: instance.serviceConnection)
        configuration.leasedConnections = 12
        let database = try await opened(configuration)
        return Node(database: database, secrets: secrets, isPooled: settings.pooled, log: log)
    }

    /// Opens the pools; waits up to a minute for a database that is just starting.
    private func opened(_ configuration: DatabaseConfiguration) async throws -> Database {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let database = Database(configuration, log: log)
            do {
                try await database.start()
                try await Instance.check(database, files: files)
                return database
            } catch let error as PostgresError where error.kind == .connection && ContinuousClock.now < end {
                await database.close()
                log.warning("the database cannot be reached yet", metadata: ["error": "\(error)"])
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// What keeps the server for SQL logins; nil when there is none.
    func reporting(_ node: Node) throws -> ReportingService? {
        guard let (host, port) = try settings.sqlPlace() else { return nil }
        let place: ReportingService.Place
        if embedded != nil {
            place = .own(
                ReportingServer(host: host, port: port, certificates: settings.sqlTLS).standby(
                    of: instance, folder: settings.folder + "/reporting", log: log))
        } else {
            place = .named(instance.admin(at: host, port: port))
        }
        return ReportingService(place: place, host: host, port: port, node: node, log: log)
    }

    func links() throws -> Links {
        Links(kinds: Registry.all, http: HTTPClient(guard: try AddressGuard(allow: settings.networks)), log: log)
    }

    func close() async { await embedded?.stop() }
}
