import HTTPTypes
import Hub
import Store

/// Errors as clients see them (RFC 9457). The codes are listed in docs/errors.md.
enum Problem {
    static let mediaType = "application/problem+json"

    static func answer(_ error: any Error) -> Answer {
        if let fault = error as? RequestFault {
            var answer = answer(fault.failure, status: fault.status)
            if let allow = fault.allow { answer.headers[.allow] = allow }
            // the rest of what was sent is not wanted
            if fault.status == 413 { answer.headers[.connection] = "close" }
            return answer
        }
        let failure = Failure(storeError: error)
        var answer = answer(failure, status: status(failure.kind))
        if let seconds = failure.retryAfter ?? (answer.status == 503 || answer.status == 429 ? 1 : nil) {
            answer.headers[.retryAfter] = String(seconds)
        }
        if failure.kind == .unauthenticated {
            answer.headers[.wwwAuthenticate] =
                failure.code == "token.missing"
                ? #"Bearer realm="kontor""# : #"Bearer realm="kontor", error="invalid_token""#
        }
        return answer
    }

    private static func answer(_ failure: Failure, status: Int) -> Answer {
        let known = failure.kind == .broken ? "Kontor could not do this; the log says why." : failure.message
        var answer = Answer(
            status,
            [
                "type": .string("urn:kontor:error:\(failure.code)"), "title": .string(title(status)),
                "status": .int(Int64(status)), "code": .string(failure.code), "detail": .string(known),
                "errors": .array(failure.details),
            ])
        answer.contentType = mediaType
        return answer
    }

    static func status(_ kind: Failure.Kind) -> Int {
        switch kind {
        case .invalid: 422
        case .unauthenticated: 401
        case .forbidden: 403
        case .notFound: 404
        case .conflict: 409
        case .stale: 412
        case .tooLarge: 413
        case .tooMany: 429
        case .unavailable: 503
        case .broken: 500
        }
    }

    static func title(_ status: Int) -> String { HTTPResponse.Status(code: status).reasonPhrase }
}
