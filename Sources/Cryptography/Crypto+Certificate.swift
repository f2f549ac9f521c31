import CLibcrypto

extension Crypto {
    /// Whether a private key is that of a certificate.
    /// - Parameters:
    ///   - key: PEM, without a passphrase.
    ///   - certificate: PEM; the first one in it counts.
    /// - Returns: false also for what is none.
    public static func isKey(_ key: [UInt8], of certificate: [UInt8]) -> Bool {
        let shown = memory(certificate) { PEM_read_bio_X509($0, nil, noPassphrase, nil) }
        let held = memory(key) { PEM_read_bio_PrivateKey($0, nil, noPassphrase, nil) }
        defer {
            X509_free(shown)
            EVP_PKEY_free(held)
            ERR_clear_error()
        }
        guard let shown, let held else { return false }
        return X509_check_private_key(shown, held) == 1
    }

    /// OpenSSL would ask on the terminal.
    private static let noPassphrase:
        @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 =
            { _, _, _, _ in -1 }

    private static func memory<T>(_ bytes: [UInt8], _ read: (OpaquePointer) -> T?) -> T? {
        bytes.withUnsafeBytes { buffer in
            guard let bio = BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else { return nil }
            defer { BIO_free(bio) }
            return read(bio)
        }
    }
}
