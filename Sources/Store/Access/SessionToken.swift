import Cryptography

/// What a signed-in person shows with each request: 256 random bits, kept only as their hash.
public struct SessionToken: Sendable {
    private static let prefix = "kontor_session_"

    public let text: String
    /// What the database keeps.
    var hash: [UInt8] { Crypto.sha256(text.utf8) }

    static func make() -> SessionToken { SessionToken(text: prefix + Crypto.base64url(Crypto.randomBytes(32))) }

    /// A token as presented by a client; nil for text that is none.
    public init?(presented text: String) {
        guard text.hasPrefix(Self.prefix), text.utf8.count == Self.prefix.utf8.count + 43 else { return nil }
        self.text = text
    }

    private init(text: String) { self.text = text }
}
