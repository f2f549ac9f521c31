import ConnectorKit
import Hub

/// Calls of the People API v1, with access tokens, and what its errors mean.
/// Source: the discovery document people.v1.json and google.rpc.Status.
struct PeopleAPI: Sendable {
    let base: String
    let oauth: OAuth2

    /// - Parameter path: behind "/v1/".
    /// - Throws: `RemoteError`; for what is not there one with `isMissing`.
    func get(_ path: String, _ query: [(String, String)]) async throws(RemoteError) -> JSON {
        try await call(HTTPRequest("GET", URLText.append(query, to: "\(base)/v1/\(path)")))
    }

    func post(_ path: String, _ body: JSON) async throws(RemoteError) -> JSON {
        try await call(HTTPRequest("POST", "\(base)/v1/\(path)", json: body, timeout: 60))
    }

    private func call(_ request: HTTPRequest) async throws(RemoteError) -> JSON {
        let response = try await oauth.send(request)
        if response.isSuccess { return try response.json(of: request) }
        // The token was added by the grant: name it, so that it is taken out of Google's words.
        var told = request
        if let token = try? await oauth.token() { told.headers.append(("Authorization", "Bearer \(token)")) }
        throw Self.meaning(of: response, to: told)
    }

    /// Google says with 400 and 403 what other remotes say with 409, 410 and 429.
    private static func meaning(of response: HTTPResponse, to request: HTTPRequest) -> RemoteError {
        let plain = Answers.error(for: response, to: request)
        guard let error = (try? response.json())?["error"] else { return plain }
        let reasons = Self.reasons(error)
        let words = Answers.words(of: response, to: request)
        if reasons.contains("EXPIRED_SYNC_TOKEN") || response.status == 410 { return .cursorExpired }
        if isAboutEtag(status: error["status"]?.string, words: words) { return .stale }
        let quota: Set = [
            "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded",
        ]
        if response.status == 403, !quota.isDisjoint(with: reasons) {
            return .later(code: "quota", message: words, retryAfter: Answers.retryAfter(response))
        }
        return plain
    }

    /// Whether an error says that a person changed since it was read.
    static func isAboutEtag(status: String?, words: String) -> Bool {
        status == "FAILED_PRECONDITION" && words.lowercased().contains("etag")
    }

    /// The status word and all reasons of an error, in the new form (`details`) and the old (`errors`).
    private static func reasons(_ error: JSON) -> Set<String> {
        let details = (error["details"]?.array ?? []) + (error["errors"]?.array ?? [])
        return Set(details.compactMap { $0["reason"]?.string } + [error["status"]?.string].compactMap { $0 })
    }

    /// What the status of one person in a batch means; nil when it is fine.
    static func meaning(ofStatus status: JSON?) -> RemoteError? {
        guard let status, let code = status["code"]?.int, code != 0 else { return nil }
        let words = status["message"]?.string ?? "status \(code)"
        switch code {
        case 5: return .refused(code: "http_404", message: words)
        case 9 where words.lowercased().contains("etag"): return .stale
        case 4, 8, 10, 13, 14: return .later(code: "status_\(code)", message: words)
        default: return .refused(code: "status_\(code)", message: words)
        }
    }
}

/// Field masks of the People API.
enum PersonFields {
    /// What can be written, and what is read of it.
    static let writable = [
        "addresses", "biographies", "birthdays", "calendarUrls", "clientData", "emailAddresses", "events",
        "externalIds", "genders", "imClients", "interests", "locales", "locations", "memberships", "miscKeywords",
        "names", "nicknames", "occupations", "organizations", "phoneNumbers", "relations", "sipAddresses", "urls",
        "userDefined",
    ]
    static let mask = (writable + ["metadata"]).joined(separator: ",")
    /// Only what the account keeps itself: profiles of other people have fields nobody can write.
    static let source = "READ_SOURCE_TYPE_CONTACT"
    static let query = [("personFields", mask), ("sources", source)]
}
