import CCurl
import CLibcurl
import Dispatch
import Glibc

/// Hands mails to one mail server, through libcurl (RFC 5321). Each goes over a connection of its own, on a thread of its own.
public struct SMTPClient: Sendable {
    /// Where the mail server is, and as whom mails are handed to it.
    public struct Server: Sendable {
        /// `smtp://host:587` (TLS is begun by STARTTLS, and demanded unless the host is this machine) or `smtps://host`.
        let url: String
        let login: (user: String, password: String)?
        let needsTLS: Bool
        /// File of certificates to trust; nil for the system's.
        let caFile: String?

        /// - Throws: `MailAddressError` for what is no address of a mail server.
        public init(url: String, user: String?, password: String?, caFile: String? = nil) throws {
            guard let scheme = url.components(before: "://"), ["smtp", "smtps"].contains(scheme),
                let host = URLText.host(of: url), !url.contains("@")
            else { throw MailAddressError(text: url) }
            self.url = url
            login = user.map { ($0, password ?? "") }
            needsTLS = scheme == "smtps" || !["127.0.0.1", "localhost", "[::1]", "::1"].contains(host)
            self.caFile = caFile
        }
    }

    private let server: Server
    /// Seconds for all of one mail.
    private let timeout: Int

    public init(_ server: Server, timeout: Int = 60) { (self.server, self.timeout) = (server, timeout) }

    /// Sends one mail; returns when the server has taken it over.
    /// - Throws: `SMTPError`.
    public func send(_ message: MailMessage) async throws(SMTPError) {
        let result: Result<Void, SMTPError> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: deliver(message)) }
        }
        try result.get()
    }

    private func deliver(_ message: MailMessage) -> Result<Void, SMTPError> {
        let bytes = message.bytes
        let failed = SMTPError(isPermanent: false, words: "libcurl could not start")
        // of its own, for libcurl reads it through a pointer until the end
        let content = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        content.copyBytes(from: bytes)
        let said = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        said.initialize(repeating: 0)
        defer {
            content.deallocate()
            said.deallocate()
        }
        guard let easy = curl_easy_init() else { return .failure(failed) }
        defer { curl_easy_cleanup(easy) }
        guard let file = fmemopen(content.baseAddress, content.count, "r") else { return .failure(failed) }
        defer { fclose(file) }
        let recipients = curl_slist_append(nil, message.recipient.bare)
        defer { curl_slist_free_all(recipients) }
        var isFine = true
        func set(_ code: CURLcode) { isFine = isFine && code == CURLE_OK }
        set(ccurl_set_errors(easy, said.baseAddress))
        set(ccurl_set_text(easy, CURLOPT_URL, server.url))
        set(ccurl_set_text(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps"))
        set(ccurl_set_text(easy, CURLOPT_PROXY, ""))
        set(ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1))
        set(ccurl_set_long(easy, CURLOPT_TIMEOUT, timeout))
        set(ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT, 15))
        set(
            ccurl_set_long(
                easy, CURLOPT_USE_SSL, server.needsTLS ? Int(CURLUSESSL_ALL.rawValue) : Int(CURLUSESSL_TRY.rawValue)))
        set(ccurl_set_long(easy, CURLOPT_SSL_VERIFYPEER, server.needsTLS ? 1 : 0))
        set(ccurl_set_long(easy, CURLOPT_SSL_VERIFYHOST, server.needsTLS ? 2 : 0))
        if let caFile = server.caFile { set(ccurl_set_text(easy, CURLOPT_CAINFO, caFile)) }
        if let login = server.login {
            set(ccurl_set_text(easy, CURLOPT_USERNAME, login.user))
            set(ccurl_set_text(easy, CURLOPT_PASSWORD, login.password))
        }
        set(ccurl_set_text(easy, CURLOPT_MAIL_FROM, message.sender.bare))
        set(ccurl_set_list(easy, CURLOPT_MAIL_RCPT, recipients))
        set(ccurl_set_file(easy, file, curl_off_t(bytes.count)))
        guard isFine else { return .failure(failed) }
        let code = curl_easy_perform(easy)
        guard code != CURLE_OK else { return .success(()) }
        var status = 0
        _ = ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        let words = said.first == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: said.baseAddress!)
        // RFC 5321, 4.2.3: these are about the mailbox; whatever else a server refuses may be mended there
        let isPermanent = [550, 551, 553].contains(status) && words.hasPrefix("RCPT")
        return .failure(SMTPError(isPermanent: isPermanent, words: words))
    }
}

/// Why a mail was not taken.
public struct SMTPError: Error, Sendable {
    /// The server will not take it at another time either.
    public let isPermanent: Bool
    public let words: String
}

/// What is no e-mail address, or no address of a mail server.
public struct MailAddressError: Error, Sendable, CustomStringConvertible {
    let text: String
    public var description: String { "“\(text)” is no address that mail can go to" }
}

extension String {
    fileprivate func components(before mark: String) -> String? {
        firstRange(of: mark).map { String(self[..<$0.lowerBound]) }
    }
}
