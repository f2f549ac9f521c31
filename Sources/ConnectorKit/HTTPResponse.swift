public import Hub

/// What a remote answered.
public struct HTTPResponse: Sendable {
    public var status: Int
    /// Lower-case names; values of a repeated header joined by ", ".
    public var headers: [String: String]
    /// Decompressed.
    public var body: [UInt8]

    public init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    public var isSuccess: Bool { (200..<300).contains(status) }

    /// The body read as JSON.
    /// - Throws: `RemoteError.later` with code "bad_answer" when it is none: a broken remote or a proxy
    ///   that answered in its place. When the call may have had an effect use `json(of:)`.
    public func json() throws(RemoteError) -> JSON {
        do {
            return try JSON(parsing: body)
        } catch {
            throw .later(code: "bad_answer", message: "the answer is no JSON: \(error.reason)")
        }
    }

    /// The body read as JSON, as the answer to `request`.
    /// - Throws: `RemoteError.later` for a request that only reads, else `.unsure`, with code "bad_answer".
    public func json(of request: HTTPRequest) throws(RemoteError) -> JSON {
        do {
            return try JSON(parsing: body)
        } catch {
            let message = "the answer is no JSON: \(error.reason)"
            if request.isReading { throw .later(code: "bad_answer", message: message) }
            throw .unsure(code: "bad_answer", message: message)
        }
    }
}

extension HTTPResponse: CustomStringConvertible {
    /// Status and size only: headers and body may hold secrets.
    public var description: String { "\(status), \(body.count) bytes" }
}
