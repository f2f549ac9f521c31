import Cryptography
import HTTPTypes
import Hub

/// How a browser holds a session: a cookie that no script reads, and a mark in each form that no other site knows.
enum ConsoleSession {
    /// Over TLS the browser itself holds the cookie to this host (RFC 6265bis, 4.1.3.2), and the operator's to it and TLS.
    private static func name(isSecure: Bool, _ isOperator: Bool) -> String {
        isOperator ? "\(isSecure ? "__Secure-" : "")kontor-operator" : "\(isSecure ? "__Host-" : "")kontor"
    }

    /// The session's token that a request carries, or the operator's.
    static func token(_ headers: HTTPFields, isSecure: Bool, isOperator: Bool = false) -> String? {
        cookie(name(isSecure: isSecure, isOperator), headers)
    }

    static func cookie(_ name: String, _ headers: HTTPFields) -> String? {
        for pair in headers[values: .cookie].joined(separator: ";").split(separator: ";") {
            let halves = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if halves.count == 2, halves[0] == name { return String(halves[1]) }
        }
        return nil
    }

    /// The field that gives the browser a session, or with nil takes it away. The operator's is the token itself, for half a day
    /// and the operator's pages alone.
    static func field(_ token: String?, isSecure: Bool, isOperator: Bool = false) -> String {
        "\(name(isSecure: isSecure, isOperator))=\(token ?? ""); Path=\(isOperator ? "/operator" : "/"); HttpOnly; "
            + "SameSite=\(isOperator ? "Strict" : "Lax")\(isSecure ? "; Secure" : "")"
            + (token == nil ? "; Max-Age=0" : "; Max-Age=\(isOperator ? 43_200 : 2_592_000)")
    }

    /// The mark of a session's forms, another one each time, so that packing a page tells nothing of it.
    static func mark(_ token: String) -> String {
        let pad = Crypto.randomBytes(16)
        return Crypto.base64url(pad + zip(pad, proof(token)).map { $0 ^ $1 })
    }

    static func isMark(_ text: String, of token: String) -> Bool {
        guard let bytes = Crypto.unbase64url(text), bytes.count == 32 else { return false }
        return Crypto.constantTimeEqual(zip(bytes.prefix(16), bytes.suffix(16)).map { $0 ^ $1 }, proof(token))
    }

    private static func proof(_ token: String) -> [UInt8] {
        Array(Crypto.hmacSHA256(key: Array(token.utf8), Array("kontor 1 form".utf8)).prefix(16))
    }

    /// Whether a form came from a page of this very host (Fetch Metadata; RFC 6454 where a browser has none).
    static func isOwn(_ headers: HTTPFields, host: String?) -> Bool {
        if let site = headers[HTTPField.Name("Sec-Fetch-Site")!] { return site == "same-origin" || site == "none" }
        guard let origin = headers[.origin], let host else { return false }
        return origin == "http://\(host)" || origin == "https://\(host)"
    }
}
