import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// What is out of proportion is told, and a connector that does it is paused.
@Suite(.inTurn) struct WatchTests {
    /// Changes as they would have come, hours ago.
    private func changes(
        _ door: TenantDatabase, _ count: Int, _ kind: String, actor: String, origin: Int64? = nil, run: Int64? = nil,
        minutesAgo: Int
    ) async throws {
        _ = try await TestCluster.shared.value.superuser.run(
            """
            INSERT INTO \(door.table("change")) (entity, record, kind, version, fields, actor, origin, run, at)
            SELECT 'contact', i, \(kind), 1, '{}', \(actor), \(origin), \(run), now() - make_interval(mins => \(minutesAgo))
            FROM generate_series(1, \(count)) i
            """)
    }

    /// Looks until nothing that was committed before is held up by another test's transaction.
    private func seen(_ door: TenantDatabase) async throws -> Int {
        let superuser = try await TestCluster.shared.value.superuser
        let now: String = try await superuser.run("SELECT pg_current_xact_id()::text AS tx")[0][0].get("tx")
        while try await !superuser.run("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= \(now)::xid8 AS over")[0][0]
            .get("over", as: Bool.self)
        {
            try await Task.sleep(for: .milliseconds(10))
        }
        return try await door.watch(pause: 0)
    }

    private func alerts(_ door: TenantDatabase) async throws -> [String] {
        try await JSON(parsing: door.alerts(openOnly: true, limit: 100, as: .token(1))).array?.map {
            "\($0["who"]?.string ?? "") \($0["what"]?.string ?? "") \($0["count"]?.int ?? 0) \($0["usual"]?.int ?? 0)"
                + ($0["paused"] == true ? " paused" : "")
        } ?? []
    }

    @Test func whoDoesFarMoreThanEverIsTold() async throws {
        try await withTenant { door in
            let crm = try await door.connector("crm")
            // their past: Ada edits much, Bob little; the CRM deletes a few
            for day in 8...10 {
                try await changes(door, 300, "edited", actor: "staff:1", minutesAgo: day * 1440)
                try await changes(door, 10, "edited", actor: "staff:2", minutesAgo: day * 1440)
                try await changes(door, 4, "deleted", actor: "intake", origin: crm.id, minutesAgo: day * 1440)
            }
            #expect(try await seen(door) == 0)
            #expect(try await door.watch() == 0, "not again so soon")
            try await changes(door, 900, "edited", actor: "staff:1", minutesAgo: 2)
            try await changes(door, 600, "edited", actor: "staff:2", minutesAgo: 2)
            try await changes(door, 60, "deleted", actor: "intake", origin: crm.id, minutesAgo: 2)
            #expect(try await seen(door) == 2)
            #expect(
                try await Set(alerts(door)) == [
                    "staff:2 edited 600 10", "connector:\(crm.id) deleted 60 4 paused",
                ])
            let state: String = try await door.rows(
                "SELECT state || ': ' || state_reason FROM \(door.table("connector")) WHERE id = \(crm.id)")[0].get(0)
            #expect(
                state == "paused: paused by the watch: 60 contacts deleted within an hour, where the most before was 4")
            // told once an hour, counted once, and gone when seen
            #expect(try await door.watch(pause: 0) == 0)
            let first = try await JSON(parsing: door.alerts(openOnly: true, limit: 1, as: .token(1))).array?.first
            try await door.setSeen(alert: first?["id"]?.int ?? 0, as: .token(1))
            #expect(try await alerts(door).count == 1)
            await #expect(throws: Failure.self) { try await door.setSeen(alert: 99, as: .token(1)) }
        }
    }

    /// What had an approval of its own, and what only just began, is not held against anybody.
    @Test func importsAndFirstPollsAreNotCounted() async throws {
        try await withTenant { door in
            let crm = try await door.connector("crm")
            let csv = try await door.createRun(as: .token(1), kind: "csv", state: "done")
            let first = try await door.createRun(as: .system, kind: "poll", params: ["first": true], state: "done")
            let later = try await door.createRun(as: .system, kind: "poll", state: "done")
            try await changes(door, 5000, "edited", actor: "staff:1", run: csv, minutesAgo: 2)
            try await changes(door, 5000, "edited", actor: "intake", origin: crm.id, run: first, minutesAgo: 2)
            try await changes(door, 5000, "edited", actor: "system", minutesAgo: 2)
            let approved = try await door.createRun(
                as: .system, kind: "poll", params: ["approved": true], state: "done")
            try await changes(door, 5000, "edited", actor: "intake", origin: crm.id, run: approved, minutesAgo: 2)
            #expect(try await door.watch(pause: 0) == 0)
            try await changes(door, 5000, "edited", actor: "staff:3", run: later, minutesAgo: 2)
            #expect(try await seen(door) == 1)
            // a connector that is known for less than a week is told of, and goes on
            try await changes(door, 5000, "edited", actor: "intake", origin: crm.id, run: later, minutesAgo: 2)
            #expect(try await seen(door) == 1)
            #expect(try await alerts(door).first == "connector:\(crm.id) edited 5000 0")
        }
    }

    @Test func readsExportsAndFailuresAreCounted() async throws {
        try await withTenant { door in
            let crm = try await door.connector("crm", pushes: ["tag": "client"])
            let numbers = JSON.array((1...1000).map { .int($0) })
            for _ in 0..<3 { try await door.note("read", entity: "contact", ["contacts": numbers], as: .token(1)) }
            try await door.note("export.begun", entity: "contact", as: .token(2))
            try await door.note("export.ended", entity: "contact", ["contacts": 700], as: .token(2))
            _ = try await TestCluster.shared.value.superuser.run(
                "UPDATE \(door.table("watched")) SET attempts = now() - interval '1 hour'",
                """
                INSERT INTO \(door.table("attempt")) (plugin, record, fence, change, outcome, started_at)
                SELECT \(crm.push), i, 1, 1, 'retry', now() - interval '6 minutes' FROM generate_series(1, 100) i
                """)
            #expect(try await seen(door) == 3)
            #expect(
                try await Set(alerts(door)) == [
                    "token:1 read 3000 0", "token:2 exported 700 0", "connector:\(crm.id) failed 100 0",
                ])
        }
    }

    /// What a long transaction wrote is counted when it ends, and once, however many look meanwhile.
    @Test func aSlowTransactionIsCountedToo() async throws {
        try await withTenant { door in
            let superuser = try await TestCluster.shared.value.superuser
            try await superuser.transaction { session in
                _ = try await session.query(
                    """
                    INSERT INTO \(door.table("change")) (entity, record, kind, version, fields, actor)
                    SELECT 'contact', i, 'edited', 1, '{}', 'staff:1' FROM generate_series(1, 600) i
                    """)
                try await changes(door, 10, "edited", actor: "staff:2", minutesAgo: 0)
                #expect(try await door.watch(pause: 0) == 0)
            }
            #expect(try await seen(door) == 1)
            #expect(try await alerts(door) == ["staff:1 edited 600 0"])
            #expect(try await door.number("SELECT count(*) FROM \(door.table("alert"))") == 1)
        }
    }

    @Test func nobodyElseLooks() async throws {
        try await withTenant { door in
            for actor in [Actor.token(1), .staff(1), .connector(1)] {
                await #expect(throws: PostgresError.self) {
                    _ = try await door.rows("SELECT \(door.table("watch"))(interval '0')", as: actor)
                }
            }
            let read = try await JSON(parsing: door.alerts(openOnly: false, limit: 10, as: .connector(1))).array
            #expect(read?.isEmpty == true)
        }
    }
}
