import ConnectorKit
import Hub
import Logging
import Store

/// Applies stored webhooks, oldest first.
struct HookWorker {
    let tenant: TenantDatabase
    let links: Links
    let log: Logger
    private static let batch = 50
    private static let maxAttempts = 8

    /// Seconds a hook is held; then another worker may apply it.
    private static let lease = 60.0
    /// Seconds until it is tried again whether there is room.
    private static let roomPause = 300.0

    func slice() async throws -> LaneNext {
        let hooks = try await tenant.claimHooks(limit: Self.batch, lease: Self.lease)
        for hook in hooks {
            do {
                try await apply(hook)
                try await tenant.settle(hook: hook.id, state: "done")
            } catch let error as HookError {
                try await tenant.settle(hook: hook.id, state: "dead", message: "\(error)")
            } catch is CancellationError {
                throw CancellationError()
            } catch let error as RemoteError where error.isHeldBack {
                // the remote is to be left alone: that says nothing of the hook
                guard case .later(_, _, let seconds) = error else { continue }
                try await tenant.postpone(hook: hook.id, by: seconds ?? 1)
            } catch  where tenant.limit(error) != nil {
                // nor does it when there is no room in the shop
                try await tenant.postpone(hook: hook.id, by: Self.roomPause)
            } catch {
                // one that can never be applied must not hold up the others
                let isLast = hook.attempts + 1 >= Self.maxAttempts
                try await tenant.settle(
                    hook: hook.id, state: isLast ? "dead" : "new",
                    message: (error as? RemoteError).map(IntakeWorker.words) ?? "\(error)",
                    delay: Double(1 << hook.attempts))
            }
        }
        return hooks.count == Self.batch ? .again : .idle
    }

    private func apply(_ hook: StoredHook) async throws {
        guard let known = try await tenant.connector(hook.connector) else { return }
        let link = try links.link(kind: known.kind, connector: hook.connector, settings: known.settings, of: tenant)
        guard let receiver = link as? any HookReceiver else { return }
        var reading = try await tenant.reading()
        reading.isReport = link is any RecordSource
        let records = try await receiver.records(
            in: Hook(headers: hook.headers, body: hook.body, receivedAt: hook.receivedAt))
        let plugins = try await tenant.pullPlugins(ofConnector: hook.connector)
        for plugin in plugins {
            let own = records.compactMap { record -> RemoteRecord? in
                if case .record(plugin.entity, let record) = record { record } else { nil }
            }
            let isUnclear = own.isEmpty ? false : try await !take(own, plugin, reading)
            let mustPoll =
                isUnclear
                || records.contains { record in
                    if case .poll(plugin.entity) = record { true } else { false }
                }
            if mustPoll {
                try await tenant.queuePoll(plugin: plugin.id, connector: plugin.connector)
            }
        }
    }

    /// - Returns: false when the records are to be read anew, as it is not clear which of two states is the later one.
    private func take(_ records: [RemoteRecord], _ plugin: PullPlugin, _ reading: Reading) async throws -> Bool {
        let incoming = records.map(IncomingRecord.init)
        switch plugin.entity {
        case .product: try await tenant.takeProducts(incoming, plugin: plugin, cursor: nil)
        case .order: try await tenant.takeOrders(incoming, plugin: plugin, cursor: nil)
        case .contact:
            let run = try await tenant.createRun(
                as: .intake(plugin.connector), kind: "hook", plugin: plugin.id, connector: plugin.connector,
                state: "done")
            let rows = try await tenant.stagedRows(incoming, plugin: plugin, firstLine: 1)
            let counts = try await tenant.takePage(rows, plugin: plugin, run: run, reading: reading)
            _ = try await tenant.linkWaitingSales(connector: plugin.connector)
            return counts.unclear == 0
        }
        return true
    }
}
