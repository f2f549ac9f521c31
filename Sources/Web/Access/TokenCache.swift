import Hub
import Store
import Synchronization

/// Tokens, of the API and of sessions, that were good a moment ago. A revoked one works on for a second at most.
final class TokenCache: Sendable {
    private struct Entry {
        let grant: TokenGrant
        let until: ContinuousClock.Instant
    }
    private static let lifetime = Duration.seconds(1)
    private static let maxEntries = 10_000
    private let entries = Mutex<[String: Entry]>([:])
    private let node: Node

    init(node: Node) { self.node = node }

    /// - Parameters:
    ///   - header: the value of the field Authorization.
    ///   - isIdle: a page that lies open asks by itself.
    /// - Throws: `Failure` `token.missing`, `token.invalid`.
    func grant(_ header: String?, isIdle: Bool = false) async throws -> TokenGrant {
        guard let header else {
            throw Failure(
                .unauthenticated, "token.missing", "Send a token in the header field Authorization: Bearer kontor_….")
        }
        let scheme = header.prefix(7)
        guard scheme.lowercased() == "bearer " else { throw Self.invalid }
        let text = String(header.dropFirst(7))
        let now = ContinuousClock.now
        if let entry = entries.withLock({ $0[text] }), entry.until > now { return entry.grant }
        guard let grant = try await open(text, isIdle) else {
            entries.withLock { $0[text] = nil }
            throw Self.invalid
        }
        entries.withLock { entries in
            if entries.count >= Self.maxEntries { entries.removeAll() }
            entries[text] = Entry(grant: grant, until: now + Self.lifetime)
        }
        return grant
    }

    private func open(_ text: String, _ isIdle: Bool) async throws -> TokenGrant? {
        if let token = APIToken(presented: text) { return try await node.open(token: token) }
        if let session = SessionToken(presented: text) { return try await node.open(session: session, isIdle: isIdle) }
        return nil
    }

    private static let invalid = Failure(
        .unauthenticated, "token.invalid",
        "The token is not known, was revoked, has expired, or its tenant is not open; or the session is over.")
}
