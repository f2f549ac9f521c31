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
            of: cluster.instance, folder: folder + "/reporting", durable: false, givesWay: false, log: log)
        var admin = DatabaseConfiguration(
            conninfo: try await postgres.start().replacingOccurrences(of: "dbname=postgres", with: "dbname=kontor"))
        (admin.sharedConnections, admin.leasedConnections) = (1, 1)
        superuser = Database(admin, log: log)
        try await superuser.start()
        primary = cluster.superuser
    }

    /// Waits until it shows everything that was committed before.
    ///
    /// - Throws: ``Behind`` after three minutes.
    public func catchUp() async throws {
        let end: String = try await primary.run(
            "SELECT set_config('synchronous_commit', 'on', true), pg_current_xact_id()",
            "SELECT pg_current_wal_insert_lsn()::text AS lsn")[1][0].get("lsn")
        let clock = ContinuousClock()
        let over = clock.now + .seconds(180)
        while clock.now < over {
            let there: Bool = try await superuser.run("SELECT pg_last_wal_replay_lsn() >= \(end)::pg_lsn AS there")[0][
                0
            ]
            .get("there")
            if there { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        let state: String = try await superuser.run(
            """
            SELECT jsonb_build_object('received', pg_last_wal_receive_lsn(), 'replayed', pg_last_wal_replay_lsn(),
                'sessions', (SELECT jsonb_agg(to_jsonb(a)) FROM (
                    SELECT backend_type, state, wait_event, now() - xact_start AS since, left(query, 80) AS query
                    FROM pg_stat_activity WHERE pid <> pg_backend_pid()) a))::text AS state
            """)[0][0].get("state")
        throw Behind(description: "the reporting server has not reached \(end): \(state)")
    }

    /// The standby does not follow.
    public struct Behind: Error, CustomStringConvertible {
        public let description: String
    }

    /// What psql answers to a login: the lines of every statement, unaligned, and what it said of errors. Statements
    /// that stood in replay's way are asked again, as the guide tells people to.
    public func psql(_ login: SQLLogin, _ statements: String...) async throws -> (out: String, errors: String) {
        while true {
            let answer = try await ask(login, statements)
            guard answer.errors.contains("conflict with recovery") else { return answer }
            try await catchUp()
        }
    }

    private func ask(_ login: SQLLogin, _ statements: [String]) async throws -> (out: String, errors: String) {
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
