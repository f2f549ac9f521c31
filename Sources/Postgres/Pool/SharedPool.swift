import CHost
import Logging
import Synchronization

/// The connections on which all tasks' single shots are pipelined. Each slot holds one connection, or none while it
/// is being made anew; lost and outworn ones are replaced in the background.
final class SharedPool: Sendable {
    private struct Slot {
        var connection: Connection?
        var scopes: Set<Int64> = []
        var connecting = false
        var born: UInt64 = 0
    }

    private struct State {
        var slots: [Slot]
        /// The slot that last served a scope, by the scope's low bits: a wrong guess only costs cache warmth.
        var affinity: [UInt8]
        var turn = 0
        var closed = false
        var made = 0
    }

    private static let affinitySize = 1024

    private let connector: Connector
    private let log: Logger
    private let maxAge: UInt64
    private let maxScopes: Int
    private let state: Guarded<State>

    init(_ connector: Connector, log: Logger) {
        let configuration = connector.configuration
        self.connector = connector
        self.log = log
        maxAge = configuration.maxAge.nanoseconds
        maxScopes = configuration.maxScopes
        state = Guarded(
            State(
                slots: Array(repeating: Slot(), count: min(250, max(1, configuration.sharedConnections))),
                affinity: Array(repeating: 0, count: Self.affinitySize)))
    }

    /// Fills all slots at once. Succeeds with one connection; the others are then tried on in the background.
    func start() async throws {
        let count = state.withLock { $0.slots.count }
        let failure: PostgresError? = await withTaskGroup(of: PostgresError?.self) { group in
            for slot in 0..<count { group.addTask { await self.fill(slot) } }
            var failures: [PostgresError] = []
            for await failure in group { if let failure { failures.append(failure) } }
            return failures.count == count ? failures.first : nil
        }
        if let failure { throw failure }
        for slot in 0..<count { repair(slot) }
    }

    func close() {
        let connections = state.withLock { state -> [Connection] in
            state.closed = true
            defer { for index in state.slots.indices { state.slots[index].connection = nil } }
            return state.slots.compactMap(\.connection)
        }
        for connection in connections { connection.close() }
    }

    /// The connection to send on, counted into its load: the one that last served `scope`, unless another is less
    /// busy.
    /// - Throws: `.connection` when there is none at the moment.
    func pick(scope: Int64) throws -> Connection {
        var worn: Int?
        let chosen = state.withLock { state -> Connection? in
            guard let index = Self.best(&state, scope) else { return nil }
            if scope != 0 {
                state.affinity[Int(truncatingIfNeeded: scope) & (Self.affinitySize - 1)] = UInt8(index)
                if state.slots[index].scopes.insert(scope).inserted, state.slots[index].scopes.count > maxScopes {
                    worn = index
                }
            }
            state.slots[index].connection?.load.wrappingAdd(1, ordering: .relaxed)
            return state.slots[index].connection
        }
        if let worn { renew(worn) }
        guard let chosen else { throw PostgresError(.connection, "no connection to the database at the moment") }
        return chosen
    }

    private static func best(_ state: inout State, _ scope: Int64) -> Int? {
        let count = state.slots.count
        var start = state.turn
        if scope != 0 {
            start = Int(state.affinity[Int(truncatingIfNeeded: scope) & (affinitySize - 1)])
        } else {
            state.turn = (state.turn + 1) % count
        }
        var best: Int?
        var least = Int.max
        for step in 0..<count {
            let index = start + step < count ? start + step : start + step - count
            guard let load = state.slots[index].connection?.load.load(ordering: .relaxed) else { continue }
            if load < least {
                best = index
                least = load
                if load == 0 { break }
            }
        }
        return best
    }

    /// Replaces connections past their age; called every second.
    func renewAged() {
        let now = csystem_now_ns()
        let aged = state.withLock { state in
            state.slots.indices.filter { state.slots[$0].connection != nil && now - state.slots[$0].born > maxAge }
        }
        // One at a time, so that a fleet of the same age is not renewed in one go.
        if let first = aged.first { renew(first) }
    }

    func count() -> (open: Int, inFlight: Int, made: Int) {
        state.withLock { state in
            let open = state.slots.compactMap(\.connection)
            return (open.count, open.reduce(0) { $0 + $1.load.load(ordering: .relaxed) }, state.made)
        }
    }

    // MARK: Making connections

    /// Puts a successor in place first; the old connection is closed when its last operation is answered.
    private func renew(_ index: Int) {
        let claimed = state.withLock { state -> Bool in
            guard !state.closed, !state.slots[index].connecting else { return false }
            state.slots[index].connecting = true
            return true
        }
        guard claimed else { return }
        Task {
            let old = state.withLock { $0.slots[index].connection }
            guard await fill(index, claimed: true) == nil else { return }
            while let old, old.load.load(ordering: .relaxed) > 0, old.isAlive {
                try? await Task.sleep(for: .milliseconds(20))
            }
            old?.close()
        }
    }

    /// Fills an empty slot, with growing pauses between attempts.
    private func repair(_ index: Int) {
        Task {
            var pause = Duration.milliseconds(50)
            while needs(index), let failure = await fill(index) {
                log.warning("database connection failed", metadata: ["error": "\(failure)"])
                try? await Task.sleep(for: pause * Double.random(in: 0.75...1.25))
                pause = min(pause * 2, .seconds(5))
            }
        }
    }

    private func needs(_ index: Int) -> Bool {
        state.withLock { !$0.closed && !$0.slots[index].connecting && $0.slots[index].connection == nil }
    }

    /// Makes the connection of a slot; returns the failure, nil also when somebody else is at it.
    private func fill(_ index: Int, claimed: Bool = false) async -> PostgresError? {
        let free =
            claimed
            || state.withLock { state in
                guard !state.closed, !state.slots[index].connecting else { return false }
                state.slots[index].connecting = true
                return true
            }
        guard free else { return nil }
        do {
            let connection = try await connector.connect(.shared)
            install(connection, index)
            return nil
        } catch {
            state.withLock { $0.slots[index].connecting = false }
            return error as? PostgresError ?? PostgresError(.connection, "\(error)")
        }
    }

    private func install(_ connection: Connection, _ index: Int) {
        let closed = state.withLock { state -> Bool in
            state.slots[index].connecting = false
            guard !state.closed else { return true }
            state.slots[index] = Slot(connection: connection, born: connection.created)
            state.made += 1
            return false
        }
        if closed { return connection.close() }
        let lost = connection.setHooks(
            Connection.Hooks(lost: { [weak self, weak connection] error in self?.lost(connection, index, error) }))
        if let lost { self.lost(connection, index, lost) }
    }

    private func lost(_ connection: Connection?, _ index: Int, _ error: PostgresError) {
        let mine = state.withLock { state -> Bool in
            guard !state.closed, let connection, state.slots[index].connection === connection else { return false }
            state.slots[index].connection = nil
            return true
        }
        guard mine else { return }
        log.warning("database connection lost", metadata: ["error": "\(error)"])
        repair(index)
    }
}
