import ConnectorKit
import Connectors
import Cryptography
import Foundation
import Hub
import Testing

enum EspoPeer {
    static let shared = Result { try PeerProcess("espocrm") }
    static let secrets = ["api_key": "demo-key", "webhook_secret": "another-key espo-hook-key"]
    static let sign = [("X-Api-Key", "demo-key")]

    static func link(_ peer: PeerProcess, keyField: String? = nil) throws -> EspoCRM {
        var settings: JSON = ["base_url": .string(peer.base)]
        if let keyField { settings["key_field"] = .string(keyField) }
        return try EspoCRM(peer.environment(settings, secrets: secrets))
    }

    static func document(_ person: ContractPerson) -> JSON {
        [
            "firstName": .string(person.given), "lastName": .string(person.family),
            "emailAddressData": [["emailAddress": .string(person.email)]],
        ]
    }

    /// A hook signed as versions 7 and 8 do.
    static func hook(_ body: JSON, secret: String = "espo-hook-key") -> Hook {
        let digest = Crypto.hmacSHA256(key: Array(secret.utf8), body.bytes)
        return Hook(
            headers: ["x-signature": Crypto.base64(Array("65a1:".utf8) + digest)], body: body.bytes, receivedAt: 0)
    }
}

@Suite struct EspoCRMContractTests {
    private static func subject() throws -> ContractSubject {
        let peer = try EspoPeer.shared.get()
        var subject = ContractSubject(
            remote: peer.base, make: { try EspoCRM($0) }, settings: { ["base_url": .string($0)] },
            secrets: EspoPeer.secrets)
        subject.wrongSecrets = ["api_key": "not-the-key"]
        subject.document = EspoPeer.document
        subject.look = { id in try await peer.state("Contact").first { $0["id"]?.string == id }?.text }
        subject.plant = { id in
            let text = "planted \(UUID().uuidString.prefix(8))"
            try await peer.call("PUT", "/api/v1/Contact/\(id)", ["cIndustry": [.string(text)]], headers: EspoPeer.sign)
            return text
        }
        subject.seesDeletes = false
        subject.hook = { EspoPeer.hook([["id": "65a1b2c3"]]) }
        return subject
    }

    @Test(arguments: ContractCheck.records + [.forgedHookIsRefused])
    func contract(_ check: ContractCheck) async throws {
        try await ContractSuite(try Self.subject()).run(check)
    }
}

/// What is EspoCRM's own.
@Suite struct EspoCRMTests {
    private let peer: PeerProcess
    private let link: EspoCRM

    init() throws {
        peer = try PeerProcess("espocrm")
        link = try EspoPeer.link(peer)
    }

    private func push(_ person: ContractPerson) -> Push {
        let key = UUID().uuidString
        return Push(
            action: .upsert, key: key, idempotencyKey: key, values: EspoPeer.document(person), emails: [person.email])
    }

    private func send(_ push: Push) async throws -> RemoteRecord {
        guard case .done(let record, _) = try await link.push([push]).first else {
            Issue.record("not done")
            throw ContractFailure.notDone
        }
        return record
    }

    private func all(after cursor: Cursor? = nil, since: String? = nil) async throws -> (
        records: [RemoteRecord], next: Cursor?, isComplete: Bool
    ) {
        var (records, cursor, isComplete) = ([RemoteRecord](), cursor, false)
        while true {
            let page = try await link.page(of: .contact, after: cursor, since: since)
            records += page.records
            (cursor, isComplete) = (page.next, page.isComplete)
            if page.isLast { return (records, cursor, isComplete) }
        }
    }

    private func contacts(_ count: Int) -> JSON {
        ["Contact": .array((0..<count).map { ["firstName": "C", "lastName": .string("L\($0)")] as JSON })]
    }

    @Test func listsAllThenChanges() async throws {
        let ids = try await peer.seed(contacts(250))["Contact"]?.array ?? []
        let whole = try await all()
        #expect(Set(whole.records.map(\.id)) == Set(ids.compactMap(\.string)) && whole.records.count == 250)
        #expect(whole.isComplete)
        let id = try #require(ids[77].string)
        try await peer.call("PUT", "/api/v1/Contact/\(id)", ["lastName": "Changed"], headers: EspoPeer.sign)
        let changes = try await all(after: whole.next)
        #expect(!changes.isComplete && changes.records.contains { $0.id == id && $0.values["lastName"] == "Changed" })
        #expect(try await all(since: "9999-01-01").records.isEmpty)
        #expect(try await all(since: "2000-01-01").records.count == 250)
    }

    @Test func aDeletionBetweenPagesHidesNobody() async throws {
        _ = try await peer.seed(contacts(250))
        let first = try await link.page(of: .contact, after: nil, since: nil)
        #expect(first.records.count == 100)
        for record in first.records[20..<27] {
            try await peer.call("DELETE", "/api/v1/Contact/\(record.id)", headers: EspoPeer.sign)
        }
        let rest = try await all(after: first.next)
        #expect(Set((first.records + rest.records).map(\.id)).count == 250 && rest.isComplete)
    }

    @Test func allAddressesAreReadThoughListsShowOne() async throws {
        let person = ContractPerson()
        _ = try await peer.seed([
            "Contact": [
                [
                    "lastName": .string(person.family),
                    "emailAddressData": [
                        ["emailAddress": .string(person.email), "primary": true, "optOut": true],
                        ["emailAddress": "second@example.org"],
                    ],
                ]
            ]
        ])
        let record = try #require(try await all().records.first)
        #expect(record.values["emailAddressData"]?.array?.count == 2)
        // A flag of an address that stays survives, one the hub no longer has goes.
        var push = push(person)
        (push.remoteID, push.version) = (record.id, record.version)
        push.values["emailAddressData"] = [
            ["emailAddress": "new@example.org"], ["emailAddress": .string(person.email.uppercased())],
        ]
        let data = try await send(push).values["emailAddressData"]?.array ?? []
        #expect(data.count == 2 && data.contains { $0["optOut"] == true && $0["primary"] == true })
        #expect(!data.contains { $0["emailAddress"] == "second@example.org" })
    }

    @Test func aNamesakeIsNoDuplicate() async throws {
        var (first, second) = (push(ContractPerson()), push(ContractPerson()))
        for member in ["firstName", "lastName"] { second.values[member] = first.values[member] }
        let made = try await send(first)
        let other = try await send(second)
        #expect(made.id != other.id)
        // Without an address nobody can tell: a person has to look.
        var third = push(ContractPerson())
        (third.values, third.emails) = (first.values, [])
        third.values["emailAddressData"] = nil
        guard case .failed(.refused("duplicate", let words)) = try await link.push([third]).first else {
            Issue.record("a namesake without address was made")
            return
        }
        #expect(words.contains("duplicate"))
        // An attempt of open outcome never makes a second one.
        first.isUnsure = true
        #expect(try await send(first).id == made.id)
        #expect(try await peer.state("Contact").count == 2)
    }

    @Test func theKeyFieldIsFoundAgain() async throws {
        let link = try EspoPeer.link(peer, keyField: "cKontor")
        var push = push(ContractPerson())
        push.emails = []
        push.values["emailAddressData"] = nil
        guard case .done(let made, _) = try await link.push([push]).first else {
            Issue.record("not made")
            return
        }
        #expect(made.key == push.key)
        push.isUnsure = true
        push.values["lastName"] = "Renamed"
        guard case .done(let same, _) = try await link.push([push]).first else {
            Issue.record("not found")
            return
        }
        #expect(same.id == made.id && same.values["lastName"] == "Renamed")
        #expect(throws: ConnectorError.self) { try EspoPeer.link(peer, keyField: "a b") }
    }

    @Test func mistakesStayWithTheirRecord() async throws {
        var bad = push(ContractPerson())
        bad.values["lastName"] = ""
        let outcomes = try await link.push([push(ContractPerson()), bad, push(ContractPerson())])
        guard case .done = outcomes[0], case .failed(.refused("value_missing", _)) = outcomes[1],
            case .done = outcomes[2]
        else {
            Issue.record("came out as \(outcomes)")
            return
        }
    }

    @Test func faultsMakeNoDoubles() async throws {
        let people = (0..<30).map { _ in ContractPerson() }
        try await peer.misbehave(seed: 5)
        for person in people {
            var push = push(person)
            var isDone = false
            for _ in 0..<60 where !isDone {
                do {
                    if case .done = try await link.push([push]).first { isDone = true }
                } catch RemoteError.unsure {
                    push.isUnsure = true
                } catch RemoteError.later {
                    continue
                }
            }
            #expect(isDone)
        }
        try await peer.behave()
        let emails = try await peer.state("Contact").compactMap { $0["emailAddress"]?.string }
        #expect(emails.count == 30 && Set(emails) == Set(people.map(\.email)))
    }

    @Test func hooksNameWhatIsRead() async throws {
        let made = try await send(push(ContractPerson()))
        let hook = EspoPeer.hook([["id": .string(made.id), "lastName": "x"], ["id": "0123456789abcdef0"]])
        try await link.verify(hook)
        let records = try await link.records(in: hook).compactMap { item -> RemoteRecord? in
            if case .record(.contact, let record) = item { record } else { nil }
        }
        #expect(records.count == 2 && records[0].values["lastName"] == made.values["lastName"])
        #expect(records[1].id == "0123456789abcdef0" && records[1].isDeleted)
    }

    @Test func bothFormsOfSignatureAreChecked() async throws {
        let body: JSON = [["id": "1"]]
        let digest = Crypto.hmacSHA256(key: Array("espo-hook-key".utf8), body.bytes)
        var hook = EspoPeer.hook(body)
        hook.headers = ["signature": Crypto.base64(Array("65a1:\(Crypto.hex(digest))".utf8))]
        try await link.verify(hook)
        hook.headers = ["signature": Crypto.base64(Array("65a1:\(Crypto.hex(digest.reversed()))".utf8))]
        await #expect(throws: HookError.self) { try await link.verify(hook) }
        hook.headers = ["x-signature": Crypto.base64(digest)]
        await #expect(throws: HookError.self) { try await link.verify(hook) }
        await #expect(throws: HookError.self) { try await link.verify(EspoPeer.hook(body, secret: "third-key")) }
    }
}
