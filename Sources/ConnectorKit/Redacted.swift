import Cryptography

/// A value that must not be shown: whatever prints it, and string interpolation, gives "‹redacted›".
public struct Redacted<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The value itself, asked for by name where it is used.
    public let secret: Value

    public init(_ secret: Value) { self.secret = secret }

    public var description: String { Redaction.mark }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Keeps secrets out of logs and error texts.
public enum Redaction {
    public static let mark = "‹redacted›"

    /// An address fit for logs: scheme, host, port and path; no user, query and fragment.
    public static func address(_ url: String) -> String {
        let bare = url.prefix { $0 != "?" && $0 != "#" }
        guard let start = bare.firstRange(of: "://") else { return String(bare) }
        let rest = bare[start.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        return String(bare[..<start.upperBound]) + String(host) + String(rest.dropFirst(authority.count))
    }

    /// Text with every given secret of four letters and more replaced, also where it was escaped for a
    /// URL. For words of a remote, which may repeat what it was sent.
    public static func scrub(_ text: String, of secrets: [String]) -> String {
        var clean = text
        // Longer ones first: one secret may contain another.
        for secret in secrets.sorted(by: { $0.utf8.count > $1.utf8.count }) where secret.utf8.count >= 4 {
            for form in Set([secret, URLText.escape(secret)]) {
                clean = clean.split(separator: form, omittingEmptySubsequences: false).joined(separator: mark)
            }
        }
        return clean
    }

    /// What in a request is or may be secret: credentials in headers, query values, and the user name and
    /// password inside Basic credentials.
    static func secrets(in request: HTTPRequest) -> [String] {
        var secrets: [String] = []
        for (name, value) in request.headers where !openHeaders.contains(name.lowercased()) {
            secrets.append(value)
            let words = value.split(separator: " ")
            guard words.count == 2 else { continue }
            secrets.append(String(words[1]))
            if words[0].lowercased() == "basic", let pair = Crypto.unbase64(words[1]) {
                let password = pair.drop { $0 != UInt8(ascii: ":") }.dropFirst()
                secrets.append(String(decoding: password, as: UTF8.self))
            }
        }
        let query = request.url.drop { $0 != "?" }.dropFirst().prefix { $0 != "#" }
        for pair in query.split(separator: "&") {
            let name = pair.prefix { $0 != "=" }.lowercased()
            guard secretNames.contains(where: { name.contains($0) }) else { continue }
            secrets.append(URLText.unescape(String(pair.drop { $0 != "=" }.dropFirst())))
        }
        return secrets
    }

    /// Headers that hold no secret; all others are taken to.
    private static let openHeaders: Set<String> = [
        "accept", "content-type", "depth", "if-match", "if-none-match", "user-agent", "prefer", "idempotency-key",
        "accept-language",
    ]
    private static let secretNames = ["key", "secret", "token", "password", "signature", "code"]
}
