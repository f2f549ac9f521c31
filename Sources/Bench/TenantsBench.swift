import Foundation
import Hub
import Postgres
import Store

/// What another tenant costs when there are a thousand: time to make it, relations, disk, memory of a backend.
struct TenantsBench {
    private let here: Bench.Surroundings
    private static let window = 50
    /// Tenants that one backend serves to see its memory grow.
    private static let served = 100

    init(_ here: Bench.Surroundings) { self.here = here }

    func run() async throws -> [Figure] {
        let count = here.isSmall ? 200 : 1000
        let sizeBefore = try await size()
        var times: [Double] = []
        var tenants: [Tenant] = []
        for number in 1...count {
            let watch = Stopwatch()
            tenants.append(try await here.cluster.makeTenant("many-\(number)"))
            times.append(watch.seconds * 1000)
        }
        let first = Rounds.median(Array(times.prefix(Self.window)))
        let last = Rounds.median(Array(times.suffix(Self.window)))
        let disk = (try await size() - sizeBefore) / Double(count) / 1_048_576
        let relations = try await here.cluster.number(
            """
            SELECT count(*)::float8 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = \(tenants[0].schema)
            """)
        return [
            Figure(
                "tenants.create_growth", last, "ms",
                against: "the first \(Self.window) of \(count): \(Figure.short(first)) ms", ratio: last / first),
            Figure(
                "tenants.relations", relations, "relations", against: "tables, indexes, sequences, views; without TOAST"
            ),
            Figure("tenants.disk_mb", disk, "MB", against: "growth of the whole database, catalogues included"),
            Figure(
                "tenants.backend_mb", try await backendMemory(Array(tenants.prefix(Self.served))), "MB",
                against: "growth of a backend's own memory for each tenant it serves"),
        ]
    }

    private func size() async throws -> Double {
        try await here.cluster.superuser.lease { try await $0.execute(script: "CHECKPOINT") }
        return try await here.cluster.number("SELECT pg_database_size(current_database())::float8")
    }

    /// Lets one connection add, read, list and route a contact of each tenant. The first tenant is not counted.
    private func backendMemory(_ tenants: [Tenant]) async throws -> Double {
        let node = try await here.cluster.node(shared: 1, leased: 1)
        let backend: Int32 = try await node.database.run("SELECT pg_backend_pid() AS pid")[0][0].get("pid")
        var before = 0.0
        for (index, tenant) in tenants.enumerated() {
            let door = node.tenant(tenant)
            let id = try await door.createContact(as: .token(1), fields: ["name": "Anna", "tags": ["client"]]).id
            _ = try await door.contact(id, as: .token(1))
            _ = try await door.contacts(ContactQuery(), as: .token(1))
            _ = try await door.routeAll()
            if index == 0 { before = Memory.megabytes("RssAnon", of: backend) ?? 0 }
        }
        let after = Memory.megabytes("RssAnon", of: backend) ?? 0
        await node.database.close()
        return (after - before) / Double(tenants.count - 1)
    }
}
