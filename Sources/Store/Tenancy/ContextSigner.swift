import Cryptography
import Foundation
internal import Hub
internal import Postgres

/// Signs the context that row security demands: `tenant|actor|expiry|backend pid|HMAC`.
/// The key never leaves the service and the one table that checks it.
struct ContextSigner: Sendable {
    private let key: HMACKey
    private let isPooled: Bool
    /// Seconds a signature holds: longer than any transaction may last.
    private static let lifetime = 900

    /// - Parameter isPooled: a transaction pooler stands before PostgreSQL, so the backend is not known.
    init(key: [UInt8], isPooled: Bool) {
        self.key = HMACKey(key)
        self.isPooled = isPooled
    }

    /// - Parameter extra: seconds the signature holds beyond its usual lifetime, for one that is used again.
    func context(tenant: Int64, actor: Actor, backend: Int32, extra: Int = 0) -> String {
        let expiry = Int(Date().timeIntervalSince1970) + Self.lifetime + extra
        let payload = "\(tenant)|\(actor)|\(expiry)|\(isPooled ? 0 : backend)"
        return payload + "|" + Crypto.hex(key.sign(payload.utf8))
    }
}
