import Foundation
internal import Hub

/// A libpq connection text that can be turned to another role and database.
public struct ConnectionText: Sendable {
    private let keywords: String

    /// - Parameter text: libpq's keyword form or a postgresql:// address.
    /// - Throws: `Failure` `database.address`.
    public init(_ text: String) throws {
        guard text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") else {
            keywords = text
            return
        }
        guard let parts = URLComponents(string: text) else {
            throw Failure(.invalid, "database.address", "The database address is not a postgresql:// address.")
        }
        var pairs: [(String, String)] = []
        if let host = parts.host, !host.isEmpty { pairs.append(("host", host)) }
        if let port = parts.port { pairs.append(("port", String(port))) }
        if let user = parts.user { pairs.append(("user", user)) }
        if let password = parts.password { pairs.append(("password", password)) }
        if parts.path.count > 1 { pairs.append(("dbname", String(parts.path.dropFirst()))) }
        for item in parts.queryItems ?? [] { pairs.append((item.name, item.value ?? "")) }
        keywords = pairs.map { "\($0.0)=\(Self.quoted($0.1))" }.joined(separator: " ")
    }

    /// The same server as another role, in another database. libpq takes the last of repeated keywords.
    /// - Parameter host: another server of the same keys, with its port.
    public func with(
        user: String? = nil, password: String? = nil, database: String, host: (String, Int)? = nil
    ) -> String {
        var text = keywords + " dbname=\(database)"
        if let host { text += " host=\(Self.quoted(host.0)) port=\(host.1)" }
        if let user { text += " user=\(user)" }
        if let password { text += " password=\(Self.quoted(password))" }
        return text
    }

    private static func quoted(_ value: String) -> String {
        "'" + value.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "'", with: "\\'") + "'"
    }
}
