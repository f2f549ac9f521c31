import Postgres
import Testing

@Suite struct PreparedTests {
    private static let held: SQL = "SELECT count(*) AS n FROM pg_prepared_statements"

    @Test func statementsArePreparedOnce() async throws {
        try await withDatabase(shared: 1) { database in
            for number in 0..<20 {
                let rows = try await database.run(SQL("SELECT \(number)::int + 1 AS next").prepared())
                #expect(try rows[0][0].get("next") == number + 1)
            }
            #expect(try await database.run(Self.held)[0][0].get("n") == 1)
        }
    }

    @Test func theCacheIsBounded() async throws {
        try await withDatabase(shared: 1) { database in
            for number in 0..<600 {
                let rows = try await database.run(
                    SQL("SELECT \(unsafeRaw: "\(number)") AS n, \(number)::int AS m").prepared())
                #expect(try rows[0][0].get("n") == number && rows[0][0].get("m") == number)
            }
            let count = try await database.run(Self.held)[0][0].get("n", as: Int.self)
            #expect(count >= 200 && count <= 258)
        }
    }

    @Test func canonicallyEqualTextsAreDifferentStatements() async throws {
        try await withDatabase(shared: 1) { database in
            let composed = try await database.run(SQL("SELECT octet_length('\u{E9}') AS n").prepared())
            let decomposed = try await database.run(SQL("SELECT octet_length('e\u{301}') AS n").prepared())
            #expect(try composed[0][0].get("n") == 2 && decomposed[0][0].get("n") == 3)
        }
    }

    @Test func changedTablesAndLostStatementsArePreparedAnew() async throws {
        try await withDatabase(shared: 1, leased: 1) { database in
            let table: SQL = "\(identifier: "shape_\(Int.random(in: 0..<1_000_000_000))")"
            let all = SQL("SELECT * FROM \(table)").prepared()
            _ = try await database.run("CREATE TABLE \(table) (a int)")
            #expect(try await database.run(all)[0].columns == ["a"])
            #expect(try await database.lease { try await $0.query(all).columns } == ["a"])
            _ = try await database.run("ALTER TABLE \(table) ADD COLUMN b int")
            #expect(try await database.run(all)[0].columns == ["a", "b"])
            #expect(try await database.lease { try await $0.query(all).columns } == ["a", "b"])
            _ = try await database.run("DISCARD ALL")
            #expect(try await database.run(all)[0].columns == ["a", "b"])
            _ = try await database.run("DROP TABLE \(table)")
        }
    }

    @Test func aFailedPrepareHarmsNobody() async throws {
        try await withDatabase(shared: 1) { database in
            let text = "nowhere_\(Int.random(in: 0..<1_000_000_000))"
            let query = SQL("SELECT 1 AS one FROM \(identifier: text)").prepared()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        do {
                            _ = try await database.run(query)
                            Issue.record("there is no such table")
                        } catch { #expect((error as? PostgresError)?.sqlState == "42P01") }
                    }
                }
            }
            _ = try await database.run("CREATE TABLE \(identifier: text) ()")
            #expect(try await database.run(query)[0].isEmpty)
            _ = try await database.run("DROP TABLE \(identifier: text)")
        }
    }
}
