public import ConnectorKit
public import Hub

extension EspoCRM {
    /// All contacts in the order of their ids, then those created or modified since the pass before began.
    /// Deletions show in a complete listing only, and come by webhook.
    public func page(of entity: RemoteEntity, after cursor: Cursor?, since: String?) async throws -> Page {
        guard entity == .contact else {
            throw RemoteError.refused(code: "no_such_entity", message: "EspoCRM lists contacts only")
        }
        var pass = try cursor.map(ListingPass.init) ?? ListingPass(sinceDay: since)
        let (api, lower) = (api, pass.since)
        let (listed, isEnd) = try await pass.slice(size: 100, key: { $0["id"]?.string ?? "" }) {
            (offset) async throws(RemoteError) in
            var query = [("maxSize", "100"), ("offset", String(offset)), ("orderBy", "id"), ("order", "asc")]
            if let lower { query += Self.changed(after: lower) }
            let exchange = try await api.send("GET", "Contact", query, headers: [("X-No-Total", "true")])
            guard exchange.response.isSuccess else { throw exchange.error }
            let clock = exchange.response.headers["date"].flatMap(HTTPDate.seconds)
            return (try exchange.json()["list"]?.array ?? [], clock)
        }
        var records: [RemoteRecord] = []
        for contact in listed {
            if let whole = try await whole(contact) {
                records += [EspoContact.record(whole, keyField)].compactMap { $0 }
            }
        }
        return Page(
            records: records, next: isEnd ? pass.following.cursor : pass.cursor, isLast: isEnd,
            isComplete: isEnd && lower == nil)
    }

    /// A condition on both times: a record may have never been modified since it was created.
    private static func changed(after seconds: Int64) -> [(String, String)] {
        let time = RemoteTime.text(seconds, separator: " ")
        var query = [("where[0][type]", "or")]
        for (index, attribute) in ["modifiedAt", "createdAt"].enumerated() {
            let item = "where[0][value][\(index)]"
            query += [("\(item)[type]", "after"), ("\(item)[attribute]", attribute), ("\(item)[value]", time)]
        }
        return query
    }

    /// Lists show one e-mail address and one phone number of a contact; the record itself shows all.
    /// - Returns: nil when it was deleted meanwhile.
    private func whole(_ listed: JSON) async throws(RemoteError) -> JSON? {
        let lacksMails = listed["emailAddressData"] == nil && listed["emailAddress"]?.string != nil
        let lacksPhones = listed["phoneNumberData"] == nil && listed["phoneNumber"]?.string != nil
        guard lacksMails || lacksPhones, let id = listed["id"]?.string else { return listed }
        return try await api.contact(id)
    }
}
