import HTTPTypes
import Hub
import Hummingbird
import NIOCore
import Store

/// One request, let in and checked, as its operation sees it. A class for the reason that `Operation` is one.
final class Call: Sendable {
    let services: WebServices
    let caller: Caller
    /// Parts of the path by name.
    let path: [String: String]
    /// Query parameters by name, in the type their schema says.
    let query: [String: JSON]
    let headers: HTTPFields
    let body: JSON
    /// The body of an operation that takes any bytes.
    let bytes: [UInt8]
    /// The body of an operation that reads it itself.
    let stream: RequestBody
    let peer: SocketAddress?

    init(
        services: WebServices, caller: Caller, path: [String: String], query: [String: JSON], headers: HTTPFields,
        body: JSON, bytes: [UInt8], stream: RequestBody, peer: SocketAddress?, host: String? = nil
    ) {
        (self.services, self.caller, self.path, self.query) = (services, caller, path, query)
        (self.headers, self.body, self.bytes) = (headers, body, bytes)
        (self.stream, self.peer, self.host) = (stream, peer, host)
    }

    /// The caller's network address.
    var address: String { peer?.ipAddress ?? "" }

    /// The host the browser asked for.
    let host: String?

    /// The caller's tenant.
    var tenant: TenantDatabase {
        guard case .tenant(let tenant, _) = caller else { preconditionFailure("an operation without a tenant") }
        return tenant
    }

    var actor: Actor { grant.actor }

    var scopes: Set<String> { grant.scopes }

    /// What the caller showed: a token's, or a session's.
    var grant: TokenGrant {
        switch caller {
        case .tenant(_, let grant), .operators(let grant): return grant
        case .anybody: preconditionFailure("an operation without a caller")
        }
    }

    /// - Throws: `Failure` `scope.missing`, where an operation needs a second scope.
    func demand(_ scope: Scope) throws {
        guard scopes.contains(scope.rawValue) else { throw Caller.missing(scope) }
    }

    /// Notes contacts that a person was shown.
    func noteRead(_ contacts: [Int64]) {
        guard case .staff = actor else { return }
        services.reads.note(contacts, to: actor, of: tenant.tenant, isAgain: headers[.kontorLive] != nil)
    }

    /// The token in the cookie by which a browser comes to this page.
    var cookie: String? {
        var isOperator = false
        if case .operators = caller { isOperator = true }
        return ConsoleSession.token(headers, isSecure: services.isSecure, isOperator: isOperator)
    }

    /// A number in the path.
    /// - Throws: `Failure` `not_found` for what is no number: nothing has such an address.
    func id(_ name: String = "id") throws -> Int64 {
        let text = path[name] ?? ""
        guard text.utf8.first != UInt8(ascii: "+"), let id = Int64(text), id > 0 else {
            throw Failure.notFound("address")
        }
        return id
    }

    /// Bytes the body is said to have.
    var announcedLength: Int? { headers[.contentLength].flatMap { Int($0) } }

    func text(_ name: String) -> String? { query[name]?.string }
    func flag(_ name: String) -> Bool { query[name]?.bool ?? false }

    /// Entries wanted on a page.
    var limit: Int { Int(query["limit"]?.int ?? 50) }

    /// Where the page before ended, in one number; nil to begin.
    func cursor() throws -> Int64? { try text("cursor").map { try PageCursor.decode($0, count: 1)[0] } }

    /// Where the page before ended, in two numbers; zeros to begin.
    func cursorPair() throws -> (Int64, Int64) {
        guard let text = text("cursor") else { return (0, 0) }
        let numbers = try PageCursor.decode(text, count: 2)
        return (numbers[0], numbers[1])
    }

    /// The version the caller saw (If-Match); nil for any.
    func seenVersion() throws -> Int64? {
        guard let field = headers[.ifMatch], field != "*" else { return nil }
        guard let match = field.wholeMatch(of: /"v([0-9]{1,18})"/), let version = Int64(match.1) else {
            throw RequestFault.query(
                "header.invalid", "If-Match must be one tag as it came in ETag, such as \"v3\", or *.", "If-Match")
        }
        return version
    }
}

extension HTTPField.Name {
    /// Sent by the console's script when it draws parts of an open page anew.
    static let kontorLive = HTTPField.Name("Kontor-Live")!
}
