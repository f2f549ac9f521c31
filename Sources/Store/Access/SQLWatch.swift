public import Postgres

/// Holds SQL logins to their limits on the server they work on: a login can lift its own time limits, and one that has
/// ended keeps the sessions it has.
public struct SQLWatch: Sendable {
    /// What came of one round: sessions ended, by reason.
    public struct Ended: Sendable {
        public let login: String
        /// "ended", "statement", "transaction".
        public let reason: String
    }

    private let database: Database
    /// Seconds a statement, and a transaction, may take.
    private let statementSeconds: Int
    private let transactionSeconds: Int

    /// - Parameter database: a superuser's, of the reporting server.
    public init(_ database: Database, statementSeconds: Int = 60, transactionSeconds: Int = 300) {
        self.database = database
        (self.statementSeconds, self.transactionSeconds) = (statementSeconds, transactionSeconds)
    }

    /// Ends every session that goes beyond its limits, or whose login may no longer be used.
    public func sweep() async throws -> [Ended] {
        try await database.run(
            """
            SELECT s.usename, s.reason, pg_terminate_backend(s.pid) FROM (
                SELECT a.pid, a.usename, CASE
                    WHEN l.role IS NULL OR c.disabled_at IS NOT NULL OR NOT 'sql' = ANY (c.scopes) OR n.state <> 'open' THEN 'ended'
                    WHEN a.state = 'active' AND a.query_start < clock_timestamp() - make_interval(secs => \(statementSeconds + 2))
                        THEN 'statement'
                    WHEN a.xact_start < clock_timestamp() - make_interval(secs => \(transactionSeconds)) THEN 'transaction'
                    END AS reason
                FROM pg_stat_activity a LEFT JOIN auth.login l ON l.role = a.usesysid AND l.name = a.usename
                LEFT JOIN auth.account c ON c.id = l.account LEFT JOIN kontor.tenant n ON n.id = c.tenant
                WHERE a.backend_type = 'client backend' AND (a.usename LIKE 'u\\_%' OR a.usename IS NULL)
            ) s WHERE s.reason IS NOT NULL
            """)[0].map {
                Ended(login: try $0.get("usename", as: String?.self) ?? "", reason: try $0.get("reason"))
            }
    }

    /// Whether this server is a standby whose primary sends it nothing: it stands still.
    public func isCutOff() async throws -> Bool {
        try await database.run(
            "SELECT pg_is_in_recovery() AND NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS cut"
        )[0][0].get("cut")
    }

    /// Seconds since the newest change it shows was made; 0 when it has everything its primary sent.
    public func lag() async throws -> Double {
        try await database.run(
            """
            SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() OR NOT pg_is_in_recovery() THEN 0
                ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0) END::float8 AS lag
            """)[0][0].get("lag")
    }
}
