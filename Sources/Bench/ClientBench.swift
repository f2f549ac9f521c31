import Foundation
import Hub
import Postgres
import Store

/// The PostgreSQL client against pgbench, in round trips of single statements and of a signed context with a select.
struct ClientBench {
    private let here: Bench.Surroundings
    private static let rounds = 5
    private static let seconds = 4
    private static let tasks = 64
    private static let connections = 8
    private static let contacts = 20_000

    init(_ here: Bench.Surroundings) { self.here = here }

    func run() async throws -> [Figure] { try await [pointSelect(), roleScoped()] }

    private func pointSelect() async throws -> Figure {
        let accounts = 1_000_000
        _ = try await ChildProcess.run("pgbench", ["-i", "-q", "-s", "10", here.cluster.plainConninfo])
        var configuration = DatabaseConfiguration(conninfo: here.cluster.plainConninfo)
        (configuration.sharedConnections, configuration.leasedConnections) = (Self.connections, 1)
        let database = Database(configuration, log: here.cluster.log)
        try await database.start()
        let rates = try await Rounds.interleaved(
            Self.rounds,
            [
                {
                    try await Load.rate(tasks: Self.tasks, seconds: Self.seconds) {
                        let id = Int.random(in: 1...accounts)
                        let rows = try await database.run(
                            ("SELECT abalance FROM pgbench_accounts WHERE aid = \(id)" as SQL).prepared())[0]
                        _ = try rows[0].get(0, as: Int.self)
                    }
                }, { try await pgbench(here.cluster.plainConninfo, ["-S"]) },
            ])
        await database.close()
        return Figure(
            "client.point_select", Rounds.median(rates[0]), "selects/s",
            against: "pgbench -S -M prepared -c8 -j2: \(Figure.short(Rounds.median(rates[1])))",
            ratio: Rounds.ratio(rates[0], to: rates[1]))
    }

    private func roleScoped() async throws -> Figure {
        let tenant = try await here.cluster.makeTenant("client")
        try await here.cluster.makeContacts(1...Self.contacts, in: tenant, logged: false)
        let script = try await PgbenchScript.contact(of: tenant, here.cluster, contacts: Self.contacts)
        let node = try await here.cluster.node(shared: Self.connections, leased: 1)
        let door = node.tenant(tenant)
        let rates = try await Rounds.interleaved(
            Self.rounds,
            [
                {
                    try await Load.rate(tasks: Self.tasks, seconds: Self.seconds) {
                        _ = try await door.contact(Int64.random(in: 1...Int64(Self.contacts)), as: .token(1))
                    }
                }, { try await pgbench(here.cluster.instance.serviceConnection, ["-f", script]) },
            ])
        await node.database.close()
        return Figure(
            "client.role_scoped", Rounds.median(rates[0]), "selects/s",
            against: "pgbench, same statements in its pipeline mode: \(Figure.short(Rounds.median(rates[1])))",
            ratio: Rounds.ratio(rates[0], to: rates[1]))
    }

    private func pgbench(_ conninfo: String, _ options: [String]) async throws -> Double {
        try await PgbenchScript.rate(conninfo, options, seconds: Self.seconds)
    }
}
