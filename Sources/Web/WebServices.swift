import Foundation
public import Hub
public import Store

/// Checks a webhook's signature with the connector's secret.
/// - Parameters: the tenant, the connector's number, header fields with their names in small letters, the body,
///   and the moment it came in seconds since 1970.
/// - Throws: `Failure` when it is not genuine.
public typealias HookVerifier =
    @Sendable (TenantDatabase, _ connector: Int64, [String: String], [UInt8], _ receivedAt: Int64) async throws -> Void

/// What the web interface works on.
public struct WebServices: Sendable {
    public let node: Node
    public let provisioner: Provisioner
    /// Kinds of connectors there are.
    public let manifests: [Manifest]
    public let verifyHook: HookVerifier
    /// The server for SQL logins; nil when there is none.
    let sqlServer: @Sendable () -> SQLServer?
    let calls: CallCounter
    /// What the pages are made of; nil to offer none.
    let console: Console?
    /// Whether people reach Kontor by https, so that their browsers must keep sessions to it.
    let isSecure: Bool
    /// Seconds for which browsers come by https alone (RFC 6797), 0 to release them; nil not to speak of it.
    let strictSeconds: Int?
    /// Notes what people read.
    public let reads: ReadLog
    let live: LiveHub
    let passwords = PasswordGate(cores: ProcessInfo.processInfo.activeProcessorCount)
    /// The most bytes a file sent for import may have.
    let maxImportBytes: Int

    public init(
        node: Node, provisioner: Provisioner, manifests: [Manifest], reads: ReadLog, calls: CallCounter,
        console: Console? = nil, isSecure: Bool = false, strictSeconds: Int? = nil, maxImportBytes: Int = 5_000_000_000,
        sqlServer: @escaping @Sendable () -> SQLServer? = { nil }, verifyHook: @escaping HookVerifier
    ) {
        (self.node, self.provisioner, self.manifests, self.verifyHook) = (node, provisioner, manifests, verifyHook)
        (self.maxImportBytes, self.sqlServer) = (maxImportBytes, sqlServer)
        (self.reads, self.calls) = (reads, calls)
        (self.console, self.isSecure, self.strictSeconds) = (console, isSecure, strictSeconds)
        live = LiveHub(node: node)
    }

    /// - Throws: `Failure` `connector.kind`.
    func manifest(_ kind: String) throws -> Manifest {
        guard let manifest = manifests.first(where: { $0.kind == kind }) else {
            let known = manifests.map(\.kind).sorted().joined(separator: ", ")
            throw Failure(.invalid, "connector.kind", "There is no kind of connector “\(kind)”; there are \(known).")
        }
        return manifest
    }
}
