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
                    try await Load.rate(tasks: Self.tasks, seconds: Self.seconds) { task, turn in
                        let id = Self.scattered(task, turn, accounts)
                        let rows = try await database.lookUp(
                            [("SELECT abalance FROM pgbench_accounts WHERE aid = \(id)" as SQL).prepared()])[0]
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
                    try await Load.rate(tasks: Self.tasks, seconds: Self.seconds) { task, turn in
                        let id = Self.scattered(task, turn, Self.contacts)
                        _ = try await door.contact(Int64(id), as: .token(1))
                    }
                }, { try await pgbench(here.cluster.instance.serviceConnection, ["-f", script]) },
            ])
        await node.database.close()
        return Figure(
            "client.role_scoped", Rounds.median(rates[0]), "selects/s",
            against: "pgbench, same statements in its pipeline mode: \(Figure.short(Rounds.median(rates[1])))",
            ratio: Rounds.ratio(rates[0], to: rates[1]))
    }

    /// A number from 1 to `count` that looks random (splitmix64). pgbench makes its own in memory too; Swift's
    /// generator would ask the kernel for each.
    private static func scattered(_ task: Int, _ turn: Int, _ count: Int) -> Int {
        var value = UInt64(task) << 40 &+ UInt64(turn) &* 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return 1 + Int((value ^ value >> 31) % UInt64(count))
    }

    private func pgbench(_ conninfo: String, _ options: [String]) async throws -> Double {
        try await PgbenchScript.rate(conninfo, options, seconds: Self.seconds)
    }
}
