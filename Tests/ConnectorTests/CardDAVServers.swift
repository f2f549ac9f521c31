import ConnectorKit
import Cryptography
import Foundation
import Hub

@testable import Connectors

/// Real CardDAV servers, one of each for all tests, started when first asked for.
enum CardDAVServers {
    struct Server: Sendable {
        let process: KitServerProcess
        let base: String
        /// Path of an address book.
        let book: String
        let user: String
        let password: String

        private static let http = HTTPClient(guard: KitFaultProxy.loopback)

        /// A call that does without the connector.
        func call(
            _ method: String, _ path: String, headers: [(String, String)] = [], body: String? = nil
        ) async throws -> HTTPResponse {
            let login = user.isEmpty ? [] : [("Authorization", "Basic " + Crypto.base64("\(user):\(password)".utf8))]
            return try await Self.http.send(
                HTTPRequest(method, base + path, headers: login + headers, body: body.map { Array($0.utf8) }))
        }

        func card(_ path: String) async throws -> String? {
            let response = try await call("GET", path)
            return response.isSuccess ? String(decoding: response.body, as: UTF8.self) : nil
        }

        @discardableResult
        func put(_ path: String, _ card: String) async throws -> Int {
            let text = card.split(whereSeparator: \.isNewline).joined(separator: "\r\n") + "\r\n"
            return try await call("PUT", path, headers: [("Content-Type", "text/vcard")], body: text).status
        }
    }

    static func radicale() async throws -> Server { try await startingRadicale.value }
    static func xandikos() async throws -> Server { try await startingXandikos.value }
    /// One more, so that two suites do not write to one store at a time.
    static func secondXandikos() async throws -> Server { try await startingSecondXandikos.value }

    private static let startingRadicale = Task {
        let process = try start("radicale.sh")
        let server = Server(
            process: process.0, base: process.1, book: "/shop/book/", user: "shop", password: "open-sesame-41")
        try await KitServerProcess.waitUntil { try await server.call("GET", "/.web/").status < 500 }
        let make = """
            <?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype>\
            <collection/><C:addressbook/></resourcetype><displayname>Customers</displayname></prop></set></mkcol>
            """
        _ = try await server.call("MKCOL", "/shop/book/", headers: [("Content-Type", "application/xml")], body: make)
        return server
    }

    private static let startingXandikos = Task { try await startXandikos() }
    private static let startingSecondXandikos = Task { try await startXandikos() }

    private static func startXandikos() async throws -> Server {
        let process = try start("xandikos.sh")
        let server = Server(
            process: process.0, base: process.1, book: "/shop/contacts/addressbook/", user: "", password: "")
        try await KitServerProcess.waitUntil {
            try await server.call("PROPFIND", server.book, headers: [("Depth", "0")]).status == 207
        }
        return server
    }

    private static func start(_ script: String) throws -> (KitServerProcess, String) {
        try KitServerProcess.run(script, ["setup"])
        let port = KitServerProcess.freePort()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kontor-\(UUID().uuidString)")
        let process = try KitServerProcess(script, ["serve", folder.path, String(port)])
        return (process, "http://127.0.0.1:\(port)")
    }
}
