import Hub

/// What a remote's answer means for the delivery: done, later, refused, locked.
public enum Answers {
    /// Passes an answer of class 2xx on, and throws what any other one means.
    ///
    /// 409 and 412 are the caller's to judge: they come back like a success, so ask for the status.
    ///
    /// - Parameters:
    ///   - request: what was asked; its secrets are taken out of the remote's words.
    ///   - passing: further statuses that the caller judges itself, such as 404 when deleting.
    /// - Throws: `.locked` for 401 and 403; `.later` for 408, 425, 429 and 5xx, with what Retry-After asks
    ///   for; `.refused` with the remote's words for everything else. Codes are "http_401" and so on.
    @discardableResult
    public static func classify(
        _ response: HTTPResponse, to request: HTTPRequest, passing: Set<Int> = []
    ) throws(RemoteError) -> HTTPResponse {
        let status = response.status
        if response.isSuccess || status == 409 || status == 412 || passing.contains(status) { return response }
        throw error(for: response, to: request)
    }

    /// The error for an answer that is no success, as `classify` throws it; for 409 and 412 `.refused`.
    public static func error(for response: HTTPResponse, to request: HTTPRequest) -> RemoteError {
        let code = "http_\(response.status)"
        let message = words(of: response, to: request)
        switch response.status {
        case 401, 403: return .locked(code: code, message: message)
        case 408, 425, 429, 500...599:
            return .later(code: code, message: message, retryAfter: retryAfter(response))
        default: return .refused(code: code, message: message)
        }
    }

    /// The remote's own words about an error, in at most 500 bytes, without the request's secrets.
    public static func words(of response: HTTPResponse, to request: HTTPRequest) -> String {
        let found = (try? JSON(parsing: response.body)).flatMap { message(in: $0) } ?? plainText(response)
        let clean = Redaction.scrub(found, of: Redaction.secrets(in: request))
        return clean.isEmpty ? "the remote answered \(response.status)" : shortened(clean)
    }

    /// Seconds the remote asks to wait: Retry-After in seconds, or its date less the answer's own Date,
    /// so that a wrong clock on either side does no harm (RFC 9110 section 10.2.3). Nil when it does not
    /// say, or when a date comes without one to compare with.
    public static func retryAfter(_ response: HTTPResponse) -> Double? {
        guard let text = response.headers["retry-after"] else { return nil }
        if let seconds = Double(text), seconds.isFinite { return max(0, seconds) }
        guard let until = HTTPDate.seconds(text), let now = response.headers["date"].flatMap(HTTPDate.seconds)
        else { return nil }
        return max(0, Double(until - now))
    }

    /// Members that hold an error's text, in the shapes vendors use: RFC 9457 (`detail`, `title`),
    /// OAuth 2 (`error_description`), `message`, `error`, `errors`, also nested in each other.
    private static let members = [
        "error_description", "detail", "message", "error", "errors", "description", "title", "reason", "messages",
    ]

    private static func message(in value: JSON, depth: Int = 0) -> String? {
        guard depth < 4 else { return nil }
        switch value {
        case .string(let text): return text.isEmpty ? nil : text
        case .array(let items):
            let texts = items.prefix(5).compactMap { message(in: $0, depth: depth + 1) }
            return texts.isEmpty ? nil : texts.joined(separator: "; ")
        case .object(let object):
            for name in members {
                if let text = object[name].flatMap({ message(in: $0, depth: depth + 1) }) { return text }
            }
            guard depth > 0 else { return nil }
            // {"errors": {"email": ["is taken"]}}: name the field.
            let texts = object.sorted { $0.key < $1.key }.prefix(5).compactMap { member in
                message(in: member.value, depth: depth + 1).map { "\(member.key): \($0)" }
            }
            return texts.isEmpty ? nil : texts.joined(separator: "; ")
        case .null, .bool, .int, .double: return nil
        }
    }

    /// The first words of a body that is no JSON; nothing of HTML and binary ones but their tags' text.
    private static func plainText(_ response: HTTPResponse) -> String {
        let body = String(decoding: response.body.prefix(4000), as: UTF8.self)
        var text = ""
        var isTag = false
        for letter in body {
            if letter == "<" { isTag = true }
            if !isTag { text.append(letter.isWhitespace ? " " : letter) }
            if letter == ">" { (isTag, text) = (false, text + " ") }
        }
        return text.split(separator: " ").joined(separator: " ")
    }

    private static func shortened(_ text: String) -> String {
        let printable = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 ? " " : $0 }))
        guard printable.utf8.count > 500 else { return printable }
        var short = ""
        for letter in printable {
            guard short.utf8.count + letter.utf8.count <= 497 else { break }
            short.append(letter)
        }
        return short + "…"
    }
}
