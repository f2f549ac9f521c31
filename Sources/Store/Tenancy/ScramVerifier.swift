import Cryptography

/// Makes what PostgreSQL stores of a password (RFC 5803), so that no password is ever in a statement.
enum ScramVerifier {
    private static let rounds = 4096

    static func make(password: String, salt: [UInt8] = Crypto.randomBytes(16)) -> String {
        let key = HMACKey(Array(password.utf8))
        // PBKDF2 with one block (RFC 8018, 5.2)
        var block = key.sign(salt + [0, 0, 0, 1])
        var salted = block
        for _ in 1..<rounds {
            block = key.sign(block)
            for index in salted.indices { salted[index] ^= block[index] }
        }
        let stored = Crypto.sha256(Crypto.hmacSHA256(key: salted, Array("Client Key".utf8)))
        let server = Crypto.hmacSHA256(key: salted, Array("Server Key".utf8))
        return "SCRAM-SHA-256$\(rounds):\(Crypto.base64(salt))$\(Crypto.base64(stored)):\(Crypto.base64(server))"
    }
}
