import Postgres
import Testing

@Suite struct ListenTests {
    @Test func listeningSurvivesTheLossOfItsConnection() async throws {
        try await withDatabase({ $0.applicationName = "listen_survives" }) { database in
            let channel = "ch_\(Int.random(in: 0..<1_000_000_000)) \"quoted\""
            var first = database.listen(channel).makeAsyncIterator()
            #expect(await first.next() == .reconnected)
            try await database.notify(channel: channel, payload: "one")
            #expect(await first.next() == .notified(payload: "one"))

            var second = database.listen(channel).makeAsyncIterator()
            #expect(await second.next() == .reconnected)
            try await database.notify(channel: channel, payload: "both")
            #expect(await first.next() == .notified(payload: "both"))
            #expect(await second.next() == .notified(payload: "both"))

            let ended = try await database.run(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'listen_survives' AND query LIKE 'LISTEN%'
                """)
            #expect(ended[0].count == 1)
            #expect(await first.next() == .reconnected)
            #expect(await second.next() == .reconnected)
            try await database.notify(channel: channel, payload: "after")
            #expect(await first.next() == .notified(payload: "after"))
        }
    }

    @Test func channelsAreApartAndStreamsEndWithTheClient() async throws {
        let leftover = try await withDatabase { database in
            var a = database.listen("apart_a").makeAsyncIterator()
            var b = database.listen("apart_b").makeAsyncIterator()
            #expect(await a.next() == .reconnected)
            #expect(await b.next() == .reconnected)
            try await database.notify(channel: "apart_b", payload: "b")
            try await database.notify(channel: "apart_a", payload: "a")
            #expect(await a.next() == .notified(payload: "a"))
            #expect(await b.next() == .notified(payload: "b"))
            return database.listen("apart_a")
        }
        for await _ in leftover {}
    }
}
