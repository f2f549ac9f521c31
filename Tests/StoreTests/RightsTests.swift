import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// What staff see and do, held against a second, plain reading of their rights.
@Suite(.inTurn) struct RightsTests {
    /// A shop with staff in two teams, one above another, and contacts of theirs and of nobody's.
    struct Shop {
        let door: TenantDatabase
        let owner: Int64
        /// Ola, who is in the first team with the third person, and above the fourth, who is above the fifth.
        let ola: Int64
        let people: [Int64]
        let role: Int64
        let contacts: [RightsModel.Subject]

        var reach: [String: Set<Int64>] {
            ["own": [ola], "team": [ola, people[2]], "subordinates": [ola, people[3], people[4]]]
        }

        /// The shop as Ola's session opens it.
        func asOla() async throws -> TenantDatabase {
            let row = try await TestCluster.shared.value.superuser.run(
                "SELECT masked, reads FROM auth.account WHERE id = \(ola)")[0][0]
            return door.node.tenant(
                door.tenant, sight: Sight(isMasked: try row.get("masked"), owners: try row.get("reads")))
        }
    }

    private static let tags = ["client", "supplier", "vip"]
    private static let words = ["anna", "berg", "cedar", "dorota", "elm"]

    private func shop(_ door: TenantDatabase, contacts: Int, _ random: inout SplitMix) async throws -> Shop {
        let cluster = try await TestCluster.shared.value
        try await cluster.provisioner.setOwner(
            of: door.tenant, email: "boss@shop.example", password: "a long passphrase")
        let owner: Int64 = try await door.rows("SELECT account FROM \(door.table("staff"))")[0].get(0)
        try await door.addField(as: .token(1), key: "level", label: "Level", type: "choice", choices: ["gold", "iron"])
        let role = try await door.createRole(
            as: .staff(owner), name: "trial", title: "Trial", rights: ["contact": ["read": "all"]])
        let team = try await door.saveTeam(nil, as: .staff(owner), name: "North")
        let other = try await door.saveTeam(nil, as: .staff(owner), name: "South")
        var people = [owner]
        for number in 1...4 {
            var person = StaffEdit()
            (person.name, person.role) = ("Person \(number)", number == 1 ? role : 8)
            person.teams = number <= 2 ? [team] : [other]
            person.superior = number == 3 ? people[1] : number == 4 ? people[3] : Int64?.none
            people.append(
                try await door.invite(as: .staff(owner), email: "p\(number)@shop.example", person).id)
        }
        var made: [RightsModel.Subject] = []
        for number in 1...contacts {
            let word = Self.words.randomElement(using: &random)!
            var fields: JSON = [
                "given_name": .string(word), "family_name": .string("Kowalska\(number)"),
                "emails": [["value": .string("\(word)\(number)@mail\(number % 3).example"), "label": "work"]],
                "phones": [["value": .string("+4860000\(1000 + number)")]],
                "notes": .string("said \(Self.words.randomElement(using: &random)!)"),
                "source": .string(["fair", "web"].randomElement(using: &random)!),
                "level": .string(["gold", "iron"].randomElement(using: &random)!),
                "birth_month": .int(Int64(number % 12 + 1)),
                "addresses": [["country": .string(["PL", "NO"].randomElement(using: &random)!), "city": "Gdynia"]],
            ]
            let some = Self.tags.filter { _ in Bool.random(using: &random) }
            if !some.isEmpty { fields["tags"] = .array(some.map(JSON.string)) }
            let id = try await door.createContact(as: .token(1), fields: fields).id
            let theirs = Bool.random(using: &random) ? people.randomElement(using: &random) : nil
            if let theirs { try await door.setOwner(of: id, to: theirs, as: .token(1), version: nil) }
            var subject = RightsModel.Subject(id: id, owner: theirs, fields: try await door.fields(id))
            for purpose in ["newsletter", "calls"] where Bool.random(using: &random) {
                let granted = Int.random(in: 0..<4, using: &random) > 0
                _ = try await door.addConsent(
                    id, as: .token(1), purpose: purpose, granted: granted, at: nil, source: "form", proof: nil)
                if granted { subject.consents.append(purpose) }
            }
            made.append(subject)
        }
        return Shop(door: door, owner: owner, ola: people[1], people: people, role: role, contacts: made)
    }

    /// The feed ends before the oldest transaction that runs anywhere on the server, such as one of another test.
    private func feedIsWhole(_ door: TenantDatabase, contacts: Int) async throws {
        let over = ContinuousClock.now + .seconds(120)
        var shown = 0
        while ContinuousClock.now < over {
            let feed = try JSON(parsing: await door.changeFeed(after: (0, 0), limit: 1000, as: .token(1)).json).array
            shown = Set((feed ?? []).compactMap { $0["record"]?.int }).count
            if shown == contacts { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("after two minutes the feed shows \(shown) of \(contacts) contacts")
    }

    private func randomRights(_ random: inout SplitMix) -> JSON {
        var contact: JSON = [:]
        for right in ["read", "change", "delete"] {
            if Int.random(in: 0..<8, using: &random) > 0 {
                contact[right] = .string(RoleRights.scopes.randomElement(using: &random)!)
            }
        }
        var only: JSON = [:]
        if Int.random(in: 0..<3, using: &random) == 0 {
            only["tag"] = .array(
                Self.tags.shuffled(using: &random).prefix(Int.random(in: 1...2, using: &random)).map(JSON.string))
        }
        if Int.random(in: 0..<4, using: &random) == 0 { only["source"] = ["web"] }
        if Int.random(in: 0..<4, using: &random) == 0 { only["country"] = ["PL"] }
        if Int.random(in: 0..<4, using: &random) == 0 { only["consent"] = ["newsletter"] }
        if only.object?.isEmpty == false { contact["only"] = only }
        var fields = ["emails", "phones", "notes", "level", "tags", "birth_month", "addresses", "given_name", "source"]
        fields.shuffle(using: &random)
        let hidden = Bool.random(using: &random) ? fields.prefix(Int.random(in: 0...3, using: &random)) : []
        let masked = Bool.random(using: &random) ? fields.suffix(Int.random(in: 0...3, using: &random)) : []
        contact["hidden"] = .array(hidden.map(JSON.string))
        contact["masked"] = .array(masked.map(JSON.string))
        return [
            "contact": contact, "order": ["read": .string(RoleRights.orderScopes.randomElement(using: &random)!)],
            "product": ["read": .string(["all", "all", "none"].randomElement(using: &random)!)],
            "functions": .array(
                (Bool.random(using: &random) ? ["export", "segments"] : [])
                    + (Int.random(in: 0..<8, using: &random) > 0 ? ["sql"] : [])),
        ]
    }

    /// Lists, search, conditions, the feed, the view itself, the table behind it, and a SQL login on the reporting server
    /// by psql and as reporting tools ask give the same to the same person.
    @Test func everyWayShowsWhatTheRoleAllowsForRandomRoles() async throws {
        try await withTenant { door in
            var random = SplitMix(seed: 20_261_122)
            let cluster = try await TestCluster.shared.value
            try await cluster.provisioner.ensure(module: "reporting", for: door.tenant)
            let reporting = try await cluster.reporting
            let shop = try await shop(door, contacts: 40, &random)
            let ola = Actor.staff(shop.ola)
            try await door.editRole(
                shop.role, as: .staff(shop.owner), version: nil, title: nil, rights: ["functions": ["sql"]])
            let login = try await door.addSQLLogin(of: shop.ola, label: "psql", as: ola)
            let program = try await door.addToken(
                as: .staff(shop.owner), label: "till", scopes: ["contacts:read", "contacts:write"], expiresAt: nil,
                role: shop.role)
            try await feedIsWhole(door, contacts: shop.contacts.count)
            var differing = Set<Int>()
            for round in 0..<220 {
                let rights = randomRights(&random)
                try await door.editRole(shop.role, as: .staff(shop.owner), version: nil, title: nil, rights: rights)
                let model = RightsModel(rights: rights, reach: shop.reach)
                let expected = shop.contacts.filter(model.sees)
                let door = try await shop.asOla()
                var query = ContactQuery()
                query.limit = 500
                let listed = try JSON(parsing: await door.contacts(query, as: ola).json).array ?? []
                #expect(listed.compactMap { $0["id"]?.int } == expected.map(\.id), "\(round) \(rights.text)")
                for (row, subject) in zip(listed, expected) {
                    #expect(row["fields"] == model.shown(subject.fields), "\(round) \(rights.text)")
                    #expect(row["origins"]?.object?.keys.contains(where: model.hidden.contains) == false)
                }
                differing.insert(expected.count)
                // search by part of a value
                let word = Self.words.randomElement(using: &random)!
                query.text = word
                let found = try JSON(parsing: await door.contacts(query, as: ola).json).array ?? []
                #expect(
                    found.compactMap { $0["id"]?.int }
                        == expected.filter { model.finds(word, in: $0.fields) }.map(\.id),
                    "\(round) \(word) \(rights.text)")
                // conditions by facets and by fields
                for (condition, holds) in Self.questions(model) {
                    let count = try await door.count(Condition(condition), as: ola)
                    #expect(
                        count == expected.filter { holds($0.fields) }.count, "\(round) \(condition.text) \(rights.text)"
                    )
                }
                let own = try await door.count(.leaf(.owner([shop.ola])), as: ola)
                #expect(own == expected.filter { $0.owner == shop.ola }.count)
                let nobodys = try await door.count(.leaf(.owner([])), as: ola)
                #expect(nobodys == expected.filter { $0.owner == nil }.count)
                // plain SQL under the person's context
                let view = try await door.run(
                    as: ola, "SELECT id, data, facets, search FROM \(door.seen("contact")) ORDER BY id")[0]
                #expect(try view.map { try $0.get("id", as: Int64.self) } == expected.map(\.id))
                for (row, subject) in zip(view, expected) {
                    #expect(try JSON(text: row.get("data")) == model.shown(subject.fields))
                }
                let table = try await door.run(as: ola, "SELECT id FROM \(door.table("contact")) ORDER BY id")[0]
                let isPlain =
                    model.hidden + model.masked == [] && rights["order"]?["read"] != "none"
                    && rights["product"]?["read"] == "all"
                #expect(try table.map { try $0.get("id", as: Int64.self) } == (isPlain ? expected.map(\.id) : []))
                // the feed
                let feed =
                    try JSON(parsing: await door.changeFeed(after: (0, 0), limit: 1000, as: ola).json).array ?? []
                #expect(Set(feed.compactMap { $0["record"]?.int }) == Set(expected.map(\.id)))
                for change in feed where change["kind"] == "new" {
                    let subject = expected.first { $0.id == change["record"]?.int }
                    #expect(change["after"] == subject.map { model.shown($0.fields) })
                }
                try await file(shop, expected, model, door)
                try await writes(shop, model, as: ola, door)
                try await self.program(program, shop, rights)
                try await reporting.catchUp()
                try await sql(login, expected, model, on: reporting)
            }
            #expect(differing.count > 15, "the roles did differ")
        }
    }

    @Test func aChangeOfRightsActsOnTheNextStatement() async throws {
        try await withTenant { door in
            var random = SplitMix(seed: 1)
            let shop = try await shop(door, contacts: 3, &random)
            let boss = Actor.staff(shop.owner)
            func seen() async throws -> Int {
                try await door.rows("SELECT count(*) FROM \(door.seen("contact"))", as: .staff(shop.ola))[0].get(0)
            }
            #expect(try await seen() == 3)
            try await door.editRole(
                shop.role, as: boss, version: nil, title: nil, rights: ["contact": ["read": "none"]])
            #expect(try await seen() == 0)
            var edit = StaffEdit()
            edit.role = 8
            try await door.editStaff(shop.ola, as: boss, edit)
            #expect(try await seen() == 3)
            edit = StaffEdit()
            edit.isDisabled = true
            try await door.editStaff(shop.ola, as: boss, edit)
            #expect(try await seen() == 0)
        }
    }

    @Test func peopleWithLimitsReachNothingBesides() async throws {
        try await withTenant(modules: ["sales"]) { door in
            var random = SplitMix(seed: 2)
            let shop = try await shop(door, contacts: 4, &random)
            let boss = Actor.staff(shop.owner)
            try await door.editRole(
                shop.role, as: boss, version: nil, title: nil,
                rights: ["contact": ["read": "none"], "functions": ["settings"]])
            let ola = Actor.staff(shop.ola)
            let shared = ["role", "team", "team_member", "staff", "field", "segment", "connector_seen", "plugin_seen"]
            let relations = try await TestCluster.shared.value.superuser.run(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = \(door.tenant.schema)::regnamespace"
            )[0]
            #expect(relations.count > 40)
            for row in relations {
                let name: String = try row.get("relname")
                let count: Int = try await door.rows("SELECT count(*) FROM \(door.table(name))", as: ola)[0].get(0)
                let ownRights = name == "effective" ? 1 : 0
                if !shared.contains(name) { #expect(count == ownRights, "\(name)") }
                for change: SQL in ["DELETE FROM \(door.table(name))", "UPDATE \(door.table(name)) SET id = id"]
                where !shared.contains(name) || name == "staff" || name == "role" {
                    do {
                        #expect(try await door.rows(change, as: ola).affected == 0, "\(name)")
                    } catch let error as PostgresError {
                        // no right to the table, or no such column, or a view that cannot be written
                        #expect(["42501", "42703", "55000", "428C9"].contains(error.sqlState), "\(name) \(error)")
                    }
                }
            }
            func refused(_ body: () async throws -> Void) async -> Bool {
                do { try await body() } catch let error as PostgresError { return error.sqlState == "42501" } catch {
                    return (error as? Failure)?.code == "right.missing"
                }
                return false
            }
            #expect(await refused { _ = try await door.createContact(as: ola, fields: ["given_name": "X"]) })
            #expect(await refused { try await door.editRole(1, as: ola, version: nil, title: "x", rights: nil) })
            var edit = StaffEdit()
            edit.role = 1
            #expect(await refused { try await door.editStaff(shop.ola, as: ola, edit) })
            #expect(await refused { _ = try await door.invite(as: ola, email: "x@y.example", edit) })
            #expect(await refused { _ = try await door.handOver(from: shop.owner, to: shop.ola, as: ola) })
            #expect(await refused { _ = try await door.renewInvitation(of: shop.owner, as: ola) })
            #expect(await refused { try await door.removeStaff(shop.owner, as: ola) })
            #expect(await refused { try await door.deleteTeam(1, as: ola) })
            #expect(await refused { _ = try await door.createSegment(as: ola, name: "x", condition: ["tag": "vip"]) })
            #expect(
                await refused {
                    _ = try await door.rows("SELECT \(door.table("erase_contact"))(1)", as: ola)
                })
            // what the role does allow
            try await door.addField(as: ola, key: "size", label: "Size", type: "text", choices: [])
        }
    }

    @Test func rolesAreCheckedBeforeTheyHold() async throws {
        try await withTenant { door in
            var random = SplitMix(seed: 3)
            let shop = try await shop(door, contacts: 1, &random)
            let boss = Actor.staff(shop.owner)
            func code(_ rights: JSON) async throws -> String {
                do {
                    try await door.editRole(shop.role, as: boss, version: nil, title: nil, rights: rights)
                    return "done"
                } catch let failure as Failure {
                    return "\(failure.code) \(failure.details.first?["field"]?.string ?? "")"
                }
            }
            #expect(try await code(["contact": ["read": "some"]]) == "role.invalid contact.read")
            #expect(try await code(["contact": ["read": "all", "hidden": ["nothing"]]]) == "role.invalid contact")
            #expect(
                try await code(["contact": ["hidden": ["notes"], "masked": ["notes"]]]) == "role.invalid contact.masked"
            )
            #expect(try await code(["deal": [:]]) == "role.invalid deal")
            #expect(try await code(["contact": ["only": ["tag": []]]]) == "role.invalid contact.only.tag")
            for function in RoleRights.unlimitedFunctions {
                #expect(
                    try await code(["contact": ["read": "own"], "functions": [.string(function)]])
                        == "role.invalid functions")
                #expect(
                    try await code([
                        "contact": ["read": "all"], "order": ["read": "all"], "product": ["read": "all"],
                        "functions": [.string(function)],
                    ]) == "done")
            }
            let owner = await #expect(throws: Failure.self) {
                try await door.editRole(1, as: boss, version: nil, title: "x", rights: nil)
            }
            #expect(owner?.code == "role.owner")
            var edit = StaffEdit()
            edit.role = 8
            let last = await #expect(throws: Failure.self) { try await door.editStaff(shop.owner, as: boss, edit) }
            #expect(last?.code == "staff.last_owner")
            let inUse = await #expect(throws: Failure.self) { try await door.deleteRole(shop.role, as: boss) }
            #expect(inUse?.code == "role.in_use")
        }
    }

    @Test func contactsAreHandedOverAndTheirOwnerIsOnRecord() async throws {
        try await withTenant { door in
            var random = SplitMix(seed: 4)
            let shop = try await shop(door, contacts: 6, &random)
            let boss = Actor.staff(shop.owner)
            for subject in shop.contacts {
                try await door.setOwner(of: subject.id, to: shop.ola, as: boss, version: nil)
            }
            let kept = await #expect(throws: Failure.self) { try await door.removeStaff(shop.ola, as: boss) }
            #expect(kept?.code == "staff.has_contacts")
            #expect(try await door.handOver(from: shop.ola, to: shop.people[2], as: boss) == 6)
            let history = try JSON(
                parsing: await door.history(of: shop.contacts[0].id, before: nil, limit: 1, as: boss).json)
            #expect(history[0]?["fields"] == ["owner"] && history[0]?["actor"]?.string == boss.description)
            try await door.removeStaff(shop.ola, as: boss)
            let left = try JSON(parsing: await door.staff(as: boss)).array ?? []
            #expect(left.count == 4 && left.first { $0["id"]?.int == shop.people[3] }?["superior"]?.isNull == true)
        }
    }

    @Test func rightsAreExplained() async throws {
        try await withTenant { door in
            var random = SplitMix(seed: 5)
            let shop = try await shop(door, contacts: 1, &random)
            let boss = Actor.staff(shop.owner)
            let contact = shop.contacts[0].id
            try await door.setOwner(of: contact, to: shop.owner, as: boss, version: nil)
            try await door.editRole(
                shop.role, as: boss, version: nil, title: nil,
                rights: [
                    "contact": ["read": "own", "change": "own", "only": ["tag": ["nobody has"]], "masked": ["emails"]]
                ])
            let no = try await door.explainRights(of: shop.ola, contact: contact, as: boss)
            #expect(no["may"]?["read"] == false && no["because"]?.array?.count == 2)
            try await door.setOwner(of: contact, to: shop.ola, as: boss, version: nil)
            try await door.editRole(
                shop.role, as: boss, version: nil, title: nil,
                rights: ["contact": ["read": "own", "change": "own", "masked": ["emails"]]])
            let yes = try await door.explainRights(of: shop.ola, contact: contact, as: boss)
            #expect(yes["may"] == ["read": true, "change": true, "delete": false])
            #expect(yes["because"]?.array?.last == "Masked: emails.")
            #expect(
                try JSON(parsing: await door.rights(of: shop.ola, as: .staff(shop.ola)))["reads"] == [.int(shop.ola)])
            await #expect(throws: Failure.self) { try await door.rights(of: shop.owner, as: .staff(shop.ola)) }
        }
    }
}
