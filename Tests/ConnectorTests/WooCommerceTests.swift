import ConnectorKit
import Connectors
import Cryptography
import Foundation
import Hub
import Testing

enum WooPeer {
    static let shared = Result { try PeerProcess("woocommerce") }
    static let secrets = ["consumer_key": "ck_demo", "consumer_secret": "cs_demo", "webhook_secret": "hook-secret-1"]
    static let sign: [(String, String)] = [("Authorization", "Basic \(Crypto.base64("ck_demo:cs_demo".utf8))")]

    static func link(_ peer: PeerProcess) throws -> WooCommerce {
        try WooCommerce(peer.environment(["base_url": .string(peer.base)], secrets: secrets))
    }

    static func document(_ person: ContractPerson) -> JSON {
        [
            "first_name": .string(person.given), "last_name": .string(person.family), "email": .string(person.email),
            "billing": ["company": .null],
        ]
    }

    static func hook(_ topic: String, _ body: JSON, secret: String = "hook-secret-1") -> Hook {
        let signature = Crypto.base64(Crypto.hmacSHA256(key: Array(secret.utf8), body.bytes))
        return Hook(
            headers: ["x-wc-webhook-topic": topic, "x-wc-webhook-signature": signature], body: body.bytes,
            receivedAt: 1_800_000_000)
    }
}

@Suite struct WooCommerceContractTests {
    private static func subject() throws -> ContractSubject {
        let peer = try WooPeer.shared.get()
        var subject = ContractSubject(
            remote: peer.base, make: { try WooCommerce($0) }, settings: { ["base_url": .string($0)] },
            secrets: WooPeer.secrets)
        subject.wrongSecrets = ["consumer_key": "ck_demo", "consumer_secret": "not-it"]
        subject.document = WooPeer.document
        subject.look = { id in try await peer.state("customers").first { $0["id"]?.scalarText == id }?.text }
        subject.plant = { id in
            let text = "planted \(UUID().uuidString.prefix(8))"
            // The shop counts time in seconds.
            try await Task.sleep(for: .milliseconds(1100))
            try await peer.call(
                "PUT", "/wp-json/wc/v3/customers/\(id)",
                ["billing": ["phone": "555"], "meta_data": [["key": "_wc_points", "value": .string(text)]]],
                headers: WooPeer.sign)
            return text
        }
        subject.seesDeletes = false
        subject.hook = { WooPeer.hook("customer.updated", ["id": 7, "email": "a@example.org"]) }
        return subject
    }

    @Test(arguments: ContractCheck.records + [.forgedHookIsRefused])
    func contract(_ check: ContractCheck) async throws {
        try await ContractSuite(try Self.subject()).run(check)
    }
}

/// What is the shop's own.
@Suite struct WooCommerceTests {
    private let peer: PeerProcess
    private let link: WooCommerce

    init() throws {
        peer = try PeerProcess("woocommerce")
        link = try WooPeer.link(peer)
    }

    private func all(
        _ entity: RemoteEntity, after cursor: Cursor? = nil, since: String? = nil
    ) async throws -> (records: [RemoteRecord], next: Cursor?, isComplete: Bool) {
        var (records, cursor, isComplete) = ([RemoteRecord](), cursor, false)
        while true {
            let page = try await link.page(of: entity, after: cursor, since: since)
            records += page.records
            (cursor, isComplete) = (page.next, page.isComplete)
            if page.isLast { return (records, cursor, isComplete) }
        }
    }

    private func push(_ person: ContractPerson) -> Push {
        let key = UUID().uuidString
        return Push(
            action: .upsert, key: key, idempotencyKey: key, values: WooPeer.document(person), emails: [person.email])
    }

    private func customers(_ count: Int) -> JSON {
        let all = (0..<count).map { ["email": .string("c\($0)@example.org"), "first_name": "C"] as JSON }
        return ["customers": .array(all)]
    }

    @Test func everyPassShowsAllCustomers() async throws {
        _ = try await peer.seed(customers(250))
        let first = try await all(.contact)
        #expect(first.records.count == 250 && Set(first.records.map(\.id)).count == 250 && first.isComplete)
        let second = try await all(.contact, after: first.next)
        #expect(second.records.count == 250 && second.isComplete)
    }

    @Test func aDeletionBetweenPagesHidesNobody() async throws {
        let ids = try await peer.seed(customers(250))["customers"]?.array ?? []
        let first = try await link.page(of: .contact, after: nil, since: nil)
        #expect(first.records.count == 100)
        for id in ids[10..<15] {
            try await peer.call(
                "DELETE", "/wp-json/wc/v3/customers/\(id.scalarText ?? "")?force=true", headers: WooPeer.sign)
        }
        let rest = try await all(.contact, after: first.next)
        #expect(rest.records.count == 150 && rest.isComplete)
        #expect(Set((first.records + rest.records).map(\.id)).count == 250)
    }

    @Test func ordersAndProductsHaveTheHubsForm() async throws {
        let seeded = try await peer.seed([
            "brands": [["name": "Oak &amp; Sons"]], "categories": [["name": "Glue"]],
            "customers": [["email": "buyer@example.org"]],
        ])
        let brand = try #require(seeded["brands"]?[0])
        let category = try #require(seeded["categories"]?[0])
        let product = try await peer.seed([
            "products": [
                [
                    "name": "Wood glue", "sku": "WG-1", "regular_price": "12.50", "brands": [["id": brand]],
                    "categories": [["id": category]],
                ],
                ["name": "Nail", "meta_data": [["key": "supplier", "value": "Smith"]]],
            ]
        ])["products"]
        let customer = try #require(seeded["customers"]?[0])
        _ = try await peer.seed([
            "orders": [
                [
                    "customer_id": customer, "billing": ["email": "Buyer@Example.org"],
                    "line_items": [["product_id": product?[0] ?? 0, "quantity": 2]], "status": "processing",
                ],
                ["billing": ["email": "guest@example.org"], "line_items": []],
            ]
        ])
        let products = try await all(.product).records
        #expect(
            products[0].values == [
                "sku": "WG-1", "name": "Wood glue", "price": "12.50", "supplier": "Oak & Sons", "categories": ["Glue"],
            ])
        #expect(products[1].values["supplier"] == "Smith" && products[1].values["sku"] == .null)
        let orders = try await all(.order).records
        let order = orders[0].values
        #expect(order["customer_remote_id"]?.string == customer.scalarText && order["email"] == "buyer@example.org")
        #expect(order["total"] == "25.00" && order["currency"] == "PLN" && order["status"] == "processing")
        #expect(order["placed_at"]?.string?.hasSuffix("Z") == true)
        #expect(order["lines"]?[0]?["product_remote_id"]?.string == product?[0]?.scalarText)
        #expect(order["lines"]?[0]?["quantity"] == 2 && order["lines"]?[0]?["total"] == "25.00")
        #expect(orders[1].values["customer_remote_id"] == .null)
    }

    @Test func changedOrdersComeAgain() async throws {
        _ = try await peer.seed(["orders": .array((0..<130).map { _ in ["line_items": []] })])
        let first = try await all(.order)
        #expect(first.records.count == 130 && first.isComplete)
        let (id, next) = (first.records[3].id, try #require(first.next))
        try await peer.call("PUT", "/wp-json/wc/v3/orders/\(id)", ["status": "completed"], headers: WooPeer.sign)
        let changes = try await all(.order, after: next)
        #expect(!changes.isComplete)
        #expect(changes.records.contains { $0.id == id && $0.values["status"] == "completed" })
        // The first import may begin at a day.
        #expect(try await all(.order, since: "2000-01-01").records.count == 130)
        #expect(try await all(.order, since: "9999-01-01").records.isEmpty)
        #expect(try await all(.order, since: "2000-01-01").isComplete == false)
    }

    @Test func aKnownAddressIsTheSameCustomer() async throws {
        _ = try await peer.seed(["customers": [["email": "known@example.org", "first_name": "Old"]]])
        var person = push(ContractPerson())
        person.values["email"] = "known@example.org"
        let outcomes = try await link.push([push(ContractPerson()), person, push(ContractPerson())])
        for outcome in outcomes {
            guard case .done = outcome else {
                Issue.record("came out as \(outcome)")
                return
            }
        }
        let customers = try await peer.state("customers")
        #expect(customers.count == 3)
        let known = try #require(customers.first { $0["email"] == "known@example.org" })
        #expect(known["first_name"] == person.values["first_name"] && known.text.contains(person.key))
    }

    @Test func staffIsNotTouched() async throws {
        _ = try await peer.seed(["customers": [["email": "boss@example.org", "role": "administrator"]]])
        var person = push(ContractPerson())
        person.values["email"] = "boss@example.org"
        guard case .failed(.refused("not_a_customer", _)) = try await link.push([person]).first else {
            Issue.record("a member of staff was taken for a customer")
            return
        }
    }

    @Test func mistakesStayWithTheirRecord() async throws {
        var bad = push(ContractPerson())
        bad.values["email"] = "no address"
        let outcomes = try await link.push([push(ContractPerson()), bad])
        guard case .done = outcomes[0], case .failed(.refused(_, let words)) = outcomes[1] else {
            Issue.record("came out as \(outcomes)")
            return
        }
        #expect(words.contains("Invalid email address"))
    }

    @Test func nothingNewIsNotSent() async throws {
        var person = push(ContractPerson())
        guard case .done(let made, _) = try await link.push([person]).first else {
            Issue.record("not made")
            return
        }
        let effects = try await peer.call("GET", "/_peer/log")["counts"]?["effects"]
        (person.remoteID, person.mayReplace) = (made.id, { _ in false })
        guard case .done(let same, _) = try await link.push([person]).first else {
            Issue.record("not done")
            return
        }
        #expect(same.version == made.version && same.key == person.key)
        #expect(try await peer.call("GET", "/_peer/log")["counts"]?["effects"] == effects)
    }

    @Test func faultsMakeNoDoubles() async throws {
        let people = (0..<30).map { _ in ContractPerson() }
        try await peer.misbehave(seed: 3)
        for person in people {
            var push = push(person)
            var isDone = false
            for _ in 0..<60 where !isDone {
                do {
                    if case .done = try await link.push([push]).first { isDone = true }
                } catch RemoteError.unsure {
                    push.isUnsure = true
                } catch RemoteError.later {
                    continue
                }
            }
            #expect(isDone)
        }
        try await peer.behave()
        let emails = try await peer.state("customers").compactMap { $0["email"]?.string }
        #expect(emails.count == 30 && Set(emails) == Set(people.map(\.email)))
    }

    @Test func hooksCarryRecords() async throws {
        let hook = WooPeer.hook(
            "customer.updated",
            ["id": 7, "role": "customer", "email": "a@x.org", "date_modified_gmt": "2026-01-02T03:04:05"])
        try await link.verify(hook)
        guard case .record(.contact, let record) = try await link.records(in: hook).first else {
            Issue.record("no record")
            return
        }
        #expect(record.id == "7" && record.changedAt == "2026-01-02T03:04:05Z" && !record.isDeleted)
        guard
            case .record(.order, let gone) = try await link.records(in: WooPeer.hook("order.deleted", ["id": 9])).first
        else {
            Issue.record("no deletion")
            return
        }
        #expect(gone.id == "9" && gone.isDeleted)
        let staff = WooPeer.hook("customer.updated", ["id": 7, "role": "administrator"])
        #expect(try await link.records(in: staff).isEmpty)
    }

    @Test func onlyThePingMayBeUnsigned() async throws {
        let ping = Hook(headers: [:], body: Array("webhook_id=3".utf8), receivedAt: 0)
        try await link.verify(ping)
        #expect(try await link.records(in: ping).isEmpty)
        for body in ["webhook_id=3&x=1", "webhook_id=", "webhook_id=a", #"{"id":3}"#] {
            let forged = Hook(headers: [:], body: Array(body.utf8), receivedAt: 0)
            await #expect(throws: HookError.self) { try await link.verify(forged) }
        }
        var topical = ping
        topical.headers["x-wc-webhook-topic"] = "customer.deleted"
        await #expect(throws: HookError.self) { try await link.verify(topical) }
        await #expect(throws: HookError.self) {
            try await link.verify(WooPeer.hook("customer.updated", ["id": 1], secret: "another"))
        }
    }
}
