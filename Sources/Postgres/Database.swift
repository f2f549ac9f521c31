import CHost
import CLibpq
public import Logging
import Synchronization

/// A PostgreSQL server as the service uses it: single shots pipelined on shared connections, leased sessions and
/// transactions, and notifications. Knows nothing of tenants beyond a number, the scope, by which connections stay
/// warm.
public final class Database: Sendable {
    private let shared: SharedPool
    private let leases: LeasePool
    private let listener: Listener
    private let log: Logger
    private let housekeeping = Mutex<Task<Void, Never>?>(nil)

    /// Connects nothing yet.
    public init(_ configuration: DatabaseConfiguration, log: Logger) {
        let connector = Connector(configuration: configuration)
        self.log = log
        shared = SharedPool(connector, log: log)
        leases = LeasePool(connector)
        listener = Listener(connector, log: log)
    }

    /// Makes the shared connections; the others follow when they are needed.
    /// - Throws: `PostgresError` when not even one connection could be made.
    public func start() async throws {
        try await shared.start()
        let task = Task { [shared, leases] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                shared.renewAged()
                leases.closeAged()
            }
        }
        housekeeping.withLock { $0 = task }
    }

    /// Closes everything; what is under way fails with `.connection`.
    public func close() async {
        housekeeping.withLock { $0?.cancel() }
        listener.close()
        leases.close()
        shared.close()
    }

    // MARK: Single shots

    /// Runs statements in one round trip and one transaction on a shared connection.
    ///
    /// - Parameters:
    ///   - scope: whose statements these are (0: nobody's); the connection that last served it is preferred.
    ///   - prelude: makes a statement that runs first, for the connection's server process; its rows are dropped.
    ///     Called again when a stale plan makes a second attempt necessary.
    ///   - deadline: after this time the caller gets `.timeout`. The server is told the same limit per statement,
    ///     so what was under way is undone, unless it was committed just then.
    /// - Returns: one result for each statement.
    /// - Throws: the first `PostgresError`; then nothing took effect, except that after `.connection` and
    ///   `.timeout` this is not known.
    public func run(
        scope: Int64 = 0, prelude: (@Sendable (_ backendPID: Int32) -> SQL)? = nil, deadline: Duration? = nil,
        _ statements: SQL...
    ) async throws -> [Rows] {
        try await run(scope: scope, prelude: prelude, deadline: deadline, statements)
    }

    /// The same with the statements in an array.
    public func run(
        scope: Int64 = 0, prelude: (@Sendable (_ backendPID: Int32) -> SQL)? = nil, deadline: Duration? = nil,
        _ statements: [SQL]
    ) async throws -> [Rows] {
        for statement in statements { try statement.check() }
        let end = deadline.map { csystem_now_ns() &+ $0.nanoseconds } ?? 0
        do {
            return try await shoot(scope, prelude, end, statements)
        } catch let error as PostgresError where error.isStalePlan {
            // Everything was undone with the implicit transaction, and the stale entry is marked: once more.
            return try await shoot(scope, prelude, end, statements)
        }
    }

    /// Reads little and quickly, by key. The same as `run`, but the statements may share a transaction and a round trip
    /// with other tasks' look-ups: they must not write, and each answer waits for the slowest of them.
    /// - Parameters:
    ///   - scope: see `run`.
    ///   - prelude: see `run`; what it sets must be set by every look-up that has a prelude.
    /// - Returns: one result for each statement.
    /// - Throws: the first `PostgresError` of its own statements.
    public func lookUp(
        scope: Int64 = 0, prelude: (@Sendable (_ backendPID: Int32) -> SQL)? = nil, _ statements: [SQL]
    ) async throws -> [Rows] {
        for statement in statements { try statement.check() }
        guard !statements.isEmpty else { return [] }
        do {
            return try await shoot(scope, prelude, 0, statements, isLookUp: true)
        } catch  where error is Skipped || (error as? PostgresError)?.isStalePlan == true {
            return try await run(scope: scope, prelude: prelude, statements)
        }
    }

    private func shoot(
        _ scope: Int64, _ prelude: (@Sendable (Int32) -> SQL)?, _ end: UInt64, _ statements: [SQL],
        isLookUp: Bool = false
    ) async throws -> [Rows] {
        let connection = try shared.pick(scope: scope)
        let first = prelude?(connection.backendPID)
        do {
            try first?.check()
        } catch {
            connection.load.wrappingSubtract(1, ordering: .relaxed)
            throw error
        }
        return try await connection.pipeline(
            prelude: first, statements, deadline: end, counted: true, isLookUp: isLookUp)
    }

    // MARK: Leases

    /// Lends a connection to `body`. Afterwards an open transaction is rolled back and session settings, cursors,
    /// advisory locks and temporary tables are gone.
    /// - Parameter deadline: after this time, and when the task is cancelled, the running statement is cancelled
    ///   on the server and further calls throw `.timeout`.
    /// - Throws: `.busy` when no connection became free within the wait limit, and what `body` throws.
    public nonisolated(nonsending) func lease<T: Sendable>(
        scope: Int64 = 0, deadline: Duration? = nil, _ body: (Session) async throws -> T
    ) async throws -> T {
        try await lend(scope, deadline, fullReset: true, body)
    }

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws, when the deadline
    /// passes (`.timeout`) or when the task is cancelled (`.timeout`).
    ///
    /// BEGIN and the prelude travel with each other in the first round trip.
    /// - Throws: what `body` throws; an error of the commit; `.server` 25P02 when `body` swallowed the error that
    ///   ended its transaction.
    public nonisolated(nonsending) func transaction<T: Sendable>(
        scope: Int64 = 0, prelude: (@Sendable (_ backendPID: Int32) -> SQL)? = nil,
        isolation: TransactionIsolation = .readCommitted, deadline: Duration? = nil,
        _ body: (Session) async throws -> T
    ) async throws -> T {
        try await lend(scope, deadline, fullReset: false) { session in
            let begin = [isolation.begin] + (prelude.map { [$0(session.backendPID)] } ?? [])
            _ = try await session.pipeline(begin)
            let value = try await body(session)
            let committed = try await session.query("COMMIT")
            guard committed.tag == "COMMIT" else {
                throw PostgresError(
                    .server, "the transaction had failed before and was rolled back", sqlState: "25P02")
            }
            return value
        }
    }

    private nonisolated(nonsending) func lend<T: Sendable>(
        _ scope: Int64, _ deadline: Duration?, fullReset: Bool, _ body: (Session) async throws -> T
    ) async throws -> T {
        let began = ContinuousClock.now
        let lease = try await leases.acquire(scope: scope, deadline: deadline)
        let session = Session(lease.connection)
        let alarm = deadline.map { deadline in
            Task {
                try await Task.sleep(until: began + deadline, clock: .continuous)
                session.expire(cancelled: false)
            }
        }
        let outcome: Result<T, any Error>
        do {
            let value = try await withTaskCancellationHandler {
                try await body(session)
            } onCancel: {
                session.expire(cancelled: true)
            }
            outcome = .success(value)
        } catch {
            outcome = .failure(error)
        }
        alarm?.cancel()
        await session.settle()
        await LeaseReset(connection: lease.connection, full: fullReset || session.needsReset, log: log).run()
        leases.release(lease)
        return try outcome.get()
    }

    // MARK: Notifications

    /// Hears a channel until the stream is dropped. Begins with `.reconnected` once listening works, and says so
    /// again after every loss of the connection.
    public func listen(_ channel: String) -> AsyncStream<Notification> { listener.listen(channel) }

    /// Notifies a channel, in a transaction of its own.
    public func notify(channel: String, payload: String = "") async throws {
        _ = try await run("SELECT pg_notify(\(channel), \(payload))")
    }

    /// Counts for metrics.
    public func statistics() -> PoolStatistics {
        let shared = shared.count()
        let leases = leases.count()
        return PoolStatistics(
            sharedConnections: shared.open, sharedInFlight: shared.inFlight, leasedConnections: leases.open,
            leasedInUse: leases.inUse, waiting: leases.waiting, connectionsMade: shared.made + leases.made,
            leasesRefused: leases.refused)
    }
}
