import CCurl
import CLibcurl
import Glibc
import Hub
import Synchronization

/// One call under way. Made by a task, then touched by the engine's thread alone.
final class HTTPTransfer: @unchecked Sendable {
    /// Lets the task that waits cancel the call from any thread.
    final class Ticket: Sendable {
        let isCancelled = Atomic<Bool>(false)
    }

    private static let maxHeaderBytes = 256 * 1024
    /// An answer of more than this many bytes may be at most `maxRatio` times as large as what came over the line.
    private static let ratioFrom = 1_000_000
    private static let maxRatio = 100
    /// libcurl may count what it has just received only after it is unpacked: its buffer's size.
    private static let bytesUncounted = 16 * 1024

    let ticket: Ticket
    private let request: HTTPRequest
    private let addressGuard: AddressGuard
    private let caFile: String?
    private let done: (Result<HTTPResponse, RemoteError>) -> Void

    private var easy: UnsafeMutableRawPointer?
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var bodyFile: UnsafeMutablePointer<FILE>?
    private let handlers: UnsafeMutablePointer<ccurl_handlers>

    private var response = HTTPResponse(status: 0)
    private var headerBytes = 0
    /// Why one of our callbacks ended the call.
    private var stop: Stop?
    /// How often the request was about to go out.
    private var sends = 0

    private enum Stop {
        case address
        case tooLarge
        case tooDense
        case resend
    }

    /// - Parameter done: called once, with the answer or why there is none.
    init(
        _ request: HTTPRequest, _ ticket: Ticket, guard addressGuard: AddressGuard, caFile: String?,
        done: @escaping (Result<HTTPResponse, RemoteError>) -> Void
    ) {
        self.request = request
        self.ticket = ticket
        self.addressGuard = addressGuard
        self.caFile = caFile
        self.done = done
        handlers = .allocate(capacity: 1)
    }

    deinit {
        if let easy { curl_easy_cleanup(easy) }
        curl_slist_free_all(headerList)
        if let bodyFile { fclose(bodyFile) }
        handlers.deallocate()
    }

    // MARK: Setting up

    /// A handle ready for the multi interface; nil when libcurl refuses an option.
    func prepare() -> UnsafeMutableRawPointer? {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        handlers.initialize(to: callbacks())
        var isFine = true
        func check(_ code: CURLcode) { isFine = isFine && code == CURLE_OK }
        check(ccurl_set_handlers(easy, handlers))
        check(ccurl_set_text(easy, CURLOPT_URL, request.url))
        check(ccurl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https"))
        // A proxy from the environment would be connected in place of the address that is judged.
        check(ccurl_set_text(easy, CURLOPT_PROXY, ""))
        check(ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1))
        check(ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, max(1, Int(request.timeout * 1000))))
        check(ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(min(request.timeout, 10) * 1000))))
        check(ccurl_set_long(easy, CURLOPT_MAXAGE_CONN, 60))
        check(ccurl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)))
        check(ccurl_set_text(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate"))
        check(ccurl_set_long(easy, CURLOPT_SSL_VERIFYPEER, 1))
        check(ccurl_set_long(easy, CURLOPT_SSL_VERIFYHOST, 2))
        if let caFile { check(ccurl_set_text(easy, CURLOPT_CAINFO, caFile)) }
        setMethod(easy, check)
        setHeaders(easy, check)
        if let file = request.bodyFile { isFine = isFine && send(file: file, easy) }
        return isFine ? easy : nil
    }

    /// - Returns: false when the file cannot be read.
    private func send(file path: String, _ easy: UnsafeMutableRawPointer) -> Bool {
        guard let file = fopen(path, "rb") else { return false }
        bodyFile = file
        guard fseeko(file, 0, SEEK_END) == 0 else { return false }
        let count = ftello(file)
        rewind(file)
        return count >= 0 && ccurl_set_file(easy, file, curl_off_t(count)) == CURLE_OK
    }

    private func setMethod(_ easy: UnsafeMutableRawPointer, _ check: (CURLcode) -> Void) {
        if request.bodyFile == nil,
            let body = request.body ?? (["POST", "PUT", "PATCH"].contains(request.method) ? [] : nil)
        {
            check(ccurl_set_body(easy, body, body.count))
        }
        switch request.method {
        case "GET" where request.body == nil: check(ccurl_set_long(easy, CURLOPT_HTTPGET, 1))
        case "HEAD": check(ccurl_set_long(easy, CURLOPT_NOBODY, 1))
        default: check(ccurl_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method))
        }
    }

    private func setHeaders(_ easy: UnsafeMutableRawPointer, _ check: (CURLcode) -> Void) {
        var given: Set<String> = []
        for (name, value) in request.headers {
            given.insert(name.lowercased())
            add(value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        if !given.contains("user-agent") { add("User-Agent: Kontor") }
        // libcurl's own additions, unless asked for.
        if !given.contains("content-type") { add("Content-Type:") }
        if !given.contains("expect") { add("Expect:") }
        check(ccurl_set_list(easy, CURLOPT_HTTPHEADER, headerList))
    }

    private func add(_ line: String) { headerList = curl_slist_append(headerList, line) }

    // MARK: Called by libcurl

    private func callbacks() -> ccurl_handlers {
        ccurl_handlers(
            body: { bytes, size, count, context in
                HTTPTransfer.from(context).take(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
            },
            header: { bytes, size, count, context in
                HTTPTransfer.from(context).take(header: UnsafeRawBufferPointer(start: bytes, count: size * count))
            },
            judge: { context, address, length in
                HTTPTransfer.from(context).judge(Array(UnsafeBufferPointer(start: address, count: length))) ? 1 : 0
            },
            before_request: { context, peer in
                HTTPTransfer.from(context).mayGoOut(to: peer.map { String(cString: $0) } ?? "") ? 1 : 0
            },
            context: Unmanaged.passUnretained(self).toOpaque())
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer {
        guard let context else { preconditionFailure("libcurl lost the transfer") }
        return Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
    }

    private func take(body bytes: UnsafeRawBufferPointer) -> Int {
        guard response.body.count + bytes.count <= request.maxBytes else {
            stop = .tooLarge
            return 0
        }
        let received = bytesReceived + Self.bytesUncounted
        guard response.body.count + bytes.count <= max(Self.ratioFrom, Self.maxRatio * received) else {
            stop = .tooDense
            return 0
        }
        response.body.append(contentsOf: bytes)
        return bytes.count
    }

    /// Bytes of body that came over the line, still packed.
    private var bytesReceived: Int {
        var count: curl_off_t = 0
        guard let easy, ccurl_get_offset(easy, CURLINFO_SIZE_DOWNLOAD_T, &count) == CURLE_OK else { return 0 }
        return Int(count)
    }

    private func take(header bytes: UnsafeRawBufferPointer) -> Int {
        headerBytes += bytes.count
        guard headerBytes <= Self.maxHeaderBytes else {
            stop = .tooLarge
            return 0
        }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // An interim answer (103) came before, or a request on a dead connection was repeated.
            response.headers = [:]
        } else if let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) {
            let name = line[..<colon].lowercased()
            let value = Self.trimmed(line[line.utf8.index(after: colon)...])
            response.headers[name] = response.headers[name].map { "\($0), \(value)" } ?? value
        }
        return bytes.count
    }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace: (UInt8) -> Bool = { [0x20, 0x09, 0x0D, 0x0A].contains($0) }
        let bytes = text.utf8.drop(while: isSpace)
        return String(decoding: bytes.reversed().drop(while: isSpace).reversed(), as: UTF8.self)
    }

    private func judge(_ address: [UInt8]) -> Bool {
        if addressGuard.permits(address) { return true }
        stop = .address
        return false
    }

    /// Judges again just before the request goes out: a kept connection may have been opened for
    /// somebody who may reach more. And libcurl sends a request again by itself when a kept connection
    /// ends without an answer: right for reading, but a write may have happened.
    private func mayGoOut(to peer: String) -> Bool {
        if !addressGuard.permits(peer) {
            stop = .address
            return false
        }
        if sends > 0, !request.isReading {
            stop = .resend
            return false
        }
        stop = nil
        sends += 1
        response.body = []
        return true
    }

    // MARK: The end

    /// Tells the waiting task how the call went.
    func finish(_ code: CURLcode, isCancelled: Bool = false) {
        if code == CURLE_OK, let easy {
            var status = 0
            _ = ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
            response.status = status
            return done(.success(response))
        }
        done(.failure(isCancelled ? unanswered("cancelled", "the call was cancelled") : failure(code)))
    }

    /// `.unsure` when the request went out and may have had an effect, else `.later`.
    private func unanswered(_ code: String, _ reason: String) -> RemoteError {
        let message = "\(URLText.host(of: request.url) ?? "remote"): \(reason)"
        if sends > 0, !request.isReading { return .unsure(code: code, message: message) }
        return .later(code: code, message: message)
    }

    private func failure(_ code: CURLcode) -> RemoteError {
        switch stop {
        case .address where sends == 0:
            return .refused(code: "address_not_allowed", message: "the address is not public, and not allowed")
        case .tooLarge: return unanswered("too_large", "the answer is larger than \(request.maxBytes) bytes")
        case .tooDense:
            return unanswered("too_dense", "the answer unpacks to more than \(Self.maxRatio) times its size")
        default: break
        }
        let words = String(cString: curl_easy_strerror(code))
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: return unanswered("unknown_host", words)
        case CURLE_OPERATION_TIMEDOUT:
            return unanswered(sends > 0 ? "timeout" : "unreachable", "no answer within the time limit")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CIPHER,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_ISSUER_ERROR:
            return unanswered("tls_failed", words)
        case CURLE_FAILED_INIT, CURLE_OUT_OF_MEMORY: return unanswered("unreachable", "the call could not start")
        default: return unanswered(sends > 0 ? "cut" : "unreachable", words)
        }
    }
}
