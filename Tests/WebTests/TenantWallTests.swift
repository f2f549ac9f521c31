import Hub
import TestKit
import Testing

@testable import Web

@Suite(.inTurn) struct TenantWallTests {
    /// Bodies that are good in themselves, by operation.
    private static let bodies: [String: JSON] = [
        "editRetention": ["state": "off"],
        "editContact": ["fields": ["notes": "x"]], "setLocks": ["fields": []],
        "addConsent": ["purpose": "news", "granted": true, "source": "form"], "editField": ["label": "x"],
        "editConnector": ["rank": 3], "editPlugin": ["state": "on"], "settleConflict": ["keep": "hub"],
        "setOwner": ["owner": nil], "editStaff": ["name": "x"], "handOver": ["to": 1], "editRole": ["title": "x"],
        "renameTeam": ["name": "x"], "tryMapping": ["records": 1],
        "mergeContacts": ["with": 1], "importUpload": ["dry": true],
        "createPush": ["plugin": 1, "group_name": "x", "purpose": "news"],
    ]

    /// Forms of pages that would be refused for being empty.
    private static let forms = [
        "console.changeRetention": "do=off", "console.seeAlert": "", "console.editField": "label=x",
        "console.editStaff": "disabled=true", "console.renameTeam": "name=x",
        "console.setConnection": "state=paused", "console.setPlugin": "state=off",
        "console.settle": "keep=hub", "console.handOver": "to=1",
        "console.addConsent": "purpose=news&granted=true",
    ]

    @Test func idsOfAnotherTenantLeadNowhere() async throws {
        let server = try await WebTestServer.shared.value
        let owner = try await server.makeTenant()
        let stranger = try await server.makeTenant()
        let ids = try await fill(owner)
        let session = try await stranger.signedInOwner().token
        var tried = 0
        for operation in server.operations where !operation.pathNames.isEmpty {
            guard operation.access != .open && operation.access != .operators else { continue }
            // makes what it names, in the caller's own shop
            guard operation.id != "savePurpose" else { continue }
            // what stands before the first part that names something
            let parts = operation.path.split(separator: "/").map(String.init)
            let before = parts[(parts.firstIndex { $0.hasPrefix("{") } ?? 1) - 1]
            let kind = before == "import" ? "uploads" : before
            let address = operation.path.replacing("{id}", with: ids[kind] ?? "1").replacing(
                "{key}", with: "secret_key"
            )
            .replacing("{name}", with: ids[kind] ?? "1")
            .replacing("{contact}", with: ids["contacts"] ?? "1")
            .replacing("{plugin}", with: ids["plugins"] ?? "1")
            let body = Self.bodies[operation.id]
            let form = Self.forms[operation.id].map { Array($0.utf8) }
            let reply = try await stranger.send(
                operation.verb, address, body?.bytes ?? form,
                headers: body == nil ? [:] : ["Content-Type": "application/json"],
                token: operation.isForPeople ? session : stranger.token)
            #expect(reply.status == 404, "\(operation.id): \(reply.json.text)")
            #expect(!String(decoding: reply.body, as: UTF8.self).contains("Secret"), "\(operation.id)")
            tried += 1
        }
        #expect(tried > 40)
        for operation in server.operations where operation.pathNames.isEmpty && operation.verb == "GET" {
            guard operation.access != .open && operation.access != .operators else { continue }
            // answers to what was begun in the very session alone
            guard operation.id != "console.signedIn" else { continue }
            let reply = try await stranger.call(
                operation.id, token: operation.isForPeople ? session : stranger.token)
            #expect(reply.status == 200)
            #expect(!String(decoding: reply.body, as: UTF8.self).contains("Secret"), "\(operation.id)")
        }
        #expect(try await owner.call("getContact", ["id": ids["contacts"] ?? ""]).json["name"] == "Secret Person")
        #expect(try await owner.call("getConnector", ["id": ids["connectors"] ?? ""]).json["rank"] == 50)
    }

    /// One of each thing, with numbers that the other tenant does not have.
    private func fill(_ owner: WebTestTenant) async throws -> [String: String] {
        var ids: [String: String] = [:]
        for _ in 1...3 { ids["contacts"] = String(try await owner.contact("Secret Person")) }
        let connector = try await owner.call(
            "createConnector", [:],
            [
                "kind": "plain", "name": "Secret link",
                "settings": ["url": "https://example.org", "password": "Secret word"],
            ])
        #expect(connector.status == 201)
        #expect(!connector.json.text.contains("Secret word"))
        ids["connectors"] = String(connector.id)
        let plugins = connector.json["plugins"]?.array ?? []
        ids["plugins"] = plugins.first { $0["capability"] == "pull" }?["id"]?.scalarText
        let segment = try await owner.call(
            "createSegment", [:],
            ["name": "Secret people", "condition": ["field": "given_name", "is": "Secret Person"]])
        #expect(segment.status == 201)
        ids["segments"] = String(segment.id)
        ids["retention"] = String(
            try await owner.call("createRetention", [:], ["name": "Secret", "condition": ["tag": "secret"]]).id)
        let group = plugins.first { $0["capability"] == "group" }?["id"] ?? .null
        let push = try await owner.call(
            "createPush", ["id": String(segment.id)],
            ["plugin": group, "group_name": "Secret group", "purpose": "news", "schedule": ["monthly": 1]])
        #expect(push.status == 201)
        ids["pushes"] = String(push.id)
        let at = ["id": String(segment.id)]
        #expect(try await owner.call("countSegment", at).json["count"] == 3)
        #expect(try await owner.call("listMembers", at).json["items"]?.array?.count == 3)
        #expect(try await owner.call("listPushes", at).json["items"]?.array?.count == 1)
        let member = try await owner.call(
            "explainMember", ["id": String(segment.id), "contact": ids["contacts"] ?? ""])
        #expect(member.json["member"] == true)
        let purpose = try await owner.call("savePurpose", ["key": "secret_key"], ["title": ["en": "Secret purpose"]])
        #expect(purpose.status == 204)
        let field = try await owner.call(
            "createField", [:], ["key": "secret_key", "label": "Secret label", "type": "text"])
        #expect(field.status == 201)
        let merged = (try await owner.contact("Secret Person"), try await owner.contact("Secret Person"))
        let merge = try await owner.call("mergeContacts", ["id": String(merged.0)], ["with": .int(merged.1)])
        ids["merges"] = merge.json["merge"]?.scalarText
        let upload = try await owner.send(
            "POST", "/api/v1/uploads", Array("name\nSecret Person\n".utf8), headers: ["Content-Type": "text/csv"],
            token: owner.token)
        #expect(upload.status == 201)
        ids["uploads"] = String(upload.id)
        ids["runs"] = String(try await owner.call("runPlugin", ["id": ids["plugins"] ?? ""]).id)
        let token = try await owner.call("createToken", [:], ["label": "Secret label", "scopes": ["feed"]])
        #expect(token.status == 201)
        ids["tokens"] = String(token.id)
        let boss = try await owner.signedInOwner()
        let role = try await owner.call(
            "createRole", [:], ["name": "secret", "title": "Secret role", "rights": [:]], token: boss.token)
        #expect(role.status == 201)
        ids["roles"] = String(role.id)
        for _ in 1...2 {
            ids["teams"] = String(
                try await owner.call(
                    "createTeam", [:], ["name": .string("Secret team \(ids.count)")], token: boss.token
                ).id)
            ids["count"] = ""
        }
        ids["staff"] = String(boss.id)
        let login = try await owner.call("createSQLLogin", [:], ["label": "Secret tool"], token: boss.token)
        #expect(login.status == 201)
        ids["connections"] = ids["connectors"]
        ids["sql-logins"] = login.json["name"]?.string
        return ids
    }
}
