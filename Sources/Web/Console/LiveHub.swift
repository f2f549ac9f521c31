import Store
import Synchronization

/// Tells open consoles that something changed in their shop: that, and nothing else. What it was, each asks for by its own rights.
final class LiveHub: Sendable {
    enum Event: Sendable {
        case changed
        /// Nothing; so that the connection is known to stand.
        case beat
    }

    private struct State {
        var listeners: [Int: (tenant: Int64, continuation: AsyncStream<Event>.Continuation)] = [:]
        var next = 0
        /// Shops that were told a moment ago, and whether more has come since.
        var resting: [Int64: Bool] = [:]
        var follower: Task<Void, Never>?
    }

    /// The least time between two events of a shop.
    private static let pause: Duration = .milliseconds(250)
    private static let beat: Duration = .seconds(20)
    private let node: Node
    private let state = Mutex(State())

    init(node: Node) { self.node = node }

    /// What happens in a shop from now on; follows the bells while anybody listens.
    func events(of tenant: Int64) -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(8))
        state.withLock { state in
            state.next += 1
            let number = state.next
            state.listeners[number] = (tenant, continuation)
            continuation.onTermination = { [weak self] _ in self?.remove(number) }
            if state.follower == nil { state.follower = Task { [weak self] in await self?.follow() } }
        }
        return stream
    }

    private func remove(_ number: Int) {
        let ended = state.withLock { state -> Task<Void, Never>? in
            state.listeners[number] = nil
            guard state.listeners.isEmpty else { return nil }
            defer { state.follower = nil }
            return state.follower
        }
        ended?.cancel()
    }

    private func follow() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.hear() }
            group.addTask { await self.beatForever() }
            await group.waitForAll()
        }
    }

    private func hear() async {
        for await event in node.everything() {
            switch event {
            case .rung(let tenants): for tenant in tenants { tell(tenant) }
            case .lookEverywhere:
                for tenant in state.withLock({ Set($0.listeners.values.map(\.tenant)) }) { tell(tenant) }
            }
        }
    }

    private func beatForever() async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: Self.beat) } catch { return }
            for continuation in state.withLock({ $0.listeners.values.map(\.continuation) }) {
                continuation.yield(.beat)
            }
        }
    }

    /// Tells a shop's consoles at once, or when its rest is over.
    private func tell(_ tenant: Int64) {
        let listeners = state.withLock { state -> [AsyncStream<Event>.Continuation] in
            guard state.resting[tenant] == nil else {
                state.resting[tenant] = true
                return []
            }
            let found = state.listeners.values.filter { $0.tenant == tenant }.map(\.continuation)
            if !found.isEmpty { state.resting[tenant] = false }
            return found
        }
        guard !listeners.isEmpty else { return }
        for listener in listeners { listener.yield(.changed) }
        Task { [weak self] in
            // not cancelled by anybody: the rest always ends
            try await Task.sleep(for: Self.pause)
            if self?.state.withLock({ $0.resting.removeValue(forKey: tenant) }) == true { self?.tell(tenant) }
        }
    }
}
