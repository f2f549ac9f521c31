import Hub
internal import Postgres

extension TenantDatabase {
    /// Takes calls from the remote's budget, which all processes share.
    /// - Returns: calls granted (0 to `wanted`), and seconds until there is one when there was none.
    public func takeBudget(connector: Int64, wanted: Int) async throws -> (granted: Int, wait: Double) {
        let budget: SQL =
            "SELECT b.*, \(wanted)::int AS wanted FROM \(table("budget")) b WHERE b.connector = \(connector)"
        let rows = try await runByKeys(as: .system, isAwaited: false, grant(budget))
        guard let row = rows.first else { return (wanted, 0) }
        return (try row.get("granted"), try row.get("wait"))
    }

    /// The statement that takes calls: `granted`, and `wait` in seconds.
    /// - Parameter budget: gives the budget's row and the calls `wanted`.
    func grant(_ budget: SQL) -> SQL {
        """
        WITH state AS (
            SELECT least(b.burst, b.tokens + b.per_second * extract(epoch FROM clock_timestamp() - b.filled_at)) AS have, b.*
            FROM (\(budget) FOR UPDATE OF b) b),
        grant_now AS (
            SELECT CASE WHEN s.closed_until > clock_timestamp() THEN 0 ELSE least(s.wanted, floor(s.have))::int END AS granted,
                s.* FROM state s),
        kept AS (
            UPDATE \(table("budget")) b SET tokens = g.have - g.granted, filled_at = clock_timestamp()
            FROM grant_now g WHERE b.connector = g.connector)
        SELECT granted, (CASE WHEN granted > 0 THEN 0 WHEN closed_until > clock_timestamp()
            THEN extract(epoch FROM closed_until - clock_timestamp())
            ELSE greatest(0.01, (1 - have) / per_second) END)::double precision AS wait
        FROM grant_now
        """
    }

    /// Gives calls back that were granted and not made.
    public func giveBack(_ calls: Int, connector: Int64) async throws {
        guard calls > 0 else { return }
        _ = try await run(
            as: .system,
            "UPDATE \(table("budget")) SET tokens = least(burst, tokens + \(calls)) WHERE connector = \(connector)")
    }

    /// Notes how the remote answered as a whole: closes it for a while, or counts its failures anew. A call that
    /// began before the remote was closed and ends well does not open it.
    /// - Parameters:
    ///   - closedFor: seconds without calls; nil when it works.
    ///   - isAsked: whether the remote itself asked for them (Retry-After).
    public func noteRemote(connector: Int64, closedFor seconds: Double?, isAsked: Bool = false) async throws {
        _ = try await run(
            as: .system,
            """
            UPDATE \(table("budget")) SET
                asked_until = CASE WHEN \(seconds)::double precision IS NULL OR NOT \(isAsked) THEN asked_until
                    ELSE greatest(asked_until, clock_timestamp() + make_interval(secs => \(seconds))) END,
                failures = CASE WHEN \(seconds)::double precision IS NULL THEN 0 ELSE failures + 1 END,
                closed_until = CASE WHEN \(seconds)::double precision IS NULL THEN closed_until
                    ELSE greatest(closed_until, clock_timestamp() + make_interval(secs => \(seconds))) END
            WHERE connector = \(connector) AND (\(seconds)::double precision IS NOT NULL OR failures > 0)
            """)
    }

    /// Seconds that the remote is still to be left alone; nil when it may be called.
    public func closedFor(connector: Int64) async throws -> Double? {
        try await run(
            as: .system,
            ("""
            SELECT extract(epoch FROM closed_until - clock_timestamp())::double precision AS seconds
            FROM \(table("budget")) WHERE connector = \(connector) AND closed_until > clock_timestamp()
            """ as SQL).prepared())[0].first?.get("seconds")
    }

    /// Closes the remote for all processes, as it asked, without counting a failure.
    public func close(connector: Int64, for seconds: Double) async throws {
        _ = try await run(
            as: .system,
            """
            UPDATE \(table("budget")) SET
                closed_until = greatest(closed_until, clock_timestamp() + make_interval(secs => \(seconds))),
                asked_until = greatest(asked_until, clock_timestamp() + make_interval(secs => \(seconds)))
            WHERE connector = \(connector)
            """)
    }

    /// How often in a row the remote failed as a whole.
    public func remoteFailures(connector: Int64) async throws -> Int {
        try await run(as: .system, "SELECT failures FROM \(table("budget")) WHERE connector = \(connector)")[0].first?
            .get("failures") ?? 0
    }
}
