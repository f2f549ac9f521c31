import ConnectorKit
import Hub
import Logging
import Postgres
import Relay
import TestKit
import Testing

@testable import Store

/// The loops end to end, against a remote in memory.
@Suite(.serialized, .inTurn) struct RelayTests {
    private func relay(
        _ tenant: TenantDatabase, _ change: (inout Relay.Options) -> Void = { _ in }
    ) async throws -> Relay {
        let cluster = try await TestCluster.shared.value
        var log = Logger(label: "relay test")
        log.logLevel = .critical
        var options = Relay.Options()
        // no rescan helps: what is tested is woken by rings
        (options.rescan, options.firstDelay) = (3600, 0.2)
        // the tenants of other tests are none of its business
        options.only = [tenant.tenant.id]
        change(&options)
        return Relay(
            node: cluster.node, links: Links(kinds: [MemoryConnector.self], http: HTTPClient(), log: log),
            options: options, log: log)
    }

    /// Runs a relay while `body` does.
    private func running(_ relays: [Relay], _ body: () async throws -> Void) async throws {
        let tasks = relays.map { relay in Task { await relay.run() } }
        try await Task.sleep(for: .milliseconds(200))
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        try outcome.get()
    }

    /// Demands that something comes true, by default in a time that no busy machine takes.
    private func soon(
        within seconds: Double = 120, at place: SourceLocation = #_sourceLocation, _ holds: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while try await !holds() {
            guard ContinuousClock.now < end else {
                Issue.record("it did not come true in \(seconds) s", sourceLocation: place)
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func state(_ tenant: TenantDatabase) async throws -> JSON {
        try JSON(
            parsing: await tenant.deliveries(
                state: nil, connector: nil, after: (0, 0), limit: 500, as: .token(1)
            ).json)
    }

    @Test func changeArrivesWithinASecond() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            _ = try await tenant.connector("crm", pushes: ["all": []], remote: remote)
            try await running([relay(tenant)]) {
                let made = try await tenant.createContact(
                    as: .token(1), fields: ["given_name": "Ada", "emails": [["value": "a@example.org"]]])
                // the first one also prepares connections and plans
                try await soon { remote.records.count == 1 }
                #expect(
                    remote.records.first?.values["first"] == "Ada"
                        && remote.records.first?.key == tenant.key(ofContact: made.id))
                _ = try await tenant.editContact(made.id, as: .token(1), version: nil, changes: ["given_name": "Eva"])
                try await soon(within: 1) { remote.records.first?.values["first"] == "Eva" }
                try await tenant.deleteContact(made.id, as: .token(1), version: nil)
                try await soon(within: 1) { remote.records.isEmpty }
            }
        }
    }

    @Test func brokenRemoteIsTriedAgainSoon() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            remote.fail(.broken, .broken)
            // slow enough for the dispatcher to look while the call is under way
            remote.slow(0.6)
            _ = try await tenant.connector("crm", pushes: ["all": []], remote: remote)
            try await running([relay(tenant)]) {
                _ = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ada"])
                try await soon { remote.records.count == 1 }
                try await soon { try await state(tenant)[0]?["state"] == "done" }
                #expect(
                    try await tenant.number(
                        "SELECT count(*) FROM \(tenant.table("attempt")) WHERE outcome = 'retry' AND code = 'http_500'")
                        == 2)
            }
        }
    }

    @Test func effectWithoutAnswerIsNotDoubled() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            remote.fail(.unansweredAfterEffect)
            _ = try await tenant.connector("crm", pushes: ["all": []], remote: remote)
            try await running([relay(tenant)]) {
                _ = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ada"])
                try await soon { try await state(tenant)[0]?["state"] == "done" }
            }
            #expect(remote.created.count == 1 && remote.records.count == 1)
        }
    }

    @Test func deletedWhileNobodyKnowsIsDeletedThere() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            remote.fail(.unansweredAfterEffect)
            _ = try await tenant.connector("crm", pushes: ["all": []], remote: remote)
            try await running([relay(tenant) { $0.firstDelay = 1 }]) {
                let made = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ada"])
                try await soon { remote.records.count == 1 }
                try await tenant.deleteContact(made.id, as: .token(1), version: nil)
                try await soon { remote.records.isEmpty }
                try await soon { try await state(tenant)[0]?["state"] == "done" }
            }
        }
    }

    /// Nobody polls here: the push itself finds the edit, and both come through.
    @Test func editThereIsMergedBeforeThePush() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            _ = try await tenant.connector("crm", pushes: ["all": []], remote: remote)
            try await running([relay(tenant)]) {
                let made = try await tenant.createContact(
                    as: .token(1), fields: ["given_name": "Ada", "family_name": "Berg"])
                try await soon { try await state(tenant)[0]?["state"] == "done" }
                remote.put(try #require(remote.records.first).id, ["last": "Tal"])
                _ = try await tenant.editContact(made.id, as: .token(1), version: nil, changes: ["given_name": "Eva"])
                try await soon { remote.records.first?.values["first"] == "Eva" }
                #expect(remote.records.first?.values["last"] == "Tal")
                #expect(try await tenant.fields(made.id)["family_name"] == "Tal")
            }
        }
    }

    /// The remote knows no conditional writes. The name was the same in both already, so the push did not write it.
    @Test func whatIsWrittenThereDuringAPushIsNotTakenForKontors() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            _ = try await tenant.connector("crm", pushes: ["all": []], remote: remote)
            let made = try await tenant.createContact(
                as: .token(1), fields: ["given_name": "Ada", "family_name": "Berg"])
            try await running([relay(tenant)]) {
                try await soon { try await state(tenant)[0]?["state"] == "done" }
            }
            let there = try #require(remote.records.first).id
            remote.put(there, ["last": "Tal"])
            remote.meanwhile(there, ["last": "Dal"])
            _ = try await tenant.editContact(
                made.id, as: .token(1), version: nil, changes: ["given_name": "Eva", "family_name": "Tal"])
            try await running([relay(tenant)]) {
                try await soon { remote.records.first?.values["first"] == "Eva" }
                try await soon { try await state(tenant)[0]?["state"] == "done" }
                #expect(remote.records.first?.values["last"] == "Dal")
                _ = try await tenant.editContact(made.id, as: .token(1), version: nil, changes: ["given_name": "Ida"])
                try await soon { remote.records.first?.values["first"] == "Ida" }
                #expect(remote.records.first?.values["last"] == "Dal", "what somebody wrote there stays")
                #expect(try await tenant.fields(made.id)["family_name"] == "Dal")
            }
        }
    }

    @Test func nobodyCallsBeforeRetryAfterEnds() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            _ = try await tenant.connector("crm", pushes: ["all": []], remote: remote)
            _ = try await tenant.merge((0..<6).map { ["given_name": .string("N\($0)")] })
            remote.fail(.busy(retryAfter: 1.5))
            try await running([relay(tenant)]) {
                tenant.ring()
                try await soon { remote.records.count == 6 }
            }
            let times = remote.pushTimes
            try #require(times.count > 1)
            #expect(times[1] - times[0] >= .milliseconds(1450), "the rest of the batch waits too")
            #expect(times[1] - times[0] < .seconds(30), "and it goes on then, not at the next look at everything")
        }
    }

    @Test func lockedStopsTheConnectorUntilMended() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            let crm = try await tenant.connector("crm", pushes: ["all": []], remote: remote)
            _ = try await tenant.merge((0..<3).map { ["given_name": .string("N\($0)")] })
            remote.fail(.locked)
            try await running([relay(tenant)]) {
                tenant.ring()
                try await soon { try await tenant.connector(crm.id)?.state == "locked" }
                try await Task.sleep(for: .milliseconds(600))
                #expect(remote.pushTimes.count == 1)
                var edit = ConnectorEdit()
                edit.settings = ["api_key": "new"]
                try await tenant.editConnector(crm.id, as: .token(1), manifest: MemoryConnector.manifest, edit)
                tenant.ring()
                try await soon { remote.records.count == 3 }
            }
        }
    }

    @Test func restartsAndTwinsNeitherLoseNorDouble() async throws {
        try await withTenant { tenant in
            let remote = MemoryRemote()
            remote.slow(0.005)
            _ = try await tenant.connector("crm", pushes: ["all": []], remote: remote)
            for round in 0..<4 {
                for number in 0..<15 {
                    _ = try await tenant.createContact(
                        as: .token(1), fields: ["given_name": .string("N\(round)-\(number)")])
                }
                // stopped in the middle of its work
                try await running([relay(tenant), relay(tenant)]) {
                    tenant.ring()
                    try await Task.sleep(for: .milliseconds(60))
                }
            }
            try await running([relay(tenant), relay(tenant)]) {
                tenant.ring()
                try await soon { remote.records.count == 60 }
            }
            #expect(Set(remote.created).count == 60 && remote.created.count == 60)
        }
    }

    @Test func pollsTakeInAndRouteOn() async throws {
        try await withTenant { tenant in
            let shop = MemoryRemote()
            let crm = MemoryRemote()
            for number in 0..<120 {
                shop.put("s\(number)", ["first": .string("N\(number)"), "mails": [.string("n\(number)@example.org")]])
            }
            let source = try await tenant.connector("shop", pushes: ["all": []], remote: shop)
            _ = try await tenant.connector("crm", pushes: ["all": []], remote: crm)
            try await running([relay(tenant)]) {
                _ = try await tenant.createRun(as: .token(1), kind: "poll", plugin: source.pull, connector: source.id)
                try await soon { crm.records.count == 120 }
                #expect(shop.pushTimes.isEmpty, "nothing goes back to where it came from")
                shop.put("s7", ["first": "Changed"])
                shop.remove("s8")
                _ = try await tenant.createRun(as: .token(1), kind: "poll", plugin: source.pull, connector: source.id)
                try await soon { crm.records.contains { $0.values["first"] == "Changed" } }
                #expect(
                    try await tenant.number(
                        "SELECT count(*) FROM \(tenant.table("binding")) WHERE connector = \(source.id) AND gone_at IS NOT NULL"
                    ) == 1)
            }
        }
    }

    @Test func largeChangesWaitForApproval() async throws {
        try await withTenant { tenant in
            let merged = (0..<5).map { ["given_name": .string("N\($0)")] as JSON }
            let run = try await tenant.createRun(
                as: .token(1), kind: "csv", params: ["max_changes": 3], state: "staging")
            let reader = try await tenant.rowReader(mapping: nil, as: .token(1))
            try await tenant.stage(
                merged.enumerated().map { reader.row(line: Int64($0 + 1), values: $1) }, run: run, as: .token(1))
            try await running([relay(tenant)]) {
                try await tenant.queueStaged(run: run, counts: [:], as: .token(1))
                try await soon { try await runState(tenant, run) == "awaiting_approval" }
                #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("contact"))") == 0)
                try await tenant.approve(run, as: .token(1))
                try await soon { try await runState(tenant, run) == "done" }
                #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("contact"))") == 5)
                await #expect(throws: Failure.self) { try await tenant.approve(run, as: .token(1)) }
            }
        }
    }

    @Test func aPoisonedRunFailsAndTheNextGoesOn() async throws {
        try await withTenant { tenant in
            _ = try await tenant.createRun(as: .token(1), kind: "undo", params: ["run": "none"])
            let bad = try await tenant.createRun(as: .token(1), kind: "nonsense")
            let remote = MemoryRemote()
            remote.put("1", ["first": "Ada"])
            let crm = try await tenant.connector("crm", remote: remote)
            let good = try await tenant.createRun(as: .token(1), kind: "poll", plugin: crm.pull, connector: crm.id)
            try await running([relay(tenant)]) {
                tenant.ring()
                try await soon { try await runState(tenant, good) == "done" }
                #expect(try await runState(tenant, bad) == "failed")
            }
        }
    }

    private func runState(_ tenant: TenantDatabase, _ run: Int64) async throws -> String? {
        try JSON(parsing: await tenant.runJSON(run, as: .token(1)))["state"]?.string
    }
}
