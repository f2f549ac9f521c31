import Cryptography

/// Encrypts a tenant's credentials: AES-256-GCM under the tenant's key. A ciphertext opens only where it was
/// written: tenant, connector and name are associated data.
struct SecretSeal {
    let tenant: Int64
    let secrets: InstanceSecrets

    func seal(_ plain: String, connector: Int64, name: String) throws -> String {
        let key = secrets.credentialKey(tenant: tenant)
        return Crypto.base64(try Crypto.seal(Array(plain.utf8), key: key, associated: place(connector, name)))
    }

    /// The secret; nil for a ciphertext of another place or key.
    func open(_ sealed: String, connector: Int64, name: String) -> String? {
        guard let bytes = Crypto.unbase64(sealed),
            let plain = try? Crypto.open(
                bytes, key: secrets.credentialKey(tenant: tenant), associated: place(connector, name))
        else { return nil }
        return String(decoding: plain, as: UTF8.self)
    }

    private func place(_ connector: Int64, _ name: String) -> [UInt8] { Array("\(tenant)|\(connector)|\(name)".utf8) }
}
