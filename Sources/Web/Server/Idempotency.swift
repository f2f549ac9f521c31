import Cryptography
import HTTPTypes
import Hub
import Store

/// Requests that are done once however often they are sent.
enum Idempotency {
    private static let field = HTTPField.Name("Idempotency-Key")!

    /// Does `body` unless the request's key came before; without a key it just does it.
    /// - Parameters:
    ///   - body: given the key, to note with it what it makes.
    ///   - again: answers for a contact that was made by a request whose answer was never stored.
    /// - Throws: `Failure` `idempotency.mismatch`, `idempotency.running`, and what `body` throws.
    static func once(
        _ call: Call, operation: String, again: (Int64) async throws -> Answer, _ body: (String?) async throws -> Answer
    ) async throws -> Answer {
        guard let key = call.headers[field] else { return try await body(nil) }
        guard (1...200).contains(key.unicodeScalars.count), key.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) else {
            throw RequestFault.query("header.invalid", "An idempotency key has 1 to 200 characters.", "Idempotency-Key")
        }
        let hash = Crypto.sha256(Array("\(operation)\n".utf8) + call.body.bytes)
        switch try await call.tenant.begin(key: key, request: hash, as: call.actor) {
        case .answered(let status, let stored): return answer(status, stored)
        case .made(let contact):
            let answer = try await again(contact)
            try await call.tenant.finish(key: key, status: answer.status, answer: stored(answer), as: call.actor)
            return answer
        case .running:
            throw Failure(
                .conflict, "idempotency.running", "A request with this key is being done: ask again for its answer.",
                retryAfter: 1)
        case .other:
            throw Failure(
                .invalid, "idempotency.mismatch", "The key came with another request before: choose a new one.")
        case .fresh: break
        }
        let answer: Answer
        do {
            answer = try await body(key)
        } catch let failure as Failure {
            // refused, so nothing was done; after other errors nobody knows, and the key stays taken
            try await call.tenant.release(key: key, as: call.actor)
            throw failure
        }
        try await call.tenant.finish(key: key, status: answer.status, answer: stored(answer), as: call.actor)
        return answer
    }

    /// What is kept: the header fields of Kontor's own, and the body.
    private static func stored(_ answer: Answer) -> [UInt8] {
        let head: JSON = [
            "etag": answer.headers[.eTag].map(JSON.string) ?? .null,
            "location": answer.headers[.location].map(JSON.string) ?? .null,
        ]
        return head.bytes + [UInt8(ascii: "\n")] + answer.body
    }

    private static func answer(_ status: Int, _ stored: [UInt8]) -> Answer {
        let end = stored.firstIndex(of: UInt8(ascii: "\n")) ?? 0
        let head = (try? JSON(parsing: stored[..<end])) ?? [:]
        var answer = Answer(status, json: Array(stored[(end + 1)...]))
        answer.headers[.eTag] = head["etag"]?.string
        answer.headers[.location] = head["location"]?.string
        return answer
    }
}
