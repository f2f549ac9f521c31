import Hub
import Postgres
import TestKit
import Testing

@testable import Store

@Suite(.inTurn) struct DeliveryTests {
    /// A tenant with one pushing connector and one contact that is due there.
    private func due(_ tenant: TenantDatabase, name: String = "Ada") async throws -> (
        connector: TestConnector, contact: Int64
    ) {
        let crm = try await tenant.connector("crm", pushes: ["all": []])
        let made = try await tenant.createContact(
            as: .token(1), fields: ["given_name": .string(name), "notes": "secret"])
        _ = try await tenant.routeAll()
        return (crm, made.id)
    }

    private func delivery(_ tenant: TenantDatabase) async throws -> JSON {
        try #require(
            try JSON(
                parsing: await tenant.deliveries(
                    state: nil, connector: nil, after: (0, 0), limit: 10, as: .token(1)
                ).json)[
                    0])
    }

    private func done(_ claim: ClaimedDelivery, _ remote: String, agreed: JSON = [:]) -> DeliveryResult {
        var result = DeliveryResult(claim, .done)
        (result.remoteID, result.agreed) = (remote, agreed)
        return result
    }

    @Test func attemptIsOnRecordBeforeItEnds() async throws {
        try await withTenant { tenant in
            let (crm, contact) = try await due(tenant)
            let plugin = try await tenant.duePlugin(crm)
            let claim = try #require(try await tenant.claim(plugin, limit: 10, lease: 60).first)
            #expect(
                claim.record == contact && claim.attempts == 1 && !claim.isUnsure
                    && claim.document?["given_name"] == "Ada")
            #expect(
                try await tenant.number(
                    "SELECT count(*) FROM \(tenant.table("attempt")) WHERE outcome IS NULL AND ended_at IS NULL") == 1)
            #expect(try await tenant.claim(plugin, limit: 10, lease: 60).isEmpty, "held by one")
            #expect(try await tenant.finish(plugin, [done(claim, "r1")], maxAttempts: 3) == 1)
            #expect(
                try await tenant.number("SELECT count(*) FROM \(tenant.table("attempt")) WHERE outcome = 'done'") == 1)
            #expect(try await delivery(tenant)["state"] == "done")
            #expect(try await tenant.bound(crm, "r1") == contact)
        }
    }

    /// The remote may hold what was sent without a certain end, and nothing else.
    @Test func onlyUncertainAttemptsAreRemembered() async throws {
        try await withTenant { tenant in
            let (crm, contact) = try await due(tenant)
            let plugin = try await tenant.duePlugin(crm)
            func attempt(_ name: String, _ outcome: DeliveryResult.Outcome) async throws -> [String] {
                _ = try await tenant.editContact(
                    contact, as: .token(1), version: nil, changes: ["given_name": .string(name)])
                let claim = try #require(try await tenant.claim(plugin, limit: 1, lease: 60).first)
                _ = try await tenant.finish(plugin, [DeliveryResult(claim, outcome)], maxAttempts: 99)
                let sent = try await tenant.rows("SELECT sent::text FROM \(tenant.table("delivery"))")[0]
                return try (JSON(text: sent.get(0)).array ?? []).compactMap { $0["given_name"]?.string }
            }
            #expect(try await attempt("Eva", .retry) == [])
            #expect(try await attempt("Ida", .unsure) == ["Ida"])
            for number in 0..<30 { #expect(try await attempt("N\(number)", .unsent) == ["Ida"]) }
            #expect(try await attempt("Zoe", .unsure) == ["Zoe", "Ida"])
            #expect(try await attempt("Zoe", .done) == ["Zoe", "Ida"], "a late report may still show them")
            _ = try await tenant.routeAll()
            #expect(try await attempt("Ada", .done) == [])
        }
    }

    @Test func lateFinisherChangesNothing() async throws {
        try await withTenant { tenant in
            let (crm, contact) = try await due(tenant)
            let plugin = try await tenant.duePlugin(crm)
            let late = try #require(try await tenant.claim(plugin, limit: 10, lease: -1).first)
            let next = try #require(try await tenant.claim(plugin, limit: 10, lease: 60).first)
            #expect(next.isUnsure, "the first attempt's end is not known")
            #expect(next.fence == late.fence + 1)
            #expect(
                try await tenant.finish(plugin, [done(next, "r2", agreed: ["given_name": "Ada"])], maxAttempts: 3) == 1)
            let before = try await delivery(tenant)
            #expect(
                try await tenant.finish(plugin, [done(late, "r1", agreed: ["given_name": "old"])], maxAttempts: 3) == 0)
            var gone = DeliveryResult(late, .gone)
            gone.code = "gone"
            #expect(try await tenant.finish(plugin, [gone], maxAttempts: 3) == 0)
            #expect(try await delivery(tenant) == before)
            let binding = try await tenant.rows(
                "SELECT record, remote_id, agreed, gone_at IS NULL AS here FROM \(tenant.table("binding"))")
            #expect(binding.count == 1)
            #expect(
                try binding[0].get("remote_id") == "r2" && binding[0].get("here") == true
                    && binding[0].get("record") == contact)
            #expect(try JSON(text: binding[0].get("agreed")) == ["given_name": "Ada"])
        }
    }

    /// The record was read in a newer state while the attempt was under way.
    @Test func whatWasTakenInMeanwhileIsNotUndone() async throws {
        try await withTenant { tenant in
            let (crm, contact) = try await due(tenant)
            let plugin = try await tenant.duePlugin(crm)
            func end(_ agreed: JSON, at: String, meanwhile: () async throws -> Void = {}) async throws {
                let claim = try #require(try await tenant.claim(plugin, limit: 1, lease: 60).first)
                try await meanwhile()
                var result = done(claim, "r1", agreed: agreed)
                result.remoteAt = at
                #expect(try await tenant.finish(plugin, [result], maxAttempts: 3) == 1)
            }
            func agreed() async throws -> JSON {
                try JSON(
                    text: await tenant.rows("SELECT agreed::text FROM \(tenant.table("binding"))")[0].get(0))
            }
            _ = try await tenant.editContact(contact, as: .token(1), version: nil, changes: ["family_name": "Berg"])
            _ = try await tenant.routeAll()
            try await end(["given_name": "Ada", "family_name": "Berg"], at: "2026-01-01T00:00:10Z")
            _ = try await tenant.editContact(contact, as: .token(1), version: nil, changes: ["family_name": nil])
            _ = try await tenant.routeAll()
            try await end(["family_name": nil], at: "2026-01-01T00:00:20Z")
            #expect(try await agreed() == ["given_name": "Ada"], "what was emptied is no longer agreed on")
            _ = try await tenant.editContact(contact, as: .token(1), version: nil, changes: ["family_name": "Tal"])
            _ = try await tenant.routeAll()
            try await end(["given_name": "Ada"], at: "2026-01-01T00:00:30Z") {
                _ = try await tenant.take(
                    crm, [incoming("r1", ["first": "Eva"], at: "2026-01-01T00:00:40Z")])
            }
            #expect(try await agreed() == ["given_name": "Eva"])
            #expect(try await tenant.fields(contact)["given_name"] == "Eva")
        }
    }

    @Test func newerChangeWhileLeasedStaysDue() async throws {
        try await withTenant { tenant in
            let (crm, contact) = try await due(tenant)
            let plugin = try await tenant.duePlugin(crm)
            let claim = try #require(try await tenant.claim(plugin, limit: 10, lease: 60).first)
            _ = try await tenant.editContact(contact, as: .token(1), version: nil, changes: ["given_name": "Eva"])
            _ = try await tenant.routeAll()
            _ = try await tenant.finish(plugin, [done(claim, "r1")], maxAttempts: 3)
            #expect(try await delivery(tenant)["state"] == "due")
            let again = try #require(try await tenant.claim(plugin, limit: 10, lease: 60).first)
            #expect(again.document?["given_name"] == "Eva" && again.remoteID == "r1")
            _ = try await tenant.finish(plugin, [done(again, "r1")], maxAttempts: 3)
            #expect(try await delivery(tenant)["state"] == "done")
        }
    }

    /// Edits and routing race with claims: what is called delivered is the newest state.
    @Test func racingEditsAreNeverCalledDelivered() async throws {
        try await withTenant { tenant in
            let (crm, contact) = try await due(tenant)
            let plugin = try await tenant.duePlugin(crm)
            async let writer: Void = {
                for number in 0..<150 {
                    _ = try await tenant.editContact(
                        contact, as: .token(1), version: nil, changes: ["given_name": .string("N\(number)")])
                    _ = try await tenant.route(batch: 10, passes: 1) { _ in }
                }
            }()
            var last: JSON?
            var isWriting = true
            let written = Task { [tenant] in
                while try await tenant.fields(contact)["given_name"] != "N149" {
                    try await Task.sleep(for: .milliseconds(1))
                }
            }
            while true {
                let claims = try await tenant.claim(plugin, limit: 10, lease: 60)
                for claim in claims {
                    last = claim.document?["given_name"]
                    _ = try await tenant.finish(plugin, [done(claim, "r1")], maxAttempts: 3)
                }
                if !isWriting && claims.isEmpty { break }
                if isWriting, last == "N149" || claims.isEmpty {
                    let state = try await tenant.fields(contact)["given_name"]
                    if state == "N149" {
                        try await writer
                        try await written.value
                        _ = try await tenant.routeAll()
                        isWriting = false
                    }
                }
            }
            #expect(last == "N149")
        }
    }

    @Test func refusedIsDeadUntilRetriedByHand() async throws {
        try await withTenant { tenant in
            let (crm, contact) = try await due(tenant)
            let plugin = try await tenant.duePlugin(crm)
            let claim = try #require(try await tenant.claim(plugin, limit: 10, lease: 60).first)
            _ = try await tenant.finish(
                plugin, [DeliveryResult(claim, .refused, code: "http_422", message: "mails: is taken")], maxAttempts: 3)
            #expect(try await delivery(tenant)["state"] == "dead")
            #expect(try await delivery(tenant)["message"] == "mails: is taken")
            #expect(try await tenant.duePlugins().isEmpty)
            #expect(
                try await tenant.retryDeliveries(connector: crm.id, code: "http_500", record: nil, as: .token(1)) == 0)
            #expect(try await tenant.retryDeliveries(connector: crm.id + 1, code: nil, record: nil, as: .token(1)) == 0)
            #expect(
                try await tenant.retryDeliveries(connector: nil, code: "http_422", record: contact, as: .token(1)) == 1)
            let again = try #require(try await tenant.claim(plugin, limit: 10, lease: 60).first)
            #expect(again.attempts == 1)
            // attempts run out
            _ = try await tenant.finish(plugin, [DeliveryResult(again, .retry, code: "http_500")], maxAttempts: 2)
            let second = try #require(try await tenant.claim(plugin, limit: 10, lease: 60).first)
            _ = try await tenant.finish(plugin, [DeliveryResult(second, .retry, code: "http_500")], maxAttempts: 2)
            #expect(try await delivery(tenant)["state"] == "dead")
            // what was not sent is as it was
            _ = try await tenant.retryDeliveries(connector: nil, code: nil, record: nil, as: .token(1))
            let third = try #require(try await tenant.claim(plugin, limit: 10, lease: 60).first)
            _ = try await tenant.finish(plugin, [DeliveryResult(third, .unsent)], maxAttempts: 2)
            let state = try await delivery(tenant)
            #expect(state["state"] == "due" && state["attempts"] == 0 && state["unsure"] == false)
        }
    }

    @Test func remoteRecordOfAnotherContactIsRefusedAlone() async throws {
        try await withTenant { tenant in
            let (crm, first) = try await due(tenant)
            let second = try await tenant.createContact(as: .token(1), fields: ["given_name": "Eva"])
            let third = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ida"])
            _ = try await tenant.routeAll()
            let plugin = try await tenant.duePlugin(crm)
            let claims = try await tenant.claim(plugin, limit: 10, lease: 60)
            _ = try await tenant.finish(
                plugin, [done(claims[0], "r1"), done(claims[1], "r1"), done(claims[2], "r3")], maxAttempts: 3)
            let states = try JSON(
                parsing: await tenant.deliveries(
                    state: nil, connector: nil, after: (0, 0), limit: 10, as: .token(1)
                ).json)
            #expect(states.array?.map { $0["state"] } == ["done", "dead", "done"])
            #expect(states[1]?["code"] == "remote_taken" && states[1]?["record"] == .int(second.id))
            #expect(try await tenant.bound(crm, "r1") == first)
            #expect(try await tenant.bound(crm, "r3") == third.id)
        }
    }

    @Test func budgetIsSharedAndNeverExceeded() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm")
            _ = try await tenant.rows(
                "UPDATE \(tenant.table("budget")) SET per_second = 20, burst = 5, tokens = 5, filled_at = clock_timestamp() WHERE connector = \(crm.id)"
            )
            let began = ContinuousClock.now
            let granted = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        var sum = 0
                        while ContinuousClock.now - began < .milliseconds(sum < 9 ? 60_000 : 800) {
                            let answer = try await tenant.takeBudget(connector: crm.id, wanted: 3)
                            #expect(answer.granted <= 3 && (answer.granted > 0 || answer.wait > 0))
                            sum += answer.granted
                        }
                        return sum
                    }
                }
                return try await group.reduce(0, +)
            }
            let seconds =
                Double((ContinuousClock.now - began).components.seconds)
                + Double((ContinuousClock.now - began).components.attoseconds) / 1e18
            #expect(Double(granted) <= 5 + 20 * seconds)
            #expect(granted >= 18, "what there is, is granted")
            // closed: nothing, and how long
            try await tenant.noteRemote(connector: crm.id, closedFor: 30)
            let closed = try await tenant.takeBudget(connector: crm.id, wanted: 1)
            #expect(closed.granted == 0 && closed.wait > 5 && closed.wait <= 30)
            // a call that began before and ends well does not open it
            try await tenant.noteRemote(connector: crm.id, closedFor: nil)
            #expect(try await tenant.takeBudget(connector: crm.id, wanted: 1).granted == 0)
            // what was not used comes back, up to the burst
            _ = try await tenant.rows(
                "UPDATE \(tenant.table("budget")) SET closed_until = NULL, per_second = 0.001, tokens = 0 WHERE connector = \(crm.id)"
            )
            try await tenant.giveBack(9, connector: crm.id)
            #expect(try await tenant.takeBudget(connector: crm.id, wanted: 9).granted == 5)
        }
    }

    @Test func liveGoesBeforeBackfillAndClosedRemotesAreLeftAlone() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            _ = try await tenant.merge([["name": "Old 1"], ["name": "Old 2"]])
            _ = try await tenant.routeAll()
            let live = try await tenant.createContact(as: .token(1), fields: ["name": "New"])
            _ = try await tenant.routeAll()
            let plugin = try await tenant.duePlugin(crm)
            #expect(try await tenant.claim(plugin, limit: 1, lease: 60).first?.record == live.id)
            try await tenant.noteRemote(connector: crm.id, closedFor: 60)
            #expect(try await tenant.duePlugins().isEmpty)
            #expect(try await tenant.nextDue() > 50_000)
        }
    }

    @Test func aPersonOpensTheBreakerButNoPauseThatTheRemoteAskedFor() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            func wait() async throws -> Double { try await tenant.takeBudget(connector: crm.id, wanted: 1).wait }
            func retry() async throws {
                _ = try await tenant.retryDeliveries(connector: crm.id, code: nil, record: nil, as: .token(1))
            }
            try await tenant.noteRemote(connector: crm.id, closedFor: 50)
            #expect(try await wait() > 40)
            try await retry()
            #expect(try await wait() == 0)
            try await tenant.noteRemote(connector: crm.id, closedFor: 20, isAsked: true)
            try await tenant.noteRemote(connector: crm.id, closedFor: 50)
            #expect(try await wait() > 40)
            try await retry()
            let asked = try await wait()
            #expect(asked > 15 && asked <= 20)
        }
    }

    @Test func nothingToWaitForMeansNoHurry() async throws {
        try await withTenant { tenant in
            // on demand only, and a locked connector with a poll that is overdue
            _ = try await tenant.connector("quiet")
            let locked = try await tenant.connector("locked")
            try await tenant.editPlugin(locked.pull, as: .token(1), PluginEdit(everySeconds: 60))
            try await tenant.lock(connector: locked.id, reason: "no")
            #expect(try await tenant.nextDue() > 50_000)
        }
    }

    @Test func policyHidesRecordsAndFields() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            let open = try await tenant.createContact(
                as: .token(1), fields: ["given_name": "Ada", "notes": "secret", "tags": ["vip"]])
            let other = try await tenant.createContact(as: .token(1), fields: ["given_name": "Eva"])
            _ = try await tenant.routeAll()
            var policy = ConnectorEdit()
            (policy.visibleFacets, policy.hiddenFields) = (["tag:vip"], ["notes", "name"])
            try await tenant.editConnector(crm.id, as: .token(1), manifest: MemoryConnector.manifest, policy)
            let claims = try await tenant.claim(tenant.duePlugin(crm), limit: 10, lease: 60)
            #expect(claims.map(\.record) == [open.id, other.id])
            #expect(claims[0].document == ["given_name": "Ada", "tags": ["vip"]])
            #expect(claims[1].document == nil, "not seen, and not called deleted either")
            #expect(!claims[1].isDeleted)
        }
    }
}
