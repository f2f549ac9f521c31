import Hub
import Postgres
import TestKit
import Testing

@testable import Store
@testable import Web

/// What the operator lets a tenant have at most.
@Suite(.inTurn) struct TenantLimitTests {
    private func name(of tenant: WebTestTenant) async throws -> String {
        try await tenant.server.cluster.superuser.run(
            "SELECT name FROM kontor.tenant WHERE id = \(tenant.database.tenant.id)")[0][0].get(0)
    }

    private func set(_ limits: JSON, of tenant: WebTestTenant) async throws {
        let reply = try await tenant.call(
            "setLimits", ["name": name(of: tenant)], limits, token: tenant.server.operatorToken)
        #expect(reply.status == 204)
        // tokens are remembered for a second
        try await Task.sleep(for: .milliseconds(1100))
    }

    @Test func contactsAndPeopleHaveAnEnd() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        let boss = try await tenant.signedInOwner()
        for person in ["Ada", "Bo"] { _ = try await tenant.contact(person) }
        try await set(["contacts": 2, "staff": 2], of: tenant)
        let own = try await name(of: tenant)
        let usage = try await tenant.call("listUsage", query: ["q": own], token: tenant.server.operatorToken)
            .json["items"]?.array
        let row = usage?.first { $0["name"] == .string(own) }
        #expect(row?["limits"] == ["contacts": 2, "staff": 2] && row?["reached"] == ["contacts"])
        let third: JSON = ["fields": ["given_name": "Cy"]]
        for _ in 1...2 {
            let refused = try await tenant.call("createContact", [:], third, headers: ["Idempotency-Key": "once"])
            #expect(refused.status == 409 && refused.code == "limit.contacts")
        }
        // what is there can be changed
        let edited = try await tenant.call("editContact", ["id": "1"], ["fields": ["notes": "x"]])
        #expect(edited.status == 200)

        func invite(_ name: String) async throws -> Reply {
            try await tenant.call(
                "inviteStaff", [:], ["email": .string("\(name)@shop.example"), "name": .string(name), "role": 3],
                token: boss.token)
        }
        let ola = try await invite("ola")
        #expect(ola.status == 201)
        #expect(try await invite("jan").code == "limit.staff")
        // a seat is free while nobody has it
        func disable(_ id: Int64, _ isDisabled: Bool) async throws -> Reply {
            try await tenant.call(
                "editStaff", ["id": String(id)], ["disabled": .bool(isDisabled)], token: boss.token)
        }
        _ = try await disable(ola.id, true)
        #expect(try await invite("jan").status == 201)
        #expect(try await disable(ola.id, false).code == "limit.staff")

        // an owner who has a seat is let in again, however many there may be
        try await set(["staff": 1], of: tenant)
        let again = try await tenant.signedInOwner()
        try await set([:], of: tenant)
        #expect(try await tenant.call("createContact", [:], third).status == 201)
        let enabled = try await tenant.call(
            "editStaff", ["id": String(ola.id)], ["disabled": false], token: again.token)
        #expect(enabled.status == 200)
    }

    @Test func storageHasAnEndToo() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        try await set(["storage": 1], of: tenant)
        let refused = try await tenant.call("createContact", [:], ["fields": ["given_name": "Cy"]])
        #expect(refused.code == "limit.storage")
        // a limit that is not reached any more is found out by looking
        let superuser = tenant.server.cluster.superuser
        _ = try await superuser.run(
            "UPDATE kontor.tenant SET limits = '{\"storage\": 100000}' WHERE id = \(tenant.database.tenant.id)")
        _ = try await tenant.database.watch(pause: 0)
        _ = try await tenant.contact("Cy")
    }

    @Test func programsMakeSoManyCallsInAMinute() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        let boss = try await tenant.signedInOwner()
        let other = try await WebTestServer.shared.value.makeTenant()
        try await set(["calls": 3], of: tenant)
        var codes: [Int] = []
        for _ in 1...5 { codes.append(try await tenant.call("listContacts").status) }
        #expect(codes == [200, 200, 200, 429, 429])
        let refused = try await tenant.call("listContacts")
        #expect(refused.code == "limit.calls" && 1...60 ~= Int(refused.headers["retry-after"] ?? "") ?? 0)
        // people, and other tenants, go on
        #expect(try await tenant.call("listContacts", token: boss.token).status == 200)
        #expect(try await other.call("listContacts").status == 200)
        for limits: JSON in [["calls": 0], ["calls": "many"], ["orders": 3]] {
            let wrong = try await tenant.call(
                "setLimits", ["name": name(of: tenant)], limits, token: tenant.server.operatorToken)
            #expect(wrong.status == 422, "\(limits.text)")
        }
    }

    @Test func peopleSayWhetherTheyAreAtWork() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        let boss = try await tenant.signedInOwner()
        func me() async throws -> JSON? {
            try await tenant.call("listStaff", token: boss.token).json["items"]?.array?.first {
                $0["id"]?.int == boss.id
            }
        }
        let before = try await me()
        #expect(before?["presence"] == "available" && before?["online"] == true)
        let away: JSON = ["presence": "away", "until": "2099-01-01T00:00:00Z"]
        #expect(try await tenant.call("setPresence", [:], away, token: boss.token).status == 204)
        let gone = try await me()
        #expect(gone?["presence"] == "away" && gone?["presence_until"]?.string?.hasPrefix("2099-01-01") == true)
        #expect(try await tenant.call("getAccount", token: boss.token).json["presence"] == "away")
        // what is over is over
        let over: JSON = ["presence": "busy", "until": "2020-01-01T00:00:00Z"]
        #expect(try await tenant.call("setPresence", [:], over, token: boss.token).status == 204)
        let back = try await me()
        #expect(back?["presence"] == "available" && back?["presence_until"] == .null)
        #expect(try await tenant.call("setPresence", [:], ["presence": "asleep"], token: boss.token).status == 422)
    }
}
