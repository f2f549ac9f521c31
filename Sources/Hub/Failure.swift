/// An error for whoever asked: a stable code (docs/errors.md), what happened, and what to do about it.
public struct Failure: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        case invalid, unauthenticated, forbidden, notFound, conflict, stale, tooLarge, tooMany, unavailable, broken
    }
    public var kind: Kind
    public var code: String
    public var message: String
    /// Single mistakes: {"field", "code", "message"} and the like.
    public var details: [JSON]
    /// Seconds after which to ask again.
    public var retryAfter: Int?

    public init(_ kind: Kind, _ code: String, _ message: String, details: [JSON] = [], retryAfter: Int? = nil) {
        self.kind = kind
        self.code = code
        self.message = message
        self.details = details
        self.retryAfter = retryAfter
    }

    public static func notFound(_ what: String) -> Failure {
        Failure(.notFound, "not_found", "There is no such \(what).")
    }

    public var description: String { "\(code): \(message)" }
}
