import CLibcrypto

/// A key for HMAC-SHA-256 (RFC 2104) with its two padded blocks hashed ahead, so that signing a short
/// message costs two blocks and no look-up. Safe to share between threads.
public struct HMACKey: Sendable {
    private let prepared: Prepared

    /// - Parameter key: any length; 32 random bytes for a new key.
    public init(_ key: some Sequence<UInt8>) {
        prepared = Prepared(Array(key))
    }

    /// The signature of a message: 32 bytes.
    public func sign(_ message: some Sequence<UInt8>) -> [UInt8] {
        if let signature = message.withContiguousStorageIfAvailable({ prepared.sign(UnsafeRawBufferPointer($0)) }) {
            return signature
        }
        return Array(message).withUnsafeBytes { prepared.sign($0) }
    }

    /// Whether `signature` is that of `message`; takes the same time wherever they differ.
    public func isValid(_ signature: some Sequence<UInt8>, for message: some Sequence<UInt8>) -> Bool {
        Crypto.constantTimeEqual(sign(message), signature)
    }
}

/// The hash states after the inner and the outer block of the key. They are only ever copied from, which
/// libcrypto allows from several threads at once.
private final class Prepared: @unchecked Sendable {
    private let inner: OpaquePointer
    private let outer: OpaquePointer

    init(_ key: [UInt8]) {
        let blockLength = 64
        var block = key.count > blockLength ? Crypto.sha256(key) : key
        block += [UInt8](repeating: 0, count: blockLength - block.count)
        inner = Self.state(after: block.map { $0 ^ 0x36 })
        outer = Self.state(after: block.map { $0 ^ 0x5C })
    }

    deinit {
        EVP_MD_CTX_free(inner)
        EVP_MD_CTX_free(outer)
    }

    private static func state(after block: [UInt8]) -> OpaquePointer {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, SHA256.algorithm, nil) == 1,
            EVP_DigestUpdate(context, block, block.count) == 1
        else { preconditionFailure("libcrypto cannot hash") }
        return context
    }

    func sign(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("no memory for a hash") }
        defer { EVP_MD_CTX_free(context) }
        return [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            let done =
                EVP_MD_CTX_copy_ex(context, inner) == 1
                && EVP_DigestUpdate(context, message.baseAddress, message.count) == 1
                && EVP_DigestFinal_ex(context, digest.baseAddress, nil) == 1
                && EVP_MD_CTX_copy_ex(context, outer) == 1
                && EVP_DigestUpdate(context, digest.baseAddress, 32) == 1
                && EVP_DigestFinal_ex(context, digest.baseAddress, nil) == 1
            precondition(done, "libcrypto cannot hash")
            count = 32
        }
    }
}
