import CLibcrypto

/// Password hashing with scrypt (RFC 7914) at OWASP's figures, as a PHC string:
/// `$scrypt$ln=17,r=8,p=1$salt$hash`, salt and hash in base64 without padding.
///
/// One hash takes 128 MiB and about a third of a second of one core: callers limit how many run at once.
public enum PasswordHash {
    /// What scrypt costs: N = 2^`logN` blocks of 128 * `r` bytes, `p` times.
    struct Cost: Equatable {
        var logN: Int
        var r: Int
        var p: Int

        static let standard = Cost(logN: 17, r: 8, p: 1)

        /// Bytes of memory one hash takes.
        var memory: Int { 128 * r * (1 << logN) }
        /// A stored hash may not make the service use more than 1 GiB or overflow.
        var isSane: Bool {
            (1...24).contains(logN) && (1...32).contains(r) && (1...16).contains(p) && memory <= 1 << 30
        }
    }

    public static let maxPasswordBytes = 1024

    /// Hashes a password under a fresh 16-byte salt.
    ///
    /// - Parameter password: taken as its UTF-8 bytes, without normalisation.
    /// - Throws: `CryptoError.passwordTooLong` beyond 1,024 bytes, `.failed` for lack of memory.
    public static func make(_ password: String) throws(CryptoError) -> String {
        try make(password, salt: Crypto.randomBytes(16), cost: .standard)
    }

    static func make(_ password: String, salt: [UInt8], cost: Cost) throws(CryptoError) -> String {
        let hash = try derive(Array(password.utf8), salt: salt, cost: cost, length: 32)
        return "$scrypt$ln=\(cost.logN),r=\(cost.r),p=\(cost.p)$\(plainBase64(salt))$\(plainBase64(hash))"
    }

    /// Whether a password belongs to a stored hash. False, too, for a hash of another form and for a
    /// password that is too long.
    /// - Throws: `CryptoError.failed` when the hash could not be computed.
    public static func verify(_ password: String, against stored: String) throws(CryptoError) -> Bool {
        guard let parts = Parts(stored), password.utf8.count <= maxPasswordBytes else { return false }
        let hash = try derive(Array(password.utf8), salt: parts.salt, cost: parts.cost, length: parts.hash.count)
        return Crypto.constantTimeEqual(hash, parts.hash)
    }

    /// A stored hash that no password belongs to, at today's cost: who asks for an unknown account waits as long.
    public static func decoy() -> String {
        let cost = Cost.standard
        let (salt, hash) = (plainBase64(Crypto.randomBytes(16)), plainBase64(Crypto.randomBytes(32)))
        return "$scrypt$ln=\(cost.logN),r=\(cost.r),p=\(cost.p)$\(salt)$\(hash)"
    }

    /// Whether a stored hash was made with other costs than today's, or cannot be read: hash the password
    /// anew at the next login.
    public static func needsRehash(_ stored: String) -> Bool {
        guard let parts = Parts(stored) else { return true }
        return parts.cost != .standard || parts.salt.count < 16 || parts.hash.count != 32
    }

    static func derive(
        _ password: [UInt8], salt: [UInt8], cost: Cost, length: Int
    ) throws(CryptoError) -> [UInt8] {
        guard password.count <= maxPasswordBytes else { throw .passwordTooLong }
        var key = [UInt8](repeating: 0, count: length)
        let ceiling = UInt64(cost.memory + 128 * cost.r * cost.p + (1 << 20))
        let done = password.withUnsafeBytes { bytes in
            EVP_PBE_scrypt(
                bytes.bindMemory(to: CChar.self).baseAddress, bytes.count, salt, salt.count, UInt64(1) << cost.logN,
                UInt64(cost.r), UInt64(cost.p), ceiling, &key, length)
        }
        guard done == 1 else { throw .failed("scrypt failed") }
        return key
    }

    private static func plainBase64(_ bytes: [UInt8]) -> String {
        String(Crypto.base64(bytes).prefix { $0 != "=" })
    }

    /// A PHC string taken apart.
    private struct Parts {
        var cost: Cost
        var salt: [UInt8]
        var hash: [UInt8]

        init?(_ stored: String) {
            let fields = stored.split(separator: "$", omittingEmptySubsequences: false)
            guard fields.count == 5, fields[0].isEmpty, fields[1] == "scrypt" else { return nil }
            let figures = fields[2].split(separator: ",")
            guard figures.count == 3, let logN = Self.figure(figures[0], "ln="), let r = Self.figure(figures[1], "r="),
                let p = Self.figure(figures[2], "p="), let salt = Crypto.unbase64(fields[3]),
                let hash = Crypto.unbase64(fields[4]), hash.count >= 16, hash.count <= 64
            else { return nil }
            cost = Cost(logN: logN, r: r, p: p)
            guard cost.isSane else { return nil }
            self.salt = salt
            self.hash = hash
        }

        private static func figure(_ text: Substring, _ name: String) -> Int? {
            text.hasPrefix(name) ? Int(text.dropFirst(name.count)) : nil
        }
    }
}
