import Foundation
import Postgres
import Testing

/// Password login and TLS over TCP, on a cluster of its own.
@Suite struct NetworkTests {
    @Test func scramAndTLS() async throws {
        let folder = TestCluster.folder()
        let port = Int.random(in: 20_000..<30_000)
        let cluster = EmbeddedPostgres(
            directory: folder, log: TestCluster.log,
            settings: ["listen_addresses": "127.0.0.1", "port": "\(port)", "password_encryption": "scram-sha-256"],
            rules: ["hostssl all all 127.0.0.1/32 scram-sha-256"], durable: false)
        let admin = Database(DatabaseConfiguration(conninfo: try await cluster.start()), log: TestCluster.log)
        try await admin.start()
        let data = folder + "/data"
        try certificate(data)
        for statement: SQL in [
            "CREATE ROLE net LOGIN PASSWORD 'pass word''s'", "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()",
        ] { _ = try await admin.run(statement) }

        let base = "host=127.0.0.1 port=\(port) user=net dbname=postgres sslrootcert=\(data)/server.crt"
        let secret = #"password='pass word\'s'"#
        try await eventually { try await secured("\(base) \(secret) sslmode=verify-full") }
        #expect(try await secured("\(base) \(secret) sslmode=require"))
        for refused in ["\(base) password=wrong sslmode=require", "\(base) \(secret) sslmode=disable"] {
            let error = try await postgresError { _ = try await secured(refused) }
            #expect(error.kind == .connection && !error.message.contains("pass word"))
        }
        await admin.close()
        await cluster.stop()
    }

    /// True when the session is encrypted and a big result and 100 concurrent shots come through.
    private func secured(_ conninfo: String) async throws -> Bool {
        let database = Database(DatabaseConfiguration(conninfo: conninfo), log: TestCluster.log)
        defer { Task { await database.close() } }
        try await database.start()
        let big = try await database.run("SELECT repeat('x', 3000000) AS x")[0][0].get("x", as: String.self)
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<100 { group.addTask { try await database.run("SELECT \(number)::int")[0][0].get(0) } }
            return try await group.reduce(0, +)
        }
        let ssl = try await database.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")[0][0].get(
            0, as: Bool.self)
        return ssl && big.utf8.count == 3_000_000 && sum == 4950
    }

    private func certificate(_ folder: String) throws {
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", folder + "/server.key", "-out", folder + "/server.crt",
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0)
        let owner = try FileManager.default.attributesOfItem(atPath: folder)
        for name in ["server.key", "server.crt"] {
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600, .ownerAccountID: try #require(owner[.ownerAccountID])],
                ofItemAtPath: folder + "/" + name)
        }
    }
}
