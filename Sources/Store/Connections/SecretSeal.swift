import Cryptography
internal import Hub

/// Encrypts a tenant's credentials: AES-256-GCM under the tenant's newest data key, whose number stands before the
/// ciphertext. It opens only where it was written: tenant, connector and name are associated data.
struct SecretSeal {
    let tenant: Int64
    let keys: TenantKeys

    /// - Throws: `Failure` `secret.no_key`.
    func seal(_ plain: String, connector: Int64, name: String) throws -> String {
        guard let (id, key) = keys.newest(.credentials) else {
            throw Failure(
                .broken, "secret.no_key", "The tenant's key cannot be opened: was the master key replaced?")
        }
        return "\(id):"
            + Crypto.base64(try Crypto.seal(Array(plain.utf8), key: key, associated: place(connector, name)))
    }

    /// Number of the key that a ciphertext was made with; those of before tenants had keys of their own are the first's.
    static func keyID(of sealed: String) -> Int {
        sealed.firstIndex(of: ":").flatMap { Int(sealed[..<$0]) } ?? 1
    }

    /// The secret; nil for a ciphertext of another place, or whose key is not there.
    func open(_ sealed: String, connector: Int64, name: String) throws -> String? {
        let text = sealed.firstIndex(of: ":").map { String(sealed[sealed.index(after: $0)...]) } ?? sealed
        guard let key = keys.key(.credentials, Self.keyID(of: sealed)), let bytes = Crypto.unbase64(text),
            let plain = try Crypto.openIfAuthentic(bytes, key: key, associated: place(connector, name))
        else { return nil }
        return String(decoding: plain, as: UTF8.self)
    }

    private func place(_ connector: Int64, _ name: String) -> [UInt8] { Array("\(tenant)|\(connector)|\(name)".utf8) }
}
