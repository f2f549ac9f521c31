import HTTPTypes
import Hub

/// One thing the interface can do. The router and the OpenAPI document are both made of these. A class, so that a
/// request holds one reference and not a copy of everything.
final class Operation: Sendable {
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
    let parameters: [Parameter]
    let body: Body
    /// Schema of the answer by status; nil for an answer without a body.
    let responses: [Int: JSON?]
    /// Media type of an answer that is no JSON document.
    let answerType: String
    /// Statuses of errors besides those every operation has.
    let errors: [Int]
    /// Whether it is in the OpenAPI document.
    let isDocumented: Bool
    let handle: @Sendable (Call) async throws -> Answer

    init(
        id: String, method: HTTPRequest.Method, path: String, summary: String, access: Access,
        parameters: [Parameter] = [], body: Body = .none, responses: [Int: JSON?],
        answerType: String = "application/json", errors: [Int] = [], isDocumented: Bool = true, isPage: Bool = false,
        takesMore: Bool = false, handle: @escaping @Sendable (Call) async throws -> Answer
    ) {
        (self.id, self.method, self.path, self.summary, self.access) = (id, method, path, summary, access)
        (self.parameters, self.body, self.responses, self.answerType) = (parameters, body, responses, answerType)
        (self.errors, self.isDocumented, self.isPage, self.handle) = (errors, isDocumented, isPage, handle)
        self.takesMore = takesMore
    }

    /// Whether only people who signed in may call it.
    var isForPeople: Bool { isPage || access == .staff || access == .tenant(.staff) }

    /// Whether it is about the caller's own account alone.
    var isOfOwnAccount: Bool {
        ["account", "sessions"].contains { path == "/api/v1/\($0)" || path.hasPrefix("/api/v1/\($0)/") }
    }

    /// Whether it is a page of the console: errors are pages, too, and the session may come in a cookie.
    let isPage: Bool

    /// Whether parameters it does not know are passed over: others send people there (RFC 6749 section 4.1.2).
    let takesMore: Bool

    /// Whether a page that lies open asks by itself, with nobody doing anything.
    func isIdle(_ headers: HTTPFields) -> Bool { id == "live" || headers[.kontorLive] != nil }

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
