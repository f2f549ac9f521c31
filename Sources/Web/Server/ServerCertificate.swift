import Cryptography
import Foundation
public import Hub
public import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The certificate that the service shows, from files that are taken anew when they change: each connection begins with the newest
/// pair that fits together.
public final class ServerCertificate: Sendable {
    private struct Pair: Sendable {
        let chain: [NIOSSLCertificateSource]
        let key: NIOSSLPrivateKeySource
    }
    private struct State {
        var pair: Pair
        /// Of the files as they were last looked at, whether they could be taken or not.
        var stamps: [String]
        var lookedAt = ContinuousClock.now
    }
    private let files: [String]
    private let state: Mutex<State>
    private let log: Logger
    /// Files are looked at when a connection comes, and not more often.
    private static let pause = Duration.seconds(1)

    /// - Parameters:
    ///   - certificate: PEM file of the certificate and those between it and its authority.
    ///   - key: PEM file of its key, without a passphrase.
    /// - Throws: `Failure` `tls.files`.
    public init(certificate: String, key: String, log: Logger) throws {
        (files, self.log) = ([certificate, key], log)
        let stamps = Self.stamps(files)
        do {
            state = Mutex(State(pair: try Self.read(files), stamps: stamps))
        } catch {
            throw Failure(
                .invalid, "tls.files",
                "The certificate and its key cannot be taken from \(certificate) and \(key): \(error).")
        }
    }

    /// TLS 1.2 and newer, by the certificate of the moment.
    func configuration() -> TLSConfiguration {
        var configuration = Self.configuration(state.withLock(\.pair))
        configuration.sslContextCallback = { [self] _, promise in
            let pair = current()
            var change = NIOSSLContextConfigurationOverride()
            (change.certificateChain, change.privateKey) = (pair.chain, pair.key)
            promise.succeed(change)
        }
        return configuration
    }

    private func current() -> Pair {
        state.withLock { state in
            let now = ContinuousClock.now
            guard now - state.lookedAt >= Self.pause else { return state.pair }
            state.lookedAt = now
            let stamps = Self.stamps(files)
            guard stamps != state.stamps else { return state.pair }
            state.stamps = stamps
            do {
                state.pair = try Self.read(files)
                log.notice("new certificate", metadata: ["file": "\(files[0])"])
            } catch {
                // half a change, or a wrong one
                log.error(
                    "the changed certificate and key cannot be taken: the former ones stay",
                    metadata: ["file": "\(files[0])", "error": "\(error)"])
            }
            return state.pair
        }
    }

    private static func read(_ files: [String]) throws -> Pair {
        let bytes = try files.map { Array(try Data(contentsOf: URL(filePath: $0))) }
        let pair = Pair(
            chain: try NIOSSLCertificate.fromPEMBytes(bytes[0]).map { .certificate($0) },
            key: .privateKey(try NIOSSLPrivateKey(bytes: bytes[1], format: .pem)))
        guard Crypto.isKey(bytes[1], of: bytes[0]) else { throw Misfit() }
        return pair
    }

    private struct Misfit: Error, CustomStringConvertible {
        var description: String { "the key is not that of the certificate" }
    }

    private static func configuration(_ pair: Pair) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: pair.chain, privateKey: pair.key)
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return configuration
    }

    /// What changes with a file: when, how long, which.
    private static func stamps(_ files: [String]) -> [String] {
        files.map { file in
            guard let found = try? FileManager.default.attributesOfItem(atPath: file) else { return "" }
            let when = (found[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            return "\(when) \(found[.size] ?? 0) \(found[.systemFileNumber] ?? 0)"
        }
    }
}
