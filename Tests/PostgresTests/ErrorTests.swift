import Postgres
import Testing

@Suite struct ErrorTests {
    @Test func serverErrorsNameObjectsAndNoValues() async throws {
        try await withDatabase { database in
            let name = "err_\(Int.random(in: 0..<1_000_000_000))"
            let table: SQL = "\(table: "public", name)"
            _ = try await database.run(
                "CREATE TABLE \(table) (id int PRIMARY KEY, mail text NOT NULL CHECK (mail <> 'topsecret'))",
                "INSERT INTO \(table) VALUES (4711, 'a')")
            let unique = try await postgresError {
                _ = try await database.run("INSERT INTO \(table) VALUES (4711, 'b')")
            }
            #expect(unique.kind == .server && unique.sqlState == "23505" && unique.isUniqueViolation)
            #expect(unique.constraint == "\(name)_pkey" && unique.table == name && unique.schema == "public")
            #expect(!"\(unique) \(String(reflecting: unique))".contains("4711"))
            #expect(unique.routine == "_bt_check_unique")
            let null = try await postgresError { _ = try await database.run("INSERT INTO \(table) VALUES (1, NULL)") }
            #expect(null.sqlState == "23502" && null.column == "mail")
            let check = try await postgresError {
                _ = try await database.run("INSERT INTO \(table) VALUES (1, 'topsecret')")
            }
            #expect(check.isCheckViolation && !"\(check)".contains("topsecret"))
            let data = try await postgresError { _ = try await database.run("SELECT \("topsecret")::int") }
            #expect(data.sqlState == "22P02" && !"\(data)".contains("topsecret"))
            _ = try await database.run("DROP TABLE \(table)")
        }
    }

    @Test func passwordsShowNowhere() async throws {
        for conninfo in [
            "host=/nowhere password=hunter2 user=x", "postgresql://x:hunter2@127.0.0.1:1/d", "hunter2 = = x",
        ] {
            let configuration = DatabaseConfiguration(conninfo: conninfo)
            #expect(!"\(configuration) \(String(reflecting: configuration))".contains("hunter2"))
            var dumped = ""
            dump(configuration, to: &dumped)
            #expect(!dumped.contains("hunter2"))
            let database = Database(configuration, log: TestCluster.log)
            let error = try await postgresError { try await database.start() }
            #expect(error.kind == (conninfo.contains("= =") ? .usage : .connection))
            #expect(!"\(error) \(error.message)".contains("hunter2"))
            await database.close()
        }
    }
}
