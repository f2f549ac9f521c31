import ConnectorKit
import Cryptography
import Hub

/// Calls of the WooCommerce REST API v3 with the key pair as Basic credentials. A shop takes these over
/// HTTPS only.
struct WooAPI: Sendable {
    let base: String
    let secrets: any SecretStore
    let http: HTTPClient

    /// - Parameter path: behind "/wp-json/wc/v3/".
    /// - Throws: `RemoteError`.
    func send(
        _ method: String, _ path: String, _ query: [(String, String)] = [], json: JSON? = nil
    ) async throws(RemoteError) -> HTTPResponse {
        let key = try await secrets.required("consumer_key")
        let secret = try await secrets.required("consumer_secret")
        let url = URLText.append(query, to: "\(base)/wp-json/wc/v3/\(path)")
        let headers = [("Authorization", "Basic \(Crypto.base64("\(key):\(secret)".utf8))")]
        // A shop makes a hundred customers one by one: give it time.
        let request =
            json.map { HTTPRequest(method, url, headers: headers, json: $0, timeout: 120) }
            ?? HTTPRequest(method, url, headers: headers)
        let response = try await http.send(request)
        guard response.isSuccess else { throw Answers.error(for: response, to: request) }
        // A plugin's warning before the JSON, or a page of a proxy, is no answer.
        _ = try response.json(of: request)
        return response
    }

    func get(_ path: String, _ query: [(String, String)]) async throws(RemoteError) -> JSON {
        try await send("GET", path, query).json()
    }

    /// What the error of one item in a batch means.
    static func meaning(ofItem error: JSON) -> RemoteError {
        let code = error["code"]?.scalarText ?? "error"
        // Which parameter is wrong stands in the message, how it is wrong in the data.
        let reasons = (error["data"]?["params"]?.object ?? [:]).sorted { $0.key < $1.key }.compactMap(\.value.string)
        let words = ([error["message"]?.string ?? code] + reasons).joined(separator: "; ")
        switch error["data"]?["status"]?.int ?? 400 {
        case 404: return .refused(code: "http_404", message: words)
        case 429, 500...599: return .later(code: code, message: words)
        default: return .refused(code: code, message: words)
        }
    }
}
