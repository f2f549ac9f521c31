import Hub
import Postgres
import TestKit
import Testing

@testable import Store

@Suite(.inTurn) struct SalesTests {
    private func plugin(_ tenant: TenantDatabase, _ connector: TestConnector, _ name: String) async throws -> PullPlugin
    {
        let id: Int64 = try await tenant.rows(
            "SELECT id FROM \(tenant.table("plugin")) WHERE connector = \(connector.id) AND name = \(name)")[0].get(
                "id")
        return try #require(try await tenant.pullPlugin(id))
    }

    private func order(
        _ id: String, customer: String? = nil, email: String? = nil, product: String, status: String = "completed",
        total: String = "10.00"
    ) -> IncomingRecord {
        var values: JSON = [
            "number": .string(id), "status": .string(status), "total": .string(total),
            "placed_at": "2026-10-01T00:00:00Z",
            "lines": [["product_remote_id": .string(product), "name": "P", "quantity": "1", "total": .string(total)]],
        ]
        if let customer { values["customer_remote_id"] = .string(customer) }
        if let email { values["email"] = .string(email) }
        return incoming(id, values)
    }

    @Test func referenceSegmentFindsExactlyTheRightOnes() async throws {
        try await withTenant(modules: ["sales"]) { tenant in
            let shop = try await tenant.connector("shop")
            try await tenant.addField(
                as: .token(1), key: "industry", label: "Industry", type: "choice", choices: ["carpentry", "glass"])
            let orders = try await plugin(tenant, shop, "orders.import")
            let products = try await plugin(tenant, shop, "products.import")
            // orders before customers, and before their products
            try await tenant.takeOrders(
                [
                    order("o1", customer: "s1", product: "p1"), order("o2", email: "S2@example.org", product: "p1"),
                    order("o3", customer: "s3", product: "p2"),
                    order("o4", customer: "s4", product: "p1", status: "cancelled"),
                    order("o5", customer: "s5", product: "p1"), order("o6", customer: "s6", product: "p1"),
                    order("o7", customer: "s7", product: "p1"),
                ], plugin: orders, cursor: nil)
            try await tenant.takeProducts(
                [
                    incoming(
                        "p1", ["name": "Door", "price": "10.00", "supplier": " Oak & Pine", "categories": ["Wood"]]),
                    incoming("p2", ["name": "Pane", "price": "", "supplier": "Glass Ltd", "categories": nil]),
                ], plugin: products, cursor: nil)
            try await tenant.take(
                shop,
                (1...7).map {
                    incoming(
                        "s\($0)",
                        [
                            "first": .string("N\($0)"), "mails": [.string("s\($0)@example.org")],
                            "tags": $0 == 5 ? ["guest"] : ["client"],
                        ])
                })
            #expect(try await tenant.linkWaitingSales(connector: shop.id) == 7)
            for number in 1...7 {
                _ = try await tenant.editContact(
                    tenant.bound(shop, "s\(number)"), as: .token(1), version: nil,
                    changes: [
                        "industry": number == 6 ? "glass" : "carpentry",
                        "birthday": number == 7 ? "1980-10-09" : "1980-09-10",
                    ])
            }
            let condition: JSON = [
                "all": [
                    ["tag": "client"], ["field": "industry", "is": "carpentry"], ["bought": ["supplier": "Oak & Pine"]],
                    ["birth_month": 9],
                ]
            ]
            let segment = try await tenant.createSegment(as: .token(1), name: "september", condition: condition)
            let members = try JSON(
                parsing: await tenant.members(ofSegment: segment, after: 0, limit: 50, as: .token(1)).json)
            #expect(members.array?.map { $0["name"] } == ["N1", "N2"])
            #expect(try await tenant.count(segment: segment, as: .token(1)) == 2)
            let third = try await tenant.explain(member: tenant.bound(shop, "s3"), ofSegment: segment, as: .token(1))
            #expect(
                third["member"] == false && third["answers"]?.array?.map { $0["answer"] } == [true, true, false, true])
            #expect(third["what_would_change"]?[0]?.string?.contains("Oak & Pine") == true)
            // the same asked without the index, and money and counts, leave the cancelled order out
            for (asked, count) in [
                (["bought": ["supplier": "Oak & Pine", "within_days": 36000]] as JSON, 5),
                (["bought": ["supplier": "Oak & Pine"]], 5),
                (["orders": ["at_least": 1]], 6), (["spent": ["at_least": "10.00"]], 6),
                (["no_order_in_days": 36000], 1), (["bought": ["category": "Wood"]], 5),
                (["bought": ["product": "Pane"]], 1), (["bought": ["supplier": "Nobody"]], 0),
            ] {
                #expect(try await tenant.count(Condition(asked), as: .token(1)) == count, "\(asked.text)")
            }
            // an order is cancelled, another goes to another customer, a product is deleted in the shop
            try await tenant.takeOrders(
                [
                    order("o1", customer: "s1", product: "p1", status: "cancelled"),
                    order("o2", customer: "s3", product: "p1"),
                ], plugin: orders, cursor: nil)
            try await tenant.takeProducts([incoming("p1", [:], isDeleted: true)], plugin: products, cursor: nil)
            let now = try JSON(
                parsing: await tenant.members(ofSegment: segment, after: 0, limit: 50, as: .token(1)).json)
            #expect(now.array?.map { $0["name"] } == ["N3"])
            // the same page again changes nothing
            let changes = try await tenant.number("SELECT count(*) FROM \(tenant.table("change"))")
            try await tenant.takeOrders([order("o2", customer: "s3", product: "p1")], plugin: orders, cursor: nil)
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("change"))") == changes)
        }
    }

    @Test func productsAndSuppliersAreInTheChangeLog() async throws {
        try await withTenant(modules: ["sales"]) { tenant in
            let shop = try await tenant.connector("shop", pushes: ["all": []])
            let products = try await plugin(tenant, shop, "products.import")
            func take(_ price: String) async throws {
                try await tenant.takeProducts(
                    [incoming("p1", ["name": "Door", "price": .string(price), "supplier": "Oak & Pine"])],
                    plugin: products, cursor: nil)
            }
            try await take("10.00")
            // told again, it is no change
            try await take("10.00")
            try await take("12.50")
            let log = try await tenant.rows(
                """
                SELECT entity, kind, version::int AS version, fields, before, after, origin FROM \(tenant.table("change"))
                WHERE entity IN ('product', 'supplier') ORDER BY id
                """)
            #expect(try log.map { try $0.get("entity", as: String.self) } == ["supplier", "product", "product"])
            #expect(try log.map { try $0.get("kind", as: String.self) } == ["new", "new", "edited"])
            #expect(try log[0].get("after", as: String.self) == #"{"name": "Oak & Pine"}"#)
            #expect(try log[2].get("fields", as: [String].self) == ["price"])
            #expect(try log[2].get("version", as: Int.self) == 2)
            #expect(try JSON(text: log[2].get("after"))["price"] == .double(12.5))
            #expect(try log.allSatisfy { try $0.get("origin", as: Int64.self) == shop.id })
            // they are decided like all changes: no plugin for contacts wants them
            _ = try await tenant.routeAll()
            #expect(try await tenant.number("SELECT count(*)::int FROM \(tenant.table("outbox"))") == 0)
            #expect(
                try await tenant.number(
                    "SELECT count(*)::int FROM \(tenant.table("decision")) WHERE verdict = '{other_entity}'") == 3)
            #expect(try await tenant.number("SELECT count(*)::int FROM \(tenant.table("delivery"))") == 0)
        }
    }

    @Test func onlyThoseWhoConsentedAreRecipients() async throws {
        try await withTenant { tenant in
            let list = try await tenant.connector("list")
            let group: Int64 = try await tenant.rows(
                "SELECT id FROM \(tenant.table("plugin")) WHERE connector = \(list.id) AND capability = 'group'")[0]
                .get("id")
            var ids: [Int64] = []
            for number in 0..<4 {
                ids.append(
                    try await tenant.createContact(
                        as: .token(1),
                        fields: [
                            "name": .string("N\(number)"), "tags": [number == 3 ? "other" : "client"],
                            "emails": [["value": .string("n\(number)@example.org")]],
                        ]
                    ).id)
            }
            for id in [ids[0], ids[1], ids[3]] {
                _ = try await tenant.addConsent(
                    id, as: .token(1), purpose: "news", granted: true, at: "2026-01-01T00:00:00Z", source: "t",
                    proof: nil)
            }
            _ = try await tenant.addConsent(
                ids[1], as: .token(1), purpose: "news", granted: false, at: nil, source: "t", proof: nil)
            let segment = try await tenant.createSegment(as: .token(1), name: "clients", condition: ["tag": "client"])
            await #expect(throws: Failure.self) {
                try await tenant.createSegmentPush(
                    as: .token(1), segment: segment, plugin: list.push, groupName: "G", purpose: "news", schedule: nil)
            }
            await #expect(throws: Failure.self) {
                try await tenant.createSegmentPush(
                    as: .token(1), segment: segment, plugin: group, groupName: "G", purpose: "news",
                    schedule: ["monthly": 31])
            }
            let push = try await tenant.createSegmentPush(
                as: .token(1), segment: segment, plugin: group, groupName: "G", purpose: "news",
                schedule: ["monthly": 1])
            let found = try #require(try await tenant.segmentPush(push))
            #expect(try await tenant.recipients(of: found).map(\.email) == ["n0@example.org"])
            let next = try await tenant.rows(
                """
                SELECT extract(day FROM next_at AT TIME ZONE 'UTC')::int = 1 AND extract(hour FROM next_at AT TIME ZONE 'UTC')::int = 6
                    AND next_at > now() AND next_at <= now() + interval '32 days' AS good FROM \(tenant.table("segment_push"))
                """)
            #expect(try next[0].get("good") == true)
            #expect(try await tenant.queueDueSegmentPushes() == 0)
            _ = try await tenant.rows(
                "UPDATE \(tenant.table("segment_push")) SET next_at = now() - interval '1 second'")
            #expect(try await tenant.queueDueSegmentPushes() == 1)
            #expect(try await tenant.queueDueSegmentPushes() == 0, "once, and then next month")
        }
    }
}
