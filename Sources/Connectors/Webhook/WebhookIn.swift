public import ConnectorKit
public import Hub

/// Receives webhooks of systems that Kontor has no connector for: where the records are in the body, and
/// how it is signed, is said by settings.
public struct WebhookIn: HookReceiver {
    /// How a webhook proves where it comes from.
    enum Proof: String {
        /// HMAC-SHA-256 of the body, in hexadecimal digits or base64.
        case hmac
        /// The secret itself.
        case token
        /// "t=…,v1=…" as `WebhookOut` makes it.
        case stamped
    }

    private let proof: Proof
    /// Lower case.
    private let header: String
    private let secrets: any SecretStore
    private let entity: RemoteEntity
    private let list: DotPath
    private let id: DotPath
    private let deleted: DotPath?
    private let changedAt: DotPath?
    private let version: DotPath?

    public init(_ environment: ConnectorEnvironment) throws {
        let settings = environment.settings
        func text(_ name: String) -> String? { settings[name]?.string.flatMap { $0.isEmpty ? nil : $0 } }
        guard let proof = Proof(rawValue: text("proof") ?? "hmac") else {
            throw ConnectorError.badSettings(field: "proof", reason: "must be hmac, token or stamped")
        }
        guard let entity = RemoteEntity(rawValue: text("entity") ?? "contact") else {
            throw ConnectorError.badSettings(field: "entity", reason: "must be contact, product or order")
        }
        self.proof = proof
        self.entity = entity
        header = (text("header") ?? (proof == .stamped ? "Kontor-Signature" : "X-Signature")).lowercased()
        secrets = environment.secrets
        list = DotPath(text("list") ?? "")
        id = DotPath(text("id") ?? "id")
        deleted = text("deleted").map(DotPath.init)
        changedAt = text("changed_at").map(DotPath.init)
        version = text("version").map(DotPath.init)
    }
    /// There is nothing to call: says whether the secret is there.
    public func check() async throws -> String {
        guard try await !knownSecrets().isEmpty else {
            throw RemoteError.locked(code: "no_secret", message: "the secret of the webhook is missing")
        }
        return "Ready to receive, checked by \(proof.rawValue) in the header \(header)"
    }

    /// The current secret and the one before.
    private func knownSecrets() async throws -> [String] {
        [try await secrets.secret("secret"), try await secrets.secret("secret_old")]
            .compactMap { $0 }.filter { !$0.isEmpty }
    }

    public func verify(_ hook: Hook) async throws {
        let known = try await knownSecrets()
        let given = hook.headers[header]
        switch proof {
        case .hmac: try WebhookSignature.check(given, of: hook.body, secrets: known)
        case .token:
            let bearer = "bearer "
            let isBearer = given?.lowercased().utf8.starts(with: bearer.utf8) == true
            let token = isBearer ? given.map { String($0.dropFirst(bearer.count)) } : given
            try WebhookSignature.check(token: token, secrets: known)
        case .stamped:
            try WebhookSignature.check(
                stamped: given, of: hook.body, secrets: known, receivedAt: hook.receivedAt)
        }
    }

    /// The records at the list's path: an array, or one object.
    public func records(in hook: Hook) async throws -> [HookRecord] {
        let body: JSON
        do {
            body = try JSON(parsing: hook.body)
        } catch {
            throw HookError.malformed("the body is no JSON: \(error)")
        }
        guard let found = list.read(body) else { throw HookError.malformed("nothing at “\(list.text)”") }
        let items = found.array ?? [found]
        return try items.enumerated().map { place, item in
            guard let id = id.read(item)?.scalarText, !id.isEmpty else {
                throw HookError.malformed("record \(place) has nothing at “\(id.text)”")
            }
            return .record(
                entity,
                RemoteRecord(
                    id: id, version: version?.read(item)?.scalarText, changedAt: changedAt?.read(item)?.string,
                    values: item, isDeleted: deleted.map { Self.isSet($0.read(item)) } ?? false))
        }
    }

    /// Whether a value says yes: true, a number but 0, a text such as a time of deletion.
    private static func isSet(_ value: JSON?) -> Bool {
        switch value {
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .double(let number): number != 0
        case .string(let text): !["", "0", "false", "no", "active"].contains(text.lowercased())
        case .array, .object: true
        case .null, nil: false
        }
    }

    public static let manifest = Manifest(
        kind: "webhook_in", title: "Webhook from your own system",
        settings: [
            .init("secret", "Secret that the sender knows", isSecret: true),
            .init("secret_old", "Former secret, while it is being replaced", isSecret: true, isRequired: false),
            .init("proof", "How it is signed: hmac, token or stamped", isRequired: false, fallback: "hmac"),
            .init("header", "Header with the signature or token", isRequired: false, fallback: "X-Signature"),
            .init("entity", "What it brings: contact, product or order", isRequired: false, fallback: "contact"),
            .init("list", "Where the records are in the body (data.items)", isRequired: false, fallback: ""),
            .init("id", "Where the id is in a record", isRequired: false, fallback: "id"),
            .init("deleted", "Where a record says that it is deleted", isRequired: false),
            .init("changed_at", "Where a record says when it changed", isRequired: false),
            .init("version", "Where a record has its version", isRequired: false),
        ],
        plugins: [PluginManifest("contacts.import", "Contacts from webhooks", .pull, mapping: WebhookMapping.contact)],
        limits: .init(perSecond: 100, burst: 500, takesKey: false))
}

/// Members and places on the way into a JSON value: "data.items.0"; empty for the value itself.
struct DotPath: Sendable {
    let text: String
    private let steps: [String]

    init(_ text: String) {
        self.text = text
        steps = text.split(separator: ".").map(String.init)
    }

    func read(_ value: JSON) -> JSON? {
        var value = value
        for step in steps {
            guard let next = value[step] ?? Int(step).flatMap({ value[$0] }) else { return nil }
            value = next
        }
        return value
    }
}
