import Hub
import Hummingbird
import NIOCore
import Store

/// Whole tenants out and in, as JSON lines.
struct TenantTransfer {
    static let mediaType = "application/x-ndjson"
    private let services: WebServices

    init(_ services: WebServices) { self.services = services }

    func export(_ tenant: Tenant) async throws -> Answer {
        let modules = try await services.provisioner.modules(of: tenant)
        let database = services.node.tenant(tenant)
        return Answer(contentType: Self.mediaType) { writer in
            try await database.export(modules: modules) { try await writer.write($0) }
        }
    }

    /// - Parameter body: the file, piece by piece.
    /// - Throws: `Failure` `archive.broken`, `archive.version`, `tenant.exists`, `tenant.name`; then nothing is made.
    func restore<Body: AsyncSequence>(as name: String, title: String, from body: Body) async throws -> Tenant
    where Body.Element == ByteBuffer {
        var source = body.makeAsyncIterator()
        let lines = ArchiveLines { try await source.next().map { Array($0.readableBytesView) } ?? [] }
        return try await services.provisioner.restore(as: name, title: title, from: lines)
    }
}
