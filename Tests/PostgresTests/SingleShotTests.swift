import Logging
import Postgres
import Testing

/// One after another: thousands of tasks at once would hold up those that measure time limits.
@Suite(.serialized) struct SingleShotTests {
    private static func context(_ tenant: Int) -> @Sendable (Int32) -> SQL {
        { pid in SQL("SELECT set_config('app.tenant', \("\(tenant)|\(pid)"), true)").prepared() }
    }

    @Test func contextsAndErrorsNeverMix() async throws {
        try await withDatabase(shared: 2) { database in
            let wrong = await withTaskGroup(of: Int.self) { group in
                for number in 0..<5000 {
                    group.addTask { await Self.shot(database, number) ? 0 : 1 }
                }
                return await group.reduce(0, +)
            }
            #expect(wrong == 0)
            let after = try await database.run("SELECT coalesce(current_setting('app.tenant', true), '') AS tenant")
            #expect(try after[0][0].get("tenant") == "")
            #expect(database.statistics().sharedInFlight == 0)
        }
    }

    /// Every fifth fails on purpose; true when the outcome is the one this number should have.
    private static func shot(_ database: Database, _ number: Int) async -> Bool {
        let fails = number % 5 == 0
        do {
            let rows = try await database.run(
                scope: Int64(number % 50), prelude: context(number),
                SQL("SELECT 100 / \(fails ? 0 : 1)::int AS q").prepared(),
                SQL("SELECT current_setting('app.tenant') AS tenant, pg_backend_pid() AS pid").prepared())
            let tenant = try rows[1][0].get("tenant", as: String.self)
            let pid = try rows[1][0].get("pid", as: Int.self)
            return !fails && rows.count == 2 && tenant == "\(number)|\(pid)"
        } catch let error as PostgresError {
            return fails && error.sqlState == "22012"
        } catch {
            return false
        }
    }

    @Test func anErrorUndoesTheWholeShot() async throws {
        try await withDatabase { database in
            let name = "undo_\(Int.random(in: 0..<1_000_000_000))"
            _ = try await database.run("CREATE TABLE \(identifier: name) (i int)")
            let error = try await postgresError {
                _ = try await database.run(
                    "INSERT INTO \(identifier: name) VALUES (1)", "SELECT 1/0",
                    "INSERT INTO \(identifier: name) VALUES (2)")
            }
            #expect(error.sqlState == "22012")
            #expect(try await database.run("SELECT count(*) FROM \(identifier: name)")[0][0].get(0) == 0)
            _ = try await database.run("DROP TABLE \(identifier: name)")
        }
    }

    @Test func deferredConstraintsFailTheirOwnShot() async throws {
        try await withDatabase(shared: 1) { database in
            let name = "dup_\(Int.random(in: 0..<1_000_000_000))"
            let table: SQL = "\(identifier: name)"
            _ = try await database.run(
                "CREATE TABLE \(table) (i int UNIQUE DEFERRABLE INITIALLY DEFERRED)", "INSERT INTO \(table) VALUES (1)")
            let wrong = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let fails = number % 4 == 0
                        do {
                            _ = try await database.run(
                                SQL("INSERT INTO \(table) VALUES (\(fails ? 1 : 100 + number))").prepared())
                            return fails
                        } catch let error as PostgresError {
                            return !(fails && error.sqlState == "23505")
                        } catch { return true }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(wrong == 0)
            #expect(try await database.run("SELECT count(*) FROM \(table)")[0][0].get(0) == 151)
            _ = try await database.run("DROP TABLE \(table)")
        }
    }

    @Test func deadlinesEndTheCallAndTheStatement() async throws {
        try await withDatabase(shared: 1) { database in
            let clock = ContinuousClock()
            let mark = "deadline_\(Int.random(in: 0..<1_000_000_000))"
            let start = clock.now
            let error = try await postgresError {
                _ = try await database.run(deadline: .milliseconds(200), "SELECT pg_sleep(120), \(mark)::text")
            }
            #expect(error.kind == .timeout)
            // The next one on the same connection is served: the server stopped the sleeper too.
            #expect(try await database.run("SELECT 1")[0][0].get(0) == 1)
            // by itself it would have ended the sleeper after 30 s
            #expect(clock.now - start < .seconds(25))
            #expect(try await database.run("SHOW statement_timeout")[0][0].get(0) == "30s")
            #expect(try await database.run(deadline: .seconds(20), "SELECT 2")[0][0].get(0) == 2)
        }
    }

    @Test func aWaiterBehindASlowStatementTimesOutOnTime() async throws {
        try await withDatabase(shared: 1) { database in
            let pid: Int32 = try await database.run("SELECT pg_backend_pid()")[0][0].get(0)
            let slow = Task { try await database.run(deadline: .seconds(150), "SELECT pg_sleep(120)") }
            try await eventually { database.statistics().sharedInFlight == 1 }
            let start = ContinuousClock.now
            let error = try await postgresError { _ = try await database.run(deadline: .milliseconds(100), "SELECT 1") }
            #expect(error.kind == .timeout)
            #expect(ContinuousClock.now - start < .seconds(60), "it did not wait for the other")
            _ = try await database.lease { try await $0.query("SELECT pg_cancel_backend(\(pid))") }
            let ended = try await postgresError { _ = try await slow.value }
            #expect(ended.kind == .timeout)
        }
    }

    @Test func copyInASingleShotIsRefusedAndHeals() async throws {
        try await withDatabase(shared: 1) { database in
            let error = try await postgresError { _ = try await database.run("COPY (SELECT 1) TO STDOUT") }
            #expect(error.kind == .usage)
            try await eventually { try await database.run("SELECT 1")[0][0].get(0) == 1 }
        }
    }

    @Test func wornConnectionsAreRenewed() async throws {
        try await withDatabase(shared: 1, { $0.maxScopes = 10 }) { database in
            let first = try await database.run("SELECT pg_backend_pid()")[0][0].get(0, as: Int.self)
            for scope in 1...12 { _ = try await database.run(scope: Int64(scope), "SELECT 1") }
            try await eventually { try await database.run("SELECT pg_backend_pid()")[0][0].get(0) != first }
            try await eventually {
                try await database.run("SELECT 1 FROM pg_stat_activity WHERE pid = \(first)")[0].isEmpty
            }
        }
    }
}

/// Waits up to a minute for `condition`; connection errors on the way count as "not yet".
func eventually(
    _ location: SourceLocation = #_sourceLocation, within limit: Duration = .seconds(60),
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        do {
            if try await condition() { return }
        } catch let error as PostgresError where error.kind == .connection {}
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("did not happen in \(limit)", sourceLocation: location)
}
