public import ConnectorKit
import Cryptography
public import Hub

// MARK: Listing

extension Kinto {
    /// All records in the order of their last change, then what changed or was deleted since the pass before began.
    public func page(of entity: RemoteEntity, after cursor: Cursor?, since: String?) async throws -> Page {
        guard entity == .contact else {
            throw RemoteError.refused(code: "no_such_entity", message: "Kinto lists contacts only")
        }
        var place = try cursor.map(Place.init) ?? Place(since: since.flatMap { Day(iso: $0) }.map(Self.milliseconds))
        var query = [("_sort", "last_modified"), ("_limit", "100")]
        if let since = place.since { query.append(("_since", String(since))) }
        if let token = place.token { query.append(("_token", token)) }
        let answer = try await api.send("GET", api.recordsPath, query, placed: cursor != nil)
        guard let now = answer.headers["etag"].flatMap({ Int64($0.filter { $0 != "\"" }) }),
            let listed = answer.data.array
        else { throw RemoteError.later(code: "bad_answer", message: "this is no listing of Kinto's") }
        // The collection's clock never runs back: it is another one now, or an older copy of it.
        if cursor != nil, let since = place.since, now < since { throw RemoteError.cursorExpired }
        let isComplete = place.since == nil && answer.headers["next-page"] == nil
        if let next = answer.headers["next-page"] {
            (place.began, place.token) = (place.began ?? now, try Self.token(in: next))
        } else {
            place = Place(since: place.began ?? now)
        }
        return Page(
            records: listed.compactMap(Self.record), next: place.cursor, isLast: place.token == nil,
            isFirst: cursor == nil, isComplete: isComplete)
    }

    /// Where a pass through the collection stands. Times are Kinto's, in milliseconds.
    private struct Place {
        /// What changed until then is left out; nil in a pass through everything.
        var since: Int64?
        /// The collection's time when the pass began; nil before its first page.
        var began: Int64?
        /// Kinto's token of the page to come; nil before the first page.
        var token: String?

        init(since: Int64?) { self.since = since }

        /// - Throws: `RemoteError.cursorExpired` when the text is not of this connector.
        init(_ cursor: Cursor) throws(RemoteError) {
            do {
                let json = try JSON(text: cursor.text)
                (since, began, token) = (json["since"]?.int, json["began"]?.int, json["token"]?.string)
            } catch {
                throw .cursorExpired
            }
            if since == nil, began == nil { throw .cursorExpired }
        }

        var cursor: Cursor {
            var json: JSON = [:]
            if let since { json["since"] = .int(since) }
            if let began { json["began"] = .int(began) }
            if let token { json["token"] = .string(token) }
            return Cursor(json.text)
        }
    }

    /// The token in the address of the next page. The address itself is not called: it may lead elsewhere.
    private static func token(in address: String) throws(RemoteError) -> String {
        let pairs = address.drop { $0 != "?" }.dropFirst().split(separator: "&")
        guard let pair = pairs.first(where: { $0.hasPrefix("_token=") }) else {
            throw .later(code: "bad_answer", message: "the next page has no token")
        }
        return URLText.unescape(String(pair.dropFirst("_token=".count)))
    }

    private static func milliseconds(_ day: Day) -> Int64 { max(0, Int64(day.daysSinceEpoch) * 86_400_000) }
}

// MARK: Writing

extension Kinto {
    /// Member of a record that carries Kontor's key.
    private static let keyMember = "kontor_key"

    /// Writes records one by one.
    public func push(_ batch: [Push]) async throws -> [PushOutcome] {
        try await Outcomes.oneByOne(batch) { push throws(RemoteError) in try await write(push) }
    }

    private func write(_ push: Push) async throws(RemoteError) -> PushOutcome {
        switch (push.action, push.remoteID) {
        case (.delete, let id?): return try await delete(id, version: nil)
        case (.delete, nil): return push.isUnsure ? try await deleteUnknown(push) : .gone
        case (.upsert, let id?):
            guard let current = try await api.record(id) else { return .gone }
            return try await update(current, push)
        case (.upsert, nil): return try await create(push)
        }
    }

    /// The id of a record that Kontor makes follows from the key, so that the same key twice is one record. A key
    /// that Kinto takes for no id is hashed.
    static func id(for key: String) -> String {
        func isPlain(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
        }
        let isID =
            key.utf8.first.map(isPlain) == true && key.utf8.count <= 100
            && key.utf8.allSatisfy { isPlain($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        return isID ? key : Crypto.hex(Crypto.sha256(key.utf8).prefix(16))
    }

    /// Asks for a record that is not there yet, which is the look before creating as well.
    private func create(_ push: Push) async throws(RemoteError) -> PushOutcome {
        let id = Self.id(for: push.key)
        var document = Self.merged(push.values, into: nil)
        document[Self.keyMember] = .string(push.key)
        let answer = try await api.send("PUT", api.recordPath(id), condition: ("If-None-Match", "*"), record: document)
        if answer.status != 412 { return try Self.done(answer.data) }
        guard let current = try await api.record(id) else { throw .stale }
        if let key = current[Self.keyMember]?.string, key != push.key {
            throw .refused(code: "duplicate", message: "the record \(id) carries another key of Kontor's")
        }
        return try await update(current, push)
    }

    private func update(_ current: JSON, _ push: Push) async throws(RemoteError) -> PushOutcome {
        guard let record = Self.record(current), let version = record.version else { throw Self.noRecord }
        var document = Self.merged(push.values, into: current)
        if record.key == nil { document[Self.keyMember] = .string(push.key) }
        if document == current { return .done(record) }
        guard push.mayReplace(record.values) else { return .differs(record) }
        // The time is Kinto's to set.
        document["last_modified"] = nil
        let answer = try await api.send(
            "PUT", api.recordPath(record.id), condition: Self.ifMatch(version), record: document)
        if answer.status == 412 { throw .stale }
        return try Self.done(answer.data)
    }

    private func delete(_ id: String, version: String?) async throws(RemoteError) -> PushOutcome {
        let answer = try await api.send("DELETE", api.recordPath(id), condition: version.map(Self.ifMatch))
        switch answer.status {
        case 404: return .gone
        case 412: throw .stale
        default: return .done(RemoteRecord(id: id, isDeleted: true))
        }
    }

    /// What an earlier attempt may have made stands under the id that follows from the key.
    private func deleteUnknown(_ push: Push) async throws(RemoteError) -> PushOutcome {
        guard let current = try await api.record(Self.id(for: push.key)) else { return .gone }
        guard let record = Self.record(current) else { throw Self.noRecord }
        guard push.isOwn(record) else { throw .notSurelyOurs(record.id) }
        return try await delete(record.id, version: record.version)
    }
}

// MARK: Documents

extension Kinto {
    /// - Returns: nil for a document without id.
    private static func record(_ document: JSON) -> RemoteRecord? {
        guard let id = document["id"]?.string else { return nil }
        let time = document["last_modified"]?.int
        return RemoteRecord(
            id: id, version: time.map { String($0) }, changedAt: time.map { RemoteTime.text($0 / 1000) + "Z" },
            values: document, isDeleted: document["deleted"] == true, key: document[keyMember]?.string)
    }

    private static func done(_ document: JSON) throws(RemoteError) -> PushOutcome {
        guard let record = record(document) else { throw noRecord }
        return .done(record)
    }

    private static let noRecord = RemoteError.unsure(code: "bad_answer", message: "the answer holds no record")

    private static func ifMatch(_ version: String) -> (String, String) { ("If-Match", "\"\(version)\"") }

    /// What is there with what is wanted in it. Objects are merged member by member; an entry of a list is merged
    /// into the one of the same `value`; null takes a member away.
    private static func merged(_ wanted: JSON, into current: JSON?) -> JSON {
        switch wanted {
        case .object(let members):
            var merged: JSON = .object(current?.object ?? [:])
            for (name, value) in members {
                if !value.isNull {
                    merged[name] = self.merged(value, into: merged[name])
                } else if merged[name]?.isNull == false {
                    merged.put(.null, as: name)
                }
            }
            return merged
        case .array(let entries):
            let old = current?.array ?? []
            return .array(
                entries.map { entry in
                    let same = old.first { $0["value"] != nil && $0["value"] == entry["value"] }
                    return self.merged(entry, into: same)
                })
        case .null, .bool, .int, .double, .string: return wanted
        }
    }
}
