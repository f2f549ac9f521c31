import Hub
import TestKit
import Testing

@testable import Web

/// The limits of what comes in; how large answers of remotes may be is tested with the HTTP client.
@Suite(.inTurn) struct LimitTests {
    private let json = ["Content-Type": "application/json"]

    private func tenant() async throws -> WebTestTenant { try await WebTestServer.shared.value.makeTenant() }

    private func csv(_ bytes: [UInt8], _ tenant: WebTestTenant, _ headers: [String: String] = [:]) async throws -> Reply
    {
        try await tenant.send(
            "POST", "/api/v1/imports/csv", bytes, headers: headers.merging(["Content-Type": "text/csv"]) { $1 },
            token: tenant.token)
    }

    @Test func aBodyOfTenMegabytesIsReadAndNoByteMore() async throws {
        let tenant = try await tenant()
        func post(_ count: Int) async throws -> Reply {
            let frame = #"{"fields":{"notes":""}}"#.utf8.count
            let text = #"{"fields":{"notes":"\#(String(repeating: "a", count: count - frame))"}}"#
            return try await tenant.send(
                "POST", "/api/v1/contacts", Array(text.utf8), headers: json, token: tenant.token)
        }
        #expect(try await post(10_000_000).code != "body.too_large")
        let refused = try await post(10_000_001)
        #expect(refused.status == 413 && refused.code == "body.too_large")
    }

    @Test func aBodyOfUnknownLengthEndsAtTheLimitToo() async throws {
        let tenant = try await tenant()
        let head = "POST /api/v1/contacts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(tenant.token)\r\n"
        let socket = try RawSocket(port: tenant.server.port)
        try socket.write(Array((head + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").utf8))
        var piece = Array(#"{"fields":{"given_name":"A"}"#.utf8)
        var sent = 0
        // blanks between what JSON needs: without the limit it would be taken
        while sent <= 10_000_000 {
            piece += Array(repeating: UInt8(ascii: " "), count: 1_000_000)
            try socket.write(chunk: piece)
            sent += piece.count
            piece = []
        }
        try socket.write(chunk: Array("}".utf8))
        try socket.write(chunk: [])
        #expect(try socket.firstLine().hasPrefix("HTTP/1.1 413"))
    }

    @Test func packedBodiesAreRefused() async throws {
        let tenant = try await tenant()
        for (path, type) in [("/api/v1/contacts", "application/json"), ("/api/v1/imports/csv", "text/csv")] {
            let reply = try await tenant.send(
                "POST", path, [0x1F, 0x8B], headers: ["Content-Type": type, "Content-Encoding": "gzip"],
                token: tenant.token)
            #expect(reply.status == 415 && reply.code == "body.encoding")
        }
        let plain = try await tenant.send(
            "POST", "/api/v1/contacts", Array(#"{"fields":{"given_name":"A"}}"#.utf8),
            headers: json.merging(["Content-Encoding": "identity"]) { $1 }, token: tenant.token)
        #expect(plain.status == 201)
    }

    @Test func jsonNestsUpToSixtyFourLevels() async throws {
        let tenant = try await tenant()
        func post(_ depth: Int) async throws -> Reply {
            // two levels are the body's own
            let nest = String(repeating: "[", count: depth - 2) + String(repeating: "]", count: depth - 2)
            return try await tenant.send(
                "POST", "/api/v1/contacts", Array(#"{"fields":{"x":\#(nest)}}"#.utf8), headers: json,
                token: tenant.token)
        }
        #expect(try await post(64).code == "contact.invalid")
        #expect(try await post(65).code == "body.malformed")
    }

    @Test func aFileMayBeAsLargeAsSet() async throws {
        let tenant = try await tenant()
        let row = Array("Jan;\(String(repeating: "K", count: 300))\n".utf8)
        let file = Array("Imię;Nazwisko\n".utf8) + Array(repeatElement(row, count: 10_000).joined())
        #expect(file.count > WebTestServer.maxImportBytes)
        let refused = try await csv(file, tenant)
        #expect(refused.status == 413 && refused.code == "body.too_large")
        let stays = try await tenant.call("listRuns", query: ["kind": "csv"])
        #expect(stays.json["items"] == [], "it said so before anything was staged")
    }

    @Test func aFileOfUnknownLengthEndsAtTheLimitToo() async throws {
        let tenant = try await tenant()
        let head = "POST /api/v1/imports/csv HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(tenant.token)\r\n"
        let socket = try RawSocket(port: tenant.server.port)
        try socket.write(Array((head + "Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n").utf8))
        let row = Array("Jan;\(String(repeating: "K", count: 300))\n".utf8)
        var piece = Array("Imię;Nazwisko\n".utf8)
        var sent = 0
        while sent <= WebTestServer.maxImportBytes {
            piece += Array(repeatElement(row, count: 200).joined())
            try socket.write(chunk: piece)
            sent += piece.count
            piece = []
        }
        #expect(try socket.firstLine().hasPrefix("HTTP/1.1 413"))
        // the run is on record as failed, without any of its rows
        var runs: [JSON] = []
        for _ in 0..<50 where runs.first?["state"] != "failed" {
            runs = try await tenant.call("listRuns", query: ["kind": "csv"]).json["items"]?.array ?? []
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(runs.count == 1 && runs[0]["state"] == "failed")
        let rows = try await tenant.call("listRunRows", ["id": String(runs.first?["id"]?.int ?? 0)])
        #expect(rows.json["items"] == [])
    }

    @Test func rowsCellsAndColumnsHaveTheirLimits() async throws {
        let tenant = try await tenant()
        func line(_ cell: Int, _ more: Int = 0) -> String {
            let large = String(repeating: "a", count: cell)
            return "\"\(large)\",\(String(repeating: "b", count: more))\n"
        }
        let most = 1 << 20
        let file = "name,notes\n" + line(most) + line(most + 1) + "Ewa,\n"
        let run = try await csv(Array(file.utf8), tenant)
        #expect(run.status == 202 && run.json["counts"]?["faults"] == 1)
        let refused = try await tenant.call("listRunRows", ["id": String(run.id)], query: ["verdict": "refused"])
        let lines = refused.json["items"]?.array ?? []
        #expect(lines.contains { $0["line"] == 3 && $0["problems"]?[0]?["code"] == "csv.line" })
        #expect(lines.contains { $0["line"] == 4 } == false)
        let wide = (0...500).map { "c\($0)" }.joined(separator: ",") + "\n" + String(repeating: ",", count: 500) + "\n"
        let columns = try await csv(Array(wide.utf8), tenant)
        #expect(columns.status == 422 && columns.code == "csv.header")
    }

    @Test func aBatchHasTenThousandAtMost() async throws {
        let tenant = try await tenant()
        let batch = JSON.array(Array(repeating: ["given_name": "A"], count: 10_001))
        let reply = try await tenant.call("importContacts", [:], batch)
        #expect(reply.status == 422 && reply.code == "body.invalid")
    }
}
