import CLibcrypto

extension Crypto {
    private static let nonceLength = 12
    private static let tagLength = 16

    /// Encrypts with AES-256-GCM (NIST SP 800-38D) under a fresh random nonce.
    ///
    /// - Parameters:
    ///   - key: 32 bytes; under one key at most 2^32 messages.
    ///   - associated: what the sealed bytes belong to; must be the same when they are opened.
    /// - Returns: nonce (12 bytes), ciphertext, tag (16 bytes).
    /// - Throws: `CryptoError.badKey`, `.failed`.
    public static func seal(_ plain: [UInt8], key: [UInt8], associated: [UInt8]) throws(CryptoError) -> [UInt8] {
        try seal(plain, key: key, associated: associated, nonce: randomBytes(nonceLength))
    }

    /// Encrypts under a given nonce: for the published test vectors only, since a nonce used twice under
    /// one key gives both messages away.
    static func seal(
        _ plain: [UInt8], key: [UInt8], associated: [UInt8], nonce: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        let context = try Cipher(key: key, nonce: nonce, encrypts: true)
        try context.authenticate(associated)
        var sealed = nonce
        sealed += try context.update(plain)
        try context.finish()
        var tag = [UInt8](repeating: 0, count: tagLength)
        guard EVP_CIPHER_CTX_ctrl(context.raw, EVP_CTRL_AEAD_GET_TAG, Int32(tagLength), &tag) == 1 else {
            throw .failed("no tag")
        }
        return sealed + tag
    }

    /// Decrypts what `seal` made.
    ///
    /// - Throws: `CryptoError.notAuthentic` when bytes, key or associated data are not those of `seal`.
    public static func open(_ sealed: [UInt8], key: [UInt8], associated: [UInt8]) throws(CryptoError) -> [UInt8] {
        guard sealed.count >= nonceLength + tagLength else { throw .notAuthentic }
        let context = try Cipher(key: key, nonce: Array(sealed[..<nonceLength]), encrypts: false)
        try context.authenticate(associated)
        let plain = try context.update(Array(sealed[nonceLength..<(sealed.count - tagLength)]))
        var tag = Array(sealed[(sealed.count - tagLength)...])
        guard EVP_CIPHER_CTX_ctrl(context.raw, EVP_CTRL_AEAD_SET_TAG, Int32(tagLength), &tag) == 1 else {
            throw .failed("no tag")
        }
        do { try context.finish() } catch { throw .notAuthentic }
        return plain
    }

    /// As `open`, but nil for what is not authentic: that is an answer, while a cipher that does not work is an error.
    ///
    /// - Throws: `CryptoError.badKey`, `.failed`.
    public static func openIfAuthentic(_ sealed: [UInt8], key: [UInt8], associated: [UInt8]) throws(CryptoError)
        -> [UInt8]?
    {
        do {
            return try open(sealed, key: key, associated: associated)
        } catch {
            if error == .notAuthentic { return nil }
            throw error
        }
    }
}

/// One run of AES-256-GCM.
private final class Cipher {
    let raw: OpaquePointer

    init(key: [UInt8], nonce: [UInt8], encrypts: Bool) throws(CryptoError) {
        guard key.count == 32 else { throw .badKey }
        guard let context = EVP_CIPHER_CTX_new() else { throw .failed("no memory for a cipher") }
        raw = context
        guard nonce.count == 12, EVP_CipherInit_ex(raw, EVP_aes_256_gcm(), nil, key, nonce, encrypts ? 1 : 0) == 1
        else { throw .failed("AES-256-GCM cannot start") }
    }

    deinit { EVP_CIPHER_CTX_free(raw) }

    func authenticate(_ associated: [UInt8]) throws(CryptoError) {
        var written: Int32 = 0
        guard associated.isEmpty || EVP_CipherUpdate(raw, nil, &written, associated, Int32(associated.count)) == 1
        else { throw .failed("AES-256-GCM refused associated data") }
    }

    func update(_ input: [UInt8]) throws(CryptoError) -> [UInt8] {
        guard !input.isEmpty else { return [] }
        guard input.count < Int(Int32.max) else { throw .failed("too many bytes for one message") }
        var output = [UInt8](repeating: 0, count: input.count)
        var written: Int32 = 0
        guard EVP_CipherUpdate(raw, &output, &written, input, Int32(input.count)) == 1, written == input.count
        else { throw .failed("AES-256-GCM refused data") }
        return output
    }

    func finish() throws(CryptoError) {
        var rest = [UInt8](repeating: 0, count: 16)
        var written: Int32 = 0
        guard EVP_CipherFinal_ex(raw, &rest, &written) == 1 else { throw .failed("AES-256-GCM cannot finish") }
    }
}
