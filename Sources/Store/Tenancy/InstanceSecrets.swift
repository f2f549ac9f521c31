import Cryptography
import Foundation
internal import Hub

/// The keys of one instance, all derived from a master key kept outside the database.
public struct InstanceSecrets: Sendable {
    private let master: [UInt8]

    /// - Parameter master: 32 random bytes.
    public init(master: [UInt8]) { self.master = master }

    /// Signs contexts.
    var contextKey: [UInt8] { derive("context") }
    /// Password of a service role, so that an external server needs no further setting.
    func password(of role: String) -> String { Crypto.hex(derive("role " + role)) }
    /// Encrypts one tenant's credentials.
    func credentialKey(tenant: Int64) -> [UInt8] { derive("credentials \(tenant)") }

    private func derive(_ purpose: String) -> [UInt8] {
        Crypto.hmacSHA256(key: master, Array("kontor 1 \(purpose)".utf8))
    }

    /// Reads the master key from a file of 64 hexadecimal digits, readable by its owner only; makes the
    /// file when there is none.
    /// - Throws: `Failure` `master_key.unreadable`.
    public static func load(from path: String) throws -> InstanceSecrets {
        let manager = FileManager.default
        if !manager.fileExists(atPath: path) {
            let text = Crypto.hex(Crypto.randomBytes(32)) + "\n"
            guard
                manager.createFile(
                    atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
            else { throw unreadable(path) }
        }
        guard let data = manager.contents(atPath: path),
            let bytes = Crypto.unhex(
                String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)),
            bytes.count == 32
        else { throw unreadable(path) }
        return InstanceSecrets(master: bytes)
    }

    private static func unreadable(_ path: String) -> Failure {
        Failure(
            .broken, "master_key.unreadable",
            "The master key file \(path) cannot be read or does not hold 64 hexadecimal digits. Restore it from "
                + "your backup: without it the stored credentials cannot be opened.")
    }
}
