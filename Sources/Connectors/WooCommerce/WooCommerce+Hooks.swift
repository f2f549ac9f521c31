public import ConnectorKit
import Cryptography
import Hub

extension WooCommerce {
    /// Checks `X-WC-Webhook-Signature`: base64 of the HMAC-SHA-256 of the raw body under the webhook's secret.
    ///
    /// The ping a shop sends when a webhook is made is unsigned; it is taken in exactly its form, as it carries
    /// nothing. The shop sends no time stamp, so a hook is never stale: that it comes twice or late is
    /// harmless, as records bear the time of their change.
    public func verify(_ hook: Hook) async throws {
        if Self.isPing(hook) { return }
        let secrets =
            try await api.secrets.optional("webhook_secret").map { $0.split(whereSeparator: \.isWhitespace) } ?? []
        try WebhookSignature.check(
            hook.headers["x-wc-webhook-signature"], of: hook.body, secrets: secrets.map(String.init))
    }

    /// The record in the hook, as the shop shows it at the moment of sending (which may be later than the event).
    public func records(in hook: Hook) async throws -> [HookRecord] {
        if Self.isPing(hook) { return [] }
        let topic = (hook.headers["x-wc-webhook-topic"] ?? "").split(separator: ".").map(String.init)
        guard topic.count == 2, let entity = Self.entity(topic[0]) else { return [] }
        guard let document = try? JSON(parsing: hook.body), document.object != nil else {
            throw HookError.malformed("the body is no JSON object")
        }
        // A record deleted before the hook left: its own hook tells of that.
        guard let id = document["id"]?.scalarText else { return [] }
        if topic[1] == "deleted" { return [.record(entity, RemoteRecord(id: id, isDeleted: true))] }
        if entity == .contact, document["role"]?.string ?? "customer" != "customer" { return [] }
        return WooRecords.record(document, entity).map { [.record(entity, $0)] } ?? []
    }

    private static func entity(_ resource: String) -> RemoteEntity? {
        ["customer": .contact, "order": .order, "product": .product][resource]
    }

    /// Form data `webhook_id=7` without signature and topic.
    private static func isPing(_ hook: Hook) -> Bool {
        let prefix = Array("webhook_id=".utf8)
        guard hook.headers["x-wc-webhook-signature"] == nil, hook.headers["x-wc-webhook-topic"] == nil,
            hook.body.starts(with: prefix)
        else { return false }
        let digits = hook.body.dropFirst(prefix.count)
        return (1...20).contains(digits.count) && digits.allSatisfy { (0x30...0x39).contains($0) }
    }
}
