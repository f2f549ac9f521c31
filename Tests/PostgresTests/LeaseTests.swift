import Postgres
import Synchronization
import Testing

@Suite struct LeaseTests {
    @Test func transactionsCommitAndRollBack() async throws {
        struct Refused: Error {}
        try await withDatabase { database in
            let table: SQL = "\(identifier: "tx_\(Int.random(in: 0..<1_000_000_000))")"
            _ = try await database.run("CREATE TABLE \(table) (i int)")
            try await database.transaction { _ = try await $0.query("INSERT INTO \(table) VALUES (1)") }
            await #expect(throws: Refused.self) {
                try await database.transaction {
                    _ = try await $0.query("INSERT INTO \(table) VALUES (2)")
                    throw Refused()
                }
            }
            // A swallowed error must not look like a commit.
            let lost = try await postgresError {
                try await database.transaction { session in
                    _ = try await session.query("INSERT INTO \(table) VALUES (3)")
                    _ = try? await session.query("SELECT 1/0")
                }
            }
            #expect(lost.sqlState == "25P02")
            #expect(try await database.run("SELECT array_agg(i) AS i FROM \(table)")[0][0].get("i") == [1])
            _ = try await database.run("DROP TABLE \(table)")
        }
    }

    @Test func preludeAndIsolationHold() async throws {
        try await withDatabase { database in
            let row = try await database.transaction(
                scope: 7, prelude: { "SELECT set_config('app.tenant', \("7|\($0)"), true)" }, isolation: .serializable
            ) { session in
                let row = try await session.query(
                    "SELECT current_setting('app.tenant') AS t, current_setting('transaction_isolation') AS i")[0]
                #expect(try row.get("t") == "7|\(session.backendPID)")
                return row
            }
            #expect(try row.get("i") == "serializable")
        }
    }

    @Test func nothingOfASessionIsLeftToTheNext() async throws {
        try await withDatabase(leased: 1) { database in
            let pid = try await database.lease { session in
                try await session.execute(
                    script: "SET app.mine = 'x'; CREATE TEMP TABLE leftover (i int); BEGIN; SELECT 1")
                _ = try await session.query("SELECT pg_advisory_lock(42)")
                try await session.execute(
                    script: "DECLARE kept CURSOR WITH HOLD FOR SELECT 7; COMMIT; LISTEN somewhere; BEGIN; SELECT 1")
                return session.backendPID
            }
            try await database.lease { session in
                #expect(session.backendPID == pid)
                let row = try await session.query(
                    """
                    SELECT coalesce(current_setting('app.mine', true), '') AS mine, to_regclass('leftover')::text AS t,
                        (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
                        (SELECT count(*) FROM pg_cursors WHERE is_holdable) AS cursors,
                        (SELECT count(*) FROM pg_listening_channels()) AS channels,
                        current_setting('TimeZone') AS zone
                    """)[0]
                #expect(
                    try row.get("mine") == "" && row.isNull("t") && row.get("locks") == 0 && row.get("zone") == "UTC")
                #expect(try row.get("cursors") == 0 && row.get("channels") == 0)
            }
        }
    }

    @Test func scriptsRunAndReportErrors() async throws {
        try await withDatabase(leased: 1) { database in
            try await database.lease { session in
                let error = try await postgresError {
                    try await session.execute(script: "CREATE TEMP TABLE a (i int); SELECT 1/0; SELECT 2")
                }
                #expect(error.sqlState == "22012")
                #expect(try await session.query("SELECT to_regclass('a')::text AS a")[0].isNull("a"))
                try await session.execute(script: "CREATE TEMP TABLE a (i int); INSERT INTO a VALUES (1), (2);")
                #expect(try await session.query("SELECT count(*) FROM a")[0].get(0) == 2)
            }
        }
    }

    @Test func aFullPoolIsBusy() async throws {
        try await withDatabase(leased: 1, { $0.waitLimit = .milliseconds(300) }) { database in
            try await database.lease { _ in
                let start = ContinuousClock.now
                let error = try await postgresError { try await database.lease { _ in } }
                #expect(error.kind == .busy)
                #expect(ContinuousClock.now - start >= .milliseconds(280))
                #expect(database.statistics().leasesRefused == 1)
            }
        }
    }

    @Test func waitersAreServedInOrder() async throws {
        try await withDatabase(leased: 1, { $0.waitLimit = .seconds(60) }) { database in
            let order = Order()
            let waiters = try await database.lease { _ in
                var waiters: [Task<Void, any Error>] = []
                for number in 0..<10 {
                    waiters.append(Task { try await database.lease { _ in order.add(number) } })
                    try await eventually { database.statistics().waiting == number + 1 }
                }
                return waiters
            }
            for waiter in waiters { try await waiter.value }
            #expect(order.numbers == Array(0..<10))
            #expect(database.statistics().waiting == 0 && database.statistics().leasedInUse == 0)
        }
    }

    @Test func deadlineAndCancellationStopTheServer() async throws {
        try await withDatabase(leased: 1) { database in
            let start = ContinuousClock.now
            let error = try await postgresError {
                try await database.transaction(deadline: .milliseconds(200)) {
                    _ = try await $0.query("SELECT pg_sleep(120)")
                }
            }
            #expect(error.kind == .timeout)
            let task = Task {
                try await database.transaction { _ = try await $0.query("SELECT pg_sleep(120)") }
            }
            try await Task.sleep(for: .milliseconds(200))
            task.cancel()
            let cancelled = try await postgresError { try await task.value }
            #expect(cancelled.kind == .timeout)
            #expect(try await database.lease { try await $0.query("SELECT 1")[0].get(0) } == 1)
            // either sleeper alone would have taken two minutes
            #expect(ContinuousClock.now - start < .seconds(60))
        }
    }

    @Test func aCancelledWaiterLeavesTheQueue() async throws {
        try await withDatabase(leased: 1) { database in
            try await database.lease { _ in
                let waiter = Task { try await database.lease { _ in } }
                try await eventually { database.statistics().waiting == 1 }
                waiter.cancel()
                await #expect(throws: CancellationError.self) { try await waiter.value }
            }
            #expect(database.statistics().waiting == 0)
        }
    }
}

private final class Order: Sendable {
    private let list = Mutex<[Int]>([])
    func add(_ number: Int) { list.withLock { $0.append(number) } }
    var numbers: [Int] { list.withLock { $0 } }
}
