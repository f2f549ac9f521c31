import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// Fields of the tenant's own that say who somebody is.
@Suite(.inTurn) struct KeyFieldTests {
    @Test func whatOneRowAddsAnotherIsKnownBy() async throws {
        let (a, b): (JSON, JSON) = (["value": "a@example.org"], ["value": "b@example.org"])
        try await withTenant { tenant in
            let known = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ada", "emails": [a]])
            let counts = try await tenant.merge([["emails": [a, b]], ["family_name": "Ek", "emails": [b]]]).counts
            #expect(counts.byVerdict["new"] == nil)
            #expect(try await tenant.fields(known.id)["family_name"] == "Ek")
        }
        try await withTenant { tenant in
            let counts = try await tenant.merge([
                ["given_name": "Ada", "emails": [a]], ["emails": [a, b]], ["family_name": "Ek", "emails": [b]],
            ]).counts
            #expect(counts.byVerdict["new"] == 1)
            #expect(try await tenant.number("SELECT count(*)::int FROM \(tenant.table("contact"))") == 1)
        }
    }

    @Test func aFieldOfTheTenantRecognisesContacts() async throws {
        try await withTenant { tenant in
            for (key, type) in [("customer_no", "text"), ("since", "date")] {
                try await tenant.addField(as: .token(1), key: key, label: key, type: type, choices: [])
            }
            await #expect(throws: Failure.self) { try await tenant.setKey("since", as: .token(1), isKey: true) }
            let old = try await tenant.createContact(
                as: .token(1), fields: ["given_name": "Ada", "customer_no": "K-17"])
            // contacts there are before it becomes a key are known by it, too
            try await tenant.setKey("customer_no", as: .token(1), isKey: true)
            let new = try await tenant.createContact(
                as: .token(1),
                fields: ["given_name": "Bo", "customer_no": "K-18", "emails": [["value": "x@example.org"]]])
            let first = try await tenant.merge([
                ["family_name": "Lovelace", "customer_no": " k-17 "], ["family_name": "Ek", "customer_no": "K-18"],
                // its key says who it is, whatever the address says
                ["job_title": "Smith", "customer_no": "K-17", "emails": [["value": "x@example.org"]]],
                ["notes": "four of one", "customer_no": "K-17"], ["language": "en", "customer_no": "K-17"],
                // nobody yet: two rows of one new person, the second by its second address
                [
                    "given_name": "Cy", "customer_no": "K-19",
                    "emails": [["value": "c1@example.org"], ["value": "c2@example.org"]],
                ],
                ["family_name": "Dee", "emails": [["value": "c2@example.org"]]],
                ["job_title": "Cook", "customer_no": "k-19"],
            ])
            #expect(first.counts.byVerdict["new"] == 1)
            #expect(try await tenant.fields(old.id)["family_name"] == "Lovelace")
            #expect(try await tenant.fields(old.id)["job_title"] == "Smith")
            #expect(try await tenant.fields(new.id)["family_name"] == "Ek")
            #expect(try await tenant.fields(old.id)["notes"] == "four of one")
            #expect(try await tenant.fields(old.id)["language"] == "en")
            let cy = try await tenant.fields(new.id + 1)
            #expect(cy["family_name"] == "Dee" && cy["job_title"] == "Cook")
            // a changed value is known by its new form alone, and a key can become an ordinary field again
            _ = try await tenant.editContact(old.id, as: .token(1), version: nil, changes: ["customer_no": "K-20"])
            let moved = try await tenant.merge([["family_name": "Was", "customer_no": "K-17"]])
            #expect(moved.counts.byVerdict["new"] == 1)
            try await tenant.setKey("customer_no", as: .token(1), isKey: false)
            let weak = try await tenant.merge([["family_name": "Other", "customer_no": "K-20"]])
            #expect(weak.counts.byVerdict["new"] == 1)
        }
    }
}
