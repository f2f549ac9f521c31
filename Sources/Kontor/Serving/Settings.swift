import ArgumentParser
import ConnectorKit
import Foundation
import Hub
import Logging
import Relay
import Store
import Web

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

    @Option(
        help: """
            Address and port at which SQL logins work. The private database has a copy of itself listen there, \
            127.0.0.1:5433 unless told; for an external server this names one, such as its hot standby, and without \
            it there are no SQL logins (KONTOR_SQL_ADDRESS).
            """)
    var sqlAddress = ProcessInfo.processInfo.environment["KONTOR_SQL_ADDRESS"]

    @Option(
        help: """
            Folder with server.crt and server.key, with which the private database's copy is reached by TLS from \
            other machines; without it, from this machine alone (KONTOR_SQL_TLS).
            """)
    var sqlTLS = ProcessInfo.processInfo.environment["KONTOR_SQL_TLS"]

    @Option(
        help: """
            Where people reach Kontor, such as https://kontor.shop.example: for the links in mails, and with https for \
            cookies that go over TLS alone (KONTOR_ADDRESS).
            """)
    var address = ProcessInfo.processInfo.environment["KONTOR_ADDRESS"]

    @Option(
        help: """
            PEM file of the service's certificate, with those between it and its authority: people reach Kontor by https \
            then. A changed one is taken within seconds, without a restart (KONTOR_TLS_CERTIFICATE).
            """)
    var tlsCertificate = ProcessInfo.processInfo.environment["KONTOR_TLS_CERTIFICATE"]

    @Option(help: "PEM file of the certificate's key (KONTOR_TLS_KEY).")
    var tlsKey = ProcessInfo.processInfo.environment["KONTOR_TLS_KEY"]

    @Option(
        help: """
            Seconds for which browsers are told to come to this host by https alone, 0 to release them; unless told a year with a \
            certificate here, and nothing is said behind a proxy (KONTOR_HSTS).
            """)
    var hsts = ProcessInfo.processInfo.environment["KONTOR_HSTS"].flatMap { Int($0) }

    @Option(
        help: """
            Mail server for mail to staff: smtp://host:587 or smtps://host (KONTOR_MAIL_SERVER). It is logged in to with \
            KONTOR_MAIL_USER and KONTOR_MAIL_PASSWORD, environment variables only. Without it links are shown to who asks for them.
            """)
    var mailServer = ProcessInfo.processInfo.environment["KONTOR_MAIL_SERVER"]

    @Option(help: "Sender of the mails, such as \"Kontor <kontor@shop.example>\" (KONTOR_MAIL_FROM).")
    var mailFrom = ProcessInfo.processInfo.environment["KONTOR_MAIL_FROM"]

    @Option(help: "trace, debug, info, notice, warning or error (KONTOR_LOG).")
    var log = ProcessInfo.processInfo.environment["KONTOR_LOG"] ?? "info"

    var logger: Logger {
        var logger = Logger(label: "kontor") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: log) ?? .info
        return logger
    }

    /// Where the master key is, unless it is in the environment.
    var masterKeyPath: String { masterKey ?? folder + "/master.key" }

    /// The data folder, as an absolute path.
    var folder: String { URL(filePath: data).standardizedFileURL.path }

    /// Where the SQL files are: KONTOR_SQL, beside an installed program, or in the source tree it was built from.
    var sqlFolder: String { Self.folder("sql", set: "KONTOR_SQL") }

    /// Where the console's files are: KONTOR_CONSOLE, or as for the SQL files.
    var consoleFolder: String { Self.folder("console", set: "KONTOR_CONSOLE") }

    private static func folder(_ name: String, set: String) -> String {
        if let set = ProcessInfo.processInfo.environment[set] { return set }
        let program = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        let installed = program.deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "share/kontor/\(name)"
        ).path
        if FileManager.default.fileExists(atPath: installed) { return installed }
        return URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: name).path
    }

    /// Where SQL logins work; nil when they do nowhere.
    /// - Throws: `Failure` `sql.address`.
    func sqlPlace() throws -> (host: String, port: Int)? {
        guard let text = sqlAddress ?? (database == nil ? "127.0.0.1:5433" : nil) else { return nil }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            1...65_535 ~= port, colon != text.startIndex
        else {
            throw Failure(.invalid, "sql.address", "--sql-address is a host and a port, such as 127.0.0.1:5433.")
        }
        return (String(text[..<colon]), port)
    }

    /// Where people reach Kontor; nil when that is not set.
    /// - Throws: `Failure` `address.invalid`.
    func publicAddress() throws -> String? {
        guard let address else { return nil }
        guard address.wholeMatch(of: /https?:\/\/[A-Za-z0-9.:\[\]-]+\/?/) != nil else {
            throw Failure(
                .invalid, "address.invalid", "--address is a scheme and a host, such as https://kontor.shop.example.")
        }
        return address
    }

    /// The service's certificate; nil to be reached by http.
    /// - Throws: `Failure` `tls.files`.
    func certificate() throws -> ServerCertificate? {
        guard tlsCertificate != nil || tlsKey != nil else { return nil }
        guard let tlsCertificate, let tlsKey else {
            throw Failure(.invalid, "tls.files", "--tls-certificate and --tls-key go together.")
        }
        if let address = try publicAddress(), !address.hasPrefix("https://") {
            throw Failure(
                .invalid, "address.invalid", "With a certificate people come by https: --address has to say so.")
        }
        return try ServerCertificate(certificate: tlsCertificate, key: tlsKey, log: logger)
    }

    /// The mail server, the mails' sender, and where people reach Kontor; nil when there is none.
    /// - Throws: `Failure` `mail.settings`.
    func mail() throws -> (client: SMTPClient, sender: MailMessage.Address, address: String)? {
        guard let mailServer else { return nil }
        let environment = ProcessInfo.processInfo.environment
        do {
            guard let mailFrom else {
                throw Failure(.invalid, "mail.settings", "--mail-server needs --mail-from, the mails' sender.")
            }
            guard let address = try publicAddress() else {
                throw Failure(
                    .invalid, "mail.settings", "--mail-server needs --address, where the links in mails lead.")
            }
            let server = try SMTPClient.Server(
                url: mailServer, user: environment["KONTOR_MAIL_USER"], password: environment["KONTOR_MAIL_PASSWORD"],
                caFile: environment["KONTOR_MAIL_CA"])
            return (SMTPClient(server), try MailMessage.Address(mailFrom), address)
        } catch let error as MailAddressError {
            throw Failure(.invalid, "mail.settings", "\(error.description).")
        }
    }

    var relay: Relay.Options {
        var options = Relay.Options()
        options.lease = lease
        return options
    }

    var networks: [String] { allowNetworks.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }
}
