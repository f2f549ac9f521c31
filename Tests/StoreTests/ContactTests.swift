import Hub
import Postgres
import TestKit
import Testing

@testable import Store

@Suite(.inTurn) struct ContactTests {
    @Test func isNormalisedStoredAndFound() async throws {
        try await withTenant { tenant in
            let made = try await tenant.createContact(
                as: .token(1),
                fields: [
                    "given_name": " Ada ", "family_name": "Ek", "emails": [["value": "ADA@Example.org"]],
                    "phones": [["value": "601 234 567"]],
                ])
            let contact = try JSON(parsing: made.json)
            #expect(contact["name"] == "Ada Ek")
            #expect(contact["fields"]?["emails"]?[0]?["value"] == "ada@example.org")
            #expect(contact["fields"]?["phones"]?[0]?["value"] == "+48601234567")
            let parts = ["a@exam", "ada@exam", "ADA@example.org", "da@", "@example", "1234", "ada e", "a", ""]
            let others = [
                "ada@exbm", "eda@exam", "ada@%.org", "a_a@exam", "ada@exam\\", "ada@\\", "%\u{301}@", "_da e",
            ]
            for (text, count) in parts.map({ ($0, 1) }) + others.map({ ($0, 0) }) {
                var query = ContactQuery()
                query.text = text
                #expect(try await tenant.contacts(query, as: .token(1)).ids.count == count, "\(text)")
                let masked = tenant.node.tenant(tenant.tenant, sight: Sight(isMasked: true, owners: nil))
                #expect(try await masked.contacts(query, as: .token(1)).ids.count == count, "masked \(text)")
            }
        }
    }

    @Test func postgreSQLKeepsLookUpsFromWriting() async throws {
        try await withTenant { tenant in
            let made = try await tenant.createContact(as: .token(1), fields: ["name": "Ada"])
            await #expect {
                try await tenant.lookUp(as: .token(1), "DELETE FROM \(tenant.table("contact"))")
            } throws: {
                ($0 as? PostgresError)?.sqlState == "25006"
            }
            #expect(try await tenant.contact(made.id, as: .token(1)).version == 1)
        }
    }

    @Test func staleEditIsRefusedAndNothingChanges() async throws {
        try await withTenant { tenant in
            let made = try await tenant.createContact(as: .token(1), fields: ["name": "Ada"])
            let edited = try await tenant.editContact(made.id, as: .token(1), version: 1, changes: ["name": "Eva"])
            #expect(edited.version == 2)
            await #expect {
                try await tenant.editContact(made.id, as: .token(1), version: 1, changes: ["name": "Ida"])
            } throws: {
                ($0 as? Failure)?.code == "contact.stale"
            }
            #expect(try await tenant.contact(made.id, as: .token(1)).version == 2)
        }
    }

    @Test func connectorsSeeOnlyWhatTheirPolicyAllows() async throws {
        try await withTenant { tenant in
            let made = try await tenant.createContact(as: .token(1), fields: ["name": "Ada", "tags": ["client"]])
            await #expect(throws: Failure.self) { try await tenant.contact(made.id, as: .connector(1)) }
        }
    }

    @Test func erasureLeavesNoValueBehind() async throws {
        try await withTenant { tenant in
            let made = try await tenant.createContact(
                as: .token(1), fields: ["name": "Canary Bird", "emails": [["value": "canary@example.org"]]])
            _ = try await tenant.editContact(made.id, as: .token(1), version: nil, changes: ["notes": "canary sings"])
            _ = try await tenant.eraseContact(made.id, as: .token(1))
            let history = String(
                decoding: try await tenant.history(of: made.id, before: nil, limit: 10, as: .token(1)).json,
                as: UTF8.self)
            #expect(!history.lowercased().contains("canary"))
            #expect(
                !String(decoding: try await tenant.contact(made.id, as: .token(1)).json, as: UTF8.self).lowercased()
                    .contains("canary"))
        }
    }

    @Test func erasingReachesWhatBelongsToNoContact() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm")
            let made = try await tenant.createContact(
                as: .token(1), fields: ["given_name": "Ada", "emails": [["value": "ada@example.org"]]])
            // she had another address before
            _ = try await tenant.editContact(
                made.id, as: .token(1), version: nil, changes: ["emails": [["value": "new@example.org"]]])
            for (key, text) in [("e1", #"{"mail": "ADA@example.org"}"#), ("e2", #"{"mail": "bo@example.org"}"#)] {
                try await tenant.storeHook(connector: crm.id, eventKey: key, headers: [:], body: Array(text.utf8))
            }
            for hook in try await tenant.claimHooks(limit: 10, lease: 60) {
                try await tenant.settle(hook: hook.id, state: "dead", message: "no")
            }
            let run = try await tenant.createRun(as: .token(1), kind: "csv", state: "staging")
            let reader = try await tenant.rowReader(mapping: nil, as: .token(1))
            try await tenant.stage(
                [
                    reader.row(line: 1, values: ["nonsense": 1, "emails": [["value": "new@example.org"]]]),
                    reader.row(line: 2, values: ["nonsense": 1, "emails": [["value": "bo@example.org"]]]),
                ], run: run, as: .token(1))
            let waits = try await tenant.createRun(as: .token(1), kind: "csv", state: "staging")
            try await tenant.stage(
                [
                    reader.row(line: 1, values: ["emails": [["value": "new@example.org"]]]),
                    reader.row(line: 2, values: ["given_name": "Cy"]),
                ], run: waits, as: .token(1))
            _ = try await tenant.eraseContact(made.id, as: .token(1))
            // what still waited is merged without her
            let claimed = ClaimedRun(
                id: waits, kind: "csv", plugin: nil, connector: nil, params: [:], isDry: false, fence: 0,
                actor: .token(1))
            let counts = try await tenant.mergeRun(claimed, isDry: false) { true }
            #expect(counts.byVerdict["new"] == 1 && counts.byVerdict["refused"] == 1)
            let bodies = try await tenant.rows("SELECT body FROM \(tenant.table("inbox")) ORDER BY id")
            #expect(try bodies.map { try $0.get("body", as: [UInt8].self).isEmpty } == [true, false])
            let staged = try await tenant.rows(
                "SELECT data FROM \(tenant.table("stage")) WHERE run = \(run) ORDER BY line")
            #expect(try staged[0].get("data", as: String?.self) == nil)
            #expect(try staged[1].get("data", as: String?.self)?.contains("bo@example.org") == true)
        }
    }
}
