import ConnectorKit
import Hub

/// Calls of the EspoCRM REST API v1 under an API user's key.
struct EspoAPI: Sendable {
    let base: String
    let secrets: any SecretStore
    let http: HTTPClient

    /// An answer and the request it belongs to.
    struct Exchange {
        let request: HTTPRequest
        let response: HTTPResponse

        func json() throws(RemoteError) -> JSON { try response.json(of: request) }

        /// What an answer that is no success means. EspoCRM says its reason in a header; bodies hold keys
        /// of its own texts at best.
        var error: RemoteError {
            guard let reason = response.headers["x-status-reason"], !reason.isEmpty else {
                return Answers.error(for: response, to: request)
            }
            var told = response
            told.body = Array(reason.utf8)
            return Answers.error(for: told, to: request)
        }

        /// The same about one record: 403 says that this one may not be had, not that the key is bad, and 400 mostly
        /// that a value is missing or wrong ("Field validation failure; …, type: required").
        var recordError: RemoteError {
            switch (response.status, error) {
            case (403, .locked(let code, let message)): .refused(code: code, message: message)
            case (400, .refused(_, let message)) where message.hasPrefix("Field validation failure"):
                .refused(code: Self.code(ofValidation: message), message: message)
            default: error
            }
        }

        private static func code(ofValidation message: String) -> String {
            if message.hasSuffix("type: required") { return "value_missing" }
            return message.hasSuffix("type: maxLength") ? "value_too_long" : "value_invalid"
        }
    }

    /// Sends a request and gives every answer back.
    /// - Parameter path: behind "/api/v1/".
    func send(
        _ method: String, _ path: String, _ query: [(String, String)] = [], headers: [(String, String)] = [],
        json: JSON? = nil
    ) async throws(RemoteError) -> Exchange {
        let key = try await secrets.required("api_key")
        let url = URLText.append(query, to: "\(base)/api/v1/\(path)")
        let headers = headers + [("X-Api-Key", key)]
        let request =
            json.map { HTTPRequest(method, url, headers: headers, json: $0) }
            ?? HTTPRequest(method, url, headers: headers)
        return Exchange(request: request, response: try await http.send(request))
    }

    /// Reads what must be there.
    func get(_ path: String, _ query: [(String, String)] = []) async throws(RemoteError) -> JSON {
        let exchange = try await send("GET", path, query)
        guard exchange.response.isSuccess else { throw exchange.error }
        return try exchange.json()
    }

    /// A contact with all its e-mail addresses and phone numbers; nil when there is none.
    func contact(_ id: String) async throws(RemoteError) -> JSON? {
        let exchange = try await send("GET", "Contact/\(URLText.escape(id))")
        if exchange.response.status == 404 { return nil }
        guard exchange.response.isSuccess else { throw exchange.recordError }
        return try exchange.json()
    }

    /// Contacts for which a field equals a value.
    func contacts(where attribute: String, equals value: String) async throws(RemoteError) -> [JSON] {
        let query = [
            ("where[0][type]", "equals"), ("where[0][attribute]", attribute), ("where[0][value]", value),
            ("maxSize", "5"), ("orderBy", "createdAt"), ("order", "asc"),
        ]
        return try await get("Contact", query)["list"]?.array ?? []
    }
}
