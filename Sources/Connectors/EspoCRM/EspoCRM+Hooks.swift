public import ConnectorKit
import Cryptography
import Hub

extension EspoCRM {
    /// Checks the signature over the raw body under the webhook's own secret key.
    ///
    /// `Signature` (from version 9 on) is base64 of "id:" and the HMAC-SHA-256 in hexadecimal digits, `X-Signature`
    /// (until version 11) the same with the raw HMAC. EspoCRM sends no time stamp, so a hook is never stale:
    /// it only names records, which are then read.
    public func verify(_ hook: Hook) async throws {
        let secrets =
            try await api.secrets.optional("webhook_secret").map { $0.split(whereSeparator: \.isWhitespace) } ?? []
        let digest =
            Self.digest(hook.headers["signature"], isHex: true)
            ?? Self.digest(hook.headers["x-signature"], isHex: false)
        try WebhookSignature.check(digest, of: hook.body, secrets: secrets.map(String.init))
    }

    /// The HMAC in a signature header, in hexadecimal digits; nil when the header has another form.
    private static func digest(_ header: String?, isHex: Bool) -> String? {
        guard let bytes = header.flatMap({ Crypto.unbase64($0) }), let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        let digest = bytes[(colon + 1)...]
        return isHex ? String(decoding: digest, as: UTF8.self) : Crypto.hex(digest)
    }

    /// The contacts that a hook names, as they are now. The hook does not say what happened to them, and an
    /// update carries changed fields only.
    public func records(in hook: Hook) async throws -> [HookRecord] {
        guard let items = try? JSON(parsing: hook.body).array else { throw HookError.malformed("the body is no list") }
        var seen: Set<String> = []
        var records: [HookRecord] = []
        for id in items.compactMap({ $0["id"]?.string }) where seen.insert(id).inserted {
            if let record = try await record(id) { records.append(.record(.contact, record)) }
        }
        return records
    }

    /// - Returns: a deleted record when there is none, nil for one that this API user may not see.
    private func record(_ id: String) async throws(RemoteError) -> RemoteRecord? {
        do {
            guard let contact = try await api.contact(id) else { return RemoteRecord(id: id, isDeleted: true) }
            return EspoContact.record(contact, keyField)
        } catch {
            if case .refused("http_403", _) = error { return nil }
            throw error
        }
    }
}
