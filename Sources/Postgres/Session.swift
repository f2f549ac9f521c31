import CLibpq
import Synchronization

/// A connection lent to one task. Calls are made one after another; each is answered before the next is sent.
public final class Session: Sendable {
    private enum End {
        case deadline
        case cancelled
    }

    private struct State {
        var end: End?
        /// Commands that leave traces in the session were seen, or may have been.
        var touched = false
        var busy = false
        var cancelling: Task<Void, Never>?
    }

    let connection: Connection
    private let state = Mutex(State())

    init(_ connection: Connection) { self.connection = connection }

    /// The server process of this connection, as pg_backend_pid() gives it.
    public var backendPID: Int32 { connection.backendPID }

    /// Runs one statement.
    /// - Throws: `PostgresError`; after the deadline or cancellation `.timeout` without sending anything.
    public func query(_ statement: SQL) async throws -> Rows {
        let results = try await pipeline([statement])
        guard let rows = results.first else { throw PostgresError(.connection, "the server sent no result") }
        return rows
    }

    /// Runs statements in one round trip. Outside a transaction they form one of their own. The first error is
    /// thrown; nothing after it runs.
    public func pipeline(_ statements: [SQL]) async throws -> [Rows] {
        for statement in statements { try statement.check() }
        return try await exclusively {
            do {
                return try await note(connection.pipeline(prelude: nil, statements))
            } catch let error as PostgresError where error.isStalePlan && statements.contains(where: \.isPrepared) {
                // In a transaction of the caller's the error has ended it; otherwise everything is undone already.
                guard connection.transactionStatus == PQTRANS_IDLE else { throw error }
                return try await note(connection.pipeline(prelude: nil, statements))
            }
        }
    }

    /// Runs a text of several statements without parameters, as psql would (one transaction unless it says BEGIN).
    public func execute(script: String) async throws {
        if script.utf8.contains(0) { throw PostgresError(.usage, "a NUL byte cannot be sent to PostgreSQL") }
        try await exclusively {
            state.withLock { $0.touched = true }
            do {
                _ = try await connection.simple(Array(script.utf8))
            } catch {
                try connection.resumePipelining()
                throw error
            }
            try connection.resumePipelining()
        }
    }

    // MARK: Ends

    /// Cancels what runs and refuses what comes: the deadline passed or the task was cancelled.
    func expire(cancelled: Bool) {
        state.withLock { state in
            guard state.end == nil else { return }
            state.end = cancelled ? .cancelled : .deadline
            guard state.busy else { return }
            let connection = connection
            state.cancelling = Task { await Self.cancel(connection) }
        }
    }

    private static func cancel(_ connection: Connection) async {
        await withCheckedContinuation { continuation in
            startThread {
                connection.cancelBlocking()
                continuation.resume()
            }
        }
    }

    /// The error of an ended session, nil while it goes on.
    var ended: PostgresError? {
        switch state.withLock({ $0.end }) {
        case .deadline?: PostgresError(.timeout, "the deadline passed")
        case .cancelled?: PostgresError(.timeout, "the task was cancelled")
        case nil: nil
        }
    }

    /// Waits until no cancel request can hit what is sent next.
    func settle() async {
        let cancelling = state.withLock { $0.cancelling }
        await cancelling?.value
    }

    var needsReset: Bool { state.withLock { $0.touched } }

    // MARK: One call at a time

    func exclusively<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        if let ended { throw ended }
        let free = state.withLock { state in
            defer { state.busy = true }
            return !state.busy
        }
        guard free else { throw PostgresError(.usage, "a session serves one call at a time") }
        // The end may have come between the look and the claim; then nobody cancelled this call.
        if let ended {
            state.withLock { $0.busy = false }
            throw ended
        }
        defer { state.withLock { $0.busy = false } }
        do {
            return try await body()
        } catch let error as PostgresError where error.kind == .timeout {
            throw ended ?? error
        }
    }

    private func note(_ results: [Rows]) -> [Rows] {
        let tags = ["SET", "LISTEN", "PREPARE", "DECLARE CURSOR", "CREATE TABLE", "SELECT INTO"]
        if results.contains(where: { PQresultStatus($0.result) == PGRES_COMMAND_OK && tags.contains($0.tag) }) {
            state.withLock { $0.touched = true }
        }
        return results
    }
}
