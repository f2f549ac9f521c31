import Foundation
import Postgres
import Testing

/// Each on a cluster of its own, since it is killed.
@Suite(.serialized) struct OutageTests {
    @Test func aKilledServerFailsCallersOnceAndHeals() async throws {
        let cluster = EmbeddedPostgres(
            directory: TestCluster.folder(), log: TestCluster.log, settings: ["synchronous_commit": "on"],
            durable: false)
        var configuration = DatabaseConfiguration(conninfo: try await cluster.start())
        configuration.sharedConnections = 2
        let database = Database(configuration, log: TestCluster.log)
        try await database.start()
        _ = try await database.run("CREATE TABLE kept (i int)", "INSERT INTO kept VALUES (1)")
        let first = try #require(cluster.processID)

        let sleepers = (0..<20).map { _ in Task { try await database.run("SELECT pg_sleep(30)") } }
        try await eventually { database.statistics().sharedInFlight == 20 }
        kill(first, SIGKILL)
        for sleeper in sleepers {
            let error = try await postgresError { _ = try await sleeper.value }
            #expect(error.kind == .connection)
        }
        // While it is down callers hear it at once; then the cluster is up again by itself and everything heals.
        let start = ContinuousClock.now
        _ = try? await database.run("SELECT 1")
        #expect(ContinuousClock.now - start < .seconds(15))
        try await eventually { try await database.run("SELECT i FROM kept")[0][0].get("i") == 1 }
        try await eventually { try await database.transaction { try await $0.query("SELECT 1")[0].get(0) == 1 } }
        #expect(cluster.processID != first && cluster.processID != nil)

        await cluster.stop()
        #expect(cluster.processID == nil)
        let down = try await postgresError { _ = try await database.run("SELECT 1") }
        #expect(down.kind == .connection)
        await database.close()
    }
}
