import Foundation
import Hub
import Postgres
import Store
import TestKit
import Testing

@testable import Web

/// The stream that tells open pages of changes.
@Suite(.inTurn) struct LiveTests {
    /// A page that listens.
    private struct Page {
        let tenant: WebTestTenant
        let socket: RawSocket

        init(_ tenant: WebTestTenant, token: String) throws {
            self.tenant = tenant
            socket = try RawSocket(port: tenant.server.port)
            try socket.write(Array("GET /live HTTP/1.1\r\nHost: x\r\nCookie: kontor=\(token)\r\n\r\n".utf8))
        }

        /// Waits until the text comes, ten seconds at most.
        func hears(_ text: String) async throws -> Bool {
            var heard = ""
            for _ in 0..<1000 {
                heard += socket.arrived()
                if heard.contains(text) { return true }
                try await Task.sleep(for: .milliseconds(10))
            }
            return false
        }

        /// How often it is told of changes until there was nothing for two seconds; the machine may be busy.
        func told() async throws -> Int {
            var heard = ""
            var last = ContinuousClock.now
            while ContinuousClock.now - last < .seconds(2) {
                let more = socket.arrived()
                heard += more
                if more.contains("changed") { last = .now }
                try await Task.sleep(for: .milliseconds(20))
            }
            return heard.components(separatedBy: "event: changed").count - 1
        }
    }

    private func open() async throws -> Page {
        let server = try await WebTestServer.shared.value
        let tenant = try await server.makeTenant()
        let name: String = try await server.cluster.superuser.run(
            "SELECT name FROM kontor.tenant WHERE id = \(tenant.database.tenant.id)")[0][0].get("name")
        try await server.cluster.provisioner.setOwner(
            of: tenant.database.tenant, email: "boss@shop.example", password: "a long passphrase")
        let session = try await tenant.call(
            "signIn", [:], ["tenant": .string(name), "email": "boss@shop.example", "password": "a long passphrase"])
        return try Page(tenant, token: session.json["token"]?.string ?? "")
    }

    @Test func itTellsOfTheShopsOwnChangesAlone() async throws {
        let (mine, theirs) = (try await open(), try await open())
        for page in [mine, theirs] { #expect(try await page.hears("text/event-stream")) }
        // what was made with the shops has been told
        for page in [mine, theirs] { _ = try await page.told() }
        let contact = try await mine.tenant.call("createContact", [:], ["fields": ["given_name": "Ada"]])
        #expect(try await mine.hears("event: changed\ndata: now\n\n"))
        #expect(try await theirs.told() == 0)
        // many changes at once are told together, four times a second at most
        _ = try await mine.told()
        let start = ContinuousClock.now
        for number in 0..<40 {
            _ = try await mine.tenant.call(
                "editContact", ["id": String(contact.id)], ["fields": ["given_name": .string("Ada\(number)")]])
        }
        let seconds = Double((ContinuousClock.now - start).components.seconds + 1)
        let told = try await mine.told()
        #expect(told >= 1 && Double(told) <= 4 * seconds + 2, "\(told) in \(seconds) s")
    }

    @Test func nobodyElseListens() async throws {
        let server = try await WebTestServer.shared.value
        let tenant = try await server.makeTenant()
        // no session, and a token that is nobody's session
        for (field, status) in [("Accept: text/event-stream", "303"), ("Authorization: Bearer \(tenant.token)", "403")]
        {
            let socket = try RawSocket(port: server.port)
            try socket.write(Array("GET /live HTTP/1.1\r\nHost: x\r\n\(field)\r\n\r\n".utf8))
            #expect(try socket.firstLine().contains(" \(status) "), "\(status)")
        }
    }
}
