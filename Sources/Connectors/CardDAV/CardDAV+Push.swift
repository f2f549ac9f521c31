public import ConnectorKit
import Cryptography
import Hub

extension CardDAV: RecordSink {
    /// One card after the other. After `.locked` the rest of the batch is not tried.
    public func push(_ batch: [Push]) async throws -> [PushOutcome] {
        let book = try await book.place().url
        var outcomes: [PushOutcome] = []
        for push in batch {
            do throws(RemoteError) {
                outcomes.append(try await carry(out: push, in: book))
            } catch .locked(let code, let message) {
                if outcomes.isEmpty { throw RemoteError.locked(code: code, message: message) }
                while outcomes.count < batch.count { outcomes.append(.failed(.locked(code: code, message: message))) }
            } catch {
                outcomes.append(.failed(error))
            }
            if outcomes.count == batch.count { break }
        }
        return outcomes
    }

    private func carry(out push: Push, in book: String) async throws(RemoteError) -> PushOutcome {
        switch (push.action, push.remoteID) {
        case (.delete, let id?): return try await delete(id, push, in: book)
        case (.delete, nil): return try await deleteUnknown(push, in: book)
        case (.upsert, let id?): return try await update(id, push, in: book) ?? .gone
        case (.upsert, nil): return try await create(push, in: book)
        }
    }

    /// The address of Kontor's own cards follows from the key, so that the same key twice is one card.
    static func path(for key: String, in book: String) -> String {
        let isPlain = key.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        let name = isPlain && !key.isEmpty ? key : Crypto.hex(Crypto.sha256(key.utf8).prefix(16))
        return (URLText.path(of: book) ?? "/") + name + ".vcf"
    }

    private func create(_ push: Push, in book: String) async throws(RemoteError) -> PushOutcome {
        let path = Self.path(for: push.key, in: book)
        // A server may have moved the card to an address of its own: then only its UID tells.
        if push.isUnsure, let moved = try await find(uid: push.key, in: book),
            let outcome = try await update(moved, push, in: book)
        {
            return outcome
        }
        var card = VCard(version: version, properties: [.init(name: "UID", value: VCardText.escape(push.key))])
        VCardMerge.merge(push.values, into: &card)
        let url = try absolute(path, in: book)
        let response = try await put(card, at: url, condition: ("If-None-Match", "*"))
        if response.status == 412 {
            guard let outcome = try await update(path, push, in: book) else { throw .stale }
            return outcome
        }
        let place = response.headers["location"].flatMap { self.path($0, in: book) } ?? path
        return .done(try await stored(card, at: place, response, in: book))
    }

    /// Merges into the card as the server has it now; nil when it is gone.
    private func update(
        _ path: String, _ push: Push, in book: String
    ) async throws(RemoteError) -> PushOutcome? {
        let url = try absolute(path, in: book)
        guard let (current, etag) = try await get(url) else { return nil }
        var card = current
        VCardMerge.merge(push.values, into: &card)
        let record = Self.record(current, at: path, etag: etag)
        if card == current { return .done(record) }
        guard push.mayReplace(record.values) else { return .differs(record) }
        let response = try await put(card, at: url, condition: etag.map { ("If-Match", $0) })
        if response.status == 412 { throw .stale }
        return .done(try await stored(card, at: path, response, in: book))
    }

    private func delete(_ path: String, _ push: Push, in book: String) async throws(RemoteError) -> PushOutcome {
        let response = try await client.call("DELETE", try absolute(path, in: book), passing: [404, 410])
        if !response.isSuccess { return .gone }
        return .done(RemoteRecord(id: path, isDeleted: true, key: push.key))
    }

    /// A card that an earlier attempt may have made stands under the address that follows from the key, or the server
    /// moved it: then its UID tells.
    private func deleteUnknown(_ push: Push, in book: String) async throws(RemoteError) -> PushOutcome {
        let outcome = try await delete(Self.path(for: push.key, in: book), push, in: book)
        guard case .gone = outcome, push.isUnsure, let moved = try await find(uid: push.key, in: book) else {
            return outcome
        }
        return try await delete(moved, push, in: book)
    }

    private func put(
        _ card: VCard, at url: String, condition: (String, String)?
    ) async throws(RemoteError) -> HTTPResponse {
        let headers = [("Content-Type", "text/vcard; charset=utf-8")] + (condition.map { [$0] } ?? [])
        return try await client.call("PUT", url, headers: headers, body: VCardWriter.write(card), passing: [412])
    }

    private func get(_ url: String) async throws(RemoteError) -> (card: VCard, etag: String?)? {
        let response = try await client.call("GET", url, headers: [("Accept", "text/vcard")], passing: [404, 410])
        guard response.isSuccess else { return nil }
        do {
            return (try VCardParser.parse(response.body), response.headers["etag"])
        } catch {
            throw .refused(code: "bad_card", message: "the card cannot be read: \(error.reason)")
        }
    }

    /// The record after a PUT. A server that changed the card gives no ETag: then it is read again
    /// (RFC 6352 section 6.3.2.3).
    private func stored(
        _ card: VCard, at path: String, _ response: HTTPResponse, in book: String
    ) async throws(RemoteError) -> RemoteRecord {
        if let etag = response.headers["etag"] { return Self.record(card, at: path, etag: etag) }
        do throws(RemoteError) {
            if let (held, etag) = try await get(absolute(path, in: book)) {
                return Self.record(held, at: path, etag: etag)
            }
        } catch .later {
            // The card is written; only its ETag is not known, and the next update does without.
        }
        return Self.record(card, at: path, etag: nil)
    }

    private func absolute(_ path: String, in book: String) throws(RemoteError) -> String {
        guard let url = URLText.resolve(path, against: book), URLText.origin(of: url) == URLText.origin(of: book) else {
            throw .refused(code: "bad_id", message: "“\(path)” is no address on this server")
        }
        return url
    }

    /// The path of the card with a UID (RFC 6352 section 8.6); nil when there is none.
    private func find(uid: String, in book: String) async throws(RemoteError) -> String? {
        let xml = """
            <C:addressbook-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:prop><D:getetag/></D:prop>\
            <C:filter><C:prop-filter name="UID"><C:text-match collation="i;octet" match-type="equals">\
            \(DAVClient.xmlText(uid))</C:text-match></C:prop-filter></C:filter></C:addressbook-query>
            """
        let answer = try Multistatus(await client.ask("REPORT", book, depth: "1", xml: xml))
        return answer.members.first { $0.etag != nil }.flatMap { path($0.href, in: book) }
    }
}
