import ConnectorKit
import Cryptography
import Hub

/// Calls of Kinto's HTTP API 1.x with Basic credentials, for the records of one collection.
struct KintoAPI: Sendable {
    /// With the API's version: "https://kinto.example/v1".
    let base: String
    let bucket: String
    let collection: String
    let user: String
    let secrets: any SecretStore
    let http: HTTPClient

    var collectionPath: String {
        "/buckets/\(URLText.escape(bucket))/collections/\(URLText.escape(collection))"
    }
    var recordsPath: String { collectionPath + "/records" }
    func recordPath(_ id: String) -> String { "\(recordsPath)/\(URLText.escape(id))" }

    /// A success, or a status the caller judges.
    struct Answer {
        let status: Int
        let headers: [String: String]
        /// Null when it is no success.
        let body: JSON
        var data: JSON { body["data"] ?? .null }
    }

    /// Sends a request. Besides successes 404 comes back when Kinto itself says that there is no such record, and 412.
    ///
    /// - Parameters:
    ///   - path: behind the base address.
    ///   - record: what to write.
    ///   - placed: the query says where a listing goes on.
    /// - Throws: `RemoteError`; `.cursorExpired` when Kinto refuses a placed query.
    func send(
        _ method: String, _ path: String, _ query: [(String, String)] = [], condition: (String, String)? = nil,
        record: JSON? = nil, placed: Bool = false
    ) async throws(RemoteError) -> Answer {
        let password = try await secrets.required("password")
        var headers = [("Authorization", "Basic \(Crypto.base64("\(user):\(password)".utf8))")]
        if let condition { headers.append(condition) }
        let url = URLText.append(query, to: base + path)
        let request =
            record.map { HTTPRequest(method, url, headers: headers, json: ["data": $0]) }
            ?? HTTPRequest(method, url, headers: headers)
        let response = try await http.send(request)
        if response.isSuccess {
            return Answer(status: response.status, headers: response.headers, body: try response.json(of: request))
        }
        switch (response.status, Self.errno(of: response)) {
        case (412, _), (404, Self.noSuchRecord):
            return Answer(status: response.status, headers: response.headers, body: .null)
        case (404, Self.noSuchParent):
            let words = "there is no collection \(bucket)/\(collection)"
            throw .locked(code: "no_collection", message: words)
        case (400, Self.badParameters) where placed: throw .cursorExpired
        default: throw Answers.error(for: response, to: request)
        }
    }

    /// A record as it is; nil when there is none.
    func record(_ id: String) async throws(RemoteError) -> JSON? {
        let answer = try await send("GET", recordPath(id))
        if answer.status == 404 { return nil }
        guard answer.data["id"]?.string != nil else {
            throw .later(code: "bad_answer", message: "the answer holds no record")
        }
        return answer.data
    }

    private static let badParameters: Int64 = 107
    private static let noSuchRecord: Int64 = 110
    private static let noSuchParent: Int64 = 111

    /// Kinto's own number of an error; nil when somebody else answered, such as a proxy before it.
    private static func errno(of response: HTTPResponse) -> Int64? {
        do {
            return try JSON(parsing: response.body)["errno"]?.int
        } catch {
            return nil
        }
    }
}
