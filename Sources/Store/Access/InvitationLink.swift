import Cryptography

/// By which somebody sets the password of an account once: 256 random bits, kept only as their hash.
public struct InvitationLink: Sendable {
    public let text: String
    /// What the database keeps.
    var hash: [UInt8] { Crypto.sha256(text.utf8) }

    static func make() -> InvitationLink { InvitationLink(text: Crypto.base64url(Crypto.randomBytes(32))) }

    /// - Parameter text: as it came with the invitation.
    public init(text: String) { self.text = text }
}
