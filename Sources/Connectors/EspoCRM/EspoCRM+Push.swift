public import ConnectorKit
import Hub

extension EspoCRM {
    /// Writes contacts one by one: the API has no batches.
    public func push(_ batch: [Push]) async throws -> [PushOutcome] {
        try await Outcomes.oneByOne(batch) { push throws(RemoteError) in try await write(push) }
    }

    private func write(_ push: Push) async throws(RemoteError) -> PushOutcome {
        if push.action == .delete { return try await delete(push) }
        if let id = push.remoteID {
            guard let current = try await api.contact(id) else { return .gone }
            return try await update(current, push)
        }
        if push.isUnsure, let made = try await find(push) { return try await update(made, push) }
        return try await create(push)
    }

    private func delete(_ push: Push) async throws(RemoteError) -> PushOutcome {
        guard let id = try await target(ofDelete: push) else { return .gone }
        let exchange = try await api.send("DELETE", "Contact/\(URLText.escape(id))")
        if exchange.response.status == 404 { return .gone }
        guard exchange.response.isSuccess else { throw exchange.recordError }
        return .done(RemoteRecord(id: id, isDeleted: true))
    }

    private func target(ofDelete push: Push) async throws(RemoteError) -> String? {
        if let id = push.remoteID { return id }
        guard push.isUnsure, let made = try await find(push, forDelete: true),
            let record = EspoContact.record(made, keyField)
        else { return nil }
        guard push.isOwn(record) else { throw .notSurelyOurs(record.id) }
        return record.id
    }

    /// Sends what differs; everything else in the contact stays.
    private func update(_ current: JSON, _ push: Push) async throws(RemoteError) -> PushOutcome {
        var changes = EspoContact.changes(push.values, over: current)
        if let keyField, current[keyField]?.string?.isEmpty != false { changes[keyField] = .string(push.key) }
        if changes == [:] { return done(current) }
        if let record = EspoContact.record(current, keyField), !push.mayReplace(record.values) {
            return .differs(record)
        }
        // Where EspoCRM checks versions, nobody can come in between reading and writing.
        let guarded = current["versionNumber"]?.scalarText.map { [("X-Version-Number", $0)] } ?? []
        let exchange = try await api.send(
            "PUT", "Contact/\(URLText.escape(current["id"]?.string ?? ""))", headers: guarded, json: changes)
        switch exchange.response.status {
        case 200..<300: return done(try exchange.json(), over: current)
        case 404: return .gone
        case 409 where exchange.response.headers["x-status-reason"]?.lowercased() == "modified": return .failed(.stale)
        default: throw exchange.recordError
        }
    }

    /// EspoCRM takes people of one name for duplicates, too. So after 409: who has the address is the same
    /// person; when nobody has it, it is another person, and the record is made without that check. Not so
    /// when it is open what an earlier attempt did, or when there is no address to tell people apart.
    private func create(_ push: Push) async throws(RemoteError) -> PushOutcome {
        var document = EspoContact.changes(push.values, over: nil)
        if let keyField { document[keyField] = .string(push.key) }
        let exchange = try await api.send("POST", "Contact", json: document)
        if exchange.response.isSuccess { return done(try exchange.json()) }
        guard exchange.response.status == 409 else { throw exchange.recordError }
        if let known = try await find(push) { return try await update(known, push) }
        if push.isUnsure || push.emails.isEmpty { throw .refused(code: "duplicate", message: words(of: exchange)) }
        let second = try await api.send(
            "POST", "Contact", headers: [("X-Skip-Duplicate-Check", "true")], json: document)
        guard second.response.isSuccess else { throw second.recordError }
        return done(try second.json())
    }

    private func words(of exchange: EspoAPI.Exchange) -> String {
        "EspoCRM takes this for a duplicate of a contact without this address: "
            + Answers.words(of: exchange.response, to: exchange.request)
    }

    /// The contact that is this record: by Kontor's key, else by e-mail address.
    /// - Throws: `.refused` when the one with the address is another record of Kontor's; that one is none to be deleted.
    private func find(_ push: Push, forDelete: Bool = false) async throws(RemoteError) -> JSON? {
        if let keyField, let found = try await api.contacts(where: keyField, equals: push.key).first {
            return try await whole(found)
        }
        for email in push.emails {
            guard let found = try await api.contacts(where: "emailAddress", equals: email).first else { continue }
            if let keyField, let key = found[keyField]?.string, !key.isEmpty, key != push.key {
                if forDelete { continue }
                throw .refused(code: "duplicate", message: "another record of Kontor's has this address there")
            }
            return try await whole(found)
        }
        return nil
    }

    private func whole(_ listed: JSON) async throws(RemoteError) -> JSON? {
        guard let id = listed["id"]?.string else { return nil }
        return try await api.contact(id)
    }

    private func done(_ contact: JSON, over former: JSON? = nil) -> PushOutcome {
        EspoContact.record(contact, keyField).map {
            .done($0, over: former.flatMap { EspoContact.record($0, keyField)?.values })
        }
            ?? .failed(.unsure(code: "bad_answer", message: "the contact has no id"))
    }
}
