import Foundation
import Postgres
import Testing

@Suite struct EmbeddedTests {
    private func embedded(_ folder: String) -> EmbeddedPostgres {
        EmbeddedPostgres(directory: folder, log: TestCluster.log, durable: false)
    }

    private func code(_ body: () async throws -> Void) async throws -> String {
        do {
            try await body()
            return "none"
        } catch let error as EmbeddedError { return error.code }
    }

    private func answer(_ conninfo: String, _ sql: SQL) async throws -> Int {
        let database = Database(DatabaseConfiguration(conninfo: conninfo), log: TestCluster.log)
        try await database.start()
        let value = try await database.run(sql)[0][0].get(0, as: Int.self)
        await database.close()
        return value
    }

    @Test func aClusterHasOneOwnerAndKeepsItsData() async throws {
        let folder = TestCluster.folder()
        let first = embedded(folder)
        let conninfo = try await first.start()
        #expect(
            try await answer(conninfo, "WITH t AS (SELECT set_config('x.y', 'z', false)) SELECT count(*) FROM t") == 1)
        #expect(try await code { _ = try await embedded(folder).start() } == "embedded.in_use")
        await first.stop()
        await first.stop()

        // A half-made cluster and a stale lock file with a live process's number are no obstacle.
        try FileManager.default.createDirectory(atPath: folder + "/data.new/base", withIntermediateDirectories: true)
        try "\(getpid())\n\(folder)/data\n".write(
            toFile: folder + "/data/postmaster.pid", atomically: false, encoding: .utf8)
        let second = embedded(folder)
        #expect(try await answer(try await second.start(), "SELECT 5") == 5)
        await second.stop()
    }

    @Test func aHalfMadeClusterIsMadeAnew() async throws {
        let folder = TestCluster.folder()
        try FileManager.default.createDirectory(atPath: folder + "/data.new", withIntermediateDirectories: true)
        try "15\n".write(toFile: folder + "/data.new/PG_VERSION", atomically: false, encoding: .utf8)
        let cluster = embedded(folder)
        #expect(try await answer(try await cluster.start(), "SELECT 1") == 1)
        #expect(!FileManager.default.fileExists(atPath: folder + "/data.new"))
        await cluster.stop()
    }

    @Test func foreignClustersAreLeftAlone() async throws {
        for place in ["", "/data"] {
            let folder = TestCluster.folder()
            try FileManager.default.createDirectory(atPath: folder + place, withIntermediateDirectories: true)
            try "15\n".write(toFile: folder + place + "/PG_VERSION", atomically: false, encoding: .utf8)
            #expect(try await code { _ = try await embedded(folder).start() } == "embedded.foreign")
        }
    }

    @Test func longPathsAndAccessRights() async throws {
        let folder = TestCluster.folder() + "-" + String(repeating: "long", count: 25)
        let cluster = embedded(folder)
        let conninfo = try await cluster.start()
        #expect(conninfo.contains("/kontor-pg-"))
        #expect(
            try await answer(
                conninfo, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'trust' AND type <> 'local'") == 0
        )
        let socket = conninfo.split(separator: "'")[1]
        var status = stat()
        #expect(stat(String(socket), &status) == 0 && status.st_mode & 0o777 == 0o700)
        await cluster.stop()
        #expect(stat(String(socket), &status) != 0)
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test func missingProgramsAreNamed() async throws {
        let cluster = EmbeddedPostgres(
            directory: TestCluster.folder(), log: TestCluster.log, settings: ["KONTOR_PG_BIN": "/nonexistent"])
        #expect(try await code { _ = try await cluster.start() } == "embedded.no_binaries")
    }
}
