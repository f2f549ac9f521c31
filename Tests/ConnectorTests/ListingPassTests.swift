import ConnectorKit
import Hub
import Testing

@testable import Connectors

/// Paging by offset over a listing that changes meanwhile, and without a remote's clock.
@Suite struct ListingPassTests {
    private func record(_ id: Int) -> JSON { ["id": .string(String(id))] }
    private func key(_ record: JSON) -> String { record["id"]?.string ?? "" }

    /// Slices of three over ids of two digits, with `change` before each call.
    private func ids(
        _ pass: inout ListingPass, of listing: [Int], clock: Int64? = 1_000_000,
        change: (inout [Int], Int) -> Void = { _, _ in }
    ) async throws -> [String] {
        var (listing, shown, turn) = (listing, [String](), 0)
        while true {
            change(&listing, turn)
            turn += 1
            let held = listing
            let slice = try await pass.slice(size: 3, key: key) { (offset) async throws(RemoteError) in
                (held.dropFirst(offset).prefix(3).map(record), clock)
            }
            shown += slice.records.map(key)
            // What is kept between two pages is text.
            pass = try ListingPass(pass.cursor)
            if slice.isEnd { return shown }
        }
    }

    @Test func showsEverythingOnce() async throws {
        var pass = ListingPass(sinceDay: nil)
        #expect(try await ids(&pass, of: Array(10..<20)) == (10..<20).map { String($0) })
        var empty = ListingPass(sinceDay: nil)
        #expect(try await ids(&empty, of: []).isEmpty)
    }

    @Test func deletionsHideNobody() async throws {
        var pass = ListingPass(sinceDay: nil)
        let shown = try await ids(&pass, of: Array(10..<30)) { listing, turn in
            if turn == 2 { listing.removeFirst(5) }
            if turn == 3 { listing.removeAll { $0 < 18 } }
        }
        #expect(shown == (10..<30).map { String($0) })
    }

    @Test func insertionsRepeatNobody() async throws {
        var pass = ListingPass(sinceDay: nil)
        let shown = try await ids(&pass, of: Array(50..<60)) { listing, turn in
            if turn == 2 { listing.insert(contentsOf: 10..<15, at: 0) }
        }
        #expect(shown == (50..<60).map { String($0) })
    }

    @Test func theNextPassOverlapsThisOnesBeginning() async throws {
        var pass = ListingPass(sinceDay: nil)
        _ = try await ids(&pass, of: [10, 11])
        let next = pass.following
        #expect(next.since == 1_000_000 - ListingPass.overlap && next.began == nil && next.last == nil)
        // Without a clock the bound stays: the same changes come once more, none is lost.
        var silent = next
        _ = try await ids(&silent, of: [12], clock: nil)
        #expect(silent.following.since == next.since)
    }

    @Test func foreignCursorsAreExpired() {
        for text in ["", "not ours", "{}", #"{"offset":-1}"#, "[]"] {
            #expect(throws: RemoteError.cursorExpired) { try ListingPass(Cursor(text)) }
        }
    }

    @Test func timesAreWrittenInUTC() {
        #expect(RemoteTime.text(951_782_400) == "2000-02-29T00:00:00")
        #expect(RemoteTime.text(951_868_799, separator: " ") == "2000-02-29 23:59:59")
        #expect(RemoteTime.rfc3339("2026-01-02 03:04:05") == "2026-01-02T03:04:05Z")
        #expect(RemoteTime.rfc3339("0000-00-00 00:00:00") == nil)
        #expect(ListingPass(sinceDay: "1970-01-02").since == 86_400)
    }
}
