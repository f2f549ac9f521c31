import Foundation
import Hub
import Logging
import Store
import TestKit

@testable import Web

/// One server for all tests, on a port of its own, over the shared cluster.
struct WebTestServer: Sendable {
    let cluster: TestCluster
    let port: Int
    /// All but the one whose answer has no end: that is in LiveTests.
    let operations = Operations.all(Metrics([])).filter { $0.id != "live" }
    let operatorToken: String
    let calls: CallCounter

    static let shared: Task<WebTestServer, any Error> = Task {
        let cluster = try await TestCluster.shared.value
        var log = Logger(label: "web test")
        log.logLevel = .critical
        let calls = CallCounter(node: cluster.node, log: log)
        let server = WebServer(
            services: WebServices(
                node: cluster.node, provisioner: cluster.provisioner, manifests: [shop, plain],
                reads: ReadLog(node: cluster.node, log: log), calls: calls,
                console: try Console(folder: console), maxImportBytes: maxImportBytes,
                sqlServer: { SQLServer(host: "127.0.0.1", port: 5433, state: .ready) },
                verifyHook: { _, _, headers, _, _ in
                    guard headers["x-signature"] == "good" else {
                        throw Failure(.unauthenticated, "hook.signature", "The signature is wrong.")
                    }
                }), host: "127.0.0.1", port: 0, log: log)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        Task { try await server.run { listening.yield($0) } }
        var port = 0
        for await found in ports {
            port = found
            break
        }
        let token = try await cluster.provisioner.issueToken(for: nil, label: "operator", scopes: ["operator"])
        return WebTestServer(cluster: cluster, port: port, operatorToken: token, calls: calls)
    }

    static let maxImportBytes = 3_000_000
    /// The console's files in the source tree.
    static let console = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "console").path

    static let plain = Manifest(
        kind: "plain", title: "Plain",
        settings: [.init("url", "Address"), .init("password", "Password", isSecret: true)],
        plugins: [
            PluginManifest("contacts.import", "In", .pull), PluginManifest("contacts.export", "Out", .push),
            PluginManifest("groups", "Groups", .group),
        ], limits: .init(perSecond: 10, burst: 10, takesKey: true))

    static let shop = Manifest(
        kind: "shop", title: "Shop", settings: [],
        plugins: [PluginManifest("orders.import", "Orders", .pull, entity: .order)],
        limits: .init(perSecond: 10, burst: 10, takesKey: true))

    /// A new tenant with a token of all scopes.
    func makeTenant(scopes: [Scope] = Scope.ofTenants) async throws -> WebTestTenant {
        let database = try await cluster.makeTenant()
        let token = try await cluster.provisioner.issueToken(
            for: database.tenant, label: "test", scopes: scopes.map(\.rawValue))
        return WebTestTenant(server: self, database: database, token: token)
    }
}
