public import ConnectorKit
import Hub

extension Google {
    /// Creates, updates and deletes in batches, one call after the other as Google asks for.
    ///
    /// An update is read, merged and written under the etag that was read.
    public func push(_ batch: [Push]) async throws -> [PushOutcome] {
        var run = GooglePush(google: self, batch: batch)
        await run.delete()
        await run.upsert()
        return try run.outcomes.settled()
    }
}

/// One batch on its way to Google.
private struct GooglePush {
    let google: Google
    let batch: [Push]
    var outcomes: Outcomes
    private var names: GroupNames?

    init(google: Google, batch: [Push]) {
        self.google = google
        self.batch = batch
        outcomes = Outcomes(count: batch.count)
    }

    private typealias Results = [Int: PushOutcome]

    private func open(_ action: Push.Action) -> [Int] {
        batch.indices.filter { batch[$0].action == action && outcomes[$0] == nil }
    }

    private mutating func take(_ results: Results) {
        for (index, outcome) in results { outcomes[index] = outcome }
    }

    // MARK: Deleting

    mutating func delete() async {
        var ids: [Int: String]
        do {
            ids = try await deleteTargets()
        } catch {
            return outcomes.fail(open(.delete), error)
        }
        for index in open(.delete) where ids[index] == nil { outcomes[index] = .gone }
        let (api, known) = (google.api, ids)
        take(
            await Self.halving(open(.delete)) { (indices) async throws(RemoteError) in
                let ids = Set(indices.compactMap { known[$0] }).sorted()
                _ = try await api.post("people:batchDeleteContacts", ["resourceNames": .array(ids.map(JSON.string))])
                return Results(
                    uniqueKeysWithValues: indices.map {
                        ($0, .done(RemoteRecord(id: known[$0] ?? "", isDeleted: true)))
                    })
            })
    }

    /// Resource names of the people to be deleted, by index; of unknown ends only what an earlier attempt made.
    private mutating func deleteTargets() async throws(RemoteError) -> [Int: String] {
        var ids: [Int: String] = [:]
        for index in open(.delete) { ids[index] = batch[index].remoteID }
        let unsure = open(.delete).filter { ids[$0] == nil && batch[$0].isUnsure }
        guard !unsure.isEmpty else { return ids }
        if names == nil { names = try await google.groups() }
        for (index, person) in try await google.find(unsure.map { ($0, batch[$0]) }) {
            guard let record = Person.record(person, groups: names ?? GroupNames()) else { continue }
            if batch[index].isOwn(record) {
                ids[index] = record.id
            } else {
                outcomes[index] = .failed(.notSurelyOurs(record.id))
            }
        }
        return ids
    }

    // MARK: Creating and updating

    mutating func upsert() async {
        for index in open(.upsert) {
            if let fault = PersonMerge.fault(in: batch[index].values) { outcomes[index] = .failed(fault) }
        }
        do {
            try await prepareGroups()
            var targets = try await boundTargets()
            let unsure = open(.upsert).filter { targets[$0] == nil && batch[$0].isUnsure }
            for (index, person) in try await google.find(unsure.map { ($0, batch[$0]) }) { targets[index] = person }
            refuseTwice(targets)
            await update(targets)
            await create(open(.upsert).filter { targets[$0] == nil })
        } catch {
            outcomes.fail(open(.upsert), error)
        }
    }

    /// The people as they are now that bound pushes are for; gone ones get their outcome here.
    private mutating func boundTargets() async throws(RemoteError) -> [Int: JSON] {
        let bound = open(.upsert).filter { batch[$0].remoteID != nil }
        guard !bound.isEmpty else { return [:] }
        let ids = Set(bound.compactMap { batch[$0].remoteID }).sorted()
        let answer = try await google.api.get(
            "people:batchGet", PersonFields.query + ids.map { ("resourceNames", $0) })
        var people: [String: JSON] = [:]
        for response in answer["responses"]?.array ?? [] {
            if let id = response["requestedResourceName"]?.string, let person = response["person"] {
                people[id] = person
            }
        }
        // Their own groups are shown by name, also when no push is about groups.
        if names == nil, people.values.contains(where: Person.hasOwnGroup) { names = try await google.groups() }
        var targets: [Int: JSON] = [:]
        for index in bound {
            targets[index] = people[batch[index].remoteID ?? ""]
            if targets[index] == nil { outcomes[index] = .gone }
        }
        return targets
    }

    /// Two pushes for one person cannot be in one call: the second has to come again.
    private mutating func refuseTwice(_ targets: [Int: JSON]) {
        var seen: Set<String> = []
        for (index, person) in targets.sorted(by: { $0.key < $1.key }) {
            guard let id = person["resourceName"]?.string, !seen.insert(id).inserted else { continue }
            outcomes[index] = .failed(.later(code: "same_record", message: "another push of this batch is for \(id)"))
        }
    }

    private mutating func update(_ targets: [Int: JSON]) async {
        var byMask: [[String]: [(index: Int, id: String, person: JSON)]] = [:]
        for (index, current) in targets.sorted(by: { $0.key < $1.key }) where outcomes[index] == nil {
            let changes = changes(for: batch[index], over: current)
            let version = Person.version(of: current)
            if changes.isEmpty {
                outcomes[index] = outcome(of: current)
            } else if let record = Person.record(current, groups: names ?? GroupNames()),
                !batch[index].mayReplace(record.values)
            {
                outcomes[index] = .differs(record)
            } else {
                let (id, person) = Self.addressed(changes, to: current, version: version)
                byMask[changes.keys.sorted(), default: []].append((index, id, person))
            }
        }
        for (mask, entries) in byMask.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let people = Dictionary(uniqueKeysWithValues: entries.map { ($0.index, ($0.id, $0.person)) })
            let run = self
            take(
                await Self.halving(entries.map(\.index)) { (indices) async throws(RemoteError) in
                    try await run.update(indices.compactMap { i in people[i].map { (i, $0.0, $0.1) } }, mask: mask)
                })
        }
    }

    private static func addressed(_ changes: [String: JSON], to current: JSON, version: String?) -> (String, JSON) {
        var person = JSON.object(changes)
        var source: JSON = ["type": "CONTACT"]
        if let id = Person.source(of: current)?["id"] { source["id"] = id }
        if let version { source["etag"] = .string(version) }
        person["metadata"] = ["sources": [source]]
        let id = current["resourceName"]?.string ?? ""
        person["resourceName"] = .string(id)
        return (id, person)
    }

    private func update(
        _ entries: [(index: Int, id: String, person: JSON)], mask: [String]
    ) async throws(RemoteError) -> Results {
        let answer = try await google.api.post(
            "people:batchUpdateContacts",
            [
                "contacts": .object(Dictionary(uniqueKeysWithValues: entries.map { ($0.id, $0.person) })),
                "updateMask": .string(mask.joined(separator: ",")),
                "readMask": .string(PersonFields.mask), "sources": [.string(PersonFields.source)],
            ])
        var results = Results()
        for (index, id, _) in entries { results[index] = outcome(ofResponse: answer["updateResult"]?[id]) }
        return results
    }

    private mutating func create(_ indices: [Int]) async {
        let run = self
        take(
            await Self.halving(indices) { (indices) async throws(RemoteError) in
                let answer = try await run.google.api.post(
                    "people:batchCreateContacts",
                    [
                        "contacts": .array(indices.map { ["contactPerson": run.newPerson(for: run.batch[$0])] }),
                        "readMask": .string(PersonFields.mask), "sources": [.string(PersonFields.source)],
                    ])
                let made = answer["createdPeople"]?.array ?? []
                var results = Results()
                for (place, index) in indices.enumerated() {
                    results[index] = run.outcome(ofResponse: JSON.array(made)[place])
                }
                return results
            })
    }

    // MARK: Documents

    private func newPerson(for push: Push) -> JSON {
        var person: JSON = [:]
        for (name, value) in push.values.object ?? [:] where name != "groups" {
            let field = PersonMerge.field(name, value, over: nil)
            if field != [] { person[name] = field }
        }
        if let wanted = wantedGroups(push) {
            person["memberships"] = PersonMerge.memberships(wanted, of: [:], groups: names ?? GroupNames())
        }
        person["clientData"] = PersonMerge.clientData(push.key, over: person["clientData"])
        return person
    }

    /// Fields to be written so that the person is as pushed; those that are so already are left out.
    private func changes(for push: Push, over current: JSON) -> [String: JSON] {
        var changes: [String: JSON] = [:]
        for (name, value) in push.values.object ?? [:] where name != "groups" {
            let before = PersonMerge.field(name, .string("keep"), over: current[name])
            let after = PersonMerge.field(name, value, over: current[name])
            if before != after { changes[name] = after }
        }
        if let wanted = wantedGroups(push), let names {
            let before = Set(Person.groups(of: current).filter(names.isOwn))
            if before != Set(wanted) {
                changes["memberships"] = PersonMerge.memberships(wanted, of: current, groups: names)
            }
        }
        if Person.key(of: current) == nil {
            changes["clientData"] = PersonMerge.clientData(
                push.key, over: changes["clientData"] ?? current["clientData"])
        }
        return changes
    }

    private func outcome(ofResponse response: JSON?) -> PushOutcome {
        if let error = PeopleAPI.meaning(ofStatus: response?["status"]) {
            return error.isMissing ? .gone : .failed(error)
        }
        guard let person = response?["person"] else {
            return .failed(.unsure(code: "no_outcome", message: "Google said nothing about this record"))
        }
        return outcome(of: person)
    }

    private func outcome(of person: JSON) -> PushOutcome {
        Person.record(person, groups: names ?? GroupNames()).map { .done($0) }
            ?? .failed(.unsure(code: "bad_answer", message: "the person has no resource name"))
    }

    // MARK: Groups

    /// Reads the account's groups and makes those that pushes name and it does not have.
    private mutating func prepareGroups() async throws(RemoteError) {
        let wanted = open(.upsert).flatMap { Self.groupNames(batch[$0]) ?? [] }
        guard open(.upsert).contains(where: { Self.groupNames(batch[$0]) != nil }) else { return }
        var names = try await google.groups()
        for name in Set(wanted).sorted() where names.id(of: name) == nil {
            do {
                names.add(try await google.api.post("contactGroups", ["contactGroup": ["name": .string(name)]]))
            } catch .refused(let code, _) where code == "http_409" {
                // Somebody made it meanwhile.
                names = try await google.groups()
            }
        }
        self.names = names
    }

    /// Resource names of the groups a push asks for; nil when it says nothing of groups.
    private func wantedGroups(_ push: Push) -> [String]? {
        guard let names else { return nil }
        return Self.groupNames(push)?.compactMap(names.id)
    }

    private static func groupNames(_ push: Push) -> [String]? {
        guard let groups = push.values["groups"] else { return nil }
        return (groups.array ?? []).compactMap { $0.string }.filter { !$0.isEmpty }
    }

    // MARK: Batches that fail as one

    /// Makes a call for all pushes, and when Google refuses the batch because of one of them, for each half.
    private static func halving(
        _ indices: [Int], _ call: ([Int]) async throws(RemoteError) -> Results
    ) async -> Results {
        guard !indices.isEmpty else { return [:] }
        do {
            return try await call(indices)
        } catch {
            switch error {
            case .refused where indices.count > 1, .stale where indices.count > 1:
                let middle = indices.count / 2
                let left = await halving(Array(indices[..<middle]), call)
                let right = await halving(Array(indices[middle...]), call)
                return left.merging(right) { first, _ in first }
            case .refused where error.isMissing:
                return Results(uniqueKeysWithValues: indices.map { ($0, .gone) })
            default:
                return Results(uniqueKeysWithValues: indices.map { ($0, .failed(error)) })
            }
        }
    }
}
