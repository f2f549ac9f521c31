import Cryptography

/// Signatures of webhooks: HMAC-SHA-256 over the raw bytes, compared in constant time, with two secrets
/// while one replaces the other.
public enum WebhookSignature {
    /// How far a time stamp may be off, in seconds.
    public static let tolerance: Int64 = 300

    /// Checks a signature in base64 or hexadecimal digits, with or without "sha256=" before it.
    ///
    /// - Parameter secrets: the current one and, while it is being replaced, the one before; empty ones
    ///   do not count.
    /// - Throws: `HookError.forged`.
    public static func check(
        _ signature: String?, of body: [UInt8], secrets: [String]
    ) throws(HookError) {
        guard var text = signature, !text.isEmpty else { throw .forged("no signature") }
        if text.utf8.starts(with: "sha256=".utf8) { text = String(text.utf8.dropFirst(7)) ?? "" }
        let candidates = [Crypto.unhex(text), Crypto.unbase64(text)].compactMap { $0 }
        var isGenuine = false
        for secret in secrets where !secret.isEmpty {
            let expected = Crypto.hmacSHA256(key: Array(secret.utf8), body)
            for candidate in candidates where Crypto.constantTimeEqual(candidate, expected) { isGenuine = true }
        }
        guard isGenuine else { throw .forged("the signature does not match") }
    }

    /// Checks a secret that is sent as it is, in a header or query.
    /// - Throws: `HookError.forged`.
    public static func check(token: String?, secrets: [String]) throws(HookError) {
        guard let token, !token.isEmpty else { throw .forged("no token") }
        // Digests of equal length, so that not even the length of the secret shows.
        let given = Crypto.sha256(token.utf8)
        var isGenuine = false
        for secret in secrets where !secret.isEmpty {
            if Crypto.constantTimeEqual(given, Crypto.sha256(secret.utf8)) { isGenuine = true }
        }
        guard isGenuine else { throw .forged("the token does not match") }
    }

    /// Signs with a time stamp: "t=1700000000,v1=<hex>" over "<t>.<body>", one v1 for each secret.
    public static func stamp(_ body: [UInt8], at seconds: Int64, secrets: [String]) -> String {
        let marks = secrets.filter { !$0.isEmpty }.map { ",v1=" + Crypto.hex(mac(body, at: seconds, secret: $0)) }
        return "t=\(seconds)" + marks.joined()
    }

    /// Checks what `stamp` makes.
    /// - Throws: `HookError.forged`; `.stale` when it is genuine but more than 300 s off.
    public static func check(
        stamped header: String?, of body: [UInt8], secrets: [String], receivedAt: Int64
    ) throws(HookError) {
        guard let header else { throw .forged("no signature") }
        let fields = header.split(separator: ",")
        guard let stamp = fields.first(where: { $0.utf8.starts(with: "t=".utf8) }).flatMap({ Int64($0.dropFirst(2)) })
        else { throw .forged("no time stamp") }
        let given = fields.filter { $0.utf8.starts(with: "v1=".utf8) }.compactMap { Crypto.unhex($0.dropFirst(3)) }
        var isGenuine = false
        for secret in secrets where !secret.isEmpty {
            let expected = mac(body, at: stamp, secret: secret)
            for mark in given.prefix(10) where Crypto.constantTimeEqual(mark, expected) { isGenuine = true }
        }
        guard isGenuine else { throw .forged("the signature does not match") }
        let (age, overflow) = receivedAt.subtractingReportingOverflow(stamp)
        if overflow || age.magnitude > UInt64(tolerance) { throw .stale("the time stamp is out of bounds") }
    }

    private static func mac(_ body: [UInt8], at seconds: Int64, secret: String) -> [UInt8] {
        Crypto.hmacSHA256(key: Array(secret.utf8), Array("\(seconds).".utf8) + body)
    }
}
