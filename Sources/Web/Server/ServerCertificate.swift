import Cryptography
import Foundation
public import Hub
public import Logging
import NIOCore
import NIOSSL
public import ServiceLifecycle
import Synchronization

/// The certificate that the service shows, from files that are taken anew when they change: each connection begins with the newest
/// pair that fits together. Runs beside the server, so that no connection waits for a disk.
public final class ServerCertificate: Service, Sendable {
    private struct Pair: Sendable {
        let chain: [NIOSSLCertificateSource]
        let key: NIOSSLPrivateKeySource
    }
    private let files: [String]
    private let pair: Mutex<Pair>
    /// Of the files as they were read first.
    private let first: [String]
    private let log: Logger
    private static let pause = Duration.seconds(2)

    /// - Parameters:
    ///   - certificate: PEM file of the certificate and those between it and its authority.
    ///   - key: PEM file of its key, without a passphrase.
    /// - Throws: `Failure` `tls.files`.
    public init(certificate: String, key: String, log: Logger) throws {
        (files, self.log) = ([certificate, key], log)
        do {
            first = try Self.stamps(files)
            pair = Mutex(try Self.read(files))
        } catch {
            throw Failure(
                .invalid, "tls.files",
                "The certificate and its key cannot be taken from \(certificate) and \(key): \(error).")
        }
    }

    /// TLS 1.2 and newer, by the certificate of the moment.
    func configuration() -> TLSConfiguration {
        var configuration = Self.configuration(pair.withLock(\.self))
        configuration.sslContextCallback = { [self] _, promise in
            let pair = pair.withLock(\.self)
            var change = NIOSSLContextConfigurationOverride()
            (change.certificateChain, change.privateKey) = (pair.chain, pair.key)
            promise.succeed(change)
        }
        return configuration
    }

    /// Looks at the files every two seconds, until the service ends.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            // of the pair that is in use; and what was said of one that cannot be taken, which is tried again each time
            var (taken, told) = (first, "")
            while true {
                do { try await Task.sleep(for: Self.pause) } catch { return }
                do {
                    let stamps = try Self.stamps(files)
                    guard stamps != taken else { continue }
                    let fresh = try Self.read(files)
                    pair.withLock { $0 = fresh }
                    (taken, told) = (stamps, "")
                    log.notice("new certificate", metadata: ["file": "\(files[0])"])
                } catch {
                    // half a change, or a wrong one
                    let words = "\(error)"
                    if words != told {
                        log.error(
                            "the changed certificate and key cannot be taken: the former ones stay",
                            metadata: ["file": "\(files[0])", "error": "\(words)"])
                    }
                    told = words
                }
            }
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

    /// What changes with a file, or with what a link to it leads to.
    private static func stamps(_ files: [String]) throws -> [String] {
        try files.map { file in
            let place = URL(filePath: file).resolvingSymlinksInPath().path
            let found = try FileManager.default.attributesOfItem(atPath: place)
            let when = (found[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            return "\(place) \(when) \(found[.size] ?? 0) \(found[.systemFileNumber] ?? 0)"
        }
    }
}
