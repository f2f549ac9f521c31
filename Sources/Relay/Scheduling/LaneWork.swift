import ConnectorKit
import Foundation
import Logging
import Store
import Synchronization

/// Does a slice of a lane's work.
final class LaneWork: Sendable {
    private let node: Node
    private let links: Links
    private let options: Relay.Options
    private let log: Logger
    private let tenants = Mutex<[Int64: (Tenant, Date)]>([:])
    private let scheduler = Mutex<LaneScheduler?>(nil)
    /// When the changes of a tenant were counted last.
    private let tallied = Mutex<[Int64: Date]>([:])
    private static let failurePause = 2.0
    private static let tallyPause = 6.0
    /// Batches of changes that one slice decides: the first, and one of each router's.
    private static let routingPasses = 3

    init(node: Node, links: Links, options: Relay.Options, log: Logger) {
        self.node = node
        self.links = links
        self.options = options
        self.log = log
    }

    func attach(_ scheduler: LaneScheduler) { self.scheduler.withLock { $0 = scheduler } }

    func run(_ key: LaneKey) async -> LaneNext {
        do {
            guard let tenant = try await tenant(key.tenant) else { return .idle }
            switch key.lane {
            case .route:
                let isMore = try await tenant.route(passes: Self.routingPasses) { pass in
                    for plugin in pass.plugins { self.ring(key.tenant, .deliver(plugin: plugin)) }
                }
                if !isMore { tallySoon(key.tenant) }
                return isMore ? .again : .idle
            // what came meanwhile is counted with the next
            case .tally: return try await tenant.tally() ? .after(Self.tallyPause) : .idle
            case .dispatch: return try await dispatch(tenant)
            case .deliver(let plugin):
                let next = try await DeliveryWorker(tenant: tenant, links: links, options: options, log: log)
                    .slice(plugin: plugin)
                if case .idle = next { ring(key.tenant, .dispatch) }
                return next
            case .intake:
                return try await IntakeWorker(tenant: tenant, links: links, log: log, lease: min(options.lease, 60))
                    .slice()
            case .hooks: return try await HookWorker(tenant: tenant, links: links, log: log).slice()
            }
        } catch is CancellationError {
            return .idle
        } catch {
            log.warning(
                "lane failed, will be tried again",
                metadata: ["tenant": "\(key.tenant)", "lane": "\(key.lane)", "error": "\(error)"])
            return .after(Self.failurePause)
        }
    }

    private func dispatch(_ tenant: TenantDatabase) async throws -> LaneNext {
        for plugin in try await tenant.duePlugins() { ring(tenant.tenant.id, .deliver(plugin: plugin)) }
        let wait = Double(try await tenant.nextDue()) / 1000
        // what is due now has been rung for; a lane that ends rings dispatch again
        if wait <= 0 {
            ring(tenant.tenant.id, .intake)
            ring(tenant.tenant.id, .hooks)
        }
        return .after(max(wait, 0.25))
    }

    /// Changes are counted every few seconds while there are any.
    private func tallySoon(_ tenant: Int64) {
        let isDue = tallied.withLock { tallied in
            guard (tallied[tenant] ?? .distantPast).timeIntervalSinceNow < -Self.tallyPause else { return false }
            tallied[tenant] = Date()
            return true
        }
        if isDue { ring(tenant, .tally) }
    }

    private func ring(_ tenant: Int64, _ lane: Lane) {
        scheduler.withLock { $0 }?.ring(LaneKey(tenant: tenant, lane: lane))
    }

    /// The tenant, when it is open; looked up again every few seconds, so that suspending acts soon.
    private func tenant(_ id: Int64) async throws -> TenantDatabase? {
        if let (tenant, seen) = tenants.withLock({ $0[id] }), seen.timeIntervalSinceNow > -5 {
            return node.tenant(tenant)
        }
        let open = try await node.openTenants()
        let now = Date()
        tenants.withLock { $0 = Dictionary(open.map { ($0.id, ($0, now)) }, uniquingKeysWith: { first, _ in first }) }
        return open.first { $0.id == id }.map { node.tenant($0) }
    }
}
