import Foundation
import Logging
public import Postgres
public import Store

/// The reporting server of the tests: a hot standby of the shared cluster that lets SQL logins in on 127.0.0.1.
public final class TestReporting: Sendable {
    public let port = 15_000 + Int(getpid() % 20_000)
    /// As its superuser.
    public let superuser: Database
    private let primary: Database
    private let postgres: EmbeddedPostgres

    init(of cluster: TestCluster, folder: String) async throws {
        var log = Logger(label: "test reporting")
        log.logLevel = .warning
        postgres = ReportingServer(host: "127.0.0.1", port: port, certificates: nil).standby(
            of: cluster.instance, folder: folder + "/reporting", durable: false, log: log)
        var admin = DatabaseConfiguration(
            conninfo: try await postgres.start().replacingOccurrences(of: "dbname=postgres", with: "dbname=kontor"))
        (admin.sharedConnections, admin.leasedConnections) = (1, 1)
        superuser = Database(admin, log: log)
        try await superuser.start()
        primary = cluster.superuser
    }

    /// Waits until it shows everything that was committed before.
    public func catchUp() async throws {
        let end: String = try await primary.run(
            "SELECT set_config('synchronous_commit', 'on', true), pg_current_xact_id()",
            "SELECT pg_current_wal_insert_lsn()::text AS lsn")[1][0].get("lsn")
        for _ in 0..<2_000 {
            let there: Bool = try await superuser.run("SELECT pg_last_wal_replay_lsn() >= \(end)::pg_lsn AS there")[0][
                0
            ]
            .get("there")
            if there { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw CancellationError()
    }

    /// What psql answers to a login: the lines of every statement, unaligned, and what it said of errors.
    public func psql(_ login: SQLLogin, _ statements: String...) async throws -> (out: String, errors: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/psql")
        process.arguments =
            ["-h", "127.0.0.1", "-p", String(port), "-U", login.name, "-d", "kontor", "-XAtq"]
            + statements.flatMap { ["-c", $0] }
        process.environment = ["PGPASSWORD": login.password, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        let (out, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (out, errors)
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                do {
                    try process.run()
                    // errors are short: they fit the pipe while the answer is read
                    let said = out.fileHandleForReading.readDataToEndOfFile()
                    let failed = errors.fileHandleForReading.readDataToEndOfFile()
                    process.waitUntilExit()
                    continuation.resume(
                        returning: (String(decoding: said, as: UTF8.self), String(decoding: failed, as: UTF8.self)))
                } catch { continuation.resume(throwing: error) }
            }
        }
    }
}
