import Cryptography
import Hub

/// Access tokens by the refresh grant of OAuth 2 (RFC 6749 section 6), after what a sign-in page sent back was traded for the first
/// (section 4.1.3). One actor per connector, so that
/// never two refreshes run at once: some remotes take the first token back when the second is given.
public actor OAuth2 {
    /// What to ask, and with which secrets.
    public struct Settings: Sendable {
        public var tokenURL: String
        public var clientID: String
        /// Name of the secret that holds the client's own; nil for a public client.
        public var clientSecretName: String?
        public var refreshTokenName: String
        /// Under this name the access token and its end are kept, across restarts.
        public var cacheName: String

        public init(
            tokenURL: String, clientID: String, clientSecretName: String? = "client_secret",
            refreshTokenName: String = "refresh_token", cacheName: String = "access_token"
        ) {
            self.tokenURL = tokenURL
            self.clientID = clientID
            self.clientSecretName = clientSecretName
            self.refreshTokenName = refreshTokenName
            self.cacheName = cacheName
        }
    }

    /// An access token and the second since 1970 from which it is not used any more.
    private struct Access {
        var token: String
        var ends: Int64
    }

    /// Seconds before its end at which a token is replaced.
    private static let margin: Int64 = 60

    private let settings: Settings
    private let secrets: any SecretStore
    private let http: HTTPClient
    private let now: @Sendable () -> Int64
    private var access: Access?
    private var refreshing: Task<Result<Access, RemoteError>, Never>?

    /// - Parameter now: seconds since 1970.
    public init(
        _ settings: Settings, secrets: any SecretStore, http: HTTPClient,
        now: @escaping @Sendable () -> Int64 = SystemClock.seconds
    ) {
        self.settings = settings
        self.secrets = secrets
        self.http = http
        self.now = now
    }

    /// An access token that is good for the next minute.
    /// - Throws: `.locked` when the refresh token is missing or no longer good; else as `HTTPClient.send`.
    public func token() async throws(RemoteError) -> String {
        // after somebody signed in, what is kept is of before
        if access == nil, try await secret(Manifest.SignIn.grant) ?? "" == "" { access = await cached() }
        if let access, access.ends - Self.margin > now() { return access.token }
        return try await refresh().token
    }

    /// Sends a request with the token; when the remote answers 401, once more with a fresh one.
    /// - Throws: as `token()` and `HTTPClient.send`. A second 401 comes back as answer.
    public func send(_ request: HTTPRequest) async throws(RemoteError) -> HTTPResponse {
        let first = try await token()
        let response = try await http.send(Self.authorized(request, first))
        guard response.status == 401 else { return response }
        // Another call may have replaced the token meanwhile.
        let next = access.map { $0.token != first } == true ? try await token() : try await refresh().token
        return try await http.send(Self.authorized(request, next))
    }

    private static func authorized(_ request: HTTPRequest, _ token: String) -> HTTPRequest {
        var request = request
        request.headers.append(("Authorization", "Bearer \(token)"))
        return request
    }

    private func cached() async -> Access? {
        // A store that cannot be read now costs a refresh, no more.
        guard let text = try? await secrets.secret(settings.cacheName), let value = try? JSON(text: text),
            let token = value["token"]?.string, let ends = value["ends"]?.int
        else { return nil }
        return Access(token: token, ends: ends)
    }

    /// Asks for a new token, or waits for the one already asked for.
    private func refresh() async throws(RemoteError) -> Access {
        let task =
            refreshing
            ?? Task {
                do throws(RemoteError) {
                    return .success(try await self.ask())
                } catch {
                    return .failure(error)
                }
            }
        refreshing = task
        let result = await task.value
        if refreshing == task { refreshing = nil }
        let fresh = try result.get()
        access = fresh
        return fresh
    }

    /// What a sign-in page sent back is traded by whoever takes it, once; what was there before stays good until then.
    private func ask() async throws(RemoteError) -> Access {
        if let code = try await taken() {
            do throws(RemoteError) {
                return try await trade(
                    [("grant_type", "authorization_code")]
                        + ["code", "code_verifier", "redirect_uri"].map { ($0, code[$0]?.string ?? "") }, isFirst: true)
            } catch .later(let reason, let message, let seconds) where reason.hasPrefix("http_") {
                // it was not looked at
                try await put([Manifest.SignIn.grant: code.text])
                throw .later(code: reason, message: message, retryAfter: seconds)
            } catch {
                guard try await stored() != nil else { throw error }
            }
        }
        let known = try await stored()
        do throws(RemoteError) {
            return try await refreshed(by: known)
        } catch .locked(let reason, let message) {
            // another process may just be trading a code, or have renewed the token
            do { try await Task.sleep(for: .seconds(3)) } catch { throw .locked(code: reason, message: message) }
            let now = try await stored()
            guard now != known else { throw .locked(code: reason, message: message) }
            return try await refreshed(by: now)
        }
    }

    private func stored() async throws(RemoteError) -> String? {
        let token = try await secret(settings.refreshTokenName)
        return token?.isEmpty == true ? nil : token
    }

    private func refreshed(by token: String?) async throws(RemoteError) -> Access {
        guard let token else { throw .locked(code: "no_refresh_token", message: "sign in at the remote first") }
        return try await trade([("grant_type", "refresh_token"), ("refresh_token", token)], isFirst: false)
    }

    /// - Parameter isFirst: whether it has to bring a refresh token.
    private func trade(_ grant: [(String, String)], isFirst: Bool) async throws(RemoteError) -> Access {
        var form = grant + [("client_id", settings.clientID)]
        if let name = settings.clientSecretName, let clientSecret = try await secret(name) {
            form.append(("client_secret", clientSecret))
        }
        let request = HTTPRequest(
            "POST", settings.tokenURL, headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(URLText.query(form).utf8))
        let response: HTTPResponse
        do throws(RemoteError) {
            response = try await http.send(request)
        } catch .unsure(let code, let message) {
            // Asking again is what the refresh grant is for; a code that was traded unseen is good for nothing more.
            throw .later(code: code, message: message)
        }
        return try await keep(try self.grant(in: response, to: request, hiding: form.map(\.1)), isFirst: isFirst)
    }

    /// What a sign-in page sent back; nobody else gets it.
    private func taken() async throws(RemoteError) -> JSON? {
        let text: String?
        do { text = try await secrets.take(Manifest.SignIn.grant) } catch {
            throw .later(code: "no_secrets", message: "the connector's secrets cannot be read")
        }
        guard let text, !text.isEmpty else { return nil }
        do { return try JSON(text: text) } catch {
            throw .locked(code: "bad_grant", message: "what the sign-in page sent back cannot be read: sign in again")
        }
    }

    private func put(_ values: [String: String]) async throws(RemoteError) {
        do { try await secrets.save(values) } catch {
            throw .later(code: "no_secrets", message: "the connector's secrets cannot be saved")
        }
    }

    private func secret(_ name: String) async throws(RemoteError) -> String? {
        do {
            return try await secrets.secret(name)
        } catch {
            throw .later(code: "no_secrets", message: "the connector's secrets cannot be read")
        }
    }

    /// The answer of the token endpoint (RFC 6749 sections 5.1 and 5.2).
    private func grant(
        in response: HTTPResponse, to request: HTTPRequest, hiding secrets: [String]
    ) throws(RemoteError) -> JSON {
        if response.isSuccess { return try response.json() }
        let code = (try? response.json())?["error"]?.string
        let words = Redaction.scrub(Answers.words(of: response, to: request), of: secrets)
        switch (response.status, code) {
        case (429, _), (500..., _):
            throw .later(
                code: "http_\(response.status)", message: words, retryAfter: Answers.retryAfter(response))
        default: throw .locked(code: code ?? "http_\(response.status)", message: words)
        }
    }

    /// - Parameter isFirst: whether a code was traded for it.
    private func keep(_ answer: JSON, isFirst: Bool) async throws(RemoteError) -> Access {
        guard let token = answer["access_token"]?.string, !token.isEmpty else {
            throw .later(code: "bad_answer", message: "the token endpoint gave no token")
        }
        guard !isFirst || answer["refresh_token"]?.string?.isEmpty == false else {
            throw .locked(code: "no_refresh_token", message: "the remote let Kontor in once and not for longer")
        }
        let fresh = Access(token: token, ends: now() + (answer["expires_in"]?.int ?? 3600))
        let cache: JSON = ["token": .string(fresh.token), "ends": .int(fresh.ends)]
        var kept = [settings.cacheName: cache.text]
        // the old one may be spent already
        if let renewed = answer["refresh_token"]?.string, !renewed.isEmpty { kept[settings.refreshTokenName] = renewed }
        try await put(kept)
        return fresh
    }
}
