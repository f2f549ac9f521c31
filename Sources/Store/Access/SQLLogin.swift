import Cryptography

/// A PostgreSQL role for a person or their reporting tool. The password is made here and kept only as a verifier.
public struct SQLLogin: Sendable {
    public let name: String
    public let password: String
    var verifier: String { ScramVerifier.make(password: password) }

    static func make() -> SQLLogin {
        SQLLogin(name: "u_" + Crypto.hex(Crypto.randomBytes(8)), password: Crypto.base64url(Crypto.randomBytes(24)))
    }
}
