import Hub
import Postgres
import TestKit
import Testing

@testable import Store

@Suite(.inTurn) struct MonitoringTests {
    @Test func whatWaitsAndWhatWentThroughIsCounted() async throws {
        try await withTenant { door in
            let crm = try await door.connector("crm", pushes: ["tag": "client"])
            let quiet = try await door.connector("quiet")
            let superuser = try await TestCluster.shared.value.superuser
            // in the hour before the present one: 90 of 100 ms, 10 of 1 s, 5 that failed; one before the day
            for (count, outcome, took, ago) in [
                (90, "done", 0.1, 1), (10, "done", 1.0, 1), (5, "retry", 0.1, 1), (7, "done", 0.1, 30),
            ] {
                _ = try await superuser.run(
                    """
                    INSERT INTO \(door.table("attempt")) (plugin, record, fence, change, outcome, started_at, ended_at)
                    SELECT \(crm.push), i, 1, 1, \(outcome), t.at, t.at + make_interval(secs => \(took))
                    FROM generate_series(1, \(count)) i,
                        (SELECT date_trunc('hour', now()) - make_interval(hours => \(ago)) AS at) t
                    """)
            }
            _ = try await superuser.run(
                """
                INSERT INTO \(door.table("delivery")) (plugin, record, wanted, state, due_at)
                VALUES (\(crm.push), 1, 1, 'due', now() - interval '90 seconds'), (\(crm.push), 2, 1, 'leased', now()),
                    (\(crm.push), 3, 1, 'dead', now()), (\(crm.push), 4, 1, 'done', now())
                """)
            let found = try await door.monitoring(hours: 24, as: .token(1))
            #expect(found["undecided"] == 0)
            let systems = found["connectors"]?.array ?? []
            #expect(systems.count == 2)
            let busy = systems.first { $0["id"] == .int(crm.id) }
            #expect(busy?["due"] == 2 && busy?["dead"] == 1 && busy?["closed_seconds"]?.isNull == true)
            #expect((90...100).contains(busy?["oldest_seconds"]?.int ?? 0))
            let hours = busy?["hours"]?.array ?? []
            #expect(hours.count == 1)
            #expect(hours.first?["done"] == 100 && hours.first?["failed"] == 5)
            #expect(hours.first?["median_ms"] == 100 && hours.first?["slow_ms"] == 1000)
            let other = systems.first { $0["id"] == .int(quiet.id) }
            #expect(other?["due"] == 0 && other?["hours"] == [] && other?["oldest_seconds"]?.isNull == true)
            #expect(
                try await door.monitoring(hours: 48, as: .token(1))["connectors"]?.array?.first?["hours"]?.array?.count
                    == 2)
        }
    }
}
