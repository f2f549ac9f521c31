import Foundation
import Hub
import Store
import Testing

@testable import Web

@Suite struct TransferTests {
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
