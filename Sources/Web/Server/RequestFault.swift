import Hub

/// A request that is refused before anything is done, with a status that no `Failure` kind stands for.
struct RequestFault: Error {
    let status: Int
    let failure: Failure
    /// Methods there are, for 405.
    var allow: String?

    init(_ status: Int, _ code: String, _ message: String, details: [JSON] = [], allow: String? = nil) {
        self.status = status
        failure = Failure(.invalid, code, message, details: details)
        self.allow = allow
    }

    /// 400: something is wrong with a parameter.
    static func query(_ code: String, _ message: String, _ name: String) -> RequestFault {
        RequestFault(
            400, code, message,
            details: [["field": .string(name), "code": .string(code), "message": .string(message)]])
    }
}
