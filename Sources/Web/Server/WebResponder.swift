import HTTPTypes
import Hub
import Hummingbird
import Logging
import NIOCore
import Store

/// Takes each request through the same steps: route, caller, parameters, body, operation, answer.
final class WebResponder: Sendable {
    private let services: WebServices
    private let operations: [Operation]
    private let routes: RouteTree
    private let tokens: TokenCache
    private let rates = CallRates()
    private let metrics: Metrics
    private let log: Logger

    init(services: WebServices, operations: (Metrics) -> [Operation], log: Logger) {
        // the metrics are shown by one of the operations they count
        let names = operations(Metrics([])).map(\.id)
        let metrics = Metrics(names)
        self.operations = operations(metrics)
        (self.services, self.metrics, self.log) = (services, metrics, log)
        routes = RouteTree(self.operations)
        tokens = TokenCache(node: services.node)
    }

    /// - Parameter peer: the caller's network address.
    func respond(to request: Request, from peer: SocketAddress?) async -> Response {
        let start = ContinuousClock.now
        let target = (request.head.path ?? "/").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let found = routes.find(String(target[0]), request.method)
        var note = RequestNote()
        var answer: Answer
        do {
            answer = try await self.answer(
                request, found, query: target.count == 2 ? target[1] : "", from: peer, &note)
        } catch {
            answer = wantsPage(request, found) ? page(of: error, request, from: peer) : Problem.answer(error)
            note.error = Failure.logText(error is RequestFault ? (error as? RequestFault)?.failure ?? error : error)
        }
        let seconds =
            Double((ContinuousClock.now - start).components.attoseconds) / 1e18
            + Double((ContinuousClock.now - start).components.seconds)
        metrics.note(note.operation, status: answer.status, seconds: seconds)
        if let tenant = note.tenant { services.calls.note(tenant) }
        write(note, request.method, answer.status, seconds)
        if let seconds = services.strictSeconds { answer.headers[.strictTransportSecurity] = "max-age=\(seconds)" }
        let response = answer.response
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// Whether an error is to be shown as a page: one of a page's, and to a browser that went astray.
    private func wantsPage(_ request: Request, _ found: RouteTree.Found) -> Bool {
        switch found {
        case .operation(let number, _): operations[number].isPage
        case .nothing: request.headers[.accept]?.hasPrefix("text/html") ?? false
        case .methods: false
        }
    }

    private func page(of error: any Error, _ request: Request, from peer: SocketAddress?) -> Answer {
        let outside = Call(
            services: services, caller: .anybody, path: [:], query: [:], headers: request.headers, body: .null,
            bytes: [],
            stream: request.body, peer: peer)
        return ConsoleProblem.answer(error, outside, asked: request.method == .get ? request.head.path ?? "/" : "/")
    }

    private func answer(
        _ request: Request, _ found: RouteTree.Found, query: Substring, from peer: SocketAddress?,
        _ note: inout RequestNote
    ) async throws -> Answer {
        switch found {
        case .nothing: throw Failure.notFound("address")
        case .methods(let methods):
            let list = methods.joined(separator: ", ")
            throw RequestFault(405, "method.not_allowed", "This address takes \(list).", allow: list)
        case .operation(let number, let path):
            let operation = operations[number]
            note.operation = number
            let caller = try await caller(request, operation, &note)
            let values = try QueryReader.read(query, operation.parameters, takesMore: operation.takesMore)
            return try await operation.handle(call(request, operation, caller, path, values, peer))
        }
    }

    private func caller(_ request: Request, _ operation: Operation, _ note: inout RequestNote) async throws -> Caller {
        if case .open = operation.access { return .anybody }
        var shown = request.headers[.authorization]
        if shown == nil, operation.isPage {
            shown = ConsoleSession.token(
                request.headers, isSecure: services.isSecure, isOperator: operation.access == .operators
            ).map { "Bearer \($0)" }
        }
        let grant = try await tokens.grant(shown, isIdle: operation.isPage && operation.isIdle(request.headers))
        note.actor = grant.actor
        if let tenant = grant.tenant?.id, let most = grant.callsPerMinute {
            try rates.admit(tenant: tenant, most: most)
        }
        // what was refused for that is no call
        note.tenant = grant.tenant?.id
        if let lacking = grant.confined, !operation.isOfOwnAccount, !operation.isPage { throw Self.confined(lacking) }
        return try Caller(grant, operation.access, node: services.node)
    }

    static func confined(_ lacking: String) -> Failure {
        lacking == "factor"
            ? Failure(
                .forbidden, "factor.needed",
                "Your role needs a second factor: set one up in your account, then go on.")
            : Failure(.forbidden, "password.expired", "Your password is too old: choose a new one, then go on.")
    }

    private func call(
        _ request: Request, _ operation: Operation, _ caller: Caller, _ path: [String: String], _ query: [String: JSON],
        _ peer: SocketAddress?
    ) async throws -> Call {
        var body = JSON.null
        var bytes: [UInt8] = []
        switch operation.body {
        case .none: try BodyReader.expectNone(request)
        case .json(let schema, let limit): body = try await BodyReader.json(request, schema: schema, limit: limit)
        case .stream(let mediaType):
            try BodyReader.expect(mediaType, request)
            try BodyReader.expectUnpacked(request)
        case .bytes(let limit): bytes = try await BodyReader.bytes(request, limit: limit)
        }
        return Call(
            services: services, caller: caller, path: path, query: query, headers: request.headers, body: body,
            bytes: bytes, stream: request.body, peer: peer, host: request.head.authority)
    }

    /// One line for each request. Neither path nor query is in it: paths of webhooks are secrets, and queries ask
    /// for people by name.
    private func write(_ note: RequestNote, _ method: HTTPRequest.Method, _ status: Int, _ seconds: Double) {
        let level: Logger.Level = status >= 500 ? .error : .info
        guard log.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "operation": "\(note.operation.map { operations[$0].id } ?? "none")", "method": "\(method.rawValue)",
            "status": "\(status)", "ms": "\(Double(Int(seconds * 100_000)) / 100)",
        ]
        if let tenant = note.tenant { metadata["tenant"] = "\(tenant)" }
        if let actor = note.actor { metadata["actor"] = "\(actor)" }
        if let error = note.error { metadata["error"] = "\(error)" }
        log.log(level: level, "request", metadata: metadata)
    }
}

/// What the log and the metrics keep of a request.
private struct RequestNote {
    var operation: Int?
    var tenant: Int64?
    var actor: Actor?
    var error: String?
}
