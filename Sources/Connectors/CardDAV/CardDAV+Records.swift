public import ConnectorKit
public import Hub

extension CardDAV: RecordSource {
    /// The vCards of up to 100 members; `since` means nothing to an address book. Servers without
    /// sync-collection list everything each time.
    public func page(of entity: RemoteEntity, after cursor: Cursor?, since: String?) async throws -> Page {
        guard entity == .contact else { return Page(records: [], next: nil, isLast: true) }
        var place = try SyncPlace(cursor)
        let isFirst = place.token == nil
        let book = try await book.place()
        let listing = try await changes(in: book.url, since: place.from)
        let token = place.token ?? listing.token ?? ""
        let waiting = listing.members.filter { Self.precedes(place.after, $0.href) }
        let batch = Array(waiting.prefix(DAVClient.multigetSize))
        let records = try await records(batch, in: book.url)
        let isPassDone = waiting.count <= batch.count
        if isPassDone {
            let next = SyncPlace(from: token)
            let isComplete = place.from.isEmpty && !listing.isTruncated
            return Page(
                records: records, next: next.cursor, isLast: !listing.isTruncated, isFirst: isFirst,
                isComplete: isComplete)
        }
        place.token = token
        place.after = batch.last?.href ?? place.after
        return Page(records: records, next: place.cursor, isLast: false, isFirst: isFirst)
    }

    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// What a listing of changes says: members in the order of their addresses.
    struct Listing {
        var members: [(href: String, isDeleted: Bool)]
        var token: String?
        /// The server had more to say and wants to be asked again with the new token.
        var isTruncated: Bool
    }

    /// - Throws: `.cursorExpired` when the server does not know the token.
    private func changes(in book: String, since token: String) async throws(RemoteError) -> Listing {
        let xml = """
            <sync-collection xmlns="DAV:"><sync-token>\(DAVClient.xmlText(token))</sync-token>\
            <sync-level>1</sync-level><prop><getetag/></prop></sync-collection>
            """
        let response: HTTPResponse
        do throws(RemoteError) {
            response = try await client.ask("REPORT", book, depth: "0", xml: xml, passing: [405, 501])
        } catch .refused(code: "supported-report", _) {
            return try await everything(in: book)
        }
        guard response.isSuccess else { return try await everything(in: book) }
        let answer = try Multistatus(response)
        guard let next = answer.syncToken, !next.isEmpty else {
            throw .later(code: "bad_answer", message: "the listing has no sync token")
        }
        let own = URLText.path(of: book)
        let isTruncated = answer.members.contains { $0.status == 507 && path($0.href, in: book) == own }
        return Listing(members: members(answer, in: book), token: next, isTruncated: isTruncated)
    }

    /// A plain listing, for servers without sync-collection.
    private func everything(in book: String) async throws(RemoteError) -> Listing {
        let xml = #"<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>"#
        let answer = try Multistatus(await client.ask("PROPFIND", book, depth: "1", xml: xml))
        return Listing(members: members(answer, in: book), token: "", isTruncated: false)
    }

    private func members(_ answer: Multistatus, in book: String) -> [(href: String, isDeleted: Bool)] {
        answer.members.compactMap { member -> (href: String, isDeleted: Bool)? in
            guard let path = path(member.href, in: book), !path.hasSuffix("/") else { return nil }
            if member.status == 404 || member.status == 410 { return (path, true) }
            return member.etag == nil ? nil : (path, false)
        }.sorted { Self.precedes($0.href, $1.href) }
    }

    /// The path of a member, which is its id; nil for what lies on another server.
    func path(_ href: String, in book: String) -> String? {
        guard let url = URLText.resolve(href, against: book), URLText.origin(of: url) == URLText.origin(of: book)
        else { return nil }
        return URLText.path(of: url)
    }

    /// Reads the cards of members (addressbook-multiget, RFC 6352 section 8.7).
    private func records(
        _ members: [(href: String, isDeleted: Bool)], in book: String
    ) async throws(RemoteError) -> [RemoteRecord] {
        var records = members.filter(\.isDeleted).map { RemoteRecord(id: $0.href, isDeleted: true) }
        let living = members.filter { !$0.isDeleted }
        guard !living.isEmpty else { return records }
        let hrefs = living.map { "<D:href>\(DAVClient.xmlText($0.href))</D:href>" }.joined()
        let xml = """
            <C:addressbook-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:prop><D:getetag/>\
            <C:address-data/></D:prop>\(hrefs)</C:addressbook-multiget>
            """
        let answer = try Multistatus(await client.ask("REPORT", book, depth: "0", xml: xml))
        for member in answer.members {
            guard let path = path(member.href, in: book) else { continue }
            if member.status == 404 || member.status == 410 {
                records.append(RemoteRecord(id: path, isDeleted: true))
            } else if let data = member.property("{urn:ietf:params:xml:ns:carddav}address-data"),
                let card = try? VCardParser.parse(Array(data.text.utf8))
            {
                records.append(Self.record(card, at: path, etag: member.etag))
            }
        }
        return records
    }

    static func record(_ card: VCard, at path: String, etag: String?) -> RemoteRecord {
        let values = VCardDocument.read(card)
        return RemoteRecord(
            id: path, version: etag, changedAt: VCardStamp.read(card), values: values, key: values["uid"]?.string)
    }
}
