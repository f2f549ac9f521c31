import Foundation
public import Logging
public import Postgres

/// The server that SQL logins work on beside a private cluster: its hot standby. By network it lets in SQL logins alone,
/// from this machine or by TLS.
public struct ReportingServer: Sendable {
    public let host: String
    public let port: Int
    /// Folder of `server.crt` and `server.key`; nil to let nobody in from elsewhere.
    let certificates: String?

    public init(host: String, port: Int, certificates: String?) {
        (self.host, self.port, self.certificates) = (host, port, certificates)
    }

    /// - Parameters:
    ///   - folder: of the copy.
    ///   - givesWay: its queries get only the time that nobody else wants, and one that has held up replay for a minute
    ///     is cancelled, so that a shop's queries cost nobody anything. Tests want them to end on a busy machine, too:
    ///     false gives them their share of time, and has the primary keep what they still see (hot_standby_feedback).
    public func standby(
        of primary: Instance, folder: String, durable: Bool = true, givesWay: Bool = true, log: Logger
    ) -> EmbeddedPostgres {
        var settings = [
            "listen_addresses": host, "port": String(port), "hot_standby": "on", "shared_buffers": "64MB",
            "max_standby_streaming_delay": "60s", "temp_file_limit": "1GB", "max_parallel_workers_per_gather": "0",
            "password_encryption": "scram-sha-256", "hot_standby_feedback": givesWay ? "off" : "on",
        ]
        var rules = ["127.0.0.1/32", "::1/128"].map { "host kontor +kontor_sql \($0) scram-sha-256" }
        if let certificates {
            let path = URL(filePath: certificates).standardizedFileURL.path
            settings["ssl"] = "on"
            settings["ssl_cert_file"] = path + "/server.crt"
            settings["ssl_key_file"] = path + "/server.key"
            settings["ssl_min_protocol_version"] = "TLSv1.2"
            rules.append("hostssl kontor +kontor_sql all scram-sha-256")
        }
        return EmbeddedPostgres(
            directory: folder, log: log, settings: settings, copyOf: primary.superuser, rules: rules, durable: durable,
            isBackground: givesWay)
    }

    /// Lines of the primary's host-based authentication, by which it lets no SQL login in.
    public static let primaryRules = ["local all +kontor_sql reject"]
}
