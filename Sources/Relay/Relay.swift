public import Logging
public import Store

/// The loops: decides changes, delivers them, takes records in. Any number of processes may run one.
///
/// A ring, here or over LISTEN, says that a tenant has something to do; after a reconnect and every so often
/// all tenants are looked at, so that no lost ring delays anything for long.
public final class Relay: Sendable {
    public struct Options: Sendable {
        /// Lanes that run at once.
        public var width = 24
        /// Seconds between looks at all tenants.
        public var rescan: Double = 30
        /// Seconds a delivery is held; longer than any call to a remote may take.
        public var lease: Double = 90
        /// Attempts before a delivery becomes a dead letter.
        public var maxAttempts = 12
        /// Seconds before the second attempt; doubled with each further one.
        public var firstDelay: Double = 1
        /// The tenants to work for; nil for all.
        public var only: Set<Int64>?
        public init() {}
    }

    /// Seconds in which rings for the seldom lanes are gathered.
    private static let gathering = 0.2
    private let node: Node
    private let options: Options
    private let log: Logger
    private let scheduler: LaneScheduler

    public init(node: Node, links: Links, options: Options = Options(), log: Logger) {
        self.node = node
        self.options = options
        self.log = log
        let work = LaneWork(node: node, links: links, options: options, log: log)
        scheduler = LaneScheduler(width: options.width) { await work.run($0) }
        work.attach(scheduler)
    }

    /// Runs until cancelled; then ends what it began.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.followLocalBell() }
            group.addTask { await self.followListen() }
            group.addTask { await self.rescanForever() }
            await group.waitForAll()
        }
        await scheduler.close()
    }

    private func wake(_ tenant: Int64) {
        guard options.only?.contains(tenant) ?? true else { return }
        scheduler.ring(LaneKey(tenant: tenant, lane: .route))
        for lane in [Lane.dispatch, .intake, .hooks] {
            scheduler.ring(LaneKey(tenant: tenant, lane: lane), within: Self.gathering)
        }
    }

    private func followLocalBell() async {
        for await tenants in node.bell.local() { for tenant in tenants { wake(tenant) } }
    }

    private func followListen() async {
        for await event in node.events() {
            switch event {
            case .lookEverywhere: await rescan()
            case .rung(let tenants): for tenant in tenants { wake(tenant) }
            }
        }
    }

    private func rescanForever() async {
        while !Task.isCancelled {
            await rescan()
            do { try await Task.sleep(for: .seconds(options.rescan)) } catch { return }
        }
    }

    private func rescan() async {
        do {
            for tenant in try await node.openTenants() { wake(tenant.id) }
        } catch {
            log.warning("tenants cannot be listed", metadata: ["error": "\(error)"])
        }
    }
}
