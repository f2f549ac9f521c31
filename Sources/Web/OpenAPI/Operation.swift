import HTTPTypes
import Hub

/// One thing the interface can do. The router and the OpenAPI document are both made of these.
struct Operation: Sendable {
    /// What the body of a request holds.
    enum Body: Sendable {
        case none
        case json(JSON, limit: Int)
        /// Read by the handler piece by piece.
        case stream(mediaType: String)
        /// Any bytes up to a limit.
        case bytes(limit: Int)

        static func json(_ schema: JSON) -> Body { .json(schema, limit: 10_000_000) }
    }

    let id: String
    let method: HTTPRequest.Method
    /// Such as "/api/v1/contacts/{id}".
    let path: String
    let summary: String
    let access: Access
    var parameters: [Parameter] = []
    var body: Body = .none
    /// Schema of the answer by status; nil for an answer without a body.
    let responses: [Int: JSON?]
    /// Media type of an answer that is no JSON document.
    var answerType = "application/json"
    /// Statuses of errors besides those every operation has.
    var errors: [Int] = []
    /// Whether it is in the OpenAPI document.
    var isDocumented = true
    let handle: @Sendable (Call) async throws -> Answer

    /// The method's name: "GET".
    var verb: String { method.rawValue }

    /// Names in braces within the path.
    var pathNames: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }
}

/// A parameter of an operation.
struct Parameter: Sendable {
    enum Place: String, Sendable { case path, query, header }
    let name: String
    let place: Place
    let schema: JSON
    let summary: String
    var isRequired = false

    static func query(_ name: String, _ schema: JSON, _ summary: String) -> Parameter {
        Parameter(name: name, place: .query, schema: schema, summary: summary)
    }

    static func header(_ name: String, _ schema: JSON, _ summary: String) -> Parameter {
        Parameter(name: name, place: .header, schema: schema, summary: summary)
    }
}
