/// Calls remotes by HTTP. A value: who holds one may reach what its guard permits.
public struct HTTPClient: Sendable {
    private let engine: HTTPEngine
    private let addressGuard: AddressGuard
    private let caFile: String?
    private let maxTimeout: Double
    private var gate: (any CallGate)?

    /// - Parameters:
    ///   - engine: what does the calls; one for the whole program, with its kept connections.
    ///   - guard: which addresses may be reached.
    ///   - caFile: path of a PEM file of certificate authorities to trust instead of the system's.
    ///   - maxTimeout: seconds that no request may exceed, whatever it asks for.
    public init(
        engine: HTTPEngine = .shared, guard addressGuard: AddressGuard = AddressGuard(), caFile: String? = nil,
        maxTimeout: Double = 300
    ) {
        self.engine = engine
        self.addressGuard = addressGuard
        self.caFile = caFile
        self.maxTimeout = maxTimeout
    }

    /// The same client, asking a gate before each call.
    public func gated(by gate: any CallGate) -> HTTPClient {
        var client = self
        client.gate = gate
        return client
    }

    /// Sends a request and reads the whole answer, whatever its status. The gate learns of Retry-After before
    /// anyone else, so that no other call follows.
    ///
    /// - Throws: `.later` with `RemoteError.closedCode` when the gate is closed; `.refused` for a request that cannot be
    ///   made ("bad_request") or an address that may not
    ///   be reached ("address_not_allowed"); `.later` when it was not sent ("unknown_host", "unreachable",
    ///   "tls_failed") or only reads and got no full answer ("timeout", "cut", "too_large", "too_dense", "cancelled");
    ///   `.unsure` with those codes when its effect may have happened.
    public func send(_ request: HTTPRequest) async throws(RemoteError) -> HTTPResponse {
        var request = request
        request.timeout = min(request.timeout, maxTimeout)
        var redirects = request.isReading ? min(request.maxRedirects, 3) : 0
        while true {
            if let reason = Self.fault(in: request) {
                throw .refused(code: "bad_request", message: reason)
            }
            if let seconds = try await gate?.closedFor() {
                throw .later(
                    code: RemoteError.closedCode, message: "the remote asked to be left alone", retryAfter: seconds)
            }
            let response = try await engine.run(request, guard: addressGuard, caFile: caFile)
            if response.status == 429 || response.status == 503, let seconds = Answers.retryAfter(response) {
                await gate?.close(for: seconds)
            }
            guard redirects > 0, let next = Self.redirect(of: response, to: request) else { return response }
            redirects -= 1
            request = next
        }
    }

    /// The request a redirect asks for; nil when the answer is none. Another origin is told nothing of
    /// what was meant for the first.
    private static func redirect(of response: HTTPResponse, to request: HTTPRequest) -> HTTPRequest? {
        guard [301, 302, 303, 307, 308].contains(response.status), let location = response.headers["location"],
            let target = URLText.resolve(location, against: request.url),
            !(request.url.hasPrefix("https:") && !target.hasPrefix("https:"))
        else { return nil }
        var next = request
        next.url = target
        if URLText.origin(of: target) != URLText.origin(of: request.url) {
            next.headers = request.headers.filter {
                ["accept", "content-type", "depth"].contains($0.0.lowercased())
            }
        }
        return next
    }

    /// What makes a request impossible or dangerous; nil when it is sound.
    private static func fault(in request: HTTPRequest) -> String? {
        if !URLText.isCallable(request.url) { return "not an http or https address without user name" }
        if request.method.isEmpty || !request.method.utf8.allSatisfy({ (0x41...0x5A).contains($0) || $0 == 0x2D }) {
            return "not a method"
        }
        for (name, value) in request.headers {
            let isToken = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
            if name.isEmpty || !isToken || value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) {
                return "header with control characters"
            }
        }
        return nil
    }
}
