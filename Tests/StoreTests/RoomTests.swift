import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// A tenant that has as many contacts as it may.
@Suite(.inTurn) struct RoomTests {
    /// What is there goes on when a limit is reached; what is new waits for room.
    @Test func aLimitHoldsUpNewContactsAlone() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm")
            try await tenant.take(crm, [incoming("1", ["first": "Ada"], at: "2026-01-01T00:00:00Z")])
            let provisioner = try await TestCluster.shared.value.provisioner
            try await provisioner.setLimits(["contacts": 1], of: tenant.tenant)
            let counts = try await tenant.take(crm, [incoming("1", ["first": "Adela"], at: "2026-01-02T00:00:00Z")])
            #expect(counts.byVerdict["changed"] == 1)
            do {
                try await tenant.take(crm, [incoming("2", ["first": "Bo"], at: "2026-01-02T00:00:00Z")])
                Issue.record("there is no room")
            } catch { #expect(tenant.limit(error)?.code == "limit.contacts") }
            // out of the bin is as new
            let ada = try await tenant.bound(crm, "1")
            try await tenant.deleteContact(ada, as: .token(1), version: nil)
            do {
                try await tenant.restoreContact(ada, as: .token(1))
                Issue.record("there is no room")
            } catch let failure as Failure { #expect(failure.code == "limit.contacts") }
            try await provisioner.setLimits([:], of: tenant.tenant)
            try await tenant.restoreContact(ada, as: .token(1))
            for wrong: JSON in [["contacts": -1], ["calls": 3_000_000_000], ["orders": 1], ["staff": "x"]] {
                await #expect(throws: Failure.self) { try await provisioner.setLimits(wrong, of: tenant.tenant) }
            }
        }
    }
}
