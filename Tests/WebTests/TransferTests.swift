import Foundation
import Hub
import Postgres
import TestKit
import Testing

@testable import Store
@testable import Web

@Suite(.inTurn) struct TransferTests {
    private func name(of tenant: WebTestTenant) async throws -> String {
        let list = try await tenant.call("listTenants", token: tenant.server.operatorToken).json["items"]?.array ?? []
        return try #require(list.first { $0["id"]?.int == tenant.database.tenant.id }?["name"]?.string)
    }

    private func restore(_ archive: [UInt8], as name: String, _ tenant: WebTestTenant) async throws -> Reply {
        try await tenant.send(
            "POST", "/api/v1/tenants/\(name)/restore?title=Again", archive,
            headers: ["Content-Type": "application/x-ndjson"], token: tenant.server.operatorToken)
    }

    @Test func anOperatorMovesATenantThroughTheAPI() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        for name in ["Anna", "Łukasz\nB", "C\\D"] { _ = try await tenant.contact(name) }
        let old = try await name(of: tenant)
        let operatorToken = tenant.server.operatorToken
        let archive = try await tenant.send("GET", "/api/v1/tenants/\(old)/export", token: operatorToken)
        #expect(archive.status == 200 && archive.headers["content-type"] == "application/x-ndjson")
        let new = "r" + UUID().uuidString.lowercased().prefix(12).replacingOccurrences(of: "-", with: "x")
        let made = try await restore(archive.body, as: new, tenant)
        #expect(made.status == 201 && made.json["name"] == .string(new))
        let token = try await tenant.call(
            "createTenantToken", ["name": new], ["label": "t", "scopes": ["contacts:read"]], token: operatorToken)
        let moved = try await tenant.call("listContacts", token: token.json["token"]?.string)
        let before = try await tenant.call("listContacts")
        #expect(moved.json["items"] == before.json["items"])
        #expect(before.json["items"]?.array?.count == 3)
        let taken = try await restore(archive.body, as: new, tenant)
        #expect(taken.status == 409 && taken.code == "tenant.exists")
    }

    @Test func staffComeAlongUnderNewNumbers() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        let boss = try await tenant.signedInOwner()
        func invite(_ name: String, _ body: JSON) async throws -> Int64 {
            var body = body
            (body["email"], body["name"]) = (.string("\(name)@shop.example"), .string(name))
            return try await tenant.call("inviteStaff", [:], body, token: boss.token).id
        }
        let team = try await tenant.call("createTeam", [:], ["name": "North"], token: boss.token).id
        let ola = try await invite("ola", ["role": 3, "teams": [.int(team)]])
        let jan = try await invite("jan", ["role": 3, "superior": .int(ola)])
        _ = try await tenant.call("editStaff", ["id": String(ola)], ["superior": .int(boss.id)], token: boss.token)
        let policy: JSON = [
            "length": 20, "strength": 4, "words": ["lantern"], "history": 2, "expires_days": 90, "factor_roles": [2],
        ]
        let set = try await tenant.call("setPasswordPolicy", [:], policy, token: boss.token)
        #expect(set.status == 200, "\(set.json.text)")
        let view: JSON = ["name": "Mine", "tag": "client", "shared": true]
        #expect(try await tenant.call("saveView", [:], view, token: boss.token).status == 201)
        let contact = try await tenant.contact("Anna")
        _ = try await tenant.call("setOwner", ["id": String(contact)], ["owner": .int(jan)])
        let operatorToken = tenant.server.operatorToken
        let archive = try await tenant.send(
            "GET", "/api/v1/tenants/\(try await name(of: tenant))/export", token: operatorToken)
        let new = "r" + UUID().uuidString.lowercased().prefix(12).replacingOccurrences(of: "-", with: "x")
        #expect(try await restore(archive.body, as: new, tenant).status == 201)
        let cluster = tenant.server.cluster
        let restored = try await cluster.node.tenant(cluster.provisioner.find(new))
        let staff = try JSON(parsing: await restored.staff(as: .system)).array ?? []
        #expect(staff.compactMap { $0["name"]?.string }.sorted() == ["", "jan", "ola"])
        let (newOla, newJan) = (staff.first { $0["name"] == "ola" }, staff.first { $0["name"] == "jan" })
        #expect(newJan?["superior"] == newOla?["id"] && newOla?["teams"] == [.int(team)])
        #expect([boss.id, ola, jan].contains(newOla?["id"]?.int ?? 0) == false)
        // sees the contact, under the new number and the role that came along
        let session = try await tenant.session(of: newJan?["id"]?.int ?? 0)
        let seen = try await tenant.call("listContacts", token: session)
        #expect(seen.json["items"]?[0]?["owner"] == newJan?["id"] && seen.json["items"]?.array?.count == 1)
        let views = try await tenant.call("listViews", token: session).json["items"]
        #expect(views?[0]?["name"] == "Mine" && views?[0]?["own"] == false)
        // what the shop demands of passwords came along
        #expect(try JSON(parsing: await restored.passwordPolicy(as: .system)) == policy)
        // the old account knows nothing of it, and the new one has no password yet
        let rows = try await cluster.superuser.run(
            "SELECT count(*) FROM auth.account WHERE tenant = \(restored.tenant.id) AND password IS NULL")
        #expect(try rows[0][0].get(0) == 3)
    }

    @Test func halfAnExportLeavesNothingBehind() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        _ = try await tenant.contact("Anna")
        let operatorToken = tenant.server.operatorToken
        let archive = try await tenant.send(
            "GET", "/api/v1/tenants/\(try await name(of: tenant))/export", token: operatorToken)
        let new = "r" + UUID().uuidString.lowercased().prefix(12).replacingOccurrences(of: "-", with: "x")
        // a row that is torn in the middle, as well as an end that is missing
        let torn = String(decoding: archive.body, as: UTF8.self).replacing(
            "\"given_name\": \"Anna\"", with: "\"given_name\": \"An")
        #expect(Array(torn.utf8) != archive.body)
        for broken in [Array(archive.body.dropLast(20)), Array("{}\n".utf8), Array("{\n".utf8), Array(torn.utf8), []] {
            let refused = try await restore(broken, as: new, tenant)
            #expect(refused.status == 422 && refused.code == "archive.broken")
        }
        let list = try await tenant.call("listTenants", token: operatorToken).json["items"]?.array ?? []
        #expect(list.contains { $0["name"] == .string(new) } == false)
        // nor may a tenant's own token do it
        let own = try await tenant.send("GET", "/api/v1/tenants/\(new)/export", token: tenant.token)
        #expect(own.status == 403)
    }
}
