import Hub
import Postgres
import TestKit
import Testing

@testable import Store
@testable import Web

@Suite(.inTurn) struct UsageTests {
    @Test func usageIsCountedAndInvoiced() async throws {
        let server = try await WebTestServer.shared.value
        let tenant = try await server.makeTenant()
        let cluster = server.cluster
        try await cluster.provisioner.ensure(module: "sales", for: tenant.database.tenant)
        for _ in 1...3 { _ = try await tenant.contact("Secret Person") }
        let orders = (1...25).map {
            "('o\($0)', 'paid', 10, '2026-10-31 23:59:59+00'::timestamptz + interval '\($0) s')"
        }
        _ = try await tenant.database.run(
            as: .system,
            SQL(
                unsafeRaw:
                    "INSERT INTO \(tenant.database.tenant.schema).sale (remote_id, status, total, placed_at) VALUES \(orders.joined(separator: ","))"
            ))
        await server.calls.flush()
        let name: String = try await cluster.superuser.run(
            "SELECT name FROM kontor.tenant WHERE id = \(tenant.database.tenant.id)")[0][0].get(0)
        func operate(_ id: String, _ values: [String: String] = [:], _ body: JSON? = nil, query: String = "")
            async throws -> Reply
        {
            let operation = try #require(server.operations.first { $0.id == id })
            var path = operation.path
            for (key, value) in values { path = path.replacing("{\(key)}", with: value) }
            return try await tenant.send(
                operation.verb, path + query, body?.bytes,
                headers: body == nil ? [:] : ["Content-Type": "application/json"], token: server.operatorToken)
        }
        let month = try await operate("listUsage", query: "?month=2026-11&q=\(name)")
        #expect(month.status == 200)
        let usage = month.json["items"]?.array?.first { $0["name"]?.string == name }
        // all but the one of the second before, in UTC
        #expect(usage?["orders"] == 25 && usage?["contacts"] == 3)
        #expect((usage?["storage"]?.int ?? 0) > 100_000 && usage?["waiting"]?.int == 28)
        #expect(!month.json.text.contains("Secret"))
        let now = try await operate("listUsage", query: "?q=\(name)").json["items"]?.array?.first {
            $0["name"]?.string == name
        }
        #expect((now?["calls"]?.int ?? 0) >= 3)

        #expect(try await operate("getInvoice", ["name": name], query: "?month=2026-11").json["code"] == "tariff.none")
        let trials: [(steps: String, isRight: Bool)] = [
            (#"[{"upto": 10, "price": 0.5}, {"upto": 20, "price": 0.255}, {"price": 0.1001}]"#, true),
            (#"[{"upto": 10, "price": 0.5}]"#, false), (#"[{"price": 1}, {"price": 2}]"#, false),
            (#"[{"upto": 10, "price": 1}, {"upto": 5, "price": 1}, {"price": 1}]"#, false),
            (#"[{"price": 0.00001}]"#, false),
        ]
        for (steps, isRight) in trials {
            let saved = try await operate(
                "saveTariff", ["name": name],
                ["currency": "EUR", "base": .double(19.9), "steps": try JSON(text: steps)])
            #expect(saved.status == (isRight ? 204 : 422), "\(steps)")
        }
        #expect(try await operate("setTariff", ["name": name], ["tariff": "none such"]).status == 404)
        #expect(try await operate("setTariff", ["name": name], ["tariff": .string(name)]).status == 204)
        let invoice = try await operate("getInvoice", ["name": name], query: "?month=2026-11").json
        #expect(invoice["lines"]?.array?.map { $0["amount"]?.string } == ["19.90", "5.00", "2.55", "0.5005"])
        #expect(invoice["total"] == "27.95" && invoice["orders"] == 25)
        let quiet = try await operate("getInvoice", ["name": name], query: "?month=2026-09").json
        #expect(quiet["total"] == "19.90" && quiet["lines"]?.array?.count == 1)
        // for the operator alone
        for path in ["/api/v1/usage", "/api/v1/tariffs", "/api/v1/tenants/\(name)/invoice?month=2026-11"] {
            #expect(try await tenant.send("GET", path, token: tenant.token).status == 403)
        }
    }
}
