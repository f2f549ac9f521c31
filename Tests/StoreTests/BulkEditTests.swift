import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// Many contacts changed by one run.
@Suite(.inTurn) struct BulkEditTests {
    private func people(_ door: TenantDatabase) async throws -> [Int64] {
        var made: [Int64] = []
        for (name, tags) in [("Ada", ["client", "old"]), ("Bo", ["client"]), ("Cy", []), ("Di", ["old"])] {
            var fields: JSON = ["given_name": .string(name), "company": "Acme"]
            if !tags.isEmpty { fields["tags"] = .array(tags.map(JSON.string)) }
            made.append(try await door.createContact(as: .token(1), fields: fields).id)
        }
        return made
    }

    private func run(_ id: Int64, _ door: TenantDatabase) async throws -> MergeCounts {
        let claimed = try #require(try await door.claimRun(lease: 60))
        #expect(claimed.id == id)
        let counts = try await door.mergeRun(claimed, isDry: claimed.isDry) { true }
        try await door.end(claimed, state: "done")
        return counts
    }

    private func begin(
        _ edit: BulkEdit, _ door: TenantDatabase, ids: [Int64]? = nil, condition: JSON? = nil, isDry: Bool = false
    ) async throws -> Int64 {
        var query = ContactQuery()
        query.condition = try condition.map { try Condition($0) }
        return try await door.createEdit(edit, ids: ids, query: query, params: [:], isDry: isDry, as: .token(1))
    }

    @Test func tagsAndFieldsChangeAndComeBack() async throws {
        try await withTenant { door in
            let ids = try await people(door)
            var edit = BulkEdit()
            (edit.addedTags, edit.removedTags) = (["  vip ", "client"], ["old"])
            edit.set = ["language": "pl", "company": .null]
            let trial = try await run(begin(edit, door, isDry: true), door)
            #expect(trial.byVerdict["changed"] == 4)
            #expect(try await door.fields(ids[0])["company"] == "Acme", "a trial changes nothing")
            let work = try await begin(edit, door, ids: [ids[0], ids[2], 999_999])
            // one is deleted meanwhile
            try await door.deleteContact(ids[2], as: .token(1), version: nil)
            let counts = try await run(work, door)
            #expect(counts.byVerdict == ["changed": 1, "deleted_here": 1])
            let ada = try await door.fields(ids[0])
            #expect(ada["tags"] == ["client", "vip"] && ada["language"] == "pl" && ada["company"] == nil)
            #expect(try await door.fields(ids[1])["tags"] == ["client"])
            // in the history and told to every system like any change
            let history = try JSON(
                parsing: await door.history(of: ids[0], before: nil, limit: 1, as: .token(1)).json)
            #expect(history[0]?["fields"]?.array?.count == 3 && history[0]?["actor"] == "token:1")
            let undo = try await door.createRun(as: .token(1), kind: "undo", params: ["run": .int(work)])
            let claimed = try #require(try await door.claimRun(lease: 60))
            #expect(claimed.id == undo)
            #expect(try await door.undo(run: work, under: claimed)["restored"] == 1)
            let again = try await door.fields(ids[0])
            #expect(again["tags"] == ["client", "old"] && again["company"] == "Acme" && again["language"] == nil)
        }
    }

    @Test func whoIsFoundIsChanged() async throws {
        try await withTenant { door in
            let ids = try await people(door)
            var edit = BulkEdit()
            edit.removedTags = ["old"]
            let counts = try await run(begin(edit, door, condition: ["tag": "old"]), door)
            #expect(counts.byVerdict == ["changed": 2])
            #expect(try await door.fields(ids[3])["tags"] == nil)
            #expect(try await run(begin(edit, door), door).byVerdict == ["unchanged": 4])
        }
    }

    /// What a person asks for of many precedes what systems say, as if it had been typed on each one's page.
    @Test func systemsDoNotWriteOverIt() async throws {
        try await withTenant { door in
            let crm = try await door.connector("crm", rank: 1)
            try await door.take(crm, [incoming("1", ["first": "Ada", "last": "Ek"], at: "2026-01-01T00:00:00Z")])
            let ada = try await door.bound(crm, "1")
            var edit = BulkEdit()
            edit.set = ["family_name": "Berg"]
            #expect(try await run(begin(edit, door, ids: [ada]), door).byVerdict == ["changed": 1])
            try await door.take(crm, [incoming("1", ["first": "Ada", "last": "Oak"], at: "2099-01-01T00:00:00Z")])
            #expect(try await door.fields(ada)["family_name"] == "Berg")
        }
    }

    @Test func nonsenseIsRefused() async throws {
        try await withTenant { door in
            func code(_ change: (inout BulkEdit) -> Void) async throws -> String {
                var edit = BulkEdit()
                change(&edit)
                do { _ = try await begin(edit, door) } catch let failure as Failure { return failure.code }
                return "done"
            }
            #expect(try await code { _ in } == "edit.empty")
            #expect(
                try await code {
                    $0.addedTags = ["x"]; $0.removedTags = ["x"]
                } == "edit.tags")
            #expect(
                try await code {
                    $0.addedTags = ["x"]; $0.set = ["tags": ["y"]]
                } == "edit.tags")
            #expect(try await code { $0.addedTags = [" "] } == "edit.empty")
            #expect(try await code { $0.set = ["no_such_field": "x"] } == "contact.invalid")
            #expect(try await code { $0.set = ["birthday": "someday"] } == "contact.invalid")
            #expect(try await door.number("SELECT count(*) FROM \(door.table("run"))") == 0)
            // nor does somebody whose role is narrower
            try await TestCluster.shared.value.provisioner.setOwner(
                of: door.tenant, email: "boss@shop.example", password: "a long passphrase")
            let boss = Actor.staff(try await door.rows("SELECT account FROM \(door.table("staff"))")[0].get(0))
            var person = StaffEdit()
            (person.name, person.role) = ("Ola", 8)
            let ola = try await door.invite(as: boss, email: "ola@shop.example", person).id
            var edit = BulkEdit()
            edit.addedTags = ["x"]
            await #expect(throws: PostgresError.self) {
                _ = try await door.createEdit(
                    edit, ids: nil, query: ContactQuery(), params: [:], isDry: false, as: .staff(ola))
            }
        }
    }
}
