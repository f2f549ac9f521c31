import Foundation
import Hub
import Logging
import Postgres
import ServiceLifecycle
import Store
import Synchronization
import Web

/// Keeps the server for SQL logins: the hot standby of the private cluster, started when the first login is made, or
/// one that the operator named; and holds logins to their limits there. Whatever becomes of it, the service goes on.
final class ReportingService: Service, Sendable {
    enum Place: Sendable {
        /// A copy of the private cluster.
        case own(EmbeddedPostgres)
        /// A server whose superuser this conninfo is.
        case named(String)
    }

    private let place: Place
    private let node: Node
    private let log: Logger
    private let server: Mutex<SQLServer>
    /// A copy that receives nothing for this long is made anew: what it missed is no longer kept.
    private static let mostCutOff: Duration = .seconds(60)

    init(place: Place, host: String, port: Int, node: Node, log: Logger) {
        (self.place, self.node, self.log) = (place, node, log)
        server = Mutex(SQLServer(host: host, port: port, state: .idle))
    }

    var status: SQLServer { server.withLock { $0 } }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            var pause = Duration.seconds(1)
            while !Task.isCancelled {
                do {
                    if try await node.hasSQLLogins() {
                        set(.starting)
                        try await attend()
                    } else {
                        set(.idle)
                    }
                    pause = .seconds(1)
                } catch is CancellationError {
                    break
                } catch {
                    set(.failing)
                    log.error("the reporting server fails", metadata: ["error": "\(error)"])
                    pause = min(pause * 2, .seconds(60))
                }
                // only cancelling ends a sleep early
                do { try await Task.sleep(for: pause) } catch { break }
            }
        }
        if case .own(let cluster) = place { await cluster.stop() }
    }

    /// Starts the server and watches it until it fails.
    private func attend() async throws {
        var conninfo: String
        switch place {
        case .own(let cluster):
            do {
                conninfo = try await cluster.start()
            } catch let error as EmbeddedError where error.code == "embedded.start" {
                // what was copied cannot be gone on with, such as after a restore of the primary
                log.warning("the reporting server is copied anew", metadata: ["error": "\(error)"])
                cluster.discard()
                conninfo = try await cluster.start()
            }
            conninfo = try ConnectionText(conninfo).with(database: Instance.databaseName)
        case .named(let text): conninfo = text
        }
        var configuration = DatabaseConfiguration(conninfo: conninfo)
        (configuration.sharedConnections, configuration.leasedConnections) = (1, 1)
        configuration.applicationName = "kontor watchdog"
        let database = Database(configuration, log: log)
        do {
            try await database.start()
            try await watch(database)
        } catch {
            await database.close()
            // begun anew as a whole: nobody works there unwatched
            if case .own(let cluster) = place { await cluster.stop() }
            throw error
        }
        await database.close()
    }

    private func watch(_ database: Database) async throws {
        let watch = SQLWatch(database)
        var cutOffSince: ContinuousClock.Instant?
        while !Task.isCancelled {
            for ended in try await watch.sweep() {
                log.notice("SQL session ended", metadata: ["login": "\(ended.login)", "reason": "\(ended.reason)"])
            }
            let lag = try await watch.lag()
            server.withLock { ($0.state, $0.behindSeconds) = (.ready, lag) }
            if case .own(let cluster) = place, try await watch.isCutOff() {
                let since = cutOffSince ?? .now
                cutOffSince = since
                if since.duration(to: .now) > Self.mostCutOff {
                    log.warning("the reporting server receives nothing and is copied anew")
                    await cluster.stop()
                    cluster.discard()
                    return
                }
            } else {
                cutOffSince = nil
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func set(_ state: SQLServer.State) {
        server.withLock { ($0.state, $0.behindSeconds) = (state, 0) }
    }
}
