import Foundation
import Hub
import Postgres
import Store

/// The router with four filtered plugins and stored verdicts against pgqueuer draining as many jobs that do nothing.
struct RoutingBench {
    private let here: Bench.Surroundings
    private static let rounds = 3

    /// Reference scenario in small: address book, shop, CRM, newsletter.
    private static let filters: [(name: String, filter: JSON)] = [
        ("google", ["all": [["tag": "supplier"]]]),
        ("shop", ["all": [["tag": "client"], ["change": ["new", "edited"]]]]),
        ("crm", ["any": [["tag": "supplier"], ["tag": "client"]]]),
        ("news", ["all": [["consent": "newsletter"], ["field": "language", "is": "pl"]]]),
    ]

    init(_ here: Bench.Surroundings) { self.here = here }

    func run() async throws -> [Figure] {
        let changes = here.isSmall ? 20_000 : 100_000
        let node = try await here.cluster.node()
        let tenant = try await here.cluster.makeTenant("routing")
        let door = node.tenant(tenant)
        for (number, one) in Self.filters.enumerated() {
            _ = try await door.createConnector(
                as: .token(1), manifest: ProbeConnector.manifest, name: one.name, settings: [:])
            try await door.editPlugin(
                Int64(number + 1), as: .token(1), PluginEdit(state: "on", filter: one.filter))
        }
        try await here.cluster.makeContacts(1...changes, in: tenant, logged: false)
        let best = try await pgqueuer(jobs: min(changes / 4, 10_000), batches: [10, 50, 100, 250, 500, 1000, 2000])
        let rates = try await Rounds.interleaved(
            Self.rounds,
            [
                { try await drain(door, tenant, changes) },
                { try await pgqueuer(jobs: changes, batches: [best.batch]).rate },
            ])
        await node.database.close()
        return [
            Figure(
                "routing.vs_pgqueuer", Rounds.median(rates[0]), "changes/s",
                against:
                    "pgqueuer, batches of \(best.batch) (its best): \(Figure.short(Rounds.median(rates[1]))) jobs/s",
                ratio: Rounds.ratio(rates[0], to: rates[1])),
            Figure("routing.verdicts", Rounds.median(rates[0]) * Double(Self.filters.count), "verdicts/s"),
        ]
    }

    /// Edits every contact, then routes what that put into the outbox.
    private func drain(_ door: TenantDatabase, _ tenant: Tenant, _ changes: Int) async throws -> Double {
        try await here.cluster.script(
            """
            UPDATE {s}.contact SET data = data || jsonb_build_object('family_name', 'Nowak' || random()), version = version + 1;
            """, in: tenant)
        let watch = Stopwatch()
        let pass = try await door.routeAll()
        guard pass.changes == changes else {
            throw ChildProcess.Failed(description: "routed \(pass.changes) changes of \(changes)")
        }
        return Double(pass.changes) / watch.seconds
    }

    /// The best of some batch sizes, and jobs per second with it.
    private func pgqueuer(jobs: Int, batches: [Int]) async throws -> (batch: Int, rate: Double) {
        let text = try await ChildProcess.run(
            here.python,
            ["\(here.helpers)/pgqueuer_drain.py", here.cluster.plainConninfo, "\(jobs)"] + batches.map(String.init))
        guard let last = text.split(separator: "\n").last, let best = try? JSON(text: String(last)),
            let batch = best["batch"]?.int, let rate = best["rate"]?.double
        else { throw ChildProcess.Failed(description: "pgqueuer: \(text)") }
        return (Int(batch), rate)
    }
}
