import Logging
import Postgres
import Testing

@Suite struct LookUpTests {
    private static func context(_ tenant: Int) -> @Sendable (Int32) -> SQL {
        { pid in SQL("SELECT set_config('app.tenant', \("\(tenant)|\(pid)"), true)").prepared() }
    }

    private static let context: SQL = """
        SELECT coalesce(current_setting('app.tenant', true), '') AS tenant, pg_backend_pid() AS pid, now()::text AS began
        """

    /// What one caller met.
    private struct Met {
        var isRight = false
        /// The connection and when its transaction began: shared by those of one transaction.
        var transaction = ""
    }

    /// Every fifth fails on purpose, every seventh has no context, every eleventh is not a look-up.
    private static func call(_ database: Database, _ number: Int) async -> Met {
        let fails = number % 5 == 0
        let prelude = number % 7 == 0 ? nil : context(number)
        let statements = [SQL("SELECT 100 / \(fails ? 0 : 1)::int AS q").prepared(), context.prepared()]
        do {
            let rows =
                number % 11 == 0
                ? try await database.run(prelude: prelude, statements)
                : try await database.lookUp(prelude: prelude, statements)
            let tenant = try rows[1][0].get("tenant", as: String.self)
            let pid = try rows[1][0].get("pid", as: Int.self)
            return Met(
                isRight: !fails && tenant == (prelude == nil ? "" : "\(number)|\(pid)"),
                transaction: "\(pid) \(try rows[1][0].get("began", as: String.self))")
        } catch let error as PostgresError {
            return Met(isRight: fails && error.sqlState == "22012")
        } catch {
            return Met()
        }
    }

    @Test func contextsAndErrorsNeverMix() async throws {
        try await withDatabase(shared: 2) { database in
            let met = await withTaskGroup(of: [Met].self) { group in
                for task in 0..<64 {
                    group.addTask {
                        var met: [Met] = []
                        for turn in 0..<50 { met.append(await Self.call(database, 1 + task * 50 + turn)) }
                        return met
                    }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            #expect(met.count == 3200)
            #expect(met.filter { !$0.isRight }.isEmpty)
            // otherwise this test would show nothing: many look-ups shared a transaction with another one
            let answered = met.filter { !$0.transaction.isEmpty }
            #expect(Set(answered.map(\.transaction)).count < answered.count * 9 / 10)
            #expect(database.statistics().sharedInFlight == 0)
            let after: String = try await database.lookUp([Self.context])[0][0].get("tenant")
            #expect(after == "")
        }
    }

    @Test func oneBehindASlowStatementIsSentOn() async throws {
        try await withDatabase(shared: 1) { database in
            async let slow = database.run("SELECT pg_sleep(0.3)")
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await database.lookUp(["SELECT 7"])[0][0].get(0) == 7)
            _ = try await slow
            #expect(try await database.lookUp(["SELECT 8"])[0][0].get(0) == 8)
        }
    }

    @Test func aStatementThatTheServerLostIsPreparedAnew() async throws {
        try await withDatabase(shared: 1) { database in
            for _ in 0..<3 {
                let right = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<200 {
                        group.addTask {
                            let rows = try await database.lookUp([SQL("SELECT \(number)::int AS n").prepared()])
                            return try rows[0][0].get("n", as: Int.self) == number
                        }
                    }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(right == 200)
                _ = try await database.run("DEALLOCATE ALL")
            }
        }
    }

    @Test func allAreToldOfALostConnection() async throws {
        try await withDatabase(shared: 1) { database in
            let killer = Task {
                try await postgresError {
                    _ = try await database.run("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)")
                }
            }
            try await Task.sleep(for: .milliseconds(20))
            let kinds = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        do {
                            return try await database.lookUp(["SELECT 1"])[0][0].get(0) == 1
                        } catch {
                            return (error as? PostgresError)?.kind == .connection
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(kinds.count == 50 && kinds.allSatisfy { $0 })
            // told by the server (57P01) or by the loss, whichever was read first
            let death = try await killer.value
            #expect(death.kind == .connection || death.sqlState == "57P01")
            try await eventually { try await database.lookUp(["SELECT 1"])[0][0].get(0) == 1 }
            #expect(database.statistics().sharedInFlight == 0)
        }
    }
}
