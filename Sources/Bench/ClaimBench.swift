import CHost
import ConnectorKit
import Foundation
import Hub
import Logging
import Postgres
import Relay
import Store

/// From commit to the delivery in a worker's hands, while changes flow at a steady rate through the whole relay.
struct ClaimBench {
    private let here: Bench.Surroundings
    private static let rounds = 3
    private static let perSecond = 500
    private static let writers = 16
    private static let seconds = 8
    /// Changes at the beginning of a round that are not counted.
    private static let warmUp = 500

    init(_ here: Bench.Surroundings) { self.here = here }

    func run() async throws -> [Figure] {
        let node = try await here.cluster.node()
        let door = node.tenant(try await here.cluster.makeTenant("claim"))
        let connector = try await door.createConnector(
            as: .token(1), manifest: ProbeConnector.manifest, name: "probe", settings: [:])
        _ = connector
        try await door.editPlugin(1, as: .token(1), PluginEdit(state: "on"))
        let links = Links(kinds: [ProbeConnector.self], http: HTTPClient(guard: AddressGuard()), log: here.cluster.log)
        let relay = Relay(node: node, links: links, log: here.cluster.log)
        let running = Task { await relay.run() }
        var rounds: [(p50: Double, p99: Double, missing: Double)] = []
        do {
            for _ in 0..<Self.rounds { rounds.append(try await round(door)) }
        } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        await running.value
        await node.database.close()
        let (p50, p99) = (Rounds.median(rounds.map(\.p50)), Rounds.median(rounds.map(\.p99)))
        let load = "\(Self.perSecond) changes/s flowing"
        return [
            Figure("events.claim_p50_ms", p50, "ms", against: "bar 10, \(load)", ratio: p50 / 10),
            Figure("events.claim_p99_ms", p99, "ms", against: "bar 50, \(load)", ratio: p99 / 50),
            Figure(
                "events.claim_missing", rounds.map(\.missing).reduce(0, +), "deliveries",
                against: "of \(Self.rounds * Self.perSecond * Self.seconds) changes"),
        ]
    }

    /// Writes at the set rate, waits for the deliveries, and compares the two clocks' readings.
    private func round(_ door: TenantDatabase) async throws -> (p50: Double, p99: Double, missing: Double) {
        _ = ProbeConnector.takeArrivals()
        let committed = CommitTimes()
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<Self.writers {
                group.addTask {
                    for number in stride(from: writer, to: Self.perSecond * Self.seconds, by: Self.writers) {
                        try await Task.sleep(
                            until: began + .microseconds(number * 1_000_000 / Self.perSecond), clock: .continuous)
                        let id = try await door.createContact(as: .token(1), fields: Self.contact()).id
                        let now = csystem_now_ns()
                        committed.add(door.key(ofContact: id), at: now)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await Task.sleep(for: .seconds(2))
        let arrived = ProbeConnector.takeArrivals()
        let written = committed.all.sorted { $0.at < $1.at }.dropFirst(Self.warmUp)
        // a delivery may arrive before its writer hears of the commit
        let waits = written.compactMap { item in arrived[item.key].map { $0 < item.at ? 0 : Double($0 - item.at) / 1e6 }
        }
        return (Rounds.percentile(waits, 0.5), Rounds.percentile(waits, 0.99), Double(written.count - waits.count))
    }

    private static func contact() -> JSON {
        let mark = "\(UInt64.random(in: 0...UInt64.max))"
        return [
            "given_name": "Anna", "family_name": "Nowak", "emails": [["value": .string("c\(mark)@example.org")]],
            "tags": ["client"],
        ]
    }
}
