import ConnectorKit
import Cryptography
import Hub

/// Calls of Mailman's REST API 3.1 with Basic credentials; bodies are forms.
struct MailmanAPI: Sendable {
    let base: String
    let user: String
    let secrets: any SecretStore
    let http: HTTPClient

    /// Sends a request; every success and the passing statuses come back.
    /// - Parameter path: behind "/3.1/".
    /// - Throws: `RemoteError`.
    func send(
        _ method: String, _ path: String, form: [(String, String)]? = nil, passing: Set<Int> = []
    ) async throws(RemoteError) -> HTTPResponse {
        let password = try await secrets.required("password")
        var headers = [("Authorization", "Basic \(Crypto.base64("\(user):\(password)".utf8))")]
        if form != nil { headers.append(("Content-Type", "application/x-www-form-urlencoded")) }
        let request = HTTPRequest(
            method, "\(base)/3.1/\(path)", headers: headers, body: form.map { Array(URLText.query($0).utf8) })
        let response = try await http.send(request)
        guard response.isSuccess || passing.contains(response.status) else {
            throw Answers.error(for: response, to: request)
        }
        return response
    }

    func get(_ path: String) async throws(RemoteError) -> JSON { try await send("GET", path).json() }

    /// As `get`; nil for what is not there.
    func find(_ path: String) async throws(RemoteError) -> JSON? {
        let response = try await send("GET", path, passing: [404])
        if response.status == 404 { return nil }
        return try response.json()
    }

    /// What Mailman says about a request it refuses: JSON with a description, or plain text.
    static func words(of response: HTTPResponse) -> String {
        let text = String(decoding: response.body.prefix(300), as: UTF8.self)
        return (try? response.json())?["description"]?.string ?? text
    }
}
