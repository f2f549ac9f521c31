import ConnectorKit
import Connectors
import Foundation
import Hub
import Testing

/// A peer that judges every exchange by the discovery document, when there is one.
enum GooglePeer {
    static let shared = Result { try PeerProcess("google", discovery) }

    /// People API's discovery document: named by KONTOR_PEOPLE_DISCOVERY, else of google-api-python-client.
    private static var discovery: [String] { documentPath.map { ["--discovery", $0] } ?? [] }

    static let documentPath: String? = {
        if let path = ProcessInfo.processInfo.environment["KONTOR_PEOPLE_DISCOVERY"] { return path }
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = """
            import importlib.util as u, os
            s = u.find_spec("googleapiclient")
            p = s and os.path.join(s.submodule_search_locations[0], "discovery_cache/documents/people.v1.json")
            print(p if p and os.path.exists(p) else "", end="")
            """
        process.arguments = ["python3", "-c", script]
        process.standardOutput = output
        guard (try? process.run()) != nil else { return nil }
        let path = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return path.isEmpty ? nil : path
    }()

    static let secrets = ["client_secret": "demo-secret", "refresh_token": "demo-refresh"]

    static func settings(_ base: String) -> JSON {
        ["base_url": .string(base), "token_url": .string("\(base)/token"), "client_id": "demo-client"]
    }

    static func link(_ peer: PeerProcess) throws -> Google {
        try Google(peer.environment(settings(peer.base), secrets: secrets))
    }

    static func document(_ person: ContractPerson) -> JSON {
        [
            "names": [["givenName": .string(person.given), "familyName": .string(person.family)]],
            "emailAddresses": [["value": .string(person.email), "type": "work"]],
        ]
    }
}

@Suite struct GoogleContractTests {
    private static func subject() throws -> ContractSubject {
        let peer = try GooglePeer.shared.get()
        var subject = ContractSubject(
            remote: peer.base, make: { try Google($0) }, settings: GooglePeer.settings, secrets: GooglePeer.secrets)
        subject.wrongSecrets = ["client_secret": "demo-secret", "refresh_token": "not-the-token"]
        subject.document = GooglePeer.document
        subject.look = { id in
            try await peer.state("people").first { $0["resourceName"]?.string == id }?.text
        }
        subject.plant = { id in
            let person = try #require(try await peer.state("people").first { $0["resourceName"]?.string == id })
            let text = "planted \(UUID().uuidString.prefix(8))"
            var names = person["names"]?[0] ?? [:]
            for member in ["metadata", "displayName", "displayNameLastFirst", "unstructuredName"] {
                names[member] = nil
            }
            names["middleName"] = .string(text)
            let token = try await GoogleContractTests.token(peer)
            try await peer.call(
                "PATCH", "/v1/\(id):updateContact?updatePersonFields=names",
                ["names": [names], "metadata": person["metadata"] ?? [:]],
                headers: [("Authorization", "Bearer \(token)")])
            return text
        }
        subject.path = "/v1/"
        return subject
    }

    static func token(_ peer: PeerProcess) async throws -> String {
        let grant =
            "grant_type=refresh_token&refresh_token=demo-refresh&client_id=demo-client&client_secret=demo-secret"
        let response = try await HTTPClient(guard: KitFaultProxy.loopback).send(
            HTTPRequest(
                "POST", "\(peer.base)/token", headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array(grant.utf8)))
        return try #require(try response.json()["access_token"]?.string)
    }

    @Test(arguments: ContractCheck.records) func contract(_ check: ContractCheck) async throws {
        try await ContractSuite(try Self.subject()).run(check)
    }
}

/// What is Google's own. Each test has a peer of its own, as it changes what all others would see.
@Suite struct GoogleTests {
    private let peer: PeerProcess
    private let link: Google

    init() throws {
        peer = try PeerProcess("google", GooglePeer.documentPath.map { ["--discovery", $0] } ?? [])
        link = try GooglePeer.link(peer)
    }

    private func push(_ person: ContractPerson, groups: [String]? = nil) -> Push {
        var values = GooglePeer.document(person)
        if let groups { values["groups"] = .array(groups.map { .string($0) }) }
        let key = UUID().uuidString
        return Push(action: .upsert, key: key, idempotencyKey: key, values: values, emails: [person.email])
    }

    private func record(_ outcome: PushOutcome?) throws -> RemoteRecord {
        guard case .done(let record, _) = outcome else {
            Issue.record("the push came out as \(String(describing: outcome))")
            throw ContractFailure.notDone
        }
        return record
    }

    private func groups(_ record: RemoteRecord) -> [String] {
        (record.values["groups"]?.array ?? []).compactMap(\.string)
    }

    private func all(after cursor: Cursor?) async throws -> (records: [RemoteRecord], next: Cursor?, isComplete: Bool) {
        var (records, cursor, isComplete) = ([RemoteRecord](), cursor, false)
        while true {
            let page = try await link.page(of: .contact, after: cursor, since: nil)
            records += page.records
            (cursor, isComplete) = (page.next, page.isComplete)
            if page.isLast { return (records, cursor, isComplete) }
        }
    }

    @Test func listsByPagesThenByToken() async throws {
        _ = try await peer.seed(["generate": 1201])
        let first = try await link.page(of: .contact, after: nil, since: nil)
        #expect(first.records.count == 500 && !first.isLast && !first.isComplete)
        let whole = try await all(after: nil)
        #expect(Set(whole.records.map(\.id)).count == 1201 && whole.isComplete)
        let nothing = try await all(after: whole.next)
        #expect(nothing.records.isEmpty && !nothing.isComplete)
        let made = try record(try await link.push([push(ContractPerson())]).first)
        let delta = try await all(after: nothing.next)
        #expect(delta.records.map(\.id) == [made.id] && delta.records[0].key == made.key)
        #expect(delta.records[0].changedAt?.hasSuffix("Z") == true)
        try await expectFit()
    }

    @Test func anExpiredTokenIsSaid() async throws {
        let whole = try await all(after: nil)
        try await peer.call("POST", "/_peer/settings", ["expire_sync_tokens": true])
        await #expect(throws: RemoteError.cursorExpired) { try await all(after: whole.next) }
        await #expect(throws: RemoteError.cursorExpired) { try await all(after: Cursor("not ours")) }
        #expect(try await all(after: nil).isComplete)
        try await expectFit()
    }

    @Test func groupsComeAndGo() async throws {
        _ = try await peer.seed(["groups": ["Suppliers"]])
        let person = ContractPerson()
        var push = push(person, groups: ["suppliers", "Carpenters"])
        let made = try record(try await link.push([push]).first)
        #expect(groups(made) == ["Carpenters", "Suppliers"])
        #expect(try await peer.state("contactGroups").filter { $0["groupType"] == "USER_CONTACT_GROUP" }.count == 2)
        // Without groups in the document memberships stay as they are, and are listed.
        push.remoteID = made.id
        push.version = made.version
        push.values = ["names": [["givenName": "Eva"]]]
        let renamed = try record(try await link.push([push]).first)
        #expect(groups(renamed) == ["Carpenters", "Suppliers"])
        #expect(try await all(after: nil).records.first.map(groups) == ["Carpenters", "Suppliers"])
        push.version = renamed.version
        push.values = ["groups": []]
        #expect(groups(try record(try await link.push([push]).first)) == [])
        let members = try await peer.state("people")[0]["memberships"]?.array ?? []
        #expect(members.count == 1 && members[0].text.contains("contactGroups/myContacts"))
        try await expectFit()
    }

    @Test func aBatchOfTwoHundredIsFewCalls() async throws {
        let pushes = (0..<200).map { _ in push(ContractPerson()) }
        let made = try await link.push(pushes).map { try record($0) }
        #expect(Set(made.map(\.id)).count == 200)
        let changed = zip(pushes, made).map { push, record in
            var push = push
            (push.remoteID, push.version) = (record.id, record.version)
            push.values["biographies"] = [["value": "known"]]
            return push
        }
        for outcome in try await link.push(changed) { _ = try record(outcome) }
        let log = try await peer.call("GET", "/_peer/log")
        #expect(log["effects"]?.array?.count == 400)
        #expect(try await peer.state("people").filter { $0.text.contains("known") }.count == 200)
        try await expectFit()
    }

    @Test func oneBadRecordDoesNotStopTheOthers() async throws {
        var pushes = (0..<5).map { _ in push(ContractPerson()) }
        // Google takes one name only.
        pushes[3].values["names"] = [["givenName": "One"], ["givenName": "Two"]]
        pushes[1].values["lang"] = "pl"
        let outcomes = try await link.push(pushes)
        for index in [0, 2, 4] { _ = try record(outcomes[index]) }
        guard case .failed(.refused(_, let words)) = outcomes[3] else {
            Issue.record("two names came out as \(outcomes[3])")
            return
        }
        #expect(words.contains("names"))
        guard case .failed(.refused("no_such_field", _)) = outcomes[1] else {
            Issue.record("an unknown field came out as \(outcomes[1])")
            return
        }
        #expect(try await peer.state("people").count == 3)
        try await expectFit()
    }

    @Test func oneChangedRecordDoesNotStopTheOthers() async throws {
        let made = try await link.push((0..<3).map { _ in push(ContractPerson()) }).map { try record($0) }
        var pushes = made.map { record in
            var push = push(ContractPerson())
            (push.remoteID, push.version) = (record.id, record.version)
            return push
        }
        pushes[1].mayReplace = { _ in false }
        let outcomes = try await link.push(pushes)
        _ = try record(outcomes[0])
        _ = try record(outcomes[2])
        guard case .differs(let kept) = outcomes[1], kept.id == made[1].id else {
            Issue.record("a record changed there came out as \(outcomes[1])")
            return
        }
        try await expectFit()
    }

    @Test func whatIsNotMappedStaysInItsField() async throws {
        let seeded = try await peer.seed([
            "people": [
                [
                    "names": [["givenName": "Ewa", "middleName": "Maria", "familyName": "Lis"]],
                    "emailAddresses": [
                        ["value": "ewa@old.example", "displayName": "Ewa at home"], ["value": "gone@old.example"],
                    ],
                    "organizations": [["name": "Lis", "department": "Oak"], ["name": "Second"]],
                    "userDefined": [["key": "shoe", "value": "38"]],
                ]
            ]
        ])
        let id = try #require(seeded["people"]?[0]?.string)
        var push = push(ContractPerson())
        push.remoteID = id
        push.values = [
            "names": [["givenName": "Eva", "familyName": "Lis"]],
            "emailAddresses": [["value": "new@old.example", "type": "work"], ["value": "ewa@old.example"]],
            "organizations": [["name": "Lis & Co", "title": .null]], "birthdays": .null,
        ]
        _ = try record(try await link.push([push]).first)
        let person = try #require(try await peer.state("people").first)
        #expect(person["names"]?[0]?["middleName"] == "Maria" && person["names"]?[0]?["givenName"] == "Eva")
        #expect(person["names"]?[0]?["displayName"] == "Eva Maria Lis")
        #expect(
            person["emailAddresses"]?.array?.compactMap { $0["value"]?.string } == [
                "new@old.example", "ewa@old.example",
            ])
        #expect(person["emailAddresses"]?[1]?["displayName"] == "Ewa at home")
        #expect(person["organizations"]?.array?.compactMap { $0["name"]?.string } == ["Lis & Co", "Second"])
        #expect(person["organizations"]?[0]?["department"] == "Oak")
        #expect(person["userDefined"]?[0]?["value"] == "38")
        // The same again changes nothing, whatever was expected there.
        let effects = try await peer.call("GET", "/_peer/log")["effects"]?.array?.count
        push.mayReplace = { _ in false }
        _ = try record(try await link.push([push]).first)
        #expect(try await peer.call("GET", "/_peer/log")["effects"]?.array?.count == effects)
        try await expectFit()
    }

    @Test func faultsMakeNoDoubles() async throws {
        let people = (0..<40).map { _ in ContractPerson() }
        try await peer.misbehave(seed: 7, path: "^/v1/")
        for start in stride(from: 0, to: 40, by: 4) {
            var waiting = people[start..<start + 4].map { push($0) }
            for _ in 0..<60 where !waiting.isEmpty {
                do {
                    let outcomes = try await link.push(waiting)
                    waiting = zip(waiting, outcomes).compactMap { push, outcome in
                        if case .done = outcome { return nil }
                        var again = push
                        if case .failed(.unsure) = outcome { again.isUnsure = true }
                        return again
                    }
                } catch RemoteError.unsure {
                    for index in waiting.indices { waiting[index].isUnsure = true }
                } catch RemoteError.later {
                    continue
                }
            }
            #expect(waiting.isEmpty)
        }
        try await peer.behave()
        let emails = try await peer.state("people").compactMap { $0["emailAddresses"]?[0]?["value"]?.string }
        #expect(emails.count == 40 && Set(emails) == Set(people.map(\.email)))
    }

    /// Every exchange so far fits the discovery document; without one the peer notes nothing.
    private func expectFit() async throws {
        #expect(try await peer.call("GET", "/_peer/violations")["violations"] == [])
    }

    /// Everything the connector says and reads fits Google's own description of the API.
    @Test(.enabled(if: GooglePeer.documentPath != nil)) func fitsTheDiscoveryDocument() async throws {
        let people = [ContractPerson(), ContractPerson()]
        _ = try await link.check()
        let pushes = people.map { push($0, groups: ["Discovered"]) }
        let made = try await link.push(pushes).map { try record($0) }
        var whole = push(people[0])
        (whole.remoteID, whole.version) = (made[0].id, made[0].version)
        whole.values = [
            "names": [["givenName": "Ada", "familyName": "Nowak"]],
            "emailAddresses": [["value": "ada@example.org", "type": "work"]],
            "phoneNumbers": [["value": "+48221234567", "type": "mobile"]],
            "addresses": [
                ["streetAddress": "Prosta 1", "city": "Warszawa", "postalCode": "00-001", "countryCode": "PL"]
            ],
            "organizations": [["name": "Nowak", "title": "Joiner"]], "urls": [["value": "https://nowak.example"]],
            "birthdays": [["date": ["year": 1980, "month": 9, "day": 1]]], "locales": [["value": "pl"]],
            "biographies": [["value": "Likes oak"]], "userDefined": [["key": "shoe", "value": "38"]],
        ]
        _ = try record(try await link.push([whole]).first)
        var unsure = pushes[1]
        unsure.isUnsure = true
        #expect(try record(try await link.push([unsure]).first).id == made[1].id)
        let listed = try await all(after: nil)
        _ = try await all(after: listed.next)
        let removal = Push(action: .delete, key: "k", idempotencyKey: "k", remoteID: made[0].id)
        _ = try record(try await link.push([removal]).first)
        try await expectFit()
    }
}
