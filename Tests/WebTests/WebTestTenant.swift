import Foundation
import FoundationNetworking
import Hub
import Postgres
import TestKit
import Testing

@testable import Store
@testable import Web

struct Reply {
    let status: Int
    let headers: [String: String]
    let body: [UInt8]
    var json: JSON { (try? JSON(parsing: body)) ?? .null }
    var code: String? { json["code"]?.string }
    var id: Int64 { json["id"]?.int ?? 0 }
}

/// A tenant seen from outside, through HTTP.
struct WebTestTenant: Sendable {
    let server: WebTestServer
    let database: TenantDatabase
    let token: String

    /// Calls an operation and holds its answer against what the description says of it.
    func call(
        _ id: String, _ path: [String: String] = [:], query: [String: String] = [:], _ body: JSON? = nil,
        headers: [String: String] = [:], token: String? = nil
    ) async throws -> Reply {
        let operation = try #require(server.operations.first { $0.id == id }, "there is no operation \(id)")
        var address = operation.path
        for (name, value) in path { address = address.replacing("{\(name)}", with: value) }
        if !query.isEmpty {
            address += "?" + query.map { "\($0.key)=\(Self.encode($0.value))" }.joined(separator: "&")
        }
        var headers = headers
        if body != nil { headers["Content-Type"] = headers["Content-Type"] ?? "application/json" }
        let reply = try await send(
            operation.verb, address, body?.bytes, headers: headers, token: token ?? self.token)
        if !operation.isPage { check(reply, operation) }
        return reply
    }

    private func check(_ reply: Reply, _ operation: Web.Operation) {
        if let schema = operation.responses[reply.status] {
            guard let schema else {
                #expect(reply.body.isEmpty, "\(operation.id)")
                return
            }
            guard operation.answerType == "application/json" else {
                #expect(reply.headers["content-type"]?.hasPrefix(operation.answerType) == true, "\(operation.id)")
                return
            }
            let problems = SchemaCheck.problems(reply.json, schema, schemas: Schemas.all)
            #expect(problems.isEmpty, "\(operation.id) answered \(reply.json.text)")
        } else {
            #expect(
                OpenAPIDocument.errors(of: operation).contains(reply.status),
                "\(operation.id) \(reply.status) \(reply.json.text)")
            let problems = SchemaCheck.problems(reply.json, Schema.ref("Problem"), schemas: Schemas.all)
            #expect(problems.isEmpty, "\(operation.id) answered \(reply.json.text)")
            #expect(reply.headers["content-type"] == "application/problem+json")
        }
    }

    static func encode(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    func send(
        _ method: String, _ address: String, _ body: [UInt8]? = nil, headers: [String: String] = [:],
        token: String? = nil
    ) async throws -> Reply {
        let url = try #require(URL(string: "http://127.0.0.1:\(server.port)\(address)"))
        // a busy machine answers late
        var request = URLRequest(url: url, timeoutInterval: 300)
        request.httpMethod = method
        request.httpBody = body.map { Data($0) }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        var fields: [String: String] = [:]
        for (name, value) in http.allHeaderFields {
            if let name = name as? String, let value = value as? String { fields[name.lowercased()] = value }
        }
        return Reply(status: http.statusCode, headers: fields, body: Array(data))
    }

    /// Makes a contact and gives its number.
    func contact(_ name: String) async throws -> Int64 {
        let reply = try await call("createContact", ["fields": ["given_name": .string(name)]])
        #expect(reply.status == 201)
        return reply.id
    }

    /// The owner's account, signed in.
    func signedInOwner() async throws -> (id: Int64, token: String) {
        try await server.cluster.provisioner.setOwner(
            of: database.tenant, email: "boss@shop.example", password: "a long passphrase")
        let id: Int64 = try await server.cluster.superuser.run(
            "SELECT id FROM auth.account WHERE tenant = \(database.tenant.id) AND email = 'boss@shop.example'")[0][0]
            .get(0)
        return (id, try await session(of: id))
    }

    /// A session of an account, without the time a password takes.
    func session(of account: Int64) async throws -> String {
        let token = SessionToken.make()
        _ = try await server.cluster.superuser.run(
            "INSERT INTO auth.session (account, hash, address, agent) VALUES (\(account), \(token.hash), '', '')")
        return token.text
    }

    private func call(_ id: String, _ body: JSON) async throws -> Reply { try await call(id, [:], body) }
}
