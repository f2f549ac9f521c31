import CLibcurl

/// Addresses as text (RFC 3986). Parsing is libcurl's own, so that what is judged is what is called.
public enum URLText {
    /// Percent-encodes everything but unreserved characters: for one path segment, query name or value.
    public static func escape(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isUnreserved(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Turns %XX back into bytes; what is no such sequence stays as it is.
    public static func unescape(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var plain: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count, bytes[at + 1] != UInt8(ascii: "+"),
                bytes[at + 1] != UInt8(ascii: "-"),
                let value = UInt8(String(decoding: bytes[(at + 1)...(at + 2)], as: UTF8.self), radix: 16)
            {
                plain.append(value)
                at += 3
            } else {
                plain.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    /// "name=value&name=value", both escaped; for queries, and bodies of type
    /// application/x-www-form-urlencoded.
    public static func query(_ pairs: [(String, String)]) -> String {
        pairs.map { "\(escape($0.0))=\(escape($0.1))" }.joined(separator: "&")
    }

    /// An address with more query behind its own.
    public static func append(_ pairs: [(String, String)], to url: String) -> String {
        guard !pairs.isEmpty else { return url }
        return url + (url.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + query(pairs)
    }

    /// What `reference` (absolute or relative) means beside `base` (RFC 3986 section 5); nil when either
    /// makes no sense.
    public static func resolve(_ reference: String, against base: String) -> String? {
        guard let parsed = ParsedURL(base), parsed.set(reference) else { return nil }
        return parsed.part(CURLUPART_URL)
    }

    /// Scheme, host and port in one form ("https://shop.example:443"), to compare where two addresses lead.
    public static func origin(of url: String) -> String? {
        guard let parsed = ParsedURL(url), let scheme = parsed.part(CURLUPART_SCHEME),
            let host = parsed.part(CURLUPART_HOST), let port = parsed.part(CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT))
        else { return nil }
        return "\(scheme)://\(host.lowercased()):\(port)"
    }

    /// The path of an absolute address, at least "/".
    public static func path(of url: String) -> String? { ParsedURL(url)?.part(CURLUPART_PATH) }

    static func host(of url: String) -> String? { ParsedURL(url)?.part(CURLUPART_HOST) }

    /// Whether the client may call an address: absolute, http or https, a host, no user, no control bytes.
    static func isCallable(_ url: String) -> Bool {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), let parsed = ParsedURL(url),
            let scheme = parsed.part(CURLUPART_SCHEME)
        else { return false }
        return (scheme == "http" || scheme == "https") && parsed.part(CURLUPART_USER) == nil
            && parsed.part(CURLUPART_PASSWORD) == nil && parsed.part(CURLUPART_HOST) != nil
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~".utf8.contains(byte)
        }
    }
}

/// An address taken apart by libcurl.
private final class ParsedURL {
    private let handle: OpaquePointer

    init?(_ url: String) {
        guard let handle = curl_url() else { return nil }
        self.handle = handle
        guard set(url) else { return nil }
    }

    deinit { curl_url_cleanup(handle) }

    /// Sets an absolute address, or moves on to a relative one.
    func set(_ reference: String) -> Bool {
        curl_url_set(handle, CURLUPART_URL, reference, UInt32(CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK
    }

    func part(_ part: CURLUPart, _ flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
