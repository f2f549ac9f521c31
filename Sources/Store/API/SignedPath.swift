import Cryptography
import Hub

/// The last part of an address that cannot be guessed: "tenant-number-signature", signed under a key of the tenant.
extension TenantDatabase {
    /// - Parameters:
    ///   - label: what the address is for; one for one purpose is good for no other.
    ///   - number: of the record it leads to.
    /// - Throws: `Failure` `not_found` for a tenant without keys.
    func signedPath(_ label: String, to number: Int64) async throws -> String {
        guard let own = try await keys().newest(.addresses)?.key else { throw Failure.notFound("tenant") }
        let key = Crypto.hmacSHA256(key: own, Array("kontor 1 \(label)".utf8))
        let signature = Crypto.hmacSHA256(key: key, Array("\(tenant.id)|\(number)".utf8))
        return "\(tenant.id)-\(number)-\(Crypto.hex(signature.prefix(16)))"
    }
}

extension Node {
    /// Tenant and number of a path made by `signedPath`; nil for any other.
    func numbers(ofPath path: String, _ label: String) async throws -> (tenant: Int64, number: Int64)? {
        let parts = path.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let tenant = Int64(parts[0]), let number = Int64(parts[1]) else { return nil }
        let own: String
        do {
            own = try await self.tenant(Tenant(id: tenant, country: "")).signedPath(label, to: number)
        } catch let failure as Failure where failure.code == "not_found" { return nil }
        return Crypto.constantTimeEqual(own.utf8, path.utf8) ? (tenant, number) : nil
    }
}
