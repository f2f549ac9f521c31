import ConnectorKit
import Hub
import Logging
import Postgres
import Relay
import TestKit
import Testing

@testable import Store

/// Looking before a poll leaps: dry runs, the limit above which it waits for approval, mappings tried on live records.
@Suite(.inTurn) struct PollGuardTests {
    private func run(_ id: Int64, _ tenant: TenantDatabase) async throws -> JSON {
        try JSON(parsing: await tenant.runJSON(id, as: .token(1)))
    }

    /// Lets a relay work until a run has one of some states.
    private func finish(_ id: Int64, _ tenant: TenantDatabase, _ states: [String] = ["done", "failed"]) async throws
        -> JSON
    {
        let cluster = try await TestCluster.shared.value
        var log = Logger(label: "poll guard test")
        log.logLevel = .critical
        var options = Relay.Options()
        options.only = [tenant.tenant.id]
        let relay = Relay(
            node: cluster.node, links: Links(kinds: [MemoryConnector.self], http: HTTPClient(), log: log),
            options: options, log: log)
        let working = Task { await relay.run() }
        let end = ContinuousClock.now + .seconds(10)
        var state = try await run(id, tenant)
        while !states.contains(state["state"]?.string ?? ""), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(20))
            state = try await run(id, tenant)
        }
        working.cancel()
        await working.value
        #expect(states.contains(state["state"]?.string ?? ""), "\(state.text)")
        return state
    }

    private func people(_ numbers: Range<Int>, at remote: MemoryRemote) {
        for number in numbers {
            remote.put("p\(number)", ["first": .string("P\(number)"), "mails": [.string("p\(number)@example.org")]])
        }
    }

    private func contacts(_ tenant: TenantDatabase) async throws -> Int {
        try await tenant.number("SELECT count(*)::int FROM \(tenant.table("contact")) WHERE deleted_at IS NULL")
    }

    @Test func aDryPollTellsAllAndDoesNothing() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            let crm = try await tenant.connector("crm", remote: remote)
            _ = try await tenant.connector("other", pushes: ["all": []])
            people(0..<3, at: remote)
            let known = try await tenant.createContact(
                as: .token(1), fields: ["family_name": "Old", "emails": [["value": "p0@example.org"]]])
            let before = try await tenant.pullPlugin(crm.pull)?.cursor
            let id = try await tenant.runPlugin(crm.pull, as: .token(1), isDry: true)
            let state = try await finish(id, tenant)
            #expect(state["counts"]?["preview"]?["new"] == 2)
            #expect(state["counts"]?["preview"]?["changed"] == 1)
            #expect(state["counts"]?["effects"]?["other/contacts.push"]?["accepted"] == 3)
            let samples = state["params"]?["samples"]?.array ?? []
            #expect(samples.count == 3)
            #expect(samples.contains { $0["contact"]?.int == known.id && $0["verdict"] == "changed" })
            #expect(try await contacts(tenant) == 1)
            #expect(try await tenant.pullPlugin(crm.pull)?.cursor == before)
            #expect(try await tenant.number("SELECT count(*)::int FROM \(tenant.table("stage"))") == 0)
            #expect(try await tenant.number("SELECT count(*)::int FROM \(tenant.table("binding"))") == 0)
        }
    }

    @Test func aDryPollOfEverythingTellsWhatIsMissingThere() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            let crm = try await tenant.connector("crm", remote: remote)
            people(0..<4, at: remote)
            _ = try await finish(tenant.runPlugin(crm.pull, as: .token(1)), tenant)
            for number in 1..<4 { remote.remove("p\(number)") }
            _ = try await tenant.rows("UPDATE \(tenant.table("plugin")) SET cursor = NULL WHERE id = \(crm.pull)")
            let state = try await finish(tenant.runPlugin(crm.pull, as: .token(1), isDry: true), tenant)
            #expect(state["counts"]?["preview"]?["unlinked"] == 3)
            #expect(
                try await tenant.number("SELECT count(*)::int FROM \(tenant.table("binding")) WHERE gone_at IS NULL")
                    == 4)
        }
    }

    @Test func aPollThatWouldChangeTooMuchWaitsForApproval() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            let crm = try await tenant.connector("crm", remote: remote)
            try await tenant.editPlugin(crm.pull, as: .token(1), PluginEdit(everySeconds: 10, maxChanges: 5))
            people(0..<6, at: remote)
            let id = try await tenant.runPlugin(crm.pull, as: .token(1))
            let waiting = try await finish(id, tenant, ["awaiting_approval", "done"])
            #expect(waiting["state"] == "awaiting_approval")
            #expect(waiting["message"]?.string?.contains("6") == true)
            #expect(try await contacts(tenant) <= 5)
            // the schedule does not go round it, and nothing spins while it waits
            _ = try await tenant.rows("UPDATE \(tenant.table("plugin")) SET next_at = now() - interval '1 hour'")
            #expect(try await tenant.queueDuePolls() == 0)
            #expect(try await tenant.nextDue() > 1000)
            // a look is possible meanwhile
            let dry = try await finish(tenant.runPlugin(crm.pull, as: .token(1), isDry: true), tenant)
            #expect((dry["counts"]?["preview"]?["new"]?.int ?? 0) >= 1)
            try await tenant.approve(id, as: .token(1))
            #expect(try await finish(id, tenant)["state"] == "done")
            #expect(try await contacts(tenant) == 6)
        }
    }

    @Test func aRunThatGoesOnKeepsItsReport() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            let crm = try await tenant.connector("crm", remote: remote)
            // what is refused on the first page stays for the report, by its line
            remote.put("bad", ["first": "Bad", "mails": ["no address"]])
            people(0..<(MemoryConnector.pageSize + 5), at: remote)
            let id = try await tenant.runPlugin(crm.pull, as: .token(1), maxChanges: Int64(MemoryConnector.pageSize))
            let waiting = try await finish(id, tenant, ["awaiting_approval", "done", "failed"])
            #expect(waiting["state"] == "awaiting_approval")
            let kept = try await tenant.number("SELECT count(*)::int FROM \(tenant.table("stage")) WHERE run = \(id)")
            #expect(kept > 0)
            try await tenant.approve(id, as: .token(1))
            #expect(try await finish(id, tenant)["state"] == "done")
            #expect(try await contacts(tenant) >= MemoryConnector.pageSize + 5)
            #expect(
                try await tenant.number("SELECT count(*)::int FROM \(tenant.table("stage")) WHERE run = \(id)") == kept)
        }
    }

    @Test func aRunGivenUpLetsTheNextOneIn() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            let crm = try await tenant.connector("crm", remote: remote)
            people(0..<3, at: remote)
            let id = try await tenant.runPlugin(crm.pull, as: .token(1), maxChanges: 1)
            _ = try await finish(id, tenant, ["awaiting_approval"])
            try await tenant.cancelRun(id, as: .token(1))
            #expect(try await run(id, tenant)["state"] == "failed")
            await #expect(throws: Failure.self) { try await tenant.cancelRun(id, as: .token(1)) }
            _ = try await finish(tenant.runPlugin(crm.pull, as: .token(1)), tenant)
            #expect(try await contacts(tenant) == 3)
        }
    }

    @Test func aMappingIsTriedOnLiveRecords() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            let crm = try await tenant.connector("crm", pushes: ["all": []], remote: remote)
            remote.put("r1", ["first": "ADA", "mail": "not an address"])
            let mapping: JSON = [
                "rules": [["hub": "family_name", "remote": "first"], ["hub": "emails[0].value", "remote": "mail"]]
            ]
            let inward = try await finish(
                tenant.tryMapping(plugin: crm.pull, mapping: mapping, records: 5, as: .token(1)), tenant)
            let sample = inward["params"]?["samples"]?[0]
            #expect(sample?["remote"]?["first"] == "ADA" && sample?["fields"]?["family_name"] == "ADA")
            #expect(sample?["problems"]?.array?.isEmpty == false)
            #expect(try await contacts(tenant) == 0)
            let made = try await tenant.createContact(as: .token(1), fields: ["family_name": "Lovelace"])
            let outward = try await finish(
                tenant.tryMapping(plugin: crm.push, mapping: mapping, records: 5, as: .token(1)), tenant)
            let out = outward["params"]?["samples"]?.array?.first { $0["contact"]?.int == made.id }
            #expect(out?["remote"]?["first"] == "Lovelace")
            // a mistake is told before anything moves
            let wrong: JSON = ["rules": [["hub": "no_such_field", "remote": "x"]]]
            await #expect(throws: Failure.self) {
                try await tenant.tryMapping(plugin: crm.pull, mapping: wrong, records: 5, as: .token(1))
            }
        }
    }
}
