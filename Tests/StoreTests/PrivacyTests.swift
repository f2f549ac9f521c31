import Hub
import Postgres
import TestKit
import Testing

@testable import Store

@Suite(.inTurn) struct PrivacyTests {
    private enum Event: Sendable {
        case evidence(day: Int, granted: Bool)
        /// A remote's record of the person, of some day, which claims that they consent.
        case sync(day: Int)
        case file
        case pushed(stays: Bool)
    }

    /// Evidence in any order, told once or several times, among syncs that claim a consent: only evidence counts, and the
    /// newest; a sync never grants.
    @Test func noSyncGrantsAndOrderAndRepetitionAreNoMatter() async throws {
        try await withTenant { door in
            var random = SplitMix(seed: 20_261_122)
            let crm = try await door.connector("crm")
            let segment = try await door.createSegment(
                as: .token(1), name: "all", condition: ["field": "given_name", "is": "Ada"])
            let plugin: Int64 = try await door.rows(
                "SELECT id FROM \(door.table("plugin")) WHERE capability = 'group'")[0].get("id")
            let made = try await door.createSegmentPush(
                as: .token(1), segment: segment, plugin: plugin, groupName: "G", purpose: "news", schedule: nil)
            let push = try #require(try await door.segmentPush(made))
            for round in 0..<40 {
                var events: [Event] = []
                for _ in 0..<Int.random(in: 1...5, using: &random) {
                    events.append(
                        .evidence(day: Int.random(in: 1...6, using: &random), granted: Bool.random(using: &random)))
                }
                for _ in 0..<3 { events.append(.sync(day: Int.random(in: 1...28, using: &random))) }
                events += [.file, .pushed(stays: true)]
                let evidence = events.compactMap {
                    if case .evidence(let day, let granted) = $0 { (day, granted) } else { nil }
                }
                let last = evidence.map(\.0).max() ?? 0
                let expected = evidence.filter { $0.0 == last }.allSatisfy(\.1)
                for copy in 0..<2 {
                    let remote = "r\(round)-\(copy)"
                    try await door.take(crm, [incoming(remote, Self.values(remote))])
                    let id = try await door.bound(crm, remote)
                    let order = copy == 0 ? events : (events + events).shuffled(using: &random)
                    for event in order {
                        let before = try await consents(of: id, door)
                        try await play(event, remote, id, crm, push, door)
                        if case .evidence = event { continue }
                        #expect(try await consents(of: id, door).isSubset(of: before), "\(event)")
                    }
                    #expect(
                        try await consents(of: id, door) == (expected ? ["consent:news"] : []), "\(round) \(evidence)")
                }
            }
        }
    }

    /// The record there, which claims a consent in every way that a mapping could take over.
    private static func values(_ remote: String) -> JSON {
        [
            "first": "Ada", "mails": [.string("\(remote)@example.org")], "tags": ["consent:news", "newsletter"],
            "consents": ["news"], "consent": true,
        ]
    }

    /// The same as a line of a file.
    private static func document(_ remote: String) -> JSON {
        ["given_name": "Ada", "emails": [["value": .string("\(remote)@example.org")]], "tags": ["consent:news"]]
    }

    private func consents(of id: Int64, _ door: TenantDatabase) async throws -> Set<String> {
        let found = try JSON(parsing: await door.contact(id, as: .token(1)).json)["consents"]
        return Set(found?.array?.compactMap(\.string) ?? [])
    }

    private func play(
        _ event: Event, _ remote: String, _ id: Int64, _ crm: TestConnector, _ push: SegmentPush, _ door: TenantDatabase
    ) async throws {
        switch event {
        case .evidence(let day, let granted):
            _ = try await door.addConsent(
                id, as: .token(1), purpose: "news", granted: granted, at: "2026-01-0\(day)T00:00:00Z", source: "t",
                proof: nil)
        case .sync(let day):
            let at = day < 10 ? "2026-02-0\(day)T00:00:00Z" : "2026-02-\(day)T00:00:00Z"
            try await door.take(crm, [incoming(remote, Self.values(remote), at: at)])
        case .file: _ = try await door.merge([Self.document(remote)])
        case .pushed:
            let mine = try await door.recipients(of: push)
            try await door.noteMembers(mine, of: push)
            _ = try await door.noteLeft(push, present: Set(mine.map(\.email)), isNew: false)
        }
    }

    @Test func whoLeavesAGroupIsNotPutInAgain() async throws {
        try await withTenant { door in
            _ = try await door.connector("crm")
            let segment = try await door.createSegment(
                as: .token(1), name: "all", condition: ["field": "given_name", "is": "Ada"])
            let plugin: Int64 = try await door.rows(
                "SELECT id FROM \(door.table("plugin")) WHERE capability = 'group'")[0].get("id")
            let made = try await door.createSegmentPush(
                as: .token(1), segment: segment, plugin: plugin, groupName: "G", purpose: "news", schedule: nil)
            let push = try #require(try await door.segmentPush(made))
            var ids: [Int64] = []
            for number in 1...50 {
                let id = try await door.createContact(
                    as: .token(1),
                    fields: ["given_name": "Ada", "emails": [["value": .string("a\(number)@example.org")]]]
                ).id
                _ = try await door.addConsent(
                    id, as: .token(1), purpose: "news", granted: true, at: "2026-01-01T00:00:00Z", source: "form",
                    proof: nil)
                ids.append(id)
            }
            let all = try await door.recipients(of: push)
            #expect(all.count == 50)
            // put in, but whether it reached the remote is not known: nobody has left
            try await door.noteAdding(all, to: push)
            #expect(try await door.noteLeft(push, present: [], isNew: false) == 0)
            try await door.noteMembers(all, of: push)
            let present = Set(all.map(\.email))
            #expect(try await door.noteLeft(push, present: present, isNew: false) == 0)
            #expect(try await door.noteLeft(push, present: present.subtracting(["a7@example.org"]), isNew: false) == 1)
            #expect(try await consents(of: ids[6], door) == [])
            #expect(try await door.recipients(of: push).count == 49)
            let ledger = try JSON(parsing: await door.consents(of: ids[6], as: .token(1))).array ?? []
            #expect(ledger.count == 2 && ledger[1]["granted"] == false && ledger[1]["source"] == "group")
            // a group that was emptied, or made anew, withdraws nothing
            let emptied = await #expect(throws: Failure.self) {
                _ = try await door.noteLeft(push, present: [], isNew: false)
            }
            #expect(emptied?.code == "group.emptied")
            #expect(try await door.noteLeft(push, present: [], isNew: true) == 0)
            #expect(try await door.recipients(of: push).count == 49)
            // only a push tells who left; who got another address has not
            await #expect(throws: PostgresError.self) {
                try await door.rows("SELECT \(door.table("left_group"))(\(made), '{}')", as: .token(1))
            }
            try await door.noteMembers(door.recipients(of: push), of: push)
            _ = try await door.editContact(
                ids[1], as: .token(1), version: nil, changes: ["emails": [["value": "new2@example.org"]]])
            let renamed = Set(try await door.recipients(of: push).map(\.email))
            #expect(try await door.noteLeft(push, present: renamed, isNew: false) == 0)
            // newer evidence brings them back
            _ = try await door.addConsent(
                ids[6], as: .token(1), purpose: "news", granted: true, at: nil, source: "form", proof: nil)
            #expect(try await door.recipients(of: push).count == 50)
        }
    }

    @Test func aCertificateTellsWhatWasErasedAndWhere() async throws {
        try await withTenant(modules: ["sales"]) { door in
            let crm = try await door.connector("crm", pushes: ["all": []])
            try await door.take(
                crm, [incoming("r1", ["first": "Quartz", "mails": ["quartz@example.org"]])])
            let id = try await door.bound(crm, "r1")
            _ = try await door.addConsent(
                id, as: .token(1), purpose: "news", granted: true, at: nil, source: "form", proof: "quartz said so")
            let export = try await door.subjectExport(of: id, as: .token(1))
            #expect(export["contact"]?["fields"]?["given_name"] == "Quartz")
            #expect(export["consents"]?.array?.count == 1 && export["systems"]?[0]?["number"] == "r1")
            #expect(export["history"]?.array?.isEmpty == false && export["orders"] == [])
            await #expect(throws: Failure.self) { try await door.erasure(of: id, as: .token(1)) }
            _ = try await door.eraseContact(id, as: .token(1))
            _ = try await door.routeAll()
            let certificate = try await door.erasure(of: id, as: .token(1))
            #expect(certificate["complete"] == false && certificate["systems"]?[0]?["state"] == "waiting")
            #expect(!certificate.text.lowercased().contains("quartz"))
            let audit = try JSON(parsing: await door.audit(AuditQuery(), as: .token(1)).json).array ?? []
            #expect(audit.contains { $0["action"] == "erased" && $0["record"]?.int == id })
            #expect(audit.contains { $0["action"] == "subject.exported" && $0["record"]?.int == id })
            // no table holds a value any more
            let counts = try await door.tableCounts()
            #expect(counts["erasure"] == 1)
            for table in counts.keys {
                let left = try await TestCluster.shared.value.superuser.run(
                    "SELECT count(*) FROM \(door.table(table)) x WHERE x::text ILIKE '%quartz%'")[0][0].get(
                        0, as: Int.self)
                // what waits to be taken away at the remote is looked for there by address until that is done
                #expect(left == 0 || table == "delivery", "\(table)")
            }
        }
    }

    @Test func preferencesAreTheirPersonsOwn() async throws {
        try await withTenant { door in
            let ada = try await door.createContact(as: .token(1), fields: ["given_name": "Ada"]).id
            let bo = try await door.createContact(as: .token(1), fields: ["given_name": "Bo"]).id
            try await door.savePurpose("news", title: ["en": "News", "pl": "Nowości"], channel: "email", as: .token(1))
            try await door.savePurpose("offers", title: ["en": "Offers"], channel: "sms", as: .token(1))
            _ = try await door.publish(purpose: "news", language: "en", body: "first", as: .token(1))
            let second = try await door.publish(purpose: "news", language: "en", body: "second", as: .token(1))
            #expect(second.version == 2)
            let path = try await door.preferencePath(of: ada)
            let found = try #require(try await door.node.preferenceTarget(path))
            #expect(found.contact == ada)
            for wrong in [path.replacing("-\(ada)-", with: "-\(bo)-"), String(path.dropLast()) + "x", "1-2-3", "x"] {
                #expect(try await door.node.preferenceTarget(wrong)?.contact == nil)
            }
            try await door.setPreferences(["news", "unknown"], of: ada, language: "pl", source: "page")
            let shown = try await door.preferences(of: ada, language: "pl")
            #expect(shown.map(\.title) == ["Nowości", "Offers"] && shown.map(\.isGranted) == [true, false])
            #expect(shown[0].body == "second")
            let ledger = try JSON(parsing: await door.consents(of: ada, as: .token(1))).array ?? []
            #expect(ledger.count == 1 && ledger[0]["wording"]?.int == second.id)
            // the same again is no news; nothing at all withdraws
            try await door.setPreferences(["news"], of: ada, language: "pl", source: "page")
            try await door.setPreferences([], of: ada, language: "en", source: "page")
            #expect(try JSON(parsing: await door.consents(of: ada, as: .token(1))).array?.count == 2)
            #expect(try await consents(of: ada, door) == [])
            #expect(try await consents(of: bo, door) == [])
        }
    }
}
