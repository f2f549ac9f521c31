import Foundation
import Hub
import Postgres
import TestKit
import Testing

@testable import Store
@testable import Web

/// The operator's pages: their door, and that they show nothing of what is in a tenant.
@Suite(.inTurn) struct OperatorPageTests {
    private func page(
        _ tenant: WebTestTenant, _ path: String, cookie: String?, form: [String: String]? = nil
    ) async throws -> (status: Int, cookie: String?, text: String) {
        var browser = Browser(tenant)
        browser.cookies["kontor-operator"] = cookie
        let shown = try await browser.open(form == nil ? "GET" : "POST", path, form ?? [:])
        return (shown.status, browser.cookies["kontor-operator"], shown.text)
    }

    @Test func onlyTheOperatorsTokenOpensThem() async throws {
        let server = try await WebTestServer.shared.value
        let tenant = try await server.makeTenant()
        let boss = try await tenant.signedInOwner()
        _ = try await tenant.contact("Secret Person")
        let name: String = try await server.cluster.superuser.run(
            "SELECT name FROM kontor.tenant WHERE id = \(tenant.database.tenant.id)")[0][0].get(0)
        let places = ["/operator?q=\(name)", "/operator/tenants/\(name)", "/operator/tariffs", "/operator/restore"]
        for place in places {
            // a tenant's owner and token are nobody here
            for cookie in [boss.token, tenant.token] {
                let shown = try await page(tenant, place, cookie: cookie)
                #expect(shown.status == 403 && !shown.text.contains("Secret"))
            }
            let shown = try await page(tenant, place, cookie: server.operatorToken)
            #expect(shown.status == 200 && !shown.text.contains("Secret"), "\(place)")
        }
        #expect(try await page(tenant, places[0], cookie: server.operatorToken).text.contains(">\(name) "))
        for (token, status) in [(tenant.token, 401), ("nonsense", 401), (server.operatorToken, 303)] {
            let shown = try await page(tenant, "/operator/sign-in", cookie: nil, form: ["token": token])
            #expect(shown.status == status && (shown.cookie == token) == (status == 303))
        }
        // a form works from its page alone
        let refused = try await page(
            tenant, "/operator/tenants/\(name)", cookie: server.operatorToken, form: ["do": "suspend", "mark": "x"])
        #expect(refused.status == 403)
        #expect(try await tenant.call("listContacts").status == 200)
    }
}
