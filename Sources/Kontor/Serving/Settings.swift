import ArgumentParser
import Foundation
import Hub
import Logging
import Relay
import Store

/// Settings of the service, each also an environment variable.
struct Settings: ParsableArguments {
    @Option(help: "Folder of the private database and keys (KONTOR_DATA).")
    var data = ProcessInfo.processInfo.environment["KONTOR_DATA"] ?? "var/kontor"

    @Option(
        help: """
            An external PostgreSQL server, as libpq keywords or a postgresql:// address of a superuser \
            (KONTOR_DATABASE, which keeps a password out of the process list). Without it Kontor runs a private one.
            """)
    var database = ProcessInfo.processInfo.environment["KONTOR_DATABASE"]

    @Flag(help: "A transaction pooler stands before the database (KONTOR_POOLED=1).")
    var pooled = ProcessInfo.processInfo.environment["KONTOR_POOLED"] == "1"

    @Option(help: "File of the master key; made at the first start (KONTOR_MASTER_KEY).")
    var masterKey = ProcessInfo.processInfo.environment["KONTOR_MASTER_KEY"]

    @Option(
        help:
            "Private networks that connectors may reach, such as 10.0.0.0/8, separated by commas (KONTOR_ALLOW_NETWORKS)."
    )
    var allowNetworks = ProcessInfo.processInfo.environment["KONTOR_ALLOW_NETWORKS"] ?? ""

    @Option(
        help: "Seconds a worker holds what it delivers; then another may take it over (KONTOR_LEASE).")
    var lease = ProcessInfo.processInfo.environment["KONTOR_LEASE"].flatMap(Double.init) ?? 90

    @Option(help: "trace, debug, info, notice, warning or error (KONTOR_LOG).")
    var log = ProcessInfo.processInfo.environment["KONTOR_LOG"] ?? "info"

    var logger: Logger {
        var logger = Logger(label: "kontor") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: log) ?? .info
        return logger
    }

    /// The data folder, as an absolute path.
    var folder: String { URL(filePath: data).standardizedFileURL.path }

    /// Where the SQL files are: KONTOR_SQL, beside an installed program, or in the source tree it was built from.
    var sqlFolder: String {
        if let set = ProcessInfo.processInfo.environment["KONTOR_SQL"] { return set }
        let program = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        let installed = program.deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "share/kontor/sql"
        ).path
        if FileManager.default.fileExists(atPath: installed) { return installed }
        return URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "sql").path
    }

    var relay: Relay.Options {
        var options = Relay.Options()
        options.lease = lease
        return options
    }

    var networks: [String] { allowNetworks.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }
}
