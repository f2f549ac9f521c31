public import ConnectorKit
import Hub

extension WooCommerce {
    /// Creates, updates and deletes customers in one batch call. An address that the shop already knows is the
    /// same customer: found by e-mail and updated.
    public func push(_ batch: [Push]) async throws -> [PushOutcome] {
        var run = WooPush(api: api, batch: batch)
        await run.all()
        return try run.outcomes.settled()
    }
}

/// One batch on its way to the shop.
private struct WooPush {
    let api: WooAPI
    let batch: [Push]
    var outcomes: Outcomes
    /// Customers as they are now, by the index of the push that is for them.
    private var targets: [Int: JSON] = [:]
    /// When the first of them was read. The shop cannot tell whether a customer was written since.
    private var readAt = ContinuousClock.now

    init(api: WooAPI, batch: [Push]) {
        self.api = api
        self.batch = batch
        outcomes = Outcomes(count: batch.count)
    }

    private var open: [Int] { batch.indices.filter { outcomes[$0] == nil } }

    mutating func all() async {
        for index in open where batch[index].action == .delete && batch[index].remoteID == nil && !batch[index].isUnsure
        {
            outcomes[index] = .gone
        }
        do {
            try await read(open.filter { batch[$0].remoteID != nil && batch[$0].action == .upsert })
            for index in open where batch[index].isUnsure && batch[index].remoteID == nil {
                try await find(index)
                if batch[index].action == .delete { settleUnknownDelete(index) }
            }
            settleUnchanged()
            try await refresh()
            try await send()
            try await adoptDuplicates()
        } catch {
            outcomes.fail(open, error)
        }
    }

    /// The customers that pushes are for, in one call.
    private mutating func read(_ pushes: [Int]) async throws(RemoteError) {
        guard !pushes.isEmpty else { return }
        readAt = .now
        let ids = pushes.map { batch[$0].remoteID ?? targets[$0]?["id"]?.scalarText ?? "" }
        let list = Set(ids).sorted().joined(separator: ",")
        let found =
            try await api.get("customers", [("include", list), ("per_page", "100"), ("role", "all")]).array ?? []
        for (index, id) in zip(pushes, ids) {
            targets[index] = found.first { $0["id"]?.scalarText == id }
            if targets[index] == nil { outcomes[index] = .gone }
        }
    }

    /// Reads again what was read too long ago to be written over: the process may have stood still meanwhile.
    private mutating func refresh() async throws(RemoteError) {
        for _ in 0..<3 {
            let updates = open.filter { batch[$0].action == .upsert && targets[$0] != nil }
            guard !updates.isEmpty, ContinuousClock.now - readAt > .seconds(2) else { return }
            try await read(updates)
            settleUnchanged()
        }
    }

    /// Looks for the customer of a push by e-mail. One that is no customer (staff) is not touched.
    private mutating func find(_ index: Int) async throws(RemoteError) {
        for email in emails(of: batch[index]) {
            let found = try await api.get("customers", [("email", email), ("role", "all")]).array?.first
            guard let found else { continue }
            if found["role"]?.string ?? "customer" != "customer" {
                outcomes[index] = .failed(
                    .refused(code: "not_a_customer", message: "this address belongs to a user who is no customer"))
            } else {
                targets[index] = found
            }
            return
        }
    }

    /// A deletion of what an earlier attempt may have made: only of that.
    private mutating func settleUnknownDelete(_ index: Int) {
        guard let found = targets[index], let record = WooRecords.record(found, .contact) else {
            outcomes[index] = .gone
            return
        }
        let push = batch[index]
        if let key = record.key, key != push.key {
            outcomes[index] = .gone
        } else if !push.isOwn(record) {
            outcomes[index] = .failed(.notSurelyOurs(record.id))
        }
    }

    private func emails(of push: Push) -> [String] {
        guard let own = push.values["email"]?.string?.lowercased(), !own.isEmpty else { return push.emails }
        return [own] + push.emails.filter { $0 != own }
    }

    /// The shop moves the date of a customer and sends webhooks even when nothing differs: so send nothing then.
    private mutating func settleUnchanged() {
        for index in open where batch[index].action == .upsert {
            guard let current = targets[index] else { continue }
            let push = batch[index]
            if Self.holds(current, document(push, over: current)) {
                outcomes[index] = done(current)
            } else if let record = WooRecords.record(current, .contact), !push.mayReplace(record.values) {
                outcomes[index] = .differs(record)
            }
        }
    }

    /// Whether everything wanted is in a document already. Meta entries are found by key.
    private static func holds(_ current: JSON, _ wanted: JSON) -> Bool {
        switch wanted {
        case .object(let members): members.allSatisfy { holds(current[$0.key] ?? .null, $0.value) }
        case .array(let items):
            items.allSatisfy { item in
                current.array?.contains { item["key"] == nil ? $0 == item : holds($0, item) } == true
            }
        default: current == wanted
        }
    }

    private mutating func send() async throws(RemoteError) {
        let deletes = open.filter { batch[$0].action == .delete }
        let updates = open.filter { batch[$0].action == .upsert && targets[$0] != nil }
        let creates = open.filter { batch[$0].action == .upsert && targets[$0] == nil }
        var body: JSON = [:]
        if !creates.isEmpty { body["create"] = .array(creates.map { document(batch[$0], over: nil) }) }
        if !updates.isEmpty { body["update"] = .array(updates.map { document(batch[$0], over: targets[$0]) }) }
        if !deletes.isEmpty {
            body["delete"] = .array(deletes.map { number(batch[$0].remoteID ?? targets[$0]?["id"]?.scalarText) })
        }
        guard body != [:] else { return }
        let answer = try await api.send("POST", "customers/batch", json: body).json()
        for (part, indices) in [("create", creates), ("update", updates), ("delete", deletes)] {
            for (place, index) in indices.enumerated() {
                outcomes[index] = outcome(of: answer[part]?[place], index, isDelete: part == "delete")
            }
        }
    }

    /// Creates that the shop refused because it knows the address become updates, once.
    private mutating func adoptDuplicates() async throws(RemoteError) {
        let known = batch.indices.filter { index in
            guard case .failed(.refused("registration-error-email-exists", _)) = outcomes[index] else { return false }
            return true
        }
        guard !known.isEmpty else { return }
        let refusals = known.map { ($0, outcomes[$0]) }
        for index in known { outcomes[index] = nil }
        readAt = .now
        for (index, refusal) in refusals {
            try await find(index)
            // Nobody has it after all: let the shop's words stand.
            if targets[index] == nil, outcomes[index] == nil { outcomes[index] = refusal }
        }
        settleUnchanged()
        try await refresh()
        try await send()
    }

    private func outcome(of item: JSON?, _ index: Int, isDelete: Bool) -> PushOutcome {
        guard let item else {
            return .failed(.unsure(code: "no_outcome", message: "the shop said nothing about this customer"))
        }
        if let error = item["error"] {
            let meaning = WooAPI.meaning(ofItem: error)
            return meaning.isMissing ? .gone : .failed(meaning)
        }
        guard isDelete else { return done(item, over: targets[index]) }
        return .done(RemoteRecord(id: item["id"]?.scalarText ?? "", isDeleted: true))
    }

    private func done(_ customer: JSON, over former: JSON? = nil) -> PushOutcome {
        WooRecords.record(customer, .contact).map {
            .done($0, over: former.flatMap { WooRecords.record($0, .contact)?.values })
        }
            ?? .failed(.unsure(code: "bad_answer", message: "the customer has no number"))
    }

    /// What is sent: the mapped members that the shop holds otherwise, so that a shopkeeper's edit of another member in
    /// this very moment stays; empty text for what is empty, and Kontor's key once.
    private func document(_ push: Push, over current: JSON?) -> JSON {
        var document = Self.withoutNulls(push.values)
        if let current { document = Self.difference(document, from: current) ?? [:] }
        if let id = current?["id"] { document["id"] = id }
        if current.flatMap({ WooRecords.meta(WooRecords.keyName, of: $0) }) == nil {
            let entries = document["meta_data"]?.array ?? []
            document["meta_data"] = .array(
                entries + [["key": .string(WooRecords.keyName), "value": .string(push.key)]])
        }
        return document
    }

    /// The members of an object that `current` holds otherwise; nil when there is none.
    private static func difference(_ wanted: JSON, from current: JSON) -> JSON? {
        if wanted == current { return nil }
        guard let members = wanted.object else { return wanted }
        var kept: [String: JSON] = [:]
        for (name, value) in members {
            if name == "meta_data" {
                let entries = (value.array ?? []).filter { entry in
                    WooRecords.meta(entry["key"]?.string ?? "", of: current) != entry["value"]?.scalarText
                }
                if !entries.isEmpty { kept[name] = .array(entries) }
            } else if let other = difference(value, from: current[name] ?? "") {
                kept[name] = other
            }
        }
        if kept.isEmpty { return nil }
        return .object(kept)
    }

    /// The shop knows no null in its text members.
    private static func withoutNulls(_ value: JSON) -> JSON {
        switch value {
        case .null: ""
        case .object(let members):
            .object(
                members.reduce(into: [:]) { kept, member in
                    // A meta entry without value goes away, which is what null asks for.
                    kept[member.key] = member.key == "meta_data" ? member.value : withoutNulls(member.value)
                })
        default: value
        }
    }

    private func number(_ id: String?) -> JSON { id.flatMap { Int64($0) }.map(JSON.int) ?? .string(id ?? "") }
}
