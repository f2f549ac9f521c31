import ConnectorKit
import Hub

extension Google {
    /// People that earlier attempts of these pushes may have made, by index.
    ///
    /// First by Kontor's key among the contacts changed last, then by e-mail address: the search lags behind
    /// writes and does not know client data, a listing without sync token does not.
    func find(_ pushes: [(index: Int, push: Push)]) async throws(RemoteError) -> [Int: JSON] {
        guard !pushes.isEmpty else { return [:] }
        let byKey = try await recent(keys: Set(pushes.map(\.push.key)))
        var found: [Int: JSON] = [:]
        for (index, push) in pushes { found[index] = byKey[push.key] }
        let rest = pushes.filter { found[$0.index] == nil && !$0.push.emails.isEmpty }
        guard !rest.isEmpty else { return found }
        // Asked for by Google: an empty search brings its index up to date.
        _ = try await search("")
        for (index, push) in rest { found[index] = try await person(withEmailOf: push) }
        return found
    }

    /// People with these keys among the 2,000 changed last.
    private func recent(keys: Set<String>) async throws(RemoteError) -> [String: JSON] {
        var found: [String: JSON] = [:]
        var token: String?
        for _ in 0..<2 {
            var query = PersonFields.query + [("pageSize", "1000"), ("sortOrder", "LAST_MODIFIED_DESCENDING")]
            if let token { query.append(("pageToken", token)) }
            let answer = try await api.get("people/me/connections", query)
            for person in answer["connections"]?.array ?? [] {
                guard let key = Person.key(of: person), keys.contains(key), found[key] == nil else { continue }
                found[key] = person
            }
            token = answer["nextPageToken"]?.string
            if found.count == keys.count || token?.isEmpty != false { break }
        }
        return found
    }

    /// A person with one of the addresses that is not another record of Kontor's.
    private func person(withEmailOf push: Push) async throws(RemoteError) -> JSON? {
        let wanted = Set(push.emails)
        for email in push.emails {
            let match = try await search(email).first { person in
                !wanted.isDisjoint(with: Person.emails(of: person)) && Person.key(of: person) ?? push.key == push.key
            }
            if let match { return match }
        }
        return nil
    }

    private func search(_ text: String) async throws(RemoteError) -> [JSON] {
        let query = [
            ("query", text), ("pageSize", "30"), ("readMask", PersonFields.mask), ("sources", PersonFields.source),
        ]
        return (try await api.get("people:searchContacts", query)["results"]?.array ?? []).compactMap { $0["person"] }
    }
}
