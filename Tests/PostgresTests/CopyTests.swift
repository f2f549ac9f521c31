import Foundation
import Postgres
import Synchronization
import Testing

@Suite struct CopyTests {
    private static let count = 100_000

    @Test func manyRowsGoInAndOut() async throws {
        try await withDatabase(leased: 1) { database in
            try await database.lease { session in
                _ = try await session.query("CREATE TEMP TABLE bulk (id int, body text, gap text)")
                let filler = String(repeating: "x", count: 300)
                let taken = try await session.copyIn("COPY bulk FROM STDIN") { writer in
                    for id in 0..<Self.count { try await writer.row(["\(id)", "\(id)\t\\\n\(filler)", nil]) }
                }
                #expect(taken == Self.count)
                let check = try await session.query(
                    "SELECT count(*) AS n, count(gap) AS gaps, bool_and(body = id || E'\\t\\\\\\n' || \(filler)) AS same FROM bulk"
                )[0]
                #expect(try check.get("n") == Self.count && check.get("gaps") == 0 && check.get("same") == true)

                var lines = 0
                var bytes = 0
                var largest = 0
                let sent = try await session.copyOut("COPY bulk TO STDOUT") { chunk in
                    lines += Self.lines(chunk)
                    bytes += chunk.count
                    largest = max(largest, chunk.count)
                }
                #expect(sent == Self.count && lines == Self.count && bytes > 30_000_000 && largest < 200_000)
                #expect(try await session.query("SELECT 1")[0].get(0) == 1)
            }
        }
    }

    @Test func failuresOnEitherSideLeaveTheSessionUsable() async throws {
        struct Stop: Error {}
        try await withDatabase(leased: 1) { database in
            try await database.lease { session in
                _ = try await session.query("CREATE TEMP TABLE bulk (id int)")
                await #expect(throws: Stop.self) {
                    _ = try await session.copyIn("COPY bulk FROM STDIN") {
                        try await $0.row(["1"])
                        throw Stop()
                    }
                }
                let bad = try await postgresError {
                    _ = try await session.copyIn("COPY bulk FROM STDIN") { writer in
                        try await writer.row(["no number"])
                        for id in 0..<50_000 { try await writer.row(["\(id)"]) }
                    }
                }
                #expect(bad.sqlState == "22P02")
                #expect(try await session.query("SELECT count(*) FROM bulk")[0].get(0) == 0)
                await #expect(throws: Stop.self) {
                    _ = try await session.copyOut("COPY (SELECT generate_series(1, 1000000)) TO STDOUT") { _ in
                        throw Stop()
                    }
                }
                #expect(try await session.query("SELECT 1")[0].get(0) == 1)
                let broken = try await postgresError {
                    _ = try await session.copyOut(
                        "COPY (SELECT 1 / (5000 - g) FROM generate_series(1, 9000) g) TO STDOUT"
                    ) { _ in }
                }
                #expect(broken.sqlState == "22012")
                let none = try await postgresError { _ = try await session.copyOut("SELECT 1") { _ in } }
                #expect(none.kind == .usage)
                #expect(try await session.query("SELECT 2")[0].get(0) == 2)
            }
        }
    }

    private static func lines(_ chunk: [UInt8]) -> Int {
        chunk.withUnsafeBytes { bytes in
            var lines = 0
            var rest = bytes[...]
            while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty,
                let end = memchr(start, 10, rest.count)
            {
                lines += 1
                rest = rest.dropFirst(UnsafeRawPointer(end) - start + 1)
            }
            return lines
        }
    }

    /// The server writes no further than its socket buffers while the consumer rests.
    @Test func aSlowConsumerHoldsTheServerBack() async throws {
        try await withDatabase(leased: 1) { database in
            try await database.lease { session in
                let pid = Int(session.backendPID)
                var rested = false
                let rows = try await session.copyOut(
                    "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 20000)) TO STDOUT"
                ) { _ in
                    guard !rested else { return }
                    rested = true
                    try await eventually {
                        let state = try await database.run(
                            "SELECT wait_event AS w FROM pg_stat_activity WHERE pid = \(pid)")[0][0]
                        return try state.get("w", as: String?.self) == "ClientWrite"
                    }
                }
                #expect(rows == 20_000)
            }
        }
    }

    /// The writer is stopped, rather than the data kept in memory, while the server does not read.
    @Test func aSlowServerHoldsTheWriterBack() async throws {
        try await withDatabase(leased: 1) { database in
            let written = Counter()
            let copying = Task {
                try await database.transaction { session in
                    try await session.execute(
                        script: """
                            CREATE TEMP TABLE slow (body text);
                            CREATE FUNCTION pg_temp.rest() RETURNS trigger LANGUAGE plpgsql
                            AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$;
                            CREATE TRIGGER rest BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION pg_temp.rest();
                            """)
                    let line = String(repeating: "x", count: 100_000)
                    return try await session.copyIn("COPY slow FROM STDIN") { writer in
                        for _ in 0..<1000 {
                            try await writer.row([line])
                            written.add(line.utf8.count)
                        }
                    }
                }
            }
            try await eventually { written.value > 0 }
            try await Task.sleep(for: .seconds(1))
            #expect(written.value < 8_000_000)
            copying.cancel()
            let error = try await postgresError { _ = try await copying.value }
            #expect(error.kind == .timeout)
        }
    }
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    func add(_ amount: Int) { count.wrappingAdd(amount, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}
