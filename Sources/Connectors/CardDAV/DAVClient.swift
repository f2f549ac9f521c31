import ConnectorKit
import Cryptography
import Hub

/// WebDAV calls under one account.
struct DAVClient: Sendable {
    static let multigetSize = 100

    let http: HTTPClient
    let user: String
    let secrets: any SecretStore

    /// Calls and passes on what is a success, 412, or one of `passing`.
    ///
    /// - Throws: `RemoteError`; `.cursorExpired` when the server does not know a sync token.
    func call(
        _ method: String, _ url: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
        passing: Set<Int> = []
    ) async throws(RemoteError) -> HTTPResponse {
        let request = HTTPRequest(method, url, headers: try await credentials() + headers, body: body, timeout: 60)
        let response = try await http.send(request)
        if response.isSuccess || passing.contains(response.status) { return response }
        if let condition = Self.precondition(in: response) {
            if condition == "valid-sync-token" { throw .cursorExpired }
            if (400...409).contains(response.status), response.status != 401, condition != "need-privileges" {
                throw .refused(code: condition, message: Answers.words(of: response, to: request))
            }
        }
        if response.status == 423 {
            // Somebody else is writing just now (Xandikos), or holds a lock (RFC 4918 section 11.3).
            throw .later(code: "http_423", message: Answers.words(of: response, to: request))
        }
        throw Answers.error(for: response, to: request)
    }

    /// A call with an XML body that reads.
    func ask(
        _ method: String, _ url: String, depth: String, xml: String, passing: Set<Int> = []
    ) async throws(RemoteError) -> HTTPResponse {
        let headers = [("Content-Type", "application/xml; charset=utf-8"), ("Depth", depth)]
        let text = #"<?xml version="1.0" encoding="utf-8"?>"# + xml
        return try await call(method, url, headers: headers, body: Array(text.utf8), passing: passing)
    }

    private func credentials() async throws(RemoteError) -> [(String, String)] {
        guard !user.isEmpty else { return [] }
        let password: String?
        do {
            password = try await secrets.secret("password")
        } catch {
            throw .later(code: "no_secrets", message: "the connector's secrets cannot be read")
        }
        guard let password else { throw .locked(code: "no_password", message: "the password is missing") }
        return [("Authorization", "Basic " + Crypto.base64("\(user):\(password)".utf8))]
    }

    /// The name of the violated precondition in a DAV:error body (RFC 4918 section 16).
    static func precondition(in response: HTTPResponse) -> String? {
        guard let root = XMLNode.parse(response.body), root.name == "{DAV:}error" else { return nil }
        return root.children.first?.localName
    }

    /// Text fit to stand in XML.
    static func xmlText(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
