public import Hub

/// One call to a remote.
public struct HTTPRequest: Sendable {
    /// Upper case: "GET", "REPORT".
    public var method: String
    /// Absolute, http or https, without user name and password.
    public var url: String
    /// Sent in this order, as they are. `Content-Length`, `Host` and `Accept-Encoding` are the client's.
    public var headers: [(String, String)]
    /// Sent with `Content-Length`, never in chunks.
    public var body: [UInt8]?
    /// A file that is sent as the body, piece by piece, in place of `body`.
    public var bodyFile: String?
    /// Seconds from start to the last byte of the answer.
    public var timeout: Double
    /// The most bytes of body, after decompression, that an answer may have.
    public var maxBytes: Int
    /// How many redirects a GET or HEAD may follow (3 at most); 0 gives the redirect itself back.
    public var maxRedirects: Int

    public init(
        _ method: String = "GET", _ url: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
        timeout: Double = 30, maxBytes: Int = 20_000_000, maxRedirects: Int = 0
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.maxBytes = maxBytes
        self.maxRedirects = maxRedirects
    }

    /// A call with a JSON body.
    public init(
        _ method: String, _ url: String, headers: [(String, String)] = [], json: JSON, timeout: Double = 30
    ) {
        self.init(
            method, url, headers: headers + [("Content-Type", "application/json")], body: json.bytes,
            timeout: timeout)
    }

    /// Methods that only read (RFC 9110 section 9.2.1, RFC 4918, RFC 3253): asking twice does no harm.
    static let readingMethods: Set<String> = ["GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"]

    var isReading: Bool { Self.readingMethods.contains(method) }
}

extension HTTPRequest: CustomStringConvertible {
    /// Method and address without query, headers and body: those hold secrets.
    public var description: String { "\(method) \(Redaction.address(url))" }
}
