public import ConnectorKit
import Foundation
public import Hub
import Synchronization

/// A remote system in memory: a real other side with state, and with faults on demand. Connectors of the kind
/// "memory" reach it by its name.
public final class MemoryRemote: Sendable {
    public enum Fault: Sendable {
        /// Nothing happens, and it says so.
        case broken
        case busy(retryAfter: Double)
        /// It happens, and no answer comes back.
        case unansweredAfterEffect
        case locked
        case refused
    }
    private struct State {
        var records: [String: (record: RemoteRecord, sequence: Int)] = [:]
        var gone: [(id: String, sequence: Int)] = []
        var sequence = 0
        var created: [String] = []
        var pushes: [ContinuousClock.Instant] = []
        var faults: [Fault] = []
        var latency: Double = 0
        var meanwhile: [String: JSON] = [:]
    }
    private let state = Mutex(State())
    public let name: String
    private static let all = Mutex<[String: MemoryRemote]>([:])

    public init() {
        name = UUID().uuidString
        Self.all.withLock { $0[name] = self }
    }
    static func named(_ name: String) -> MemoryRemote? { all.withLock { $0[name] } }

    /// The faults of the next calls, one each.
    public func fail(_ faults: Fault...) { state.withLock { $0.faults += faults } }
    /// Somebody writes this into a record between the reading and the writing of the next push.
    public func meanwhile(_ id: String, _ values: JSON) { state.withLock { $0.meanwhile[id] = values } }
    /// Seconds that each push takes.
    public func slow(_ seconds: Double) { state.withLock { $0.latency = seconds } }
    public var records: [RemoteRecord] { state.withLock { $0.records.values.map(\.record).sorted { $0.id < $1.id } } }
    /// Keys of the records that were created by push, one entry per creation.
    public var created: [String] { state.withLock { $0.created } }
    public var pushTimes: [ContinuousClock.Instant] { state.withLock { $0.pushes } }

    /// Somebody works in the remote itself.
    @discardableResult
    public func put(_ id: String, _ values: JSON) -> RemoteRecord {
        state.withLock { state in
            state.sequence += 1
            var record = state.records[id]?.record ?? RemoteRecord(id: id)
            for (key, value) in values.object ?? [:] { record.values[key] = value }
            record.version = String(state.sequence)
            state.records[id] = (record, state.sequence)
            return record
        }
    }

    public func remove(_ id: String) {
        state.withLock { state in
            state.sequence += 1
            state.records[id] = nil
            state.gone.append((id, state.sequence))
        }
    }

    func page(after cursor: Int?, size: Int) -> Page {
        state.withLock { state in
            let from = cursor ?? 0
            var found = state.records.values.filter { $0.sequence > from }
            if cursor != nil {
                found += state.gone.filter { $0.sequence > from }.map {
                    (RemoteRecord(id: $0.id, isDeleted: true), $0.sequence)
                }
            }
            found.sort { $0.sequence < $1.sequence }
            let part = found.prefix(size)
            let next = part.last?.sequence ?? max(from, state.sequence)
            return Page(
                records: part.map(\.record), next: Cursor(String(next)), isLast: found.count <= size,
                isComplete: cursor == nil && found.count <= size)
        }
    }

    func push(_ push: Push) async throws -> PushOutcome {
        let (fault, latency) = state.withLock { state -> (Fault?, Double) in
            state.pushes.append(.now)
            return (state.faults.isEmpty ? nil : state.faults.removeFirst(), state.latency)
        }
        if latency > 0 { try await Task.sleep(for: .seconds(latency)) }
        switch fault {
        case .broken: throw RemoteError.later(code: "http_500", message: "broken")
        case .busy(let pause): throw RemoteError.later(code: "http_429", message: "too many", retryAfter: pause)
        case .locked: throw RemoteError.locked(code: "http_401", message: "the key is no longer valid")
        case .refused: return .failed(.refused(code: "http_422", message: "mails: is taken"))
        case .unansweredAfterEffect:
            _ = apply(push)
            throw RemoteError.unsure(code: "timeout", message: "no answer")
        case nil: return apply(push)
        }
    }

    private func apply(_ push: Push) -> PushOutcome {
        state.withLock { state in
            state.sequence += 1
            if push.action == .delete {
                let made = push.isUnsure ? state.records.values.first { $0.record.key == push.key }?.record.id : nil
                guard let id = push.remoteID ?? made, let removed = state.records.removeValue(forKey: id) else {
                    return .gone
                }
                state.gone.append((id, state.sequence))
                return .done(removed.record)
            }
            // it takes no idempotency key: only who looks first makes no second record
            let known = push.isUnsure ? state.records.values.first { $0.record.key == push.key }?.record.id : nil
            if let id = push.remoteID, state.records[id] == nil { return .gone }
            let id = push.remoteID ?? known ?? "r\(state.sequence)"
            var record = state.records[id]?.record ?? RemoteRecord(id: id, key: push.key)
            if state.records[id] != nil, !push.mayReplace(record.values) { return .differs(record) }
            if state.records[id] == nil { state.created.append(push.key) }
            let former = state.records[id]?.record.values
            let changes = (push.values.object ?? [:]).filter { former?[$0.key] != $0.value }
            for (key, value) in state.meanwhile.removeValue(forKey: id)?.object ?? [:] { record.values[key] = value }
            for (key, value) in changes { record.values[key] = value }
            record.version = String(state.sequence)
            state.records[id] = (record, state.sequence)
            return .done(record, over: former)
        }
    }
}

/// Connects to a `MemoryRemote`.
public struct MemoryConnector: RecordSource, RecordSink {
    public static let manifest = Manifest(
        kind: "memory", title: "Memory",
        settings: [.init("remote", "Name"), .init("api_key", "Key", isSecret: true, isRequired: false)],
        plugins: [
            PluginManifest("contacts.import", "In", .pull, mapping: mapping),
            PluginManifest("contacts.push", "Out", .push, mapping: mapping),
            PluginManifest("orders.import", "Orders", .pull, entity: .order),
            PluginManifest("products.import", "Products", .pull, entity: .product),
            PluginManifest("segment.group", "Group", .group),
        ],
        limits: .init(perSecond: 1000, burst: 1000, takesKey: false))

    private static let mapping: JSON = [
        "rules": [
            ["hub": "given_name", "remote": "first"], ["hub": "family_name", "remote": "last"],
            ["hub": "emails", "remote": "mails", "each": "value"],
            ["hub": "phones", "remote": "phones", "each": "value"],
            ["hub": "tags", "remote": "tags", "each": true],
        ]
    ]
    /// Records on a page.
    public static let pageSize = 50
    private let remote: MemoryRemote

    public init(_ environment: ConnectorEnvironment) throws {
        guard let name = environment.settings["remote"]?.string, let remote = MemoryRemote.named(name) else {
            throw ConnectorError.badSettings(field: "remote", reason: "there is no such remote")
        }
        self.remote = remote
    }

    public func check() async throws -> String { "Signed in" }

    public func page(of entity: RemoteEntity, after cursor: Cursor?, since: String?) async throws -> Page {
        remote.page(after: cursor.flatMap { Int($0.text) }, size: Self.pageSize)
    }

    public func push(_ batch: [Push]) async throws -> [PushOutcome] {
        var outcomes: [PushOutcome] = []
        for push in batch { outcomes.append(try await remote.push(push)) }
        return outcomes
    }
}
