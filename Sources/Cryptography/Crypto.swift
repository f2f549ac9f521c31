import CLibcrypto

/// Cryptography as the hub needs it, over the system's libcrypto.
///
/// What cannot fail but for lack of memory (hashes, random numbers) stops the program when it does: to
/// go on with a wrong digest or a predictable token would be worse.
public enum Crypto {
    /// SHA-256 of bytes (FIPS 180-4): 32 bytes.
    public static func sha256(_ message: some Sequence<UInt8>) -> [UInt8] {
        let bytes = Array(message)
        var digest = [UInt8](repeating: 0, count: 32)
        let done = EVP_Digest(bytes, bytes.count, &digest, nil, SHA256.algorithm, nil)
        precondition(done == 1, "libcrypto cannot hash")
        return digest
    }

    /// HMAC-SHA-256 (RFC 2104): 32 bytes. For many messages under one key keep an `HMACKey`.
    public static func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        HMACKey(key).sign(message)
    }

    /// Random bytes fit for keys and tokens.
    public static func randomBytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        precondition(count == 0 || RAND_bytes(&bytes, Int32(count)) == 1, "libcrypto has no random numbers")
        return bytes
    }

    /// Whether two byte strings are equal, in a time that depends on their lengths alone.
    public static func constantTimeEqual(_ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>) -> Bool {
        let (left, right) = (Array(left), Array(right))
        guard left.count == right.count else { return false }
        return left.isEmpty || CRYPTO_memcmp(left, right, left.count) == 0
    }
}

/// What went wrong with given input; never says which secret was involved.
public enum CryptoError: Error, Sendable, Hashable {
    /// A key is not 32 bytes long.
    case badKey
    /// Sealed bytes were altered, cut short, or sealed with another key or other associated data.
    case notAuthentic
    /// A password is longer than 1,024 bytes.
    case passwordTooLong
    /// libcrypto refused to work, as a rule for lack of memory.
    case failed(String)
}

/// The algorithm, looked up once: OpenSSL 3 otherwise looks it up with every use.
enum SHA256 {
    nonisolated(unsafe) static let algorithm: OpaquePointer = {
        guard let found = EVP_MD_fetch(nil, "SHA256", nil) else { preconditionFailure("libcrypto lacks SHA-256") }
        return found
    }()
}
