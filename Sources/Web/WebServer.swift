public import Hummingbird
public import Logging
internal import HummingbirdCore
internal import HummingbirdTLS
import NIOCore

/// Kontor's HTTP interface: the REST API, incoming webhooks, health and metrics.
public struct WebServer: Sendable {
    private let responder: WebResponder
    private let host: String
    private let port: Int
    private let certificate: ServerCertificate?
    private let log: Logger
    /// A connection on which nothing happens is closed after this time.
    private static let idleTime = TimeAmount.seconds(90)

    /// - Parameters:
    ///   - host: the address to listen on.
    ///   - port: 0 for any free one.
    ///   - certificate: to be reached by https; nil for http.
    public init(
        services: WebServices, host: String, port: Int, certificate: ServerCertificate? = nil, log: Logger
    ) {
        responder = WebResponder(services: services, operations: Operations.all, log: log)
        (self.host, self.port, self.certificate, self.log) = (host, port, certificate, log)
    }

    /// The server as a service, to be run in a service group; a graceful stop ends requests under way first.
    /// - Parameter onServerRunning: called with the port when the server listens.
    /// - Throws: an error of TLS.
    public func application(
        onServerRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) throws -> some ApplicationProtocol {
        let responder = responder
        let plain = HTTPServerBuilder.http1(configuration: .init(idleTimeout: Self.idleTime))
        let server =
            try certificate.map { try HTTPServerBuilder.tls(plain, tlsConfiguration: $0.configuration()) } ?? plain
        return Application(
            responder: CallbackResponder<AddressedContext> { request, context in
                await responder.respond(to: request, from: context.address)
            },
            server: server,
            configuration: .init(address: .hostname(host, port: port), reuseAddress: true),
            onServerRunning: { channel in await onServerRunning(channel.localAddress?.port ?? 0) },
            logger: LateMetadata.logger(log))
    }

    /// Serves until the task is cancelled, for programs that have no service group.
    /// - Parameter onServerRunning: called with the port when the server listens.
    public func run(onServerRunning: @escaping @Sendable (_ port: Int) async -> Void) async throws {
        try await application(onServerRunning: onServerRunning).run()
    }
}

/// What is known of a connection beside its requests.
private struct AddressedContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let address: SocketAddress?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        address = source.channel.remoteAddress
    }
}
