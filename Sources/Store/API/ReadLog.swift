public import Hub
public import Logging
import Synchronization

/// Notes who read which contacts, gathered for a second, so that reading costs no write. What was read in the last second
/// before the process is killed is lost.
public final class ReadLog: Sendable {
    private struct Key: Hashable {
        let tenant: Tenant
        let actor: Actor
        let action: String
    }
    private struct Sight: Hashable {
        let key: Key
        let contact: Int64
    }
    private struct State {
        /// Who was shown what of late: of the last ten to twenty minutes.
        var recent: [Set<Sight>] = [[], []]
        var turned = ContinuousClock.now
        var waiting: [Key: Set<Int64>] = [:]
        var isFlushing = false
    }
    private let state = Mutex(State())
    private let node: Node
    private let log: Logger
    private static let recently = Duration.seconds(600)
    private static let mostRecent = 50_000
    /// Numbers one entry may name.
    private static let most = 1000

    public init(node: Node, log: Logger) { (self.node, self.log) = (node, log) }

    /// Notes contacts shown to somebody. Returns at once.
    /// - Parameter isAgain: a page that lies open shows them anew: what was noted within ten minutes is not noted again.
    public func note(
        _ contacts: [Int64], to actor: Actor, of tenant: Tenant, action: String = "read", isAgain: Bool = false
    ) {
        let key = Key(tenant: tenant, actor: actor, action: action)
        let mustFlush = state.withLock { state in
            let sights = contacts.map { Sight(key: key, contact: $0) }
            let new =
                isAgain ? sights.filter { !state.recent[0].contains($0) && !state.recent[1].contains($0) } : sights
            guard !new.isEmpty else { return false }
            if ContinuousClock.now - state.turned > Self.recently || state.recent[0].count > Self.mostRecent {
                (state.recent, state.turned) = ([[], state.recent[0]], .now)
            }
            state.recent[0].formUnion(new)
            state.waiting[key, default: []].formUnion(new.map(\.contact))
            defer { state.isFlushing = true }
            return !state.isFlushing
        }
        if mustFlush {
            Task {
                do {
                    try await Task.sleep(for: .seconds(1))
                } catch {
                    // cancelled, the only reason: what waits is written at once
                }
                await flush()
            }
        }
    }

    /// Writes what waits.
    public func flush() async {
        let waiting = state.withLock { state in
            defer { (state.waiting, state.isFlushing) = ([:], false) }
            return state.waiting
        }
        for (key, contacts) in waiting {
            let sorted = contacts.sorted()
            for start in stride(from: 0, to: sorted.count, by: Self.most) {
                let part = sorted[start..<min(start + Self.most, sorted.count)]
                do {
                    try await node.tenant(key.tenant).note(
                        key.action, entity: "contact", record: part.count == 1 ? part.first : nil,
                        part.count == 1 ? [:] : ["contacts": .array(part.map(JSON.int))], as: key.actor)
                } catch {
                    log.error(
                        "reads could not be noted",
                        metadata: [
                            "actor": "\(key.actor)", "contacts": "\(part.count)", "error": "\(Failure.logText(error))",
                        ])
                }
            }
        }
    }
}
