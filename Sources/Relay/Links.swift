public import ConnectorKit
public import Hub
public import Logging
public import Store
import Synchronization

/// Makes connectors of their stored settings, and keeps them while these stay the same.
public final class Links: Sendable {
    private struct Key: Hashable {
        let tenant: Int64
        let connector: Int64
    }
    private let kinds: [String: any Connector.Type]
    private let http: HTTPClient
    private let log: Logger
    private let made = Mutex<[Key: (settings: JSON, link: any Connector)]>([:])

    public init(kinds: [any Connector.Type], http: HTTPClient, log: Logger) {
        self.kinds = Dictionary(kinds.map { ($0.manifest.kind, $0) }, uniquingKeysWith: { first, _ in first })
        self.http = http
        self.log = log
    }

    public func manifest(_ kind: String) -> Manifest? { kinds[kind].map(Self.manifest) }
    /// Kinds that take several records in one call.
    var batching: [String] { kinds.filter { $0.value.manifest.limits.batch > 1 }.keys.sorted() }
    public var manifests: [Manifest] { kinds.values.map(Self.manifest).sorted { $0.kind < $1.kind } }

    private static func manifest(_ type: any Connector.Type) -> Manifest {
        var manifest = type.manifest
        manifest.receivesHooks = type is any HookReceiver.Type
        return manifest
    }

    /// The link of a connector.
    /// - Throws: `ConnectorError`, `Failure` `connector.kind`.
    public func link(kind: String, connector: Int64, settings: JSON, of tenant: TenantDatabase) throws -> any Connector
    {
        let key = Key(tenant: tenant.tenant.id, connector: connector)
        if let known = made.withLock({ $0[key] }), known.settings == settings { return known.link }
        guard let type = kinds[kind] else {
            throw Failure(.invalid, "connector.kind", "This program knows no connector of the kind “\(kind)”.")
        }
        var log = log
        log[metadataKey: "connector"] = "\(connector)"
        let link = try type.init(
            ConnectorEnvironment(
                settings: settings, secrets: StoredSecrets(tenant: tenant, connector: connector),
                http: http.gated(by: StoredGate(tenant: tenant, connector: connector, log: log)), log: log))
        made.withLock { $0[key] = (settings, link) }
        return link
    }
}

/// A connector's secrets, as the store keeps them.
private struct StoredSecrets: SecretStore {
    let tenant: TenantDatabase
    let connector: Int64

    func secret(_ name: String) async throws -> String? { try await tenant.secret(name, ofConnector: connector) }
    func take(_ name: String) async throws -> String? {
        // most often there is none, which costs no writing
        guard try await tenant.secret(name, ofConnector: connector) != nil else { return nil }
        return try await tenant.takeSecret(name, ofConnector: connector)
    }
    func save(_ values: [String: String]) async throws {
        try await tenant.saveSecrets(values, ofConnector: connector)
    }
}

/// A connector's gate: its row of the budget, which all processes share, and what this process was told itself, which
/// holds while there is no database.
private final class StoredGate: CallGate {
    private let tenant: TenantDatabase
    private let connector: Int64
    private let log: Logger
    private let ownUntil = Mutex<ContinuousClock.Instant?>(nil)

    init(tenant: TenantDatabase, connector: Int64, log: Logger) {
        (self.tenant, self.connector, self.log) = (tenant, connector, log)
    }

    private var ownSeconds: Double? {
        guard let until = ownUntil.withLock({ $0 }), until > .now else { return nil }
        return (until - .now) / .seconds(1)
    }

    func closedFor() async throws(RemoteError) -> Double? {
        if let seconds = ownSeconds { return seconds }
        do {
            return try await tenant.closedFor(connector: connector)
        } catch {
            throw .later(code: RemoteError.closedCode, message: "the budget cannot be read", retryAfter: 1)
        }
    }

    func close(for seconds: Double) async {
        let until = ContinuousClock.now + .seconds(seconds)
        ownUntil.withLock { $0 = max($0 ?? until, until) }
        while let rest = ownSeconds, !Task.isCancelled {
            do {
                return try await tenant.close(connector: connector, for: rest)
            } catch {
                log.warning("a remote's Retry-After could not be noted yet", metadata: ["error": "\(error)"])
                // only cancelling ends a sleep early
                do { try await Task.sleep(for: .milliseconds(50)) } catch { return }
            }
        }
    }
}
