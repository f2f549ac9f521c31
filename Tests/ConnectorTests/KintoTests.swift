import ConnectorKit
import Cryptography
import Foundation
import Hub
import Testing

@testable import Connectors

/// A real Kinto server, one for all tests, started when first asked for.
struct KintoServer: Sendable {
    let process: KitServerProcess
    let base: String
    let http = HTTPClient(guard: KitFaultProxy.loopback)

    static let user = "shop"
    static let password = "open-sesame-41"
    static func shared() async throws -> KintoServer { try await starting.value }

    private static let starting = Task {
        try KitServerProcess.run("kinto.sh", ["setup"])
        let port = KitServerProcess.freePort()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kontor-\(UUID().uuidString)")
        let process = try KitServerProcess("kinto.sh", ["serve", folder.path, String(port)])
        let server = KintoServer(process: process, base: "http://127.0.0.1:\(port)/v1")
        try await KitServerProcess.waitUntil {
            try await server.call("PUT", "/accounts/\(user)", ["password": .string(password)]) == 201
        }
        #expect(try await server.call("PUT", "/buckets/shop", [:]) == 201)
        _ = try await server.collection("contacts")
        return server
    }

    private func send(
        _ method: String, _ path: String, _ body: JSON? = nil, as user: String = user
    ) async throws -> HTTPResponse {
        let login = ("Authorization", "Basic " + Crypto.base64("\(user):\(Self.password)".utf8))
        let request =
            body.map { HTTPRequest(method, base + path, headers: [login], json: $0) }
            ?? HTTPRequest(method, base + path, headers: [login])
        return try await http.send(request)
    }

    /// A call that does without the connector; gives its status.
    @discardableResult
    func call(_ method: String, _ path: String, _ data: JSON? = nil) async throws -> Int {
        try await send(method, path, data.map { ["data": $0] }).status
    }

    /// Makes an account that may read a collection.
    func reader(_ name: String, of collection: String) async throws {
        let account: JSON = ["data": ["password": .string(Self.password)]]
        #expect(try await send("PUT", "/accounts/\(name)", account, as: name).status == 201)
        let path = "/buckets/shop/collections/\(collection)"
        let permissions: JSON = ["permissions": ["read": [.string("account:\(name)")]]]
        #expect(try await send("PATCH", path, permissions).isSuccess)
    }

    /// A record without the connector; nil when there is none.
    func record(_ id: String, in collection: String = "contacts") async throws -> JSON? {
        let response = try await send("GET", Self.path(id, in: collection))
        return response.isSuccess ? try response.json()["data"] : nil
    }

    static func path(_ id: String, in collection: String = "contacts") -> String {
        "/buckets/shop/collections/\(collection)/records/\(id)"
    }

    /// Makes a collection; gives its name.
    func collection(_ name: String = "c-\(UUID().uuidString)") async throws -> String {
        #expect(try await call("PUT", "/buckets/shop/collections/\(name)", [:]) == 201)
        return name
    }

    static func settings(_ base: String, _ collection: String = "contacts", user: String = user) -> JSON {
        ["base_url": .string(base), "bucket": "shop", "collection": .string(collection), "user": .string(user)]
    }

    func link(_ collection: String, user: String = user) throws -> Kinto {
        try Kinto(
            ConnectorEnvironment(
                settings: Self.settings(base, collection, user: user), secrets: KitSecrets(["password": Self.password]),
                http: http, log: KitLog().logger))
    }
}

@Suite struct KintoContractTests {
    static func subject() async throws -> ContractSubject {
        let server = try await KintoServer.shared()
        var subject = ContractSubject(
            remote: server.base, make: { try Kinto($0) }, settings: { KintoServer.settings($0) },
            secrets: ["password": KintoServer.password], wrongSecrets: ["password": "not the password"])
        subject.document = { person in
            [
                "given_name": .string(person.given), "family_name": .string(person.family),
                "emails": [["value": .string(person.email)]],
            ]
        }
        subject.look = { try await server.record($0)?.text }
        subject.plant = { id in
            let text = "planted \(UUID().uuidString.prefix(8))"
            let status = try await server.call("PATCH", KintoServer.path(id), ["tea": [.string(text)]])
            #expect(status == 200)
            return text
        }
        return subject
    }

    @Test(arguments: ContractCheck.records) func contract(_ check: ContractCheck) async throws {
        try await ContractSuite(try await Self.subject()).run(check)
    }
}

/// What is Kinto's own.
@Suite struct KintoTests {
    private func push(_ values: JSON, key: String = UUID().uuidString, id: String? = nil) -> Push {
        Push(action: .upsert, key: key, idempotencyKey: key, remoteID: id, values: values)
    }

    private func send(_ push: Push, _ link: Kinto) async throws -> RemoteRecord {
        guard case .done(let record, _) = try await link.push([push]).first else {
            Issue.record("not done")
            throw ContractFailure.notDone
        }
        return record
    }

    /// Pages from a cursor to the end, each by a connector made anew, as after a restart.
    private func rest(
        _ server: KintoServer, _ collection: String, after cursor: Cursor?
    ) async throws -> (records: [RemoteRecord], last: Page) {
        var (records, cursor): ([RemoteRecord], Cursor?) = ([], cursor)
        while true {
            let page = try await server.link(collection).page(of: .contact, after: cursor, since: nil)
            records += page.records
            if page.isLast { return (records, page) }
            cursor = page.next
        }
    }

    /// Some records go and some change while the listing is under way.
    @Test func pagesShowEverything() async throws {
        let server = try await KintoServer.shared()
        let collection = try await server.collection()
        for number in 0..<50 {
            let path = KintoServer.path("r\(number)", in: collection)
            #expect(try await server.call("PUT", path, ["n": .int(Int64(number))]) == 201)
        }
        let first = try await server.link(collection).page(of: .contact, after: nil, since: nil)
        #expect(first.records.count == 20 && first.isFirst && !first.isLast && !first.isComplete)
        try await server.call("DELETE", KintoServer.path("r3", in: collection))
        try await server.call("DELETE", KintoServer.path("r40", in: collection))
        try await server.call("PATCH", KintoServer.path("r5", in: collection), ["n": 500])
        let (more, last) = try await rest(server, collection, after: first.next)
        #expect(last.isComplete && !last.isFirst)
        #expect(Set((first.records + more).map(\.id)).count == 49 && more.contains { $0.values["n"] == 500 })
        let (changes, end) = try await rest(server, collection, after: last.next)
        #expect(!end.isComplete && changes.contains { $0.id == "r5" && $0.values["n"] == 500 })
        #expect(Set(changes.filter(\.isDeleted).map(\.id)) == ["r3", "r40"])
        #expect(try await rest(server, collection, after: end.next).records.isEmpty)
    }

    @Test func aDayToBeginWith() async throws {
        let server = try await KintoServer.shared()
        let link = try server.link(try await server.collection())
        _ = try await send(push(["n": 1]), link)
        let page = try await link.page(of: .contact, after: nil, since: "2020-01-31")
        #expect(page.records.count == 1 && page.isFirst && page.isLast && !page.isComplete)
    }

    @Test func anUnknownCursorBeginsAnew() async throws {
        let server = try await KintoServer.shared()
        let link = try server.link(try await server.collection())
        let inAnHour = Int64(Date().timeIntervalSince1970 + 3600) * 1000
        let cursors = [
            "nonsense", "{}", #"{"since":-5}"#, #"{"since":0,"token":"abc"}"#,
            #"{"since":9999999999999}"#,
            // The collection's clock is behind: an older copy was brought back.
            #"{"since":\#(inAnHour)}"#,
        ]
        for text in cursors {
            await #expect(throws: RemoteError.cursorExpired) {
                try await link.page(of: .contact, after: Cursor(text), since: nil)
            }
        }
    }

    /// Two write to one record, over and over, each its own member: nothing is lost.
    @Test func nobodyWritesOverTheOther() async throws {
        let server = try await KintoServer.shared()
        let collection = try await server.collection()
        let made = try await send(push(["a": 0, "b": 0]), server.link(collection))
        @Sendable func write(_ member: String) async throws -> Int {
            let link = try server.link(collection)
            var stale = 0
            for number in 1...25 as ClosedRange<Int64> {
                let push = Push(
                    action: .upsert, key: made.key ?? "", idempotencyKey: "\(number)", remoteID: made.id,
                    values: [member: .int(number)])
                while case .failed(let error) = try await link.push([push]).first {
                    guard error == .stale else { throw error }
                    stale += 1
                }
                #expect(try await server.record(made.id, in: collection)?[member] == .int(number))
            }
            return stale
        }
        async let first = write("a")
        async let second = write("b")
        let stale = try await first + second
        #expect(stale > 0, "they never met")
    }

    /// A change gets a new time, so that the next listing shows it; a repeated create is one record.
    @Test func aChangeIsSeenByOthers() async throws {
        let server = try await KintoServer.shared()
        let collection = try await server.collection()
        let link = try server.link(collection)
        let made = try await send(push(["n": 1]), link)
        #expect(try await send(push(["n": 1], key: try #require(made.key)), link) == made)
        let (_, last) = try await rest(server, collection, after: nil)
        let changed = try await send(push(["n": 2], id: made.id), link)
        #expect(changed.version != made.version)
        #expect(try await rest(server, collection, after: last.next).records.map(\.id) == [made.id])
    }

    @Test func whatIsBesideSurvives() async throws {
        let server = try await KintoServer.shared()
        let collection = try await server.collection()
        let link = try server.link(collection)
        let held: JSON = [
            "work": ["title": "Owner", "desk": 7], "notes": "x",
            "emails": [["value": "a@example.org", "label": "old", "bounced": true], ["value": "b@example.org"]],
        ]
        try await server.call("PUT", KintoServer.path("theirs", in: collection), held)
        let wanted: JSON = [
            "work": ["title": "Chair"], "notes": nil, "birthday": nil,
            "emails": [["value": "new@example.org"], ["value": "a@example.org", "label": "work"]],
        ]
        let record = try await send(push(wanted, key: "k-1", id: "theirs"), link)
        var expected: JSON = [
            "id": "theirs", "kontor_key": "k-1", "work": ["title": "Chair", "desk": 7],
            "emails": [
                ["value": "new@example.org"], ["value": "a@example.org", "label": "work", "bounced": true],
            ],
        ]
        expected["last_modified"] = record.values["last_modified"]
        #expect(try await server.record("theirs", in: collection) == expected)
        // Nothing differs: nothing is written.
        #expect(try await send(push(wanted, key: "k-1", id: "theirs"), link).version == record.version)
    }

    @Test func onlyOwnRecordsAreDeleted() async throws {
        let server = try await KintoServer.shared()
        let collection = try await server.collection()
        let link = try server.link(collection)
        try await server.call("PUT", KintoServer.path("k-1", in: collection), ["kontor_key": "another"])
        var push = push([:], key: "k-1")
        guard case .failed(.refused(code: "duplicate", _)) = try await link.push([push]).first else {
            Issue.record("another record's place was taken")
            return
        }
        (push.action, push.isUnsure) = (.delete, true)
        guard case .failed(.refused(code: "not_surely_ours", _)) = try await link.push([push]).first else {
            Issue.record("another's record was deleted")
            return
        }
        #expect(try await server.record("k-1", in: collection) != nil)
    }

    /// A missing collection is no missing contact.
    @Test func aMissingCollectionLocks() async throws {
        let link = try await KintoServer.shared().link("nowhere")
        for push in [push(["n": 1]), push(["n": 1], id: "r1")] {
            do {
                let outcomes = try await link.push([push])
                Issue.record("came out as \(outcomes)")
            } catch RemoteError.locked(code: "no_collection", _) {}
        }
    }

    @Test func mistakesStayWithTheirRecord() async throws {
        let server = try await KintoServer.shared()
        let link = try server.link(try await server.collection())
        let outcomes = try await link.push([push(["n": 1]), push(["id": "other"]), push(["n": 2])])
        guard case .done = outcomes[0], case .failed(.refused(_, let words)) = outcomes[1], case .done = outcomes[2]
        else {
            Issue.record("came out as \(outcomes)")
            return
        }
        #expect(words.contains("id does not match"))
    }

    @Test func checkSaysWhatIsAllowed() async throws {
        let server = try await KintoServer.shared()
        #expect(try await server.link("contacts").check().hasSuffix("as account:shop, collection shop/contacts"))
        let collection = try await server.collection()
        try await server.reader("visitor", of: collection)
        #expect(try await server.link(collection, user: "visitor").check().hasSuffix("which this user may not write"))
    }

    @Test func settingsAreChecked() throws {
        for missing in ["base_url", "bucket", "user"] {
            var settings = KintoServer.settings("https://kinto.example/v1")
            settings[missing] = ""
            #expect(throws: ConnectorError.self) {
                try Kinto(
                    ConnectorEnvironment(
                        settings: settings, secrets: KitSecrets([:]), http: HTTPClient(), log: KitLog().logger))
            }
        }
    }

    @Test func aKeyThatIsNoIdIsHashed() {
        #expect(Kinto.id(for: "k-7_A") == "k-7_A")
        for key in ["", "-k", "a.b", "../x", "ł", String(repeating: "k", count: 101)] {
            let id = Kinto.id(for: key)
            #expect(id.utf8.count == 32 && id.allSatisfy(\.isHexDigit))
        }
    }
}
