import Hub
import TestKit
import Testing

@testable import Web

@Suite(.inTurn) struct RefusalTests {
    @Test func theDescriptionIsWhole() throws {
        let operations = Operations.all(Metrics([]))
        #expect(Set(operations.map(\.id)).count == operations.count)
        let document = OpenAPIDocument.make(operations, schemas: Schemas.all)
        for operation in operations {
            let declared = operation.parameters.filter { $0.place == .path }.map(\.name)
            #expect(Set(declared) == Set(operation.pathNames), "\(operation.id)")
        }
        func references(_ value: JSON) -> [String] {
            let own = value["$ref"]?.string.map { [$0] } ?? []
            return own + (value.object?.values.flatMap(references) ?? []) + (value.array?.flatMap(references) ?? [])
        }
        let names = references(document)
        #expect(names.count > 50)
        for name in names { #expect(Schemas.all[String(name.split(separator: "/").last ?? "")] != nil, "\(name)") }
    }

    @Test func everyOperationWantsItsToken() async throws {
        let server = try await WebTestServer.shared.value
        let nobody = try await server.makeTenant(scopes: [])
        for operation in server.operations where !operation.isPage {
            if case .open = operation.access { continue }
            let path = operation.path.replacing(/\{[a-z]+\}/, with: "1")
            let missing = try await nobody.send(operation.verb, path)
            #expect(missing.status == 401 && missing.code == "token.missing", "\(operation.id)")
            #expect(missing.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
            let unknown = try await nobody.send(
                operation.verb, path, token: "kontor_" + String(repeating: "a", count: 43))
            #expect(unknown.status == 401 && unknown.code == "token.invalid", "\(operation.id)")
            let weak = try await nobody.send(operation.verb, path, token: nobody.token)
            var expected = "scope.missing"
            if case .staff = operation.access { expected = "session.needed" }
            #expect(weak.status == 403 && weak.code == expected, "\(operation.id)")
            if case .tenant = operation.access {
                let high = try await nobody.send(operation.verb, path, token: server.operatorToken)
                #expect(high.status == 403, "\(operation.id)")
            }
        }
    }

    @Test func requestsAreTakenAsDescribedOnly() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        let token = tenant.token
        let contacts = "/api/v1/contacts"
        let json = ["Content-Type": "application/json"]
        func post(_ text: String, _ headers: [String: String]) async throws -> Reply {
            try await tenant.send("POST", contacts, Array(text.utf8), headers: headers, token: token)
        }
        #expect(try await tenant.send("GET", "/api/v1/nothing", token: token).status == 404)
        #expect(try await tenant.send("GET", contacts + "/", token: token).status == 404)
        #expect(try await tenant.send("GET", contacts + "/abc", token: token).status == 404)
        #expect(try await tenant.send("GET", contacts + "/9223372036854775808", token: token).status == 404)
        let method = try await tenant.send("PUT", contacts, token: token)
        #expect(method.status == 405)
        #expect(method.headers["allow"] == "GET, POST, HEAD")
        #expect(try await tenant.send("GET", contacts + "?colour=red", token: token).code == "query.unknown")
        #expect(try await tenant.send("GET", contacts + "?limit=501", token: token).code == "query.invalid")
        #expect(try await tenant.send("GET", contacts + "?limit=1&limit=2", token: token).code == "query.repeated")
        #expect(try await tenant.send("GET", contacts + "?q=%00", token: token).code == "query.malformed")
        #expect(try await tenant.send("GET", contacts + "?q=%ff", token: token).code == "query.malformed")
        #expect(try await post("{}", ["Content-Type": "text/plain"]).status == 415)
        #expect(try await post("{", json).code == "body.malformed")
        #expect(try await post(#"{"fields":{"name":"a","name":"b"}}"#, json).code == "body.malformed")
        #expect(try await post(#"{"fields":{"name":"\u0000"}}"#, json).code == "body.malformed")
        let stray = try await post(#"{"fields":{"name":"a"},"x":1}"#, json)
        #expect(stray.code == "body.invalid")
        #expect(stray.json["errors"]?[0]?["field"] == "x")
        #expect(try await post(#"{"fields":{}}"#, json).code == "body.invalid")
        // who asks is told by the token alone
        let forged = try await tenant.send(
            "GET", contacts, headers: ["X-Forwarded-Host": "other", "Host": "other"], token: token)
        #expect(forged.status == 200)
    }

    @Test func healthIsOpenAndCounted() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        #expect(try await tenant.send("GET", "/health").status == 200)
        #expect(try await tenant.send("GET", "/ready").status == 200)
        let document = try await tenant.send("GET", "/api/v1/openapi.json")
        #expect(document.json["openapi"] == "3.1.0")
        let metrics = String(decoding: try await tenant.send("GET", "/metrics").body, as: UTF8.self)
        #expect(metrics.contains(#"kontor_http_requests_total{operation="health",status="200"}"#))
        #expect(metrics.contains("kontor_database_shared_connections "))
    }
}
