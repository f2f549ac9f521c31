import Cryptography
import Foundation
internal import Hub

/// The master key of one instance, kept outside the database, and what is derived from it.
///
/// While the master key is changed, the one before it is known too, so that what it wrapped can be unwrapped.
public struct InstanceSecrets: Sendable {
    private let masters: [[UInt8]]

    /// - Parameter masters: 32 random bytes each, the one in force first.
    init(masters: [[UInt8]]) { self.masters = masters }

    /// Signs contexts.
    var contextKey: [UInt8] { Self.derive(masters[0], "context") }
    /// Password of a service role, so that an external server needs no further setting.
    func password(of role: String) -> String { Crypto.hex(Self.derive(masters[0], "role " + role)) }
    /// Under which credentials were sealed before tenants had keys of their own.
    func firstKey(ofTenant tenant: Int64) -> [UInt8] { Self.derive(masters.last ?? [], "credentials \(tenant)") }

    /// Tells master keys apart without telling them.
    var fingerprint: String { Self.fingerprint(masters[0]) }
    public var isBeingChanged: Bool { masters.count > 1 }

    private static func fingerprint(_ master: [UInt8]) -> String { Crypto.hex(derive(master, "fingerprint").prefix(8)) }

    private static func derive(_ master: [UInt8], _ purpose: String) -> [UInt8] {
        Crypto.hmacSHA256(key: master, Array("kontor 1 \(purpose)".utf8))
    }

    /// Wraps a data key under the master key in force (AES-256-GCM).
    /// - Parameter place: what the key is for; it opens nowhere else.
    func wrap(_ key: [UInt8], place: String) throws -> [UInt8] {
        try Crypto.seal(key, key: Self.derive(masters[0], "wrap"), associated: Array(place.utf8))
    }

    /// The key; nil when no master key here has this fingerprint, or the bytes are of another place.
    func unwrap(_ sealed: [UInt8], master: String, place: String) throws -> [UInt8]? {
        guard let known = masters.first(where: { Self.fingerprint($0) == master }) else { return nil }
        return try Crypto.openIfAuthentic(sealed, key: Self.derive(known, "wrap"), associated: Array(place.utf8))
    }

    // MARK: Where it is kept

    /// Reads the master key from the environment variable KONTOR_MASTER_SECRET, or else from a file readable by its
    /// owner only: 64 hexadecimal digits, the key in force first; the file is made when there is none.
    /// - Throws: `Failure` `master_key.unreadable`.
    public static func load(from path: String) throws -> InstanceSecrets {
        if let text = ProcessInfo.processInfo.environment["KONTOR_MASTER_SECRET"] {
            guard let secrets = InstanceSecrets(text: text) else { throw unreadable("KONTOR_MASTER_SECRET") }
            return secrets
        }
        let manager = FileManager.default
        if !manager.fileExists(atPath: path) {
            let made = InstanceSecrets(masters: [Crypto.randomBytes(32)])
            try made.save(to: path)
            return made
        }
        guard let data = manager.contents(atPath: path),
            let secrets = InstanceSecrets(text: String(decoding: data, as: UTF8.self))
        else { throw unreadable("the file \(path)") }
        return secrets
    }

    private init?(text: String) {
        let words = text.split { $0.isWhitespace || $0 == "," }
        let keys = words.compactMap { Crypto.unhex(String($0)) }.filter { $0.count == 32 }
        guard !keys.isEmpty, keys.count == words.count else { return nil }
        masters = keys
    }

    /// The same with a new master key in force.
    public func renewed() -> InstanceSecrets { InstanceSecrets(masters: [Crypto.randomBytes(32), masters[0]]) }
    /// The same without the key before.
    var settled: InstanceSecrets { InstanceSecrets(masters: [masters[0]]) }

    /// Writes them in place of what a file held, in one step.
    /// - Throws: `Failure` `master_key.unwritable`.
    public func save(to path: String) throws {
        let text = masters.map { Crypto.hex($0) + "\n" }.joined()
        guard SecretFile.replace(path, with: text) else {
            throw Failure(.broken, "master_key.unwritable", "The master key file \(path) cannot be written.")
        }
    }

    private static func unreadable(_ place: String) -> Failure {
        Failure(
            .broken, "master_key.unreadable",
            "The master key in \(place) cannot be read or is not 64 hexadecimal digits. Restore it from your backup: "
                + "without it the stored credentials cannot be opened.")
    }
}
