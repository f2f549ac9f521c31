import Foundation
import Hub
import Testing

@testable import ConnectorKit

@Suite struct KitTransportTests {
    private let server: KitServerProcess
    private let base: String
    private let http = HTTPClient(guard: KitFaultProxy.loopback)

    init() throws {
        server = try KitServerProcess("odd_server.py", [], readsLine: true)
        base = "http://127.0.0.1:\(server.firstLine)"
    }

    private func failure(_ request: HTTPRequest, _ client: HTTPClient? = nil) async -> RemoteError? {
        do throws(RemoteError) {
            _ = try await (client ?? http).send(request)
            return nil
        } catch { return error }
    }

    @Test(arguments: ["GET", "POST", "PUT", "PATCH", "DELETE", "REPORT", "PROPFIND", "OPTIONS"])
    func requestsGoOutAsTheyAre(_ method: String) async throws {
        let body = method == "GET" ? nil : Array("Zażółć".utf8)
        let seen = try await http.send(
            HTTPRequest(method, "\(base)/echo?a=%20b", headers: [("X-Empty", ""), ("Depth", "1")], body: body)
        )
        #expect(seen.status == 200 && seen.headers["set-cookie"] == "a=1, b=2")
        let value = try seen.json()
        #expect(value["method"] == .string(method))
        #expect(value["path"] == "/echo?a=%20b")
        #expect(value["body"] == .string(body == nil ? "" : "Zażółć"))
        let headers = try #require(value["headers"])
        #expect(headers["transfer-encoding"] == nil && headers["expect"] == nil && headers["content-type"] == nil)
        #expect(headers["x-empty"] == "" && headers["depth"] == "1" && headers["user-agent"] == "Kontor")
        if let body { #expect(headers["content-length"] == .string("\(body.count)")) }
    }

    @Test func aPostWithoutBodySaysSo() async throws {
        let value = try await http.send(HTTPRequest("POST", "\(base)/echo")).json()
        #expect(value["headers"]?["content-length"] == "0")
    }

    @Test func largeBodiesAreNotChunked() async throws {
        let body = [UInt8](repeating: 120, count: 3_000_000)
        let value = try await http.send(HTTPRequest("PUT", "\(base)/echo", body: body)).json()
        #expect(value["body"]?.string?.utf8.count == 3_000_000)
    }

    @Test func connectionsAreKept() async throws {
        let first = try await http.send(HTTPRequest("GET", "\(base)/echo")).json()["connection"]
        let second = try await http.send(HTTPRequest("GET", "\(base)/echo")).json()["connection"]
        #expect(first == second)
    }

    @Test func manyAtOnce() async throws {
        let url = "\(base)/echo"
        let answers = try await withThrowingTaskGroup(of: JSON?.self) { group in
            for number in 0..<200 {
                group.addTask { try await http.send(HTTPRequest("GET", "\(url)?n=\(number)")).json()["path"] }
            }
            return try await group.reduce(into: Set<JSON?>()) { $0.insert($1) }
        }
        #expect(answers.count == 200)
    }

    @Test func aKeptConnectionDoesNotPassTheGuard() async throws {
        let engine = HTTPEngine()
        defer { engine.stop() }
        let open = HTTPClient(engine: engine, guard: KitFaultProxy.loopback)
        _ = try await open.send(HTTPRequest("GET", "\(base)/echo"))
        let strict = HTTPClient(engine: engine)
        guard case .refused(code: "address_not_allowed", _) = await failure(HTTPRequest("GET", "\(base)/echo"), strict)
        else {
            Issue.record("an address was reached on somebody else's connection")
            return
        }
    }

    /// Forms of writing an internal address that a check of the text would miss.
    @Test(arguments: [
        "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
        "0.0.0.0", "[::]",
    ])
    func internalAddressesAreRefused(_ host: String) async throws {
        let port = server.firstLine
        guard
            case .refused(code: "address_not_allowed", _) = await failure(
                HTTPRequest("GET", "http://\(host):\(port)/echo"), HTTPClient())
        else {
            Issue.record("\(host) was not refused")
            return
        }
    }

    @Test func redirectsAreFollowedOnlyWhenAskedFor() async throws {
        let there = "\(base)/redirect?to=/echo"
        #expect(try await http.send(HTTPRequest("GET", there)).status == 302)
        #expect(try await http.send(HTTPRequest("GET", there, maxRedirects: 3)).json()["path"] == "/echo")
        #expect(try await http.send(HTTPRequest("POST", there, maxRedirects: 3)).status == 302)
        var long = "/echo"
        for _ in 0..<4 { long = "/redirect?to=" + URLText.escape(long) }
        #expect(try await http.send(HTTPRequest("GET", base + long, maxRedirects: 9)).status == 302)
    }

    @Test func aRedirectMeetsTheGuardAndTakesNoSecretsElsewhere() async throws {
        let onlyV4 = HTTPClient(guard: try AddressGuard(allow: ["127.0.0.1/32"]))
        let elsewhere = "\(base)/redirect?to=" + URLText.escape("http://127.0.0.2:\(server.firstLine)/echo")
        guard
            case .refused(code: "address_not_allowed", _) = await failure(
                HTTPRequest("GET", elsewhere, maxRedirects: 1), onlyV4)
        else {
            Issue.record("a redirect led around the guard")
            return
        }
        let toName = "\(base)/redirect?to=" + URLText.escape("http://localhost:\(server.firstLine)/echo")
        let request = HTTPRequest(
            "GET", toName, headers: [("X-Api-Key", "canary"), ("Accept", "a/b")], maxRedirects: 1)
        if let value = try? await http.send(request).json() {
            #expect(value["headers"]?["x-api-key"] == nil && value["headers"]?["accept"] == "a/b")
        }
    }

    @Test func answersAreBounded() async throws {
        guard case .later(code: "too_large", _, _) = await failure(HTTPRequest("GET", "\(base)/sizes?plain=20000001"))
        else {
            Issue.record("an answer of 20,000,001 bytes was taken")
            return
        }
        #expect(try await http.send(HTTPRequest("GET", "\(base)/sizes?plain=20000000")).body.count == 20_000_000)
        // 50 MB of zeros in 50 kB: refused for what it does to memory, however much is allowed
        for most in [20_000_000, 60_000_000] {
            guard
                case .later(code: "too_dense", _, _) = await failure(HTTPRequest("GET", "\(base)/bomb", maxBytes: most))
            else {
                Issue.record("50 MB were unpacked")
                return
            }
        }
    }

    @Test func aFileIsSentAsItIs() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try Data(bytes).write(to: URL(filePath: path))
        defer { unlink(path) }
        var request = HTTPRequest("POST", "\(base)/digest")
        request.bodyFile = path
        let answer = try await http.send(request).json()
        #expect(answer["method"] == "POST" && answer["length"] == "3000000")
        #expect(answer["sum"]?.int == bytes.reduce(0) { $0 + Int64($1) })
        request.bodyFile = path + ".none"
        #expect(isLater(await failure(request), "unreachable"))
    }

    @Test func failuresHaveTheirClass() async throws {
        let closed = "http://127.0.0.1:\(KitServerProcess.freePort())/"
        #expect(isLater(await failure(HTTPRequest("POST", closed, body: [1])), "unreachable"))
        #expect(isLater(await failure(HTTPRequest("POST", "http://no-such-host.invalid/", body: [1])), "unknown_host"))
        #expect(isLater(await failure(HTTPRequest("POST", "https" + base.dropFirst(4), body: [1])), "tls_failed"))
        #expect(isLater(await failure(HTTPRequest("GET", "\(base)/slow", timeout: 0.3)), "timeout"))
        #expect(isUnsure(await failure(HTTPRequest("POST", "\(base)/slow", timeout: 0.3)), "timeout"))
        #expect(isLater(await failure(HTTPRequest("REPORT", "\(base)/torn", body: [1])), "cut"))
        #expect(isUnsure(await failure(HTTPRequest("PUT", "\(base)/torn", body: [1])), "cut"))
        for bad in ["ftp://example.org/", "file:///etc/passwd", "/echo", "http://user:pass@127.0.0.1/", "http://a b/"] {
            guard case .refused(code: "bad_request", _) = await failure(HTTPRequest("GET", bad)) else {
                Issue.record("\(bad) was called")
                continue
            }
        }
        for header in [("X-A", "b\r\nX-C: d"), ("X A", "b"), ("X-A:", "b"), ("", "b")] {
            guard case .refused(code: "bad_request", _) = await failure(HTTPRequest("GET", base, headers: [header]))
            else {
                Issue.record("\(header) went out")
                continue
            }
        }
    }

    private func isLater(_ error: RemoteError?, _ expected: String) -> Bool {
        if case .later(let code, _, _) = error { return code == expected }
        Issue.record("\(String(describing: error))")
        return false
    }

    private func isUnsure(_ error: RemoteError?, _ expected: String) -> Bool {
        if case .unsure(let code, _) = error { return code == expected }
        Issue.record("\(String(describing: error))")
        return false
    }

    /// libcurl would send the request again on a fresh connection.
    @Test func aWriteIsNeverSentTwice() async throws {
        let engine = HTTPEngine()
        defer { engine.stop() }
        let client = HTTPClient(engine: engine, guard: KitFaultProxy.loopback)
        let request = HTTPRequest("POST", "\(base)/once", body: Array("x".utf8))
        _ = try await client.send(request)
        #expect(isUnsure(await failure(request, client), "cut"))
        #expect(try await http.send(HTTPRequest("GET", "\(base)/count")).body == Array("2".utf8))
        // Reading may be repeated, and is.
        #expect(try await client.send(HTTPRequest("GET", "\(base)/once")).body == Array("first".utf8))
        #expect(try await client.send(HTTPRequest("GET", "\(base)/once")).body == Array("first".utf8))
    }

    @Test func cancellingEndsTheCall() async throws {
        // so long by itself that no busy machine is taken for it
        let patient = HTTPClient(guard: KitFaultProxy.loopback, maxTimeout: 900)
        let request = HTTPRequest("GET", "\(base)/slow", timeout: 900)
        let start = ContinuousClock.now
        let call = Task { await failure(request, patient) }
        try await Task.sleep(for: .milliseconds(200))
        call.cancel()
        #expect(isLater(await call.value, "cancelled"))
        #expect(ContinuousClock.now - start < .seconds(300))
        let early = Task { await failure(request, patient) }
        early.cancel()
        #expect(isLater(await early.value, "cancelled"))
    }

    @Test func certificatesAreVerified() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let tls = try KitServerProcess("tls_server.py", [folder.path], readsLine: true)
        let url = "https://localhost:\(tls.firstLine)/"
        #expect(isLater(await failure(HTTPRequest("GET", url)), "tls_failed"))
        let trusting = HTTPClient(guard: KitFaultProxy.loopback, caFile: folder.appendingPathComponent("cert.pem").path)
        #expect(try await trusting.send(HTTPRequest("GET", url)).body == Array("hello".utf8))
        #expect(
            isLater(await failure(HTTPRequest("GET", "https://127.0.0.1:\(tls.firstLine)/"), trusting), "tls_failed"))
        // What one client trusts, another does not get on its kept connection.
        #expect(isLater(await failure(HTTPRequest("GET", url)), "tls_failed"))
    }
}
