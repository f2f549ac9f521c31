import CHost
import Logging
import Synchronization

/// Connections lent to one task at a time. Who waits is served in order of arrival.
final class LeasePool: Sendable {
    private enum Grant {
        case connection(Lease)
        /// A place in the pool: the receiver connects by itself.
        case place
    }

    /// A connection with what decides about its renewal.
    struct Lease {
        let connection: Connection
        var scopes: Set<Int64> = []
        var lastScope: Int64 = 0
    }

    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Grant, any Error>
    }

    private struct State {
        var idle: [Lease] = []
        /// Connections idle, lent or being made.
        var places = 0
        var waiters: [Waiter] = []
        var nextWaiter: UInt64 = 0
        /// Waiters cancelled before they came to wait.
        var cancelled: Set<UInt64> = []
        var closed = false
        var made = 0
        var refused = 0
    }

    private let connector: Connector
    private let limit: Int
    private let waitLimit: Duration
    private let maxAge: UInt64
    private let maxScopes: Int
    private let state = Mutex(State())

    init(_ connector: Connector) {
        let configuration = connector.configuration
        self.connector = connector
        limit = max(1, configuration.leasedConnections)
        waitLimit = configuration.waitLimit
        maxAge = configuration.maxAge.nanoseconds
        maxScopes = configuration.maxScopes
    }

    /// Lends a connection, if need be after a wait.
    /// - Throws: `.busy` after the wait limit (or `deadline` if shorter), `.connection`, CancellationError.
    func acquire(scope: Int64, deadline: Duration?) async throws -> Lease {
        var lease: Lease
        switch try takeNow(scope) {
        case .connection(let idle)?: lease = idle
        case .place?: lease = try await connect()
        case nil:
            switch try await wait(min(waitLimit, deadline ?? waitLimit)) {
            case .connection(let handed): lease = handed
            case .place: lease = try await connect()
            }
        }
        lease.lastScope = scope
        if scope != 0 { lease.scopes.insert(scope) }
        return lease
    }

    /// Takes a connection back. One that is lost, too old or has served too many scopes is closed and its place
    /// passed on.
    func release(_ lease: Lease) {
        let worn = lease.scopes.count > maxScopes || csystem_now_ns() - lease.connection.created > maxAge
        guard !worn, lease.connection.isAlive else {
            lease.connection.close()
            return freePlace()
        }
        let next = state.withLock { state -> (waiter: Waiter?, closed: Bool) in
            if state.closed { return (nil, true) }
            if !state.waiters.isEmpty { return (state.waiters.removeFirst(), false) }
            state.idle.append(lease)
            return (nil, false)
        }
        if next.closed { lease.connection.close() }
        next.waiter?.continuation.resume(returning: .connection(lease))
    }

    /// Closes idle connections past their age; called every second.
    func closeAged() {
        let now = csystem_now_ns()
        let aged = state.withLock { state -> [Lease] in
            let aged = state.idle.filter { now - $0.connection.created > maxAge || !$0.connection.isAlive }
            state.idle.removeAll { lease in aged.contains { $0.connection === lease.connection } }
            return aged
        }
        for lease in aged {
            lease.connection.close()
            freePlace()
        }
    }

    func close() {
        let (idle, waiters) = state.withLock { state in
            state.closed = true
            defer {
                state.idle = []
                state.waiters = []
            }
            return (state.idle, state.waiters)
        }
        for lease in idle { lease.connection.close() }
        for waiter in waiters { waiter.continuation.resume(throwing: Self.closedError) }
    }

    func count() -> (open: Int, inUse: Int, waiting: Int, made: Int, refused: Int) {
        state.withLock { ($0.places, $0.places - $0.idle.count, $0.waiters.count, $0.made, $0.refused) }
    }

    // MARK: Places

    private static let closedError = PostgresError(.connection, "the database client is closed")

    private func takeNow(_ scope: Int64) throws -> Grant? {
        try state.withLock { state in
            guard !state.closed else { throw Self.closedError }
            guard state.waiters.isEmpty else { return nil }
            while !state.idle.isEmpty {
                let index = state.idle.lastIndex { $0.lastScope == scope } ?? state.idle.count - 1
                let lease = state.idle.remove(at: index)
                if lease.connection.isAlive { return .connection(lease) }
                state.places -= 1
            }
            guard state.places < limit else { return nil }
            state.places += 1
            return .place
        }
    }

    private func connect() async throws -> Lease {
        do {
            let connection = try await connector.connect(.leased)
            state.withLock { $0.made += 1 }
            return Lease(connection: connection)
        } catch {
            freePlace()
            throw error
        }
    }

    private func freePlace() {
        let waiter = state.withLock { state -> Waiter? in
            if state.waiters.isEmpty {
                state.places -= 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        waiter?.continuation.resume(returning: .place)
    }

    // MARK: Waiting

    private func wait(_ limit: Duration) async throws -> Grant {
        let id = state.withLock { state -> UInt64 in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let alarm = Task {
            try await Task.sleep(for: limit)
            giveUp(id, PostgresError(.busy, "no connection became free in time"))
        }
        defer {
            alarm.cancel()
            // Cancelled when it was served already: nobody looks for the mark any more.
            state.withLock { _ = $0.cancelled.remove(id) }
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { enqueue(Waiter(id: id, continuation: $0)) }
        } onCancel: {
            giveUp(id, CancellationError())
        }
    }

    private func enqueue(_ waiter: Waiter) {
        let refusal = state.withLock { state -> (any Error)? in
            if state.cancelled.remove(waiter.id) != nil { return CancellationError() }
            if state.closed { return Self.closedError }
            state.waiters.append(waiter)
            return nil
        }
        if let refusal { return waiter.continuation.resume(throwing: refusal) }
        serveWaiters()
    }

    /// Between finding nothing free and waiting, something may have become free.
    private func serveWaiters() {
        let served = state.withLock { state -> (Waiter, Grant)? in
            guard !state.waiters.isEmpty else { return nil }
            if let lease = state.idle.popLast() { return (state.waiters.removeFirst(), .connection(lease)) }
            guard state.places < limit else { return nil }
            state.places += 1
            return (state.waiters.removeFirst(), .place)
        }
        served?.0.continuation.resume(returning: served?.1 ?? .place)
    }

    private func giveUp(_ id: UInt64, _ error: any Error) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                // Served already, or cancelled on the way to the queue.
                if error is CancellationError { state.cancelled.insert(id) }
                return nil
            }
            if !(error is CancellationError) { state.refused += 1 }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(throwing: error)
    }
}
