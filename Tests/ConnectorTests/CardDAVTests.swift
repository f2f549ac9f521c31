import ConnectorKit
import Foundation
import Hub
import Testing

@testable import Connectors

/// What only CardDAV has: finding the address book, tokens, pages, versions.
@Suite struct CardDAVTests {
    private func link(
        _ server: CardDAVServers.Server, url: String, book: String = "", version: String = "3.0"
    ) throws -> CardDAV {
        try CardDAV(
            ConnectorEnvironment(
                settings: [
                    "url": .string(url), "user": .string(server.user), "address_book": .string(book),
                    "vcard_version": .string(version),
                ],
                secrets: KitSecrets(["password": server.password]), http: HTTPClient(guard: KitFaultProxy.loopback),
                log: KitLog().logger))
    }

    private func servers() async throws -> [CardDAVServers.Server] {
        [try await CardDAVServers.radicale(), try await CardDAVServers.secondXandikos()]
    }

    @Test func theAddressBookIsFound() async throws {
        for server in try await servers() {
            let book = try await link(server, url: server.base + "/").book.place()
            #expect(book.url.hasSuffix("/") && book.url.hasPrefix(server.base))
            #expect(
                try await link(server, url: server.base + server.book).book.place().url == server.base + server.book)
        }
        let radicale = try await CardDAVServers.radicale()
        #expect(try await link(radicale, url: radicale.base, book: "Customers").check().contains("“Customers”"))
        await #expect(throws: RemoteError.self) {
            try await link(radicale, url: radicale.base, book: "Nobody's").check()
        }
    }

    @Test func anUnknownTokenBeginsAnew() async throws {
        for server in try await servers() {
            let link = try link(server, url: server.base + server.book)
            for cursor in [
                SyncPlace(from: "http://radicale.org/ns/sync/0000000000000000").cursor, Cursor("nonsense"),
            ] {
                await #expect(throws: RemoteError.cursorExpired) {
                    try await link.page(of: .contact, after: cursor, since: nil)
                }
            }
        }
    }

    /// More cards than one page holds; some go and some change while the listing is under way.
    @Test func pagesShowEverything() async throws {
        let server = try await CardDAVServers.radicale()
        let book = "/shop/pages-\(UUID().uuidString)/"
        let make = """
            <mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/>\
            <C:addressbook/></resourcetype></prop></set></mkcol>
            """
        let made = try await server.call("MKCOL", book, headers: [("Content-Type", "application/xml")], body: make)
        #expect(made.status == 201)
        for number in 0..<230 {
            let card = "BEGIN:VCARD\nVERSION:3.0\nUID:u\(number)\nFN:Ann \(number)\nN:;Ann;;;\nEND:VCARD"
            #expect(try await server.put("\(book)c\(number).vcf", card) == 201)
        }
        let link = try link(server, url: server.base + book)
        let first = try await link.page(of: .contact, after: nil, since: nil)
        #expect(first.records.count == 100 && !first.isLast && !first.isComplete)
        // By path order "c99" comes last, and "c0" has been shown.
        _ = try await server.call("DELETE", "\(book)c99.vcf")
        try await server.put("\(book)c0.vcf", "BEGIN:VCARD\nVERSION:3.0\nUID:u0\nFN:Changed\nN:;C;;;\nEND:VCARD")
        var (seen, page) = (first.records, first)
        while !page.isLast {
            page = try await link.page(of: .contact, after: page.next, since: nil)
            seen += page.records
        }
        #expect(page.isComplete)
        #expect(Set(seen.filter { !$0.isDeleted }.map(\.id)).count == 229)
        let later = try await link.page(of: .contact, after: page.next, since: nil)
        #expect(later.records.contains { $0.id == "\(book)c0.vcf" && $0.values["fn"] == "Changed" })
        #expect(later.records.contains { $0.id == "\(book)c99.vcf" && $0.isDeleted })
        #expect(!later.isComplete && later.isLast)
    }

    /// All the document's members, through a real server, in both versions; with text that needs care.
    @Test(.serialized, arguments: ["3.0", "4.0"]) func documentsComeBackAsTheyWent(_ version: String) async throws {
        let values: JSON = [
            "fn": "Zażółć Gęślą; Jaźń, Sr.", "n": ["family": "Gęślą;x", "given": "Zażółć, A", "prefix": "dr"],
            "org": ["Stolarnia \\ Syn", "Dział; 2"], "title": "Szef",
            "email": [["value": "z@example.org", "type": "work"], ["value": "home@example.org", "type": "home"]],
            "tel": [["value": "+48 22 123 45 67", "type": "cell"]],
            "adr": [
                [
                    "street": "Długa 1\nm. 2", "city": "Łódź", "region": "łódzkie", "postal_code": "90-001",
                    "country": "PL", "type": "work",
                ]
            ],
            "bday": "1985-04-12", "note": .string("a\nb;c,d\\e " + String(repeating: "żółw ", count: 60)),
            "url": [["value": "https://example.org/a;b?c=d,e"]], "categories": ["klient", "a,b"], "lang": "pl",
        ]
        for server in try await servers() {
            let link = try link(server, url: server.base + server.book, version: version)
            let push = Push(action: .upsert, key: UUID().uuidString, idempotencyKey: "1", values: values)
            guard case .done(let record, _) = try await link.push([push]).first else {
                Issue.record("not created")
                continue
            }
            let held = try VCardParser.parse(Array(try #require(await server.card(record.id)).utf8))
            var document = VCardDocument.read(held)
            #expect(document["uid"] == .string(push.key))
            document["uid"] = nil
            #expect(document == values)
            #expect(held.version == version)
        }
    }

    /// A server that knows no sync-collection lists everything each time.
    @Test func withoutSyncCollectionEverythingIsListed() async throws {
        let server = try await CardDAVServers.radicale()
        let bench = try ContractSuite(CardDAVContractTests.subject(server)).bench()
        let push = Push(
            action: .upsert, key: "plain-\(UUID().uuidString)", idempotencyKey: "1", values: ["fn": "Plain"])
        guard case .done(let created, _) = try await bench.sink.push([push]).first else {
            Issue.record("not created")
            return
        }
        var cursor: Cursor?
        for _ in 0..<2 {
            var records: [RemoteRecord] = []
            while true {
                try await bench.proxy.fail(.status, status: 405, methods: ["REPORT"])
                let page = try await bench.source.page(of: .contact, after: cursor, since: nil)
                records += page.records
                cursor = page.next
                if page.isLast {
                    #expect(page.isComplete)
                    break
                }
            }
            #expect(records.contains { $0.id == created.id && $0.values["fn"] == "Plain" })
        }
    }

    @Test func aKeyThatIsNoFileNameStaysInTheBook() throws {
        let path = CardDAV.path(for: "../../etc/passwd", in: "https://a.example/shop/book/")
        #expect(path.hasPrefix("/shop/book/") && !path.dropFirst(11).contains("/") && path.hasSuffix(".vcf"))
        #expect(CardDAV.path(for: "k-7", in: "https://a.example/shop/book/") == "/shop/book/k-7.vcf")
    }

    @Test func anIdOnAnotherServerIsRefused() async throws {
        let server = try await CardDAVServers.radicale()
        let link = try link(server, url: server.base + server.book)
        let push = Push(action: .upsert, key: "k", idempotencyKey: "1", remoteID: "http://127.0.0.2/x.vcf", values: [:])
        guard case .failed(.refused(code: "bad_id", _)) = try await link.push([push]).first else {
            Issue.record("credentials went elsewhere")
            return
        }
    }

    @Test func settingsAreChecked() throws {
        let wrong: [JSON] = [[:], ["url": "example"], ["url": "https://a.example", "vcard_version": "2.1"]]
        for settings in wrong {
            #expect(throws: ConnectorError.self) {
                try CardDAV(
                    ConnectorEnvironment(
                        settings: settings, secrets: KitSecrets([:]), http: HTTPClient(), log: KitLog().logger))
            }
        }
    }
}
