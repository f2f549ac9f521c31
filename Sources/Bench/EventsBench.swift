import Foundation
import Hub
import Postgres
import Store

/// What the bell costs: 16 writers with change log and outbox, the bell rung after each commit or not at all.
struct EventsBench {
    private let here: Bench.Surroundings
    private static let rounds = 7
    private static let seconds = 3
    private static let writers = 16

    /// How waiting workers are told of a write.
    private enum Bell { case none, afterCommit, inTransaction }

    init(_ here: Bench.Surroundings) { self.here = here }

    func run() async throws -> [Figure] {
        let node = try await here.cluster.node(shared: Self.writers, leased: 1)
        // somebody listens, as in operation
        let listener = Task { for await _ in node.events() {} }
        var sides: [() async throws -> Double] = []
        var tenants: [Tenant] = []
        for (name, bell) in [("bell-none", Bell.none), ("bell-after", .afterCommit), ("bell-inside", .inTransaction)] {
            let tenant = try await here.cluster.makeTenant(name)
            tenants.append(tenant)
            let context = try await here.cluster.context(of: tenant, actor: "token:1")
            sides.append { try await write(node, node.tenant(tenant), context, bell) }
        }
        let rates = try await Rounds.interleaved(Self.rounds, sides)
        listener.cancel()
        await node.database.close()
        // their outboxes are full: the relay of the next measurement must not find them
        for tenant in tenants { try await here.cluster.provisioner.drop(tenant) }
        let silent = Rounds.median(rates[0])
        return [
            Figure(
                "events.bell", Rounds.median(rates[1]), "commits/s",
                against: "without the bell: \(Figure.short(silent))",
                ratio: Rounds.ratio(rates[1], to: rates[0])),
            Figure(
                "events.bell_in_transaction", Rounds.median(rates[2]), "commits/s",
                against: "the way not taken, NOTIFY in the transaction; without the bell: \(Figure.short(silent))",
                ratio: Rounds.ratio(rates[2], to: rates[0])),
        ]
    }

    /// Every writer adds a contact and then edits it, each in a transaction of its own: the statements of
    /// `createContact` and `editContact` under a context signed beforehand, so that nothing but the bell differs.
    private func write(_ node: Node, _ door: TenantDatabase, _ context: String, _ bell: Bell) async throws -> Double {
        let contact: SQL = "\(table: door.tenant.schema, "contact")"
        let own = bell == .inTransaction ? "no" : "own"
        let prelude: @Sendable (Int32) -> SQL = { _ in
            ("SELECT set_config('kontor.context', \(context), true), set_config('kontor.bell', \(own), true)" as SQL)
                .prepared()
        }
        let made = LastIDs(Self.writers)
        return try await Load.rate(tasks: Self.writers, seconds: Self.seconds) { writer, turn in
            if turn % 2 == 0 {
                let mark = "\(UInt32.random(in: 0...UInt32.max))"
                let data = """
                    {"given_name":"Anna","family_name":"Nowak","emails":[{"value":"a\(mark)@example.org"}],"tags":["client"]}
                    """
                let rows = try await node.database.run(
                    scope: door.tenant.id, prelude: prelude,
                    ("INSERT INTO \(contact) (data, origins) VALUES (\(data)::jsonb, '{}') RETURNING id" as SQL)
                        .prepared())
                made[writer] = try rows[0][0].get("id")
            } else {
                _ = try await node.database.run(
                    scope: door.tenant.id, prelude: prelude,
                    ("""
                    UPDATE \(contact) c SET data = hub.apply(c.data, '{"job_title": "carpenter"}'), version = c.version + 1,
                        updated_at = now() WHERE c.id = \(made[writer])
                    """ as SQL).prepared())
            }
            if bell == .afterCommit { door.ring() }
        }
    }
}
