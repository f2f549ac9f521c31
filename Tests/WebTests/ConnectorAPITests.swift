import Hub
import Store
import TestKit
import Testing

@testable import Web

@Suite(.inTurn) struct ConnectorAPITests {
    @Test func aPullIsLookedAtBeforeItLeaps() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        let made = try await tenant.call(
            "createConnector", [:],
            ["kind": "plain", "name": "crm", "settings": ["url": "https://crm.example", "password": "x"]])
        let plugins = made.json["plugins"]?.array ?? []
        let pull = ["id": plugins.first { $0["capability"] == "pull" }?["id"]?.scalarText ?? ""]
        let push = ["id": plugins.first { $0["capability"] == "push" }?["id"]?.scalarText ?? ""]
        let group = ["id": plugins.first { $0["capability"] == "group" }?["id"]?.scalarText ?? ""]
        #expect(try await tenant.call("editPlugin", pull, ["max_changes": 100]).json["max_changes"] == 100)
        #expect(try await tenant.call("editPlugin", pull, ["every_seconds": 60]).json["max_changes"] == 100)
        #expect(try await tenant.call("editPlugin", pull, ["max_changes": .null]).json["max_changes"] == .null)
        let dry = try await tenant.call("runPlugin", pull, query: ["dry": "true", "max_changes": "3"])
        #expect(dry.status == 202 && dry.json["dry"] == true && dry.json["params"]?["max_changes"] == 3)
        #expect(try await tenant.call("runPlugin", push).code == "plugin.no_pull")
        let tried = try await tenant.call("tryMapping", push, ["records": 2])
        #expect(tried.status == 202 && tried.json["kind"] == "try" && tried.json["params"]?["records"] == 2)
        let wrong: JSON = ["mapping": ["rules": [["hub": "no_such_field", "remote": "x"]]]]
        #expect(try await tenant.call("tryMapping", pull, wrong).code == "mapping.invalid")
        #expect(try await tenant.call("tryMapping", group, [:]).code == "plugin.no_preview")
        let run = ["id": String(dry.id)]
        #expect(try await tenant.call("cancelRun", run).json["state"] == "failed")
        #expect(try await tenant.call("cancelRun", run).code == "run.state")
    }

    @Test func connectorsAndTheirWebhooks() async throws {
        let server = try await WebTestServer.shared.value
        let tenant = try await server.makeTenant()
        #expect(try await tenant.call("listConnectorKinds").json["items"]?.array?.count == 2)
        #expect(try await tenant.call("createConnector", [:], ["kind": "none", "name": "x"]).code == "connector.kind")
        #expect(
            try await tenant.call("createConnector", [:], ["kind": "plain", "name": "x"]).code == "connector.settings")
        // orders need the sales module, which comes with the connector
        let shop = try await tenant.call("createConnector", [:], ["kind": "shop", "name": "shop"])
        #expect(shop.status == 201)
        #expect(
            try await tenant.call("createConnector", [:], ["kind": "shop", "name": "shop"]).code == "connector.exists")
        let at = ["id": String(shop.id)]
        #expect(try await tenant.call("editConnector", at, ["rank": 7, "state": "paused"]).json["rank"] == 7)
        #expect(try await tenant.call("checkConnector", at).json["kind"] == "check")
        let plugin = ["id": shop.json["plugins"]?[0]?["id"]?.scalarText ?? ""]
        let edited = try await tenant.call("editPlugin", plugin, ["every_seconds": 60, "since": "2026-01-01"])
        #expect(edited.json["since"] == "2026-01-01")
        #expect(try await tenant.call("runPlugin", plugin).status == 202)

        let path = try #require(try await tenant.call("connectorHookURL", at).json["path"]?.string)
        let good = ["x-signature": "good", "webhook-id": "e1"]
        #expect(try await tenant.send("POST", path, [1, 2], headers: good).json == ["stored": true])
        #expect(try await tenant.send("POST", path, [1, 2], headers: good).status == 200)
        #expect(
            try await tenant.database.claimHooks(limit: 10, lease: 60).isEmpty, "it is paused: kept until it is resumed"
        )
        _ = try await tenant.call("editConnector", at, ["state": "on"])
        #expect(try await tenant.database.claimHooks(limit: 10, lease: 60).count == 1)
        #expect(try await tenant.send("POST", path, [1, 2], headers: ["x-signature": "bad"]).status == 401)
        let forged = path.dropLast() + (path.hasSuffix("0") ? "1" : "0")
        #expect(try await tenant.send("POST", String(forged), [1], headers: good).status == 404)
        let large = [UInt8](repeating: 1, count: 2_000_001)
        #expect(try await tenant.send("POST", path, large, headers: good).status == 413)
    }

    @Test func listsAndTheFeed() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        _ = try await tenant.contact("Fed")
        // transactions of other tests hold the feed back while they run
        var feed = try await tenant.call("changeFeed")
        for _ in 1...100 where feed.json["items"] == [] {
            try await Task.sleep(for: .milliseconds(100))
            feed = try await tenant.call("changeFeed")
        }
        #expect(feed.json["items"]?.array?.count == 1)
        let next = try #require(feed.json["next"]?.string)
        let rest = try await tenant.call("changeFeed", query: ["after": next])
        #expect(rest.json["items"] == [])
        #expect(rest.json["next"]?.string == next)
        for list in ["listDecisions", "listConflicts", "listDuplicates", "listDeliveries", "listSegments"] {
            #expect(try await tenant.call(list).json["items"] == [])
        }
        #expect(try await tenant.call("retryDeliveries", [:], [:]).json["retried"] == 0)
        let replay = try await tenant.call(
            "replay", [:], ["since": "2026-01-01T00:00:00Z", "rules": ["a/b": ["filter": ["all": []]]]])
        #expect(replay.code == "rules.plugin")
        let preview = try await tenant.call("previewSegment", [:], ["condition": ["field": "given_name", "is": "Fed"]])
        #expect(preview.json["count"] == 1)
    }

    @Test func fieldsAndTokens() async throws {
        let server = try await WebTestServer.shared.value
        let tenant = try await server.makeTenant()
        let field: JSON = ["key": "colour", "label": "Colour", "type": "choice", "choices": ["red"]]
        #expect(try await tenant.call("createField", [:], field).status == 201)
        #expect(try await tenant.call("createField", [:], field).code == "field.exists")
        #expect(try await tenant.call("editField", ["key": "colour"], ["label": "Paint"]).json["label"] == "Paint")
        let contact = try await tenant.call("createContact", [:], ["fields": ["colour": "red"]])
        #expect(contact.status == 201)
        #expect(try await tenant.call("deleteField", ["key": "colour"]).code == "field.in_use")
        #expect(
            try await tenant.call("createField", [:], ["key": "name", "label": "x", "type": "text"]).code == "field.key"
        )

        let made = try await tenant.call("createToken", [:], ["label": "small", "scopes": ["tokens", "feed"]])
        let text = try #require(made.json["token"]?.string)
        #expect(try await tenant.call("changeFeed", token: text).status == 200)
        let more = try await tenant.call("createToken", [:], ["label": "more", "scopes": ["config"]], token: text)
        #expect(more.code == "scope.exceeds")
        #expect(!(try await tenant.call("listTokens").json.text.contains(text)))
        #expect(try await tenant.call("revokeToken", ["id": String(made.id)]).status == 204)
        try await Task.sleep(for: .milliseconds(1100))
        #expect(try await tenant.call("changeFeed", token: text).status == 401)
    }

    @Test func operatorsKeepTenants() async throws {
        let server = try await WebTestServer.shared.value
        let tenant = try await server.makeTenant()
        let by = server.operatorToken
        let new: JSON = ["name": "web-test", "title": "Web", "country": "PL"]
        #expect(try await tenant.call("createTenant", [:], new, token: by).status == 201)
        #expect(try await tenant.call("createTenant", [:], new, token: by).code == "tenant.exists")
        let at = ["name": "web-test"]
        let token = try await tenant.call("createTenantToken", at, ["label": "x", "scopes": ["feed"]], token: by)
        let text = try #require(token.json["token"]?.string)
        #expect(try await tenant.call("changeFeed", token: text).status == 200)
        #expect(try await tenant.call("suspendTenant", at, token: by).status == 204)
        try await Task.sleep(for: .milliseconds(1100))
        #expect(try await tenant.call("changeFeed", token: text).status == 401)
        #expect(try await tenant.call("resumeTenant", at, token: by).status == 204)
        #expect(try await tenant.call("changeFeed", token: text).status == 200)
        #expect(try await tenant.call("dropTenant", at, token: by).status == 204)
        #expect(try await tenant.call("dropTenant", at, token: by).status == 404)
        #expect(try await tenant.call("listTenants", token: by).status == 200)
    }
}
