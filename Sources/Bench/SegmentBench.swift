import Foundation
import Hub
import Postgres
import Store

/// The reference segment, clients interested in carpentry who bought from "Oak & Pine" and were born in September,
/// counted by the product and by hand-written SQL.
struct SegmentBench {
    private let here: Bench.Surroundings
    private static let rounds = 15
    private static let suppliers = 50
    private static let warmUps = 60

    init(_ here: Bench.Surroundings) { self.here = here }

    static let condition: JSON = [
        "all": [
            ["tag": "client"], ["field": "industry", "is": "carpentry"], ["bought": ["supplier": "Oak & Pine"]],
            ["birth_month": 9],
        ]
    ]

    func run() async throws -> [Figure] {
        let contacts = here.isSmall ? 100_000 : 1_000_000
        let tenant = try await here.cluster.makeTenant("segment", modules: ["sales"])
        try await SegmentData(tenant: tenant, cluster: here.cluster, contacts: contacts, suppliers: Self.suppliers)
            .make()
        let node = try await here.cluster.node()
        let door = node.tenant(tenant)
        let condition = try Condition.checked(Self.condition, try await door.catalogue(as: .token(1)))
        let wanted = try await door.count(condition, as: .token(1))
        var names = ["product"]
        var sides: [() async throws -> Double] = [
            {
                let watch = Stopwatch()
                _ = try await door.count(condition, as: .token(1))
                return watch.seconds * 1000
            }
        ]
        for (name, text) in Self.handWritten(tenant.schema) {
            let query = SQL(unsafeRaw: text).prepared()
            names.append(name)
            sides.append {
                let watch = Stopwatch()
                let found: Int = try await here.cluster.superuser.run(query)[0][0].get(0)
                guard found == wanted else {
                    throw ChildProcess.Failed(description: "\(name) finds \(found), the product \(wanted)")
                }
                return watch.seconds * 1000
            }
        }
        // every connection, of which the service has several, has planned its statement for good
        for side in sides {
            let watch = Stopwatch()
            for _ in 0..<Self.warmUps where watch.seconds < 2 { _ = try await side() }
        }
        let times = try await Rounds.interleaved(Self.rounds, sides)
        await node.database.close()
        let medians = times.map(Rounds.median)
        let best = medians.indices.dropFirst().min { medians[$0] < medians[$1] } ?? 0
        return [
            Figure(
                "segment.reference", medians[0], "ms",
                against: "\(names[best]), the best SQL by hand: \(Figure.short(medians[best])) ms; \(wanted) members",
                ratio: Rounds.ratio(times[0], to: times[best]))
        ]
            + medians.indices.dropFirst().map {
                Figure("segment.by_hand_\($0)", medians[$0], "ms", against: names[$0])
            }
    }

    /// Hand-written forms of the same question, for a superuser whom no row security slows down.
    private static func handWritten(_ schema: String) -> [(String, String)] {
        let sales = """
            FROM \(schema).sale s JOIN \(schema).sale_line l ON l.sale = s.id JOIN \(schema).product p ON p.id = l.product
            JOIN \(schema).supplier u ON u.id = p.supplier
            """
        let asked = """
            c.deleted_at IS NULL AND c.data -> 'tags' ? 'client' AND c.data ->> 'industry' = 'carpentry'
                AND (c.data ->> 'birth_month')::int = 9
            """
        return [
            (
                "facet index, supplier looked up",
                """
                SELECT count(*) FROM \(schema).contact c WHERE c.deleted_at IS NULL AND c.facets @> ARRAY['tag:client',
                    'industry:carpentry', 'birth_month:9',
                    'supplier:' || (SELECT id FROM \(schema).supplier WHERE name = 'Oak & Pine')]
                """
            ),
            (
                "facet index for the contact, joins for the orders",
                """
                SELECT count(*) FROM \(schema).contact c WHERE c.deleted_at IS NULL
                    AND c.facets @> '{tag:client,industry:carpentry,birth_month:9}'
                    AND EXISTS (SELECT \(sales) WHERE s.contact = c.id AND u.name = 'Oak & Pine')
                """
            ),
            (
                "expression index for the contact, joins for the orders",
                """
                SELECT count(*) FROM \(schema).contact c WHERE \(asked)
                    AND EXISTS (SELECT \(sales) WHERE s.contact = c.id AND u.name = 'Oak & Pine')
                """
            ),
            (
                "from the supplier's order lines",
                """
                SELECT count(*) FROM \(schema).contact c JOIN (SELECT DISTINCT s.contact \(sales) WHERE u.name = 'Oak & Pine') b
                    ON b.contact = c.id WHERE \(asked)
                """
            ),
        ]
    }
}
