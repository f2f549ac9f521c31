import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// How long contacts are kept.
@Suite(.inTurn) struct RetentionTests {
    private func contact(_ door: TenantDatabase, _ name: String, agedDays: Int = 0) async throws -> Int64 {
        let id = try await door.createContact(
            as: .token(1), fields: ["given_name": .string(name), "tags": ["client"]]
        ).id
        _ = try await door.rows(
            "UPDATE \(door.table("contact")) SET updated_at = now() - make_interval(days => \(agedDays)) WHERE id = \(id) RETURNING id"
        )
        return id
    }

    private func rule(_ door: TenantDatabase, _ change: (inout RetentionEdit) -> Void) async throws -> Int64 {
        var edit = RetentionEdit()
        (edit.name, edit.condition) = ("Old", ["unchanged_in_days": 1000])
        change(&edit)
        return try await door.createRetention(edit, as: .token(1))
    }

    private func set(_ door: TenantDatabase, _ id: Int64, _ state: String) async throws {
        var edit = RetentionEdit()
        edit.state = state
        try await door.editRetention(id, edit, as: .token(1))
    }

    /// Has the rules that are due work, as the relay does. The states that their runs ended in.
    private func pass(_ door: TenantDatabase) async throws -> [String] {
        _ = try await door.queueDueRetention()
        var states: [String] = []
        while let run = try await door.claimRun(lease: 60) {
            do {
                try await door.applyRetention(run, lease: 60)
                try await door.end(run, state: "done")
                states.append("done")
            } catch let tooMany as TooManyEnd {
                try await door.hold(run, tooMany)
                states.append("awaiting \(tooMany.due)")
            }
        }
        return states
    }

    private func living(_ door: TenantDatabase) async throws -> [String] {
        try await door.rows("SELECT name FROM \(door.table("contact")) WHERE deleted_at IS NULL ORDER BY id").map {
            try $0.get("name")
        }
    }

    @Test func aRuleShowsWhomItIsAboutAndEndsThemOnceADay() async throws {
        try await withTenant { door in
            let old = try await contact(door, "Ada", agedDays: 1001)
            _ = try await contact(door, "Bea", agedDays: 999)
            let id = try await rule(door) { _ in }
            let preview = try await door.previewRetention(id, as: .token(1))
            #expect(preview["count"] == 1 && preview["items"]?.array?.first?["name"] == "Ada")
            #expect(try await pass(door) == [], "it is off")
            try await set(door, id, "on")
            #expect(try await pass(door) == ["done"])
            #expect(try await living(door) == ["Bea"])
            #expect(try await door.erasure(of: old, as: .token(1))["actor"] == "system")
            _ = try await contact(door, "Cid", agedDays: 2000)
            #expect(try await pass(door) == [], "once a day")
            _ = try await door.rows("UPDATE \(door.table("retention")) SET next_at = now() RETURNING id")
            #expect(try await pass(door) == ["done"])
            #expect(try await living(door) == ["Bea"])
        }
    }

    @Test func moreThanItMayWaitForSomebody() async throws {
        try await withTenant { door in
            for number in 0..<60 { _ = try await contact(door, "Ada\(number)", agedDays: 1001) }
            let id = try await rule(door) {
                $0.most = 5
                $0.action = "delete"
            }
            try await set(door, id, "on")
            #expect(try await pass(door) == ["awaiting 60"])
            #expect(try await living(door).count == 60)
            _ = try await door.rows("UPDATE \(door.table("retention")) SET next_at = now() RETURNING id")
            #expect(try await pass(door) == [], "one that waits is enough")
            let run: Int64 = try await door.rows("SELECT id FROM \(door.table("run")) WHERE kind = 'retention'")[0].get(
                0)
            try await door.approve(run, as: .token(1))
            #expect(try await pass(door).first == "done")
            #expect(try await living(door) == [])
            let counts: String = try await door.rows("SELECT counts::text FROM \(door.table("run")) WHERE id = \(run)")[
                0
            ].get(0)
            #expect(try JSON(text: counts)["deleted"] == 60)
        }
    }

    @Test func theBinIsEmptied() async throws {
        try await withTenant { door in
            let (old, new) = (try await contact(door, "Ada"), try await contact(door, "Bea"))
            for id in [old, new] { try await door.deleteContact(id, as: .token(1), version: nil) }
            _ = try await door.rows(
                "UPDATE \(door.table("contact")) SET updated_at = now() - interval '31 days' WHERE id = \(old) RETURNING id"
            )
            let id = try await rule(door) {
                $0.subject = "deleted"
                $0.condition = ["unchanged_in_days": 30]
            }
            try await set(door, id, "on")
            #expect(try await pass(door) == ["done"])
            #expect(try await door.erasure(of: old, as: .token(1))["contact"] == .int(old))
            await #expect(throws: Failure.self) { try await door.erasure(of: new, as: .token(1)) }
            // what is erased is not met again
            #expect(try await door.previewRetention(id, as: .token(1))["count"] == 0)
        }
    }

    @Test func rulesAreRefused() async throws {
        try await withTenant { door in
            func code(_ change: (inout RetentionEdit) -> Void) async throws -> String {
                do {
                    _ = try await rule(door, change)
                    return "made"
                } catch let failure as Failure { return failure.code }
            }
            #expect(try await code { $0.condition = ["all": []] } == "retention.everything")
            #expect(try await code { $0.condition = ["nothing": 1] } == "condition.invalid")
            #expect(try await code { $0.condition = ["change": ["new"]] } == "condition.needs_change")
            #expect(try await code { _ in } == "made")
            #expect(try await code { _ in } == "retention.exists")
            // a run whose rule was switched off meanwhile does nothing
            _ = try await contact(door, "Ada", agedDays: 1001)
            let id: Int64 = try await door.rows("SELECT id FROM \(door.table("retention"))")[0].get(0)
            try await set(door, id, "on")
            _ = try await door.queueDueRetention()
            try await set(door, id, "off")
            let run = try #require(try await door.claimRun(lease: 60))
            await #expect { try await door.applyRetention(run, lease: 60) } throws: {
                ($0 as? Failure)?.code == "retention.off"
            }
            #expect(try await living(door) == ["Ada"])
        }
    }

    /// An approval is for what was seen: not for more contacts, and not for another rule.
    @Test func anApprovalIsForWhatWasSeen() async throws {
        try await withTenant { door in
            for number in 0..<8 { _ = try await contact(door, "Ada\(number)", agedDays: 1001) }
            let id = try await rule(door) { $0.most = 5 }
            try await set(door, id, "on")
            #expect(try await pass(door) == ["awaiting 8"])
            let run: Int64 = try await door.rows("SELECT id FROM \(door.table("run")) WHERE kind = 'retention'")[0].get(
                0)
            _ = try await contact(door, "Late", agedDays: 1001)
            try await door.approve(run, as: .token(1))
            #expect(try await pass(door) == ["awaiting 9"], "one more than was approved")
            // another condition is another rule: off until it is switched on, and approved anew
            var edit = RetentionEdit()
            (edit.condition, edit.state) = (["unchanged_in_days": 900], "on")
            try await door.editRetention(id, edit, as: .token(1))
            #expect(try await door.retentionRule(id, as: .token(1))["state"] == "off")
            try await set(door, id, "on")
            try await door.approve(run, as: .token(1))
            #expect(try await pass(door) == ["awaiting 9"])
            try await door.approve(run, as: .token(1))
            #expect(try await pass(door).first == "done")
            #expect(try await living(door) == [])
        }
    }

    /// Killed midway it goes on, to what was allowed and no further; switched off midway it stops.
    @Test func aRunThatIsCutShortGoesOnAndOneThatIsSwitchedOffStops() async throws {
        try await withTenant { door in
            for number in 0..<6 { _ = try await contact(door, "Ada\(number)", agedDays: 1001) }
            let id = try await rule(door) { $0.most = 6 }
            try await set(door, id, "on")
            _ = try await door.queueDueRetention()
            let first = try #require(try await door.claimRun(lease: 60))
            try await door.applyRetention(first, lease: 60)
            // as if it had been killed before it was done, and many more are due by now
            for number in 0..<20 { _ = try await contact(door, "Bea\(number)", agedDays: 1001) }
            _ = try await door.rows(
                "UPDATE \(door.table("run")) SET leased_until = now() - interval '1 second' RETURNING id")
            let again = try #require(try await door.claimRun(lease: 60))
            #expect(again.id == first.id)
            try await door.applyRetention(again, lease: 60)
            #expect(try await living(door).count == 20)
            try await set(door, id, "off")
            await #expect { try await door.applyRetention(again, lease: 60) } throws: {
                ($0 as? Failure)?.code == "retention.off"
            }
            #expect(try await living(door).count == 20)
        }
    }

    /// A contact that has changed since the rule looked stays.
    @Test func whoCameBackStays() async throws {
        try await withTenant { door in
            let ids = try await [contact(door, "Ada", agedDays: 1001), contact(door, "Bea", agedDays: 1001)]
            let id = try await rule(door) { _ in }
            try await set(door, id, "on")
            _ = try await door.queueDueRetention()
            let run = try #require(try await door.claimRun(lease: 60))
            // the first is held up, so that the second changes between the look and its turn
            let cluster = try await TestCluster.shared.value
            let ended = try await door.transaction(as: .system) { session in
                _ = try await session.query("SELECT FROM \(door.table("contact")) WHERE id = \(ids[0]) FOR UPDATE")
                let ended = Task { try await door.applyRetention(run, lease: 60) }
                let waits: SQL = """
                    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                        AND query LIKE \("%\(door.tenant.schema)%FOR UPDATE%")) AS waits
                    """
                while try await !cluster.superuser.run(waits)[0][0].get("waits", as: Bool.self) {
                    try await Task.sleep(for: .milliseconds(5))
                }
                _ = try await door.editContact(ids[1], as: .token(1), version: nil, changes: ["language": "pl"])
                return ended
            }
            _ = try await ended.value
            #expect(try await living(door) == ["Bea"])
        }
    }
}
