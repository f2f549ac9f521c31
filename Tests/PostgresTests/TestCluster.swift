import Foundation
import Logging
import Postgres
import Testing

/// One throw-away cluster for the whole test process. Its folder goes with the process; the server ends with it.
actor TestCluster {
    static let shared = TestCluster()

    private var starting: Task<String, any Error>?

    /// A quiet log.
    static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A fresh folder that the server's user can reach.
    static func folder() -> String {
        let path = "/tmp/kontor-test-\(UUID().uuidString.prefix(8))"
        folders.withLock { $0.append(path) }
        return path
    }

    /// The superuser's conninfo of the shared cluster.
    func conninfo() async throws -> String {
        if starting == nil {
            starting = Task {
                atexit { for path in folders.withLock({ $0 }) { removeAtExit(path) } }
                return try await EmbeddedPostgres(
                    directory: Self.folder(), log: Self.log, settings: ["max_connections": "100"], durable: false
                ).start()
            }
        }
        guard let starting else { throw CancellationError() }
        return try await starting.value
    }
}

private let folders = OSLock<[String]>([])

private final class OSLock<T>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: T
    init(_ value: T) { self.value = value }
    func withLock<R>(_ body: (inout T) -> R) -> R {
        lock.lock()
        defer { lock.unlock() }
        return body(&value)
    }
}

/// Ends the server (without it the files would come back) and removes its folder.
private func removeAtExit(_ path: String) {
    let file = try? String(contentsOfFile: path + "/data/postmaster.pid", encoding: .utf8)
    if let pid = file?.split(separator: "\n").first.flatMap({ Int32($0) }) {
        kill(pid, SIGQUIT)
        for _ in 0..<200 where kill(pid, 0) == 0 {
            waitpid(pid, nil, WNOHANG)
            usleep(10_000)
        }
    }
    try? FileManager.default.removeItem(atPath: path)
}

/// Runs `body` with a started client of the shared cluster.
func withDatabase<T: Sendable>(
    shared: Int = 2, leased: Int = 4, _ change: (inout DatabaseConfiguration) -> Void = { _ in },
    _ body: (Database) async throws -> T
) async throws -> T {
    var configuration = DatabaseConfiguration(conninfo: try await TestCluster.shared.conninfo())
    configuration.sharedConnections = shared
    configuration.leasedConnections = leased
    change(&configuration)
    let database = Database(configuration, log: TestCluster.log)
    try await database.start()
    do {
        let value = try await body(database)
        await database.close()
        return value
    } catch {
        await database.close()
        throw error
    }
}

/// The PostgresError that `body` throws; fails the test when there is none.
func postgresError(
    _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> PostgresError {
    do {
        try await body()
    } catch let error as PostgresError {
        return error
    }
    Issue.record("no error was thrown", sourceLocation: location)
    throw PostgresError(.usage, "no error was thrown")
}
