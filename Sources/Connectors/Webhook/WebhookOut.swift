public import ConnectorKit
public import Hub

/// Sends every record as a signed webhook to an address of the tenant's own.
public struct WebhookOut: RecordSink {
    private let http: HTTPClient
    private let secrets: any SecretStore
    private let url: String
    private let headers: [(String, String)]
    private let now: @Sendable () -> Int64

    public init(_ environment: ConnectorEnvironment) throws {
        try self.init(environment, now: SystemClock.seconds)
    }

    /// - Parameter now: seconds since 1970, for the signature.
    init(_ environment: ConnectorEnvironment, now: @escaping @Sendable () -> Int64) throws {
        guard let url = environment.settings["url"]?.string, URLText.origin(of: url) != nil else {
            throw ConnectorError.badSettings(field: "url", reason: "the receiver's address is missing")
        }
        self.url = url
        self.now = now
        http = environment.http
        secrets = environment.secrets
        headers = try Self.headers(in: environment.settings)
    }

    /// The receiver's own headers: {"X-Source": "kontor"}.
    private static func headers(in settings: JSON) throws(ConnectorError) -> [(String, String)] {
        guard let given = settings["headers"], !given.isNull else { return [] }
        var headers: [(String, String)] = []
        for (name, value) in (given.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            let isOurs = ["content-type", "kontor-signature", "idempotency-key", "authorization", "content-length"]
                .contains(name.lowercased())
            guard let text = value.string, !isOurs else {
                throw .badSettings(field: "headers", reason: "“\(name)” cannot be set")
            }
            headers.append((name, text))
        }
        return headers
    }

    /// Sends a signed event "ping", which the receiver answers with 2xx.
    public func check() async throws -> String {
        do throws(RemoteError) {
            let (request, answer) = try await post(["event": "ping"], idempotencyKey: nil)
            guard answer.isSuccess else { throw Answers.error(for: answer, to: request) }
            return "\(Redaction.address(url)) answered \(answer.status)"
        } catch .unsure(let code, let message) {
            // Pinging twice does no harm.
            throw RemoteError.later(code: code, message: message)
        }
    }

    public func push(_ batch: [Push]) async throws -> [PushOutcome] {
        var outcomes: [PushOutcome] = []
        for push in batch {
            do throws(RemoteError) {
                outcomes.append(try await send(push))
            } catch .locked(let code, let message) {
                if outcomes.isEmpty { throw RemoteError.locked(code: code, message: message) }
                while outcomes.count < batch.count { outcomes.append(.failed(.locked(code: code, message: message))) }
            } catch {
                outcomes.append(.failed(error))
            }
            if outcomes.count == batch.count { break }
        }
        return outcomes
    }

    private func send(_ push: Push) async throws(RemoteError) -> PushOutcome {
        var payload: JSON = [
            "id": .string(push.idempotencyKey), "key": .string(push.key), "repeated": .bool(push.isUnsure),
            "event": .string(push.action == .delete ? "contact.deleted" : "contact.saved"),
            "record": push.action == .delete ? .null : push.values,
        ]
        payload["remote_id"] = push.remoteID.map { .string($0) }
        payload["version"] = push.version.map { .string($0) }
        let (request, answer) = try await post(payload, idempotencyKey: push.idempotencyKey)
        if answer.status == 410 || answer.status == 404, push.remoteID != nil || push.action == .delete { return .gone }
        if answer.status == 412 { throw .stale }
        guard answer.isSuccess else { throw Answers.error(for: answer, to: request) }
        // An answer may tell the receiver's own id and version; one without a body is as good.
        let told = try? JSON(parsing: answer.body)
        let id = told?["id"]?.scalarText ?? push.remoteID ?? push.key
        return .done(
            RemoteRecord(
                id: id, version: told?["version"]?.scalarText, values: push.values, isDeleted: push.action == .delete,
                key: push.key))
    }

    private func post(
        _ payload: JSON, idempotencyKey: String?
    ) async throws(RemoteError) -> (request: HTTPRequest, answer: HTTPResponse) {
        let body = payload.bytes
        var sent = headers
        sent.append(("Content-Type", "application/json"))
        if let key = idempotencyKey { sent.append(("Idempotency-Key", key)) }
        do {
            let keys = [try await secrets.secret("signing_secret"), try await secrets.secret("signing_secret_old")]
            let known = keys.compactMap { $0 }.filter { !$0.isEmpty }
            guard !known.isEmpty else {
                throw RemoteError.locked(code: "no_secret", message: "the signing secret is missing")
            }
            sent.append(("Kontor-Signature", WebhookSignature.stamp(body, at: now(), secrets: known)))
            if let token = try await secrets.secret("authorization"), !token.isEmpty {
                sent.append(("Authorization", token))
            }
        } catch let error as RemoteError {
            throw error
        } catch {
            throw .later(code: "no_secrets", message: "the connector's secrets cannot be read")
        }
        let request = HTTPRequest("POST", url, headers: sent, body: body)
        return (request, try await http.send(request))
    }

    public static let manifest = Manifest(
        kind: "webhook_out", title: "Webhook to your own system",
        settings: [
            .init("url", "Address that receives the webhooks"),
            .init("signing_secret", "Secret for the signature", isSecret: true),
            .init("signing_secret_old", "Former secret, while it is being replaced", isSecret: true, isRequired: false),
            .init("authorization", "Value of the header Authorization", isSecret: true, isRequired: false),
            .init("headers", "Further headers", isRequired: false, fallback: [:]),
        ],
        plugins: [PluginManifest("contacts.export", "Contacts as webhooks", .push, mapping: WebhookMapping.contact)],
        limits: .init(perSecond: 20, burst: 50, batch: 20, takesKey: true))
}
