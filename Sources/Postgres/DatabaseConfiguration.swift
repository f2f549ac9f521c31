/// How to reach a PostgreSQL server and how much of it to use. Descriptions never show the connection string, which
/// may hold a password.
public struct DatabaseConfiguration: Sendable {
    /// libpq keywords (`host=... dbname=...`) or a `postgresql://` URI; TLS, SCRAM, services and password files
    /// come from here.
    public var conninfo: String
    /// Connections on which single shots of all tasks are pipelined.
    public var sharedConnections = 4
    /// Most connections leased out one at a time for sessions and transactions.
    public var leasedConnections = 8
    /// How long a task waits for a lease before `.busy`.
    public var waitLimit: Duration = .seconds(5)
    /// The server's statement_timeout on shared connections (nil: the server's own setting).
    public var statementTimeout: Duration? = .seconds(30)
    /// A connection older than this is replaced when it is idle.
    public var maxAge: Duration = .seconds(1800)
    /// Scopes (tenants) a connection may have served before it is replaced: each leaves cache in the backend.
    public var maxScopes = 500
    /// Shown in pg_stat_activity.
    public var applicationName = "kontor"
    public var connectTimeout: Duration = .seconds(5)

    public init(conninfo: String) { self.conninfo = conninfo }
}

extension DatabaseConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        "DatabaseConfiguration(\(applicationName), shared \(sharedConnections), leased \(leasedConnections))"
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
