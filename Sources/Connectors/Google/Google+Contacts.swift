public import ConnectorKit
public import Hub

extension Google {
    /// All contacts, then those changed since the sync token (`people.connections.list`). `since` has no
    /// meaning here: the API cannot list by time.
    public func page(of entity: RemoteEntity, after cursor: Cursor?, since: String?) async throws -> Page {
        guard entity == .contact else {
            throw RemoteError.refused(code: "no_such_entity", message: "Google Contacts has no \(entity.rawValue)s")
        }
        let place = try cursor.map(ConnectionsPlace.init) ?? ConnectionsPlace()
        let answer = try await connections(at: place)
        let people = answer["connections"]?.array ?? []
        let groups = people.contains(where: Person.hasOwnGroup) ? try await groups() : GroupNames()
        let records = people.compactMap { Person.record($0, groups: groups) }
        if let token = answer["nextPageToken"]?.string, !token.isEmpty {
            let next = ConnectionsPlace(sync: place.sync, page: token)
            return Page(records: records, next: next.cursor, isLast: false)
        }
        guard let token = answer["nextSyncToken"]?.string, !token.isEmpty else {
            throw RemoteError.later(code: "bad_answer", message: "the last page has no sync token")
        }
        return Page(
            records: records, next: ConnectionsPlace(sync: token).cursor, isLast: true, isComplete: place.sync == nil)
    }

    private func connections(at place: ConnectionsPlace) async throws(RemoteError) -> JSON {
        var query = PersonFields.query + [("pageSize", "500"), ("requestSyncToken", "true")]
        if let sync = place.sync { query.append(("syncToken", sync)) }
        if let page = place.page { query.append(("pageToken", page)) }
        do {
            return try await api.get("people/me/connections", query)
        } catch .refused(let code, _) where code == "http_400" && place != ConnectionsPlace() {
            // A token of another time or another form of this request: only a new listing helps.
            throw .cursorExpired
        }
    }

    /// All groups of the account.
    func groups() async throws(RemoteError) -> GroupNames {
        var names = GroupNames()
        var token: String?
        repeat {
            var query = [("pageSize", "1000"), ("groupFields", "name,groupType")]
            if let token { query.append(("pageToken", token)) }
            let answer = try await api.get("contactGroups", query)
            for group in answer["contactGroups"]?.array ?? [] { names.add(group) }
            token = answer["nextPageToken"]?.string
        } while token?.isEmpty == false
        return names
    }
}

/// Where in the list of connections to go on.
private struct ConnectionsPlace: Hashable {
    /// The sync token in force; nil during a listing of everything.
    var sync: String?
    var page: String?

    init(sync: String? = nil, page: String? = nil) {
        self.sync = sync
        self.page = page
    }

    /// - Throws: `RemoteError.cursorExpired` when the text is not of this connector.
    init(_ cursor: Cursor) throws(RemoteError) {
        guard let json = try? JSON(text: cursor.text) else { throw .cursorExpired }
        self.init(sync: json["sync"]?.string, page: json["page"]?.string)
    }

    var cursor: Cursor {
        var json: JSON = [:]
        if let sync { json["sync"] = .string(sync) }
        if let page { json["page"] = .string(page) }
        return Cursor(json.text)
    }
}
