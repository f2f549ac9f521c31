import Cryptography

/// A bearer token: 256 random bits, kept only as their hash.
public struct APIToken: Sendable {
    public let text: String
    /// What the database keeps.
    public var hash: [UInt8] { Crypto.sha256(text.utf8) }
    /// Enough to recognise it in a list.
    public var prefix: String { String(text.prefix(11)) }

    static func make() -> APIToken { APIToken(text: "kontor_" + Crypto.base64url(Crypto.randomBytes(32))) }

    /// A token as presented by a client; nil for text that is none.
    public init?(presented text: String) {
        guard text.hasPrefix("kontor_"), text.utf8.count == 50 else { return nil }
        self.text = text
    }

    private init(text: String) { self.text = text }
}
