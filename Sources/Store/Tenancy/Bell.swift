public import Logging
public import Postgres
import Synchronization

/// A doorbell: after commits, one NOTIFY at most every few milliseconds, on a connection of its own, so that
/// writers keep their group commit. It carries tenant numbers and who rang, and may be lost: the
/// rows are the truth. Listeners in this process are woken without the database.
public final class Bell: Sendable {
    let channel: String
    private let pause: Duration
    /// NOTIFY takes less than 8,000 bytes.
    private static let tenantsPerCall = 350

    private struct State {
        var waiting: Set<Int64> = []
        var isFlushing = false
        var listeners: [Int: AsyncStream<Set<Int64>>.Continuation] = [:]
        var nextListener = 0
    }
    private let state = Mutex(State())
    private let database: Database
    private let log: Logger
    /// Tells this process's own rings from others.
    private let mark = String(UInt64.random(in: .min ... .max))

    /// - Parameter pause: the least time between two NOTIFY.
    init(_ channel: String, pause: Duration, database: Database, log: Logger) {
        (self.channel, self.pause) = (channel, pause)
        (self.database, self.log) = (database, log)
    }

    /// Rings for a tenant. Returns at once.
    public func ring(_ tenant: Int64) {
        let (mustFlush, listeners) = state.withLock { state in
            state.waiting.insert(tenant)
            defer { state.isFlushing = true }
            return (!state.isFlushing, Array(state.listeners.values))
        }
        for listener in listeners { listener.yield([tenant]) }
        if mustFlush { Task { await flush() } }
    }

    /// Tenants rung for in this process, coalesced while nobody reads.
    public func local() -> AsyncStream<Set<Int64>> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Set<Int64>.self, bufferingPolicy: .bufferingNewest(1024))
        let number = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        continuation.onTermination = { [self] _ in state.withLock { _ = $0.listeners.removeValue(forKey: number) } }
        return stream
    }

    /// Tenants that somebody else rang for; none when it was this process, whose listeners know already.
    /// - Parameter payload: tenant numbers separated by commas; after a space, when Kontor rang, a number that tells its process.
    func heard(_ payload: String) -> [Int64] {
        let parts = payload.split(separator: " ", maxSplits: 1)
        guard let tenants = parts.first, parts.count == 1 || parts[1] != mark else { return [] }
        return tenants.split(separator: ",").compactMap { Int64($0) }
    }

    private func flush() async {
        while true {
            let tenants = state.withLock { state -> [Int64] in
                let tenants = Array(state.waiting.prefix(Self.tenantsPerCall))
                state.waiting.subtract(tenants)
                if tenants.isEmpty { state.isFlushing = false }
                return tenants
            }
            if tenants.isEmpty { return }
            let payload = tenants.map(String.init).joined(separator: ",") + " " + mark
            do {
                _ = try await database.run("SELECT pg_notify(\(channel), \(payload))")
            } catch {
                // a lost ring is made good by the next rescan
                log.debug("bell not rung", metadata: ["error": "\(error)"])
            }
            do { try await Task.sleep(for: pause) } catch { return }
        }
    }
}
