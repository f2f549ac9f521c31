import HTTPTypes
import Hub
import Hummingbird
import NIOCore

/// What a request is answered with.
struct Answer: Sendable {
    var status: Int
    var headers: HTTPFields = [:]
    var contentType: String? = "application/json"
    var body: [UInt8] = []
    /// Writes a body of any length, in place of `body`; when it throws, the connection is cut, so that the answer
    /// cannot be taken for a whole one.
    var stream: (@Sendable (AnswerWriter) async throws -> Void)?

    /// JSON text as it is.
    init(_ status: Int = 200, json: [UInt8]) { (self.status, self.body) = (status, json) }

    init(_ value: JSON) { self.init(json: value.bytes) }

    init(_ status: Int, _ value: JSON) { self.init(status, json: value.bytes) }

    init(contentType: String, stream: @escaping @Sendable (AnswerWriter) async throws -> Void) {
        (status, self.contentType, self.stream) = (200, contentType, stream)
    }

    static let empty: Answer = {
        var answer = Answer(204, json: [])
        answer.contentType = nil
        return answer
    }()

    /// Taken, with nothing to say of it.
    static let accepted: Answer = {
        var answer = Answer(202, json: [])
        answer.contentType = nil
        return answer
    }()

    /// A list that has one page only.
    static func items(_ json: [UInt8]) -> Answer { page(json, next: nil) }

    /// A page of a list: {"items": [...], "next": cursor or null}.
    static func page(_ json: [UInt8], next: String?) -> Answer {
        var body = Array(#"{"items":"#.utf8)
        body.reserveCapacity(json.count + 64)
        body += json
        body += Array(#","next":"#.utf8)
        body += next.map { JSON.string(PageCursor.encode($0)).bytes } ?? Array("null".utf8)
        body.append(UInt8(ascii: "}"))
        return Answer(json: body)
    }

    func with(_ name: HTTPField.Name, _ value: String) -> Answer {
        var copy = self
        copy.headers[name] = value
        return copy
    }

    /// With one more field of a name that may come several times.
    func adding(_ name: HTTPField.Name, _ value: String) -> Answer {
        var copy = self
        copy.headers.append(HTTPField(name: name, value: value))
        return copy
    }

    private var content: ResponseBody {
        if let stream {
            return ResponseBody { writer in
                let pieces = AnswerWriter(writer)
                try await stream(pieces)
                try await pieces.finish()
            }
        }
        return body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: body))
    }

    var response: Response {
        var headers = headers
        if let contentType { headers[.contentType] = contentType }
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        headers[.xContentTypeOptions] = "nosniff"
        var response = Response(status: .init(code: status), headers: headers, body: content)
        // RFC 9110, 8.6: no length with 204
        if status == 204 { response.headers[.contentLength] = nil }
        return response
    }
}
