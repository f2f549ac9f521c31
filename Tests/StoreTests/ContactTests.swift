import Hub
import Store
import TestKit
import Testing

@Suite struct ContactTests {
    @Test func isNormalisedStoredAndFound() async throws {
        try await withTenant { tenant in
            let made = try await tenant.createContact(
                as: .staff(1),
                fields: [
                    "given_name": " Ada ", "family_name": "Ek", "emails": [["value": "ADA@Example.org"]],
                    "phones": [["value": "601 234 567"]],
                ])
            let contact = try JSON(parsing: made.json)
            #expect(contact["name"] == "Ada Ek")
            #expect(contact["fields"]?["emails"]?[0]?["value"] == "ada@example.org")
            #expect(contact["fields"]?["phones"]?[0]?["value"] == "+48601234567")
            for part in ["a@exam", "1234", "ada e"] {
                var query = ContactQuery()
                query.text = part
                #expect(try await tenant.contacts(query, as: .staff(1)).count == 1, "\(part)")
            }
        }
    }

    @Test func staleEditIsRefusedAndNothingChanges() async throws {
        try await withTenant { tenant in
            let made = try await tenant.createContact(as: .staff(1), fields: ["name": "Ada"])
            let edited = try await tenant.editContact(made.id, as: .staff(1), version: 1, changes: ["name": "Eva"])
            #expect(edited.version == 2)
            await #expect {
                try await tenant.editContact(made.id, as: .staff(1), version: 1, changes: ["name": "Ida"])
            } throws: {
                ($0 as? Failure)?.code == "contact.stale"
            }
            #expect(try await tenant.contact(made.id, as: .staff(1)).version == 2)
        }
    }

    @Test func connectorsSeeOnlyWhatTheirPolicyAllows() async throws {
        try await withTenant { tenant in
            let made = try await tenant.createContact(as: .staff(1), fields: ["name": "Ada", "tags": ["client"]])
            await #expect(throws: Failure.self) { try await tenant.contact(made.id, as: .connector(1)) }
        }
    }

    @Test func erasureLeavesNoValueBehind() async throws {
        try await withTenant { tenant in
            let made = try await tenant.createContact(
                as: .staff(1), fields: ["name": "Canary Bird", "emails": [["value": "canary@example.org"]]])
            _ = try await tenant.editContact(made.id, as: .staff(1), version: nil, changes: ["notes": "canary sings"])
            _ = try await tenant.eraseContact(made.id, as: .staff(1))
            let history = String(
                decoding: try await tenant.history(of: made.id, before: nil, limit: 10, as: .staff(1)).json,
                as: UTF8.self)
            #expect(!history.lowercased().contains("canary"))
            #expect(
                !String(decoding: try await tenant.contact(made.id, as: .staff(1)).json, as: UTF8.self).lowercased()
                    .contains("canary"))
        }
    }
}
