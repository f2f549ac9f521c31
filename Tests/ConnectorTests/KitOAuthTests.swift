import ConnectorKit
import Hub
import Synchronization
import Testing

@Suite struct KitOAuthTests {
    private let server: KitServerProcess
    private let base: String
    private let http = HTTPClient(guard: KitFaultProxy.loopback)

    init() throws {
        server = try KitServerProcess("token_server.py", [], readsLine: true)
        base = "http://127.0.0.1:\(server.firstLine)"
    }

    private final class Clock: Sendable {
        let time = Mutex<Int64>(1000)
        func now() -> Int64 { time.withLock { $0 } }
        func advance(_ seconds: Int64) { time.withLock { $0 += seconds } }
    }

    private func oauth(_ secrets: KitSecrets, _ clock: Clock = Clock(), expires: Int = 3600) -> OAuth2 {
        OAuth2(
            .init(tokenURL: "\(base)/token?expires=\(expires)", clientID: "me & co"), secrets: secrets, http: http,
            now: { clock.now() })
    }

    private func grants() async throws -> Int64? {
        try await http.send(HTTPRequest("GET", "\(base)/count")).json().int
    }

    private var fresh: KitSecrets {
        KitSecrets(["refresh_token": "canary-refresh-0", "client_secret": "canary-client"])
    }

    @Test func oneGrantServesAll() async throws {
        let (secrets, clock) = (fresh, Clock())
        let oauth = oauth(secrets, clock)
        let resource = HTTPRequest("GET", "\(base)/resource")
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await oauth.send(resource).status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: 200, count: 20))
        #expect(try await grants() == 1)
        // Another process, or the same after a restart, goes on with the kept token.
        #expect(try await self.oauth(secrets, clock).token() == "access-1")
        #expect(try await secrets.secret("refresh_token") == "canary-refresh-1")
        clock.advance(3600 - 61)
        #expect(try await oauth.token() == "access-1")
        clock.advance(2)
        #expect(try await oauth.token() == "access-2")
    }

    @Test func a401BringsOneFreshToken() async throws {
        let oauth = oauth(fresh)
        let resource = HTTPRequest("GET", "\(base)/resource")
        #expect(try await oauth.send(resource).status == 200)
        _ = try await http.send(HTTPRequest("POST", "\(base)/revoke"))
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<10 { group.addTask { try await oauth.send(resource).status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: 200, count: 10))
        #expect(try await grants() == 2)
    }

    @Test func aSpentGrantLocksAndTellsNoSecret() async throws {
        let secrets = KitSecrets(["refresh_token": "canary+refresh/spent", "client_secret": "canary-client"])
        for _ in 0..<2 {
            do throws(RemoteError) {
                _ = try await oauth(secrets).token()
                Issue.record("a token came")
            } catch {
                guard case .locked(code: "invalid_grant", let message) = error else {
                    Issue.record("\(error)")
                    return
                }
                #expect(!message.contains("canary") && message.contains("no good"))
            }
        }
        await #expect(throws: RemoteError.locked(code: "no_refresh_token", message: "sign in at the remote first")) {
            try await oauth(KitSecrets([:])).token()
        }
    }

    @Test func whatASignInPageSentBackIsTradedOnce() async throws {
        let grant: JSON = [
            "code": "canary-code", "code_verifier": "canary-proof",
            "redirect_uri": "https://kontor.example/connections/signed-in",
        ]
        // somebody signed in before, as somebody else
        let secrets = KitSecrets([
            "authorization": grant.text, "client_secret": "canary-client", "refresh_token": "canary-of-before",
            "access_token": #"{"token": "access-of-before", "ends": 99999999}"#,
        ])
        let clock = Clock()
        let oauth = oauth(secrets, clock)
        #expect(try await oauth.token() == "access-1")
        #expect(try await secrets.secret("refresh_token") == "canary-refresh-1")
        #expect(try await secrets.secret("authorization") == nil)
        #expect(try await self.oauth(secrets, clock).token() == "access-1")
        clock.advance(3600)
        #expect(try await oauth.token() == "access-2")
        // the same code once more
        let again = KitSecrets(["authorization": grant.text, "client_secret": "canary-client"])
        do throws(RemoteError) {
            _ = try await self.oauth(again).token()
            Issue.record("a token came")
        } catch {
            guard case .locked(code: "invalid_grant", let message) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(!message.contains("canary"))
        }
        // a code that is refused does not stand in the way of what was good before
        let before = try #require(try await secrets.secret("refresh_token"))
        let kept = KitSecrets([
            "authorization": grant.text, "client_secret": "canary-client", "refresh_token": before,
        ])
        #expect(try await self.oauth(kept).token() == "access-3")
        #expect(try await kept.secret("authorization") == nil)
    }

    @Test func aBrokenEndpointIsLater() async throws {
        let proxy = try KitFaultProxy(before: base)
        for kind in [KitFaultProxy.Kind.cut, .torn, .status] {
            try await proxy.fail(kind, status: 503, count: 2)
            let oauth = OAuth2(
                .init(tokenURL: "\(proxy.base)/token", clientID: "me & co"), secrets: fresh, http: http)
            do throws(RemoteError) {
                _ = try await oauth.token()
                Issue.record("a token came through \(kind)")
            } catch {
                guard case .later = error else {
                    Issue.record("\(kind) is \(error)")
                    continue
                }
            }
            try await proxy.forget()
        }
    }
}
