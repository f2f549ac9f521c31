import Cryptography
import Hub
import Testing

@testable import ConnectorKit

@Suite struct KitAnswerTests {
    private let request = HTTPRequest(
        "POST", "https://shop.example/api?api_key=canary-query&page=1",
        headers: [("Authorization", "Bearer canary-token"), ("X-Auth", "canary-header")])

    private func error(_ status: Int, _ body: String = "", _ headers: [String: String] = [:]) -> RemoteError? {
        do throws(RemoteError) {
            try Answers.classify(HTTPResponse(status: status, headers: headers, body: Array(body.utf8)), to: request)
            return nil
        } catch { return error }
    }

    @Test func classes() {
        for status in [200, 201, 204, 207, 409, 412] { #expect(error(status) == nil) }
        for status in [401, 403] {
            guard case .locked = error(status) else {
                Issue.record("\(status)")
                continue
            }
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            guard case .later(_, _, retryAfter: nil) = error(status) else {
                Issue.record("\(status)")
                continue
            }
        }
        for status in [301, 302, 400, 404, 405, 410, 413, 422] {
            guard case .refused = error(status) else {
                Issue.record("\(status)")
                continue
            }
        }
    }

    @Test func retryAfter() {
        func wait(_ headers: [String: String]) -> Double? {
            if case .later(_, _, let seconds) = error(429, "", headers) { return seconds }
            return -1
        }
        #expect(wait(["retry-after": "120"]) == 120)
        #expect(wait(["retry-after": "-5"]) == 0)
        let date = "Wed, 21 Oct 2015 07:28:00 GMT"
        #expect(wait(["retry-after": date, "date": "Wed, 21 Oct 2015 07:27:15 GMT"]) == 45)
        #expect(wait(["retry-after": date, "date": "Thu, 22 Oct 2015 07:27:15 GMT"]) == 0)
        #expect(wait(["retry-after": date]) == nil)
        #expect(wait(["retry-after": "soon"]) == nil)
    }

    @Test func dates() {
        #expect(HTTPDate.seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(HTTPDate.seconds("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        #expect(HTTPDate.seconds("Thu, 29 Feb 2024 12:00:00 GMT") == 1_709_208_000)
        #expect(HTTPDate.seconds("Sun Nov  6 08:49:37 1994") == nil)
        #expect(HTTPDate.seconds("Sun, 06 Foo 1994 08:49:37 GMT") == nil)
    }

    @Test(arguments: [
        (#"{"message":"No stock"}"#, "No stock"),
        (#"{"error":{"code":400,"message":"Bad mail"}}"#, "Bad mail"),
        (#"{"error":"invalid_grant","error_description":"Token expired"}"#, "Token expired"),
        (#"{"title":"Conflict","detail":"Twice"}"#, "Twice"),
        (#"{"errors":[{"message":"One"},{"message":"Two"}]}"#, "One; Two"),
        (#"{"errors":{"email":["is taken"]}}"#, "email: is taken"),
        ("<html><h1>Bad Gateway</h1>\n<p>nginx</p></html>", "Bad Gateway nginx"),
        ("", "the remote answered 400"),
        ("line\u{1}one", "line one"),
    ])
    func theRemotesWords(_ body: String, _ expected: String) {
        guard case .refused(code: "http_400", let message) = error(400, body) else {
            Issue.record("not refused")
            return
        }
        #expect(message == expected)
    }

    @Test func longWordsAreCut() {
        guard case .refused(_, let message) = error(400, String(repeating: "ż", count: 3000)) else { return }
        #expect(message.utf8.count <= 500 && message.hasSuffix("…"))
    }

    @Test func noSecretInWordsOrDescriptions() {
        let body = #"{"message":"canary-token canary-header canary-query are wrong"}"#
        let hidden = Redacted("canary-value")
        let text = "\(String(describing: error(400, body))) \(request) \(hidden) \(String(reflecting: hidden))"
        #expect(!text.contains("canary"))
        let basic = HTTPRequest(
            "GET", "https://a.example/", headers: [("Authorization", "Basic " + Crypto.base64("user:canary-pw".utf8))])
        let words = Answers.words(of: HTTPResponse(status: 400, body: Array("bad canary-pw".utf8)), to: basic)
        #expect(words == "bad " + Redaction.mark)
        #expect(Redaction.address("https://u:canary@shop.example/a?b=canary#canary") == "https://shop.example/a")
    }

    @Test(arguments: [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.9",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "::ffff:10.0.0.1",
        "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::1", "3fff::1", "fc00::1",
        "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "5f00::1", "::7f00:1", "nonsense", "127.1",
    ])
    func internalAddresses(_ address: String) { #expect(!AddressGuard().permits(address)) }

    @Test(arguments: [
        "8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2a00:1450::1", "2606:4700::1111",
    ])
    func publicAddresses(_ address: String) { #expect(AddressGuard().permits(address)) }

    @Test func theOperatorOpensRanges() throws {
        let opened = try AddressGuard(allow: ["10.1.0.0/16", "::1/128", "192.168.1.7"])
        for address in ["10.1.255.1", "::1", "192.168.1.7", "::ffff:10.1.0.1", "8.8.8.8"] {
            #expect(opened.permits(address), "\(address)")
        }
        for address in ["10.2.0.1", "::2", "192.168.1.8", "127.0.0.1"] {
            #expect(!opened.permits(address), "\(address)")
        }
        for wrong in ["10.0.0.0/33", "10.0.0/8", "x", "", "10.0.0.0/8/9", "::1/129", "10.0.0.0/-1"] {
            #expect(throws: ConnectorError.self) { try AddressGuard(allow: [wrong]) }
        }
    }

    @Test func urls() {
        #expect(URLText.escape("a b/ż~") == "a%20b%2F%C5%BC~")
        #expect(URLText.unescape("a%20b%2F%C5%BC~%+1%") == "a b/ż~%+1%")
        #expect(URLText.query([("a", "1&2"), ("b", "")]) == "a=1%262&b=")
        #expect(URLText.append([("a", "1")], to: "https://x/?b=2") == "https://x/?b=2&a=1")
        #expect(URLText.resolve("../c", against: "https://h/a/b/d") == "https://h/a/c")
        #expect(URLText.resolve("/c%20d", against: "https://h:8443/a?q#f") == "https://h:8443/c%20d")
        #expect(URLText.origin(of: "HTTPS://Shop.Example/a") == "https://shop.example:443")
        #expect(URLText.path(of: "http://a") == "/")
    }

    @Test func webhookSignatures() throws {
        let body = Array(#"{"a":1}"#.utf8)
        let mac = Crypto.hmacSHA256(key: Array("s1".utf8), body)
        for text in [Crypto.hex(mac), Crypto.base64(mac), "sha256=" + Crypto.hex(mac)] {
            try WebhookSignature.check(text, of: body, secrets: ["s2", "s1"])
            #expect(throws: HookError.self) { try WebhookSignature.check(text, of: body + [0], secrets: ["s1"]) }
            #expect(throws: HookError.self) { try WebhookSignature.check(text, of: body, secrets: ["s3", ""]) }
        }
        let empty = Crypto.hex(Crypto.hmacSHA256(key: [], body))
        #expect(throws: HookError.self) { try WebhookSignature.check(empty, of: body, secrets: [""]) }
        for missing in [nil, ""] {
            #expect(throws: HookError.self) { try WebhookSignature.check(missing, of: body, secrets: ["s1"]) }
            #expect(throws: HookError.self) { try WebhookSignature.check(token: missing, secrets: [""]) }
        }
        let stamp = WebhookSignature.stamp(body, at: 1000, secrets: ["old", "new"])
        for secret in ["old", "new"] {
            try WebhookSignature.check(stamped: stamp, of: body, secrets: [secret], receivedAt: 1300)
        }
        for (time, secret) in [(Int64(1301), "new"), (699, "new"), (1000, "other"), (.min, "new")] {
            #expect(throws: HookError.self) {
                try WebhookSignature.check(stamped: stamp, of: body, secrets: [secret], receivedAt: time)
            }
        }
    }
}
