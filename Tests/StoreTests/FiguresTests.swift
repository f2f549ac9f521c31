import Hub
import Postgres
import TestKit
import Testing

@testable import Store

@Suite(.inTurn) struct FiguresTests {
    private func today(_ door: TenantDatabase, as actor: Actor = .token(1)) async throws -> JSON? {
        try JSON(parsing: await door.figures(days: 14, as: actor)).array?.last
    }

    @Test func whatCameChangedAndWentIsCountedOnce() async throws {
        try await withTenant(modules: ["sales"]) { door in
            let first = try await door.createContact(as: .token(1), fields: ["given_name": "Ada"]).id
            let second = try await door.createContact(as: .token(1), fields: ["given_name": "Bo"]).id
            _ = try await door.editContact(first, as: .token(1), version: nil, changes: ["notes": "x"])
            _ = try await door.rows(
                "INSERT INTO \(door.table("sale")) (contact, status, placed_at, total) VALUES (\(first), 'completed', now(), 7)"
            )
            // other tests' transactions hold the end of the log back for a moment
            func counted(_ wanted: JSON) async throws -> JSON? {
                for _ in 0..<3600 {
                    _ = try await door.tally(pause: 0)
                    var found = try await today(door)
                    found?["day"] = nil
                    if found == wanted { return found }
                    try await Task.sleep(for: .milliseconds(50))
                }
                return try await today(door)
            }
            let before: JSON = ["contacts": 2, "new": 2, "edited": 1, "deleted": 0, "orders": 1]
            #expect(try await counted(before) == before)
            #expect(try await !door.tally(pause: 0))
            #expect(try await counted(before) == before, "what was counted is not counted again")
            try await door.deleteContact(second, as: .token(1), version: nil)
            #expect(try await !door.tally(pause: 60), "there is something, and it is too soon")
            let after: JSON = ["contacts": 1, "new": 2, "edited": 1, "deleted": 1, "orders": 1]
            #expect(try await counted(after) == after)
            await #expect(throws: PostgresError.self) {
                try await door.rows("SELECT \(door.table("tally"))(interval '0')", as: .token(1))
            }
        }
    }

    /// Figures are of every contact: who sees some of them sees none of these.
    @Test func onlyWhoSeesEveryContactIsTold() async throws {
        try await withTenant { door in
            let cluster = try await TestCluster.shared.value
            try await cluster.provisioner.setOwner(
                of: door.tenant, email: "boss@shop.example", password: "a long passphrase")
            let boss = Actor.staff(try await door.rows("SELECT account FROM \(door.table("staff"))")[0].get(0))
            var person = StaffEdit()
            (person.name, person.role) = ("Ola", 3)
            let ola = try await door.invite(as: boss, email: "ola@shop.example", person).id
            _ = try await door.createContact(as: .staff(ola), fields: ["given_name": "Ada"])
            _ = try await door.tally(pause: 0)
            #expect(try await today(door, as: boss)?["contacts"] == 1)
            #expect(try await today(door, as: .staff(ola)) == nil)
            #expect(try await today(door, as: .connector(1)) == nil)
        }
    }
}
