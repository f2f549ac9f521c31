import Hub
import Postgres
import TestKit
import Testing

@testable import Store

@Suite(.inTurn) struct IntakeTests {
    @Test func resolvesByStrongEvidenceOnly() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm")
            let shop = try await tenant.connector("shop")
            let ada = try await tenant.createContact(
                as: .token(1),
                fields: [
                    "given_name": "Ada", "emails": [["value": "ada@example.org"]], "phones": [["value": "601234567"]],
                ])
            let ida = try await tenant.createContact(
                as: .token(1), fields: ["given_name": "Ida", "phones": [["value": "+48501234567"]]])
            // e-mail; telephone with the same name; key; telephone alone
            let counts = try await tenant.take(
                crm,
                [
                    incoming("1", ["first": "A.", "mails": ["ADA@example.org"]]),
                    incoming("2", ["first": "ida", "phones": ["501 234 567"]]),
                ])
            #expect(counts.byVerdict["new"] == nil)
            #expect(try await tenant.bound(crm, "1") == ada.id)
            #expect(try await tenant.bound(crm, "2") == ida.id)
            try await tenant.take(
                shop, [incoming("s1", ["first": "Zoe", "phones": ["601234567"]], key: tenant.key(ofContact: ida.id))])
            #expect(try await tenant.bound(shop, "s1") == ida.id, "the key Kontor wrote there")
            let weak = try await tenant.take(shop, [incoming("s2", ["first": "Bo", "phones": ["601234567"]])])
            #expect(weak.byVerdict["new"] == 1)
            let bo = try await tenant.bound(shop, "s2")
            let pairs = try await tenant.rows("SELECT a, b, evidence FROM \(tenant.table("duplicate")) WHERE b = \(bo)")
            #expect(try pairs.map { try $0.get("a", as: Int64.self) }.contains(ada.id))
            // the remote id decides whatever else it says
            try await tenant.take(crm, [incoming("1", ["first": "Ida", "mails": ["other@example.org"]])])
            #expect(try await tenant.bound(crm, "1") == ada.id)
        }
    }

    @Test func sameAddressTwiceIsOnePersonInAFileAndTwoInAConnector() async throws {
        try await withTenant { tenant in
            let both: [JSON] = [
                ["given_name": "Ada", "emails": [["value": "a@example.org"]]],
                ["family_name": "Ek", "emails": [["value": "a@example.org"]]],
            ]
            let file = try await tenant.merge(both)
            #expect(file.counts.byVerdict["new"] == 1 && file.counts.byVerdict["changed"] == 1)
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("contact"))") == 1)
            // nor do many rows of one that is there make another
            let again = try await tenant.merge(
                ["job_title", "notes", "company", "language"].map {
                    [$0: "en", "emails": [["value": "a@example.org"]]]
                })
            #expect(again.counts.byVerdict["changed"] == 4)
        }
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm")
            try await tenant.take(
                crm,
                [
                    incoming("1", ["first": "Ada", "mails": ["a@example.org"]]),
                    incoming("2", ["last": "Ek", "mails": ["a@example.org"]]),
                ])
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("contact"))") == 2)
            #expect(
                try await tenant.number("SELECT count(*) FROM \(tenant.table("duplicate")) WHERE evidence = 'email'")
                    == 1)
        }
    }

    @Test func mergesThreeWays() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", rank: 50)
            let low = try await tenant.connector("low", rank: 90)
            let start: JSON = [
                "first": "Ada", "last": "Ek", "mails": ["a@example.org", "b@example.org"], "tags": ["x", "y"],
            ]
            try await tenant.take(crm, [incoming("1", start, at: "2026-01-01T00:00:00Z")])
            try await tenant.take(low, [incoming("9", start, at: "2026-01-01T00:00:00Z")])
            let id = try await tenant.bound(crm, "1")
            #expect(try await tenant.bound(low, "9") == id)
            // only the remote changed
            var values = start
            values["first"] = "Adela"
            try await tenant.take(crm, [incoming("1", values, at: "2026-01-02T00:00:00Z")])
            #expect(try await tenant.fields(id)["given_name"] == "Adela")
            // lists: the hub adds z and takes y away, the remote adds w and takes x away
            _ = try await tenant.editContact(
                id, as: .token(1), version: nil, changes: ["tags": ["x", "z"], "family_name": "Ekman"])
            values["tags"] = ["y", "w"]
            try await tenant.take(crm, [incoming("1", values, at: "2026-01-03T00:00:00Z")])
            #expect(Set(try await tenant.fields(id)["tags"]?.array ?? []) == ["z", "w"])
            #expect(try await tenant.fields(id)["family_name"] == "Ekman", "only the hub changed")
            #expect(
                try await tenant.conflicts(contact: id, isSettled: nil, before: nil, limit: 10, as: .token(1)).json
                    == Array("[]".utf8))
            // both changed: a person's word precedes
            values["last"] = "Berg"
            try await tenant.take(crm, [incoming("1", values, at: "2099-01-01T00:00:00Z")])
            #expect(try await tenant.fields(id)["family_name"] == "Ekman")
            // both changed by connectors: the better rank precedes, and later does not help
            values["first"] = "Adele"
            try await tenant.take(crm, [incoming("1", values, at: "2099-01-02T00:00:00Z")])
            var other = start
            other["first"] = "Ada M"
            try await tenant.take(low, [incoming("9", other, at: "2099-02-01T00:00:00Z")])
            #expect(try await tenant.fields(id)["given_name"] == "Adele")
            let listed = try JSON(
                parsing: await tenant.conflicts(contact: id, isSettled: false, before: nil, limit: 10, as: .token(1))
                    .json)
            #expect(listed.array?.map { $0["field"] } == ["given_name", "family_name"])
            #expect(listed.array?.allSatisfy { $0["kept"] == "hub" && $0["reason"] == "precedence" } == true)
            let family = try #require(listed[1]?["id"]?.int)
            try await tenant.settleConflict(family, takesRemote: true, as: .token(1))
            #expect(try await tenant.fields(id)["family_name"] == "Berg")
            // held by hand
            _ = try await tenant.setLocks(id, as: .token(1), fields: ["given_name"])
            values["first"] = "Changed"
            try await tenant.take(crm, [incoming("1", values, at: "2099-03-01T00:00:00Z")])
            #expect(try await tenant.fields(id)["given_name"] == "Adele")
            // what systems said of somebody goes with them
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("conflict"))") > 0)
            _ = try await tenant.eraseContact(id, as: .token(1))
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("conflict"))") == 0)
        }
    }

    @Test func equalRanksGoByEventTime() async throws {
        for (at, kept) in [("2026-05-02T00:00:00Z", "New"), ("2026-04-01T00:00:00Z", "Mid")] {
            try await withTenant { tenant in
                let one = try await tenant.connector("one")
                let two = try await tenant.connector("two")
                let mail: JSON = ["a@example.org"]
                try await tenant.take(
                    one, [incoming("1", ["first": "Old", "mails": mail], at: "2026-01-01T00:00:00Z")])
                try await tenant.take(
                    two, [incoming("2", ["first": "Old", "mails": mail], at: "2026-01-01T00:00:00Z")])
                try await tenant.take(
                    one, [incoming("1", ["first": "Mid", "mails": mail], at: "2026-05-01T00:00:00Z")])
                try await tenant.take(two, [incoming("2", ["first": "New", "mails": mail], at: at)])
                #expect(try await tenant.fields(tenant.bound(one, "1"))["given_name"]?.string == kept)
            }
        }
    }

    /// Ends the delivery of a contact as if the remote had answered with these hub values.
    private func push(
        _ tenant: TenantDatabase, _ connector: TestConnector, as agreed: JSON, at: String?
    ) async throws {
        _ = try await tenant.routeAll()
        let plugin = try await tenant.duePlugin(connector)
        let claim = try #require(try await tenant.claim(plugin, limit: 1, lease: 60).first)
        var result = DeliveryResult(claim, .done)
        (result.remoteID, result.agreed, result.pushed, result.remoteAt) = ("1", agreed, StagedRow.hash(agreed), at)
        _ = try await tenant.finish(plugin, [result], maxAttempts: 3)
    }

    /// A page that was read before a push shows what the push replaced.
    @Test func aReadingFromBeforeAPushIsNoNews() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            _ = try await tenant.take(crm, [incoming("1", ["first": "Ada", "last": "Berg"])])
            let contact = try await tenant.bound(crm, "1")
            _ = try await tenant.editContact(contact, as: .token(1), version: nil, changes: ["given_name": "Eva"])
            let early = try await tenant.reading()
            try await push(tenant, crm, as: ["given_name": "Eva", "family_name": "Berg"], at: nil)
            let late = try await tenant.take(
                crm, [incoming("1", ["first": "Ada", "last": "Tal"])], reading: early)
            #expect(late.byVerdict == ["changed": 1])
            var fields = try await tenant.fields(contact)
            #expect(fields["given_name"] == "Eva" && fields["family_name"] == "Tal", "field by field")
            let binding = try await tenant.rows("SELECT agreed::text FROM \(tenant.table("binding"))")[0]
            #expect(
                try JSON(text: binding.get(0))["given_name"] == "Eva",
                "what the remote holds now is known better than that")
            // after the push it is a person's doing
            _ = try await tenant.take(crm, [incoming("1", ["first": "Ada", "last": "Tal"])])
            fields = try await tenant.fields(contact)
            #expect(fields["given_name"] == "Ada")
        }
    }

    /// A report of the same second as the known state may be older than that: the record is read again.
    @Test func aReportOfTheSameSecondIsUnclear() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            let second = "2026-01-01T00:00:00Z"
            _ = try await tenant.take(crm, [incoming("1", ["first": "Ada"], at: second)])
            let contact = try await tenant.bound(crm, "1")
            let report = Reading(began: try await tenant.reading().began, isReport: true)
            let same = try await tenant.take(crm, [incoming("1", ["first": "Ada"], at: second)], reading: report)
            #expect(same.byVerdict == ["unchanged": 1])
            let other = try await tenant.take(crm, [incoming("1", ["first": "Zoe"], at: second)], reading: report)
            #expect(other.byVerdict == ["unclear": 1] && other.unclear == 1)
            #expect(try await tenant.fields(contact)["given_name"] == "Ada")
            let next = try await tenant.take(
                crm, [incoming("1", ["first": "Zoe"], at: "2026-01-01T00:00:01Z")], reading: report)
            #expect(next.byVerdict == ["changed": 1])
        }
    }

    /// A contact whose creation at a connector has no certain end.
    private func unansweredCreate(_ tenant: TenantDatabase) async throws -> (
        connector: TestConnector, plugin: DeliveryPlugin, contact: StoredContact
    ) {
        let crm = try await tenant.connector("crm", pushes: ["all": []])
        let made = try await tenant.createContact(
            as: .token(1), fields: ["given_name": "Ada", "emails": [["value": "a@example.org"]]])
        _ = try await tenant.routeAll()
        let plugin = try await tenant.duePlugin(crm)
        let claim = try #require(try await tenant.claim(plugin, limit: 1, lease: 60).first)
        _ = try await tenant.finish(plugin, [DeliveryResult(claim, .unsure)], maxAttempts: 3)
        return (crm, plugin, made)
    }

    /// What was sent and never answered is no edit of somebody's when the remote shows it.
    @Test func anUnansweredPushIsRecognised() async throws {
        try await withTenant { tenant in
            let (crm, _, made) = try await unansweredCreate(tenant)
            _ = try await tenant.editContact(
                made.id, as: .token(1), version: nil, changes: ["given_name": "Eva", "family_name": "Berg"])
            // it did happen, and somebody gave the record a telephone number since
            let mails: JSON = ["a@example.org"]
            _ = try await tenant.take(
                crm, [incoming("r1", ["first": "Ada", "mails": mails, "phones": ["+48601000111"]])])
            let fields = try await tenant.fields(made.id)
            #expect(fields["given_name"] == "Eva" && fields["family_name"] == "Berg")
            #expect(fields["phones"]?[0]?["value"] == "+48601000111")
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("conflict"))") == 0)
            #expect(try await tenant.bound(crm, "r1") == made.id)
        }
    }

    /// A contact deleted while its creation there was under way does not come back.
    @Test func aDeletedContactDoesNotComeBack() async throws {
        try await withTenant { tenant in
            let (crm, plugin, made) = try await unansweredCreate(tenant)
            try await tenant.deleteContact(made.id, as: .token(1), version: nil)
            _ = try await tenant.routeAll()
            #expect(try await tenant.verdicts(made.id)["crm"] == "accepted")
            let seen = try await tenant.take(crm, [incoming("r1", ["first": "Ada", "mails": ["a@example.org"]])])
            #expect(seen.byVerdict == ["deleted_here": 1])
            _ = try await tenant.eraseContact(made.id, as: .token(1))
            let removal = try #require(try await tenant.claim(plugin, limit: 1, lease: 60).first)
            #expect(removal.isDeleted && removal.isUnsure && removal.remoteID == nil)
            #expect(
                removal.formerEmails == ["a@example.org"], "kept until it is deleted there, also through an erasure")
            _ = try await tenant.finish(plugin, [DeliveryResult(removal, .gone)], maxAttempts: 3)
            #expect(
                try await tenant.number("SELECT count(*) FROM \(tenant.table("delivery")) WHERE sent <> '[]'") == 0)
        }
    }

    @Test func echoesAndOldNewsChangeNothing() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            let made = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ada"])
            _ = try await tenant.routeAll()
            let plugin = try await tenant.duePlugin(crm)
            let claim = try #require(try await tenant.claim(plugin, limit: 1, lease: 60).first)
            var result = DeliveryResult(claim, .done)
            let agreed: JSON = ["given_name": "Ada"]
            (result.remoteID, result.agreed, result.pushed, result.remoteAt) = (
                "1", agreed, StagedRow.hash(agreed), "2026-01-01T00:00:00Z"
            )
            _ = try await tenant.finish(plugin, [result], maxAttempts: 3)
            _ = try await tenant.editContact(made.id, as: .token(1), version: nil, changes: ["given_name": "Eva"])
            let echo = try await tenant.take(crm, [incoming("1", ["first": "Ada"], at: "2026-01-01T00:00:00Z")])
            #expect(echo.byVerdict == ["echo": 1])
            let old = try await tenant.take(crm, [incoming("1", ["first": "Old"], at: "2025-01-01T00:00:00Z")])
            #expect(old.byVerdict == ["outdated": 1])
            #expect(try await tenant.fields(made.id)["given_name"] == "Eva")
            // a later genuine return to the pushed value is no echo
            let away = try await tenant.take(crm, [incoming("1", ["first": "Zoe"], at: "2026-02-01T00:00:00Z")])
            #expect(away.byVerdict["echo"] == nil)
            let back = try await tenant.take(crm, [incoming("1", ["first": "Ada"], at: "2026-03-01T00:00:00Z")])
            #expect(back.byVerdict["echo"] == nil)
        }
    }

    @Test func deletionAndCompleteListingUnlink() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            try await tenant.take(
                crm,
                (1...4).map {
                    incoming("\($0)", ["first": .string("N\($0)"), "mails": [.string("n\($0)@example.org")]])
                })
            let ids = try await [
                tenant.bound(crm, "1"), tenant.bound(crm, "2"), tenant.bound(crm, "3"), tenant.bound(crm, "4"),
            ]
            _ = try await tenant.rows("UPDATE \(tenant.table("binding")) SET bound_at = now() - interval '1 hour'")
            try await tenant.take(crm, [incoming("1", [:], isDeleted: true)])
            #expect(
                try await !tenant.contact(ids[0], as: .token(1)).isDeleted,
                "a deletion there unlinks, it deletes nothing here")
            // 3 is deleted here and not yet there; 2 is not shown any more
            try await tenant.deleteContact(ids[2], as: .token(1), version: nil)
            let counts = try await tenant.take(
                crm, [incoming("3", ["first": "N3"]), incoming("4", ["first": "N4", "mails": ["n4@example.org"]])],
                isComplete: true)
            #expect(counts.byVerdict["unlinked"] == 1 && counts.byVerdict["deleted_here"] == 1)
            let gone = try await tenant.rows(
                "SELECT remote_id FROM \(tenant.table("binding")) WHERE gone_at IS NOT NULL ORDER BY 1")
            #expect(try gone.map { try $0.get("remote_id", as: String.self) } == ["1", "2"])
            // the deletion still reaches the remote
            _ = try await tenant.routeAll()
            #expect(try await tenant.verdicts(ids[2])["crm"] == "accepted")
            // made anew there with another number, it is the same person
            try await tenant.take(crm, [incoming("11", ["first": "N1", "mails": ["n1@example.org"]])])
            #expect(try await tenant.bound(crm, "11") == ids[0])
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("contact"))") == 4)
        }
    }

    /// A listing of everything that was cut short goes on in another run: what the first one showed is there.
    @Test func aListingOverTwoRunsUnlinksOnlyWhatNoneShowed() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm")
            func named(_ id: String) -> IncomingRecord { incoming(id, ["first": .string("N\(id)")]) }
            _ = try await tenant.take(crm, [named("1"), named("2"), named("3")])
            _ = try await tenant.rows("UPDATE \(tenant.table("binding")) SET bound_at = now() - interval '1 hour'")
            _ = try await tenant.take(crm, [named("1")], isFirst: true)
            let counts = try await tenant.take(crm, [named("2")], isFirst: false, isComplete: true)
            #expect(counts.byVerdict["unlinked"] == 1)
            let gone = try await tenant.rows(
                "SELECT remote_id FROM \(tenant.table("binding")) WHERE gone_at IS NOT NULL")
            #expect(try gone.map { try $0.get("remote_id", as: String.self) } == ["3"])
            // when it is shown again after all, the agreed values still tell its edit from the hub's
            let three = try await tenant.bound(crm, "3")
            _ = try await tenant.editContact(three, as: .token(1), version: nil, changes: ["family_name": "Berg"])
            _ = try await tenant.take(crm, [incoming("3", ["first": "Zoe"])])
            let fields = try await tenant.fields(three)
            #expect(fields["given_name"] == "Zoe" && fields["family_name"] == "Berg")
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("conflict"))") == 0)
        }
    }

    @Test func pollsOfAPluginGoOneAtATimeAndAHeldUpOneTakesNothing() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm")
            for _ in 0..<2 {
                _ = try await tenant.createRun(as: .system, kind: "poll", plugin: crm.pull, connector: crm.id)
            }
            let late = try #require(try await tenant.claimRun(lease: 60))
            #expect(try await tenant.claimRun(lease: 60)?.id == nil, "the second waits for the first")
            _ = try await tenant.rows("UPDATE \(tenant.table("run")) SET leased_until = now() - interval '1 s'")
            let next = try #require(try await tenant.claimRun(lease: 60))
            #expect(next.id == late.id && next.fence > late.fence)
            let plugin = try #require(try await tenant.pullPlugin(crm.pull))
            let rows = try await tenant.stagedRows(
                [incoming("1", ["first": "Ada"])], plugin: plugin, firstLine: 1)
            await #expect(throws: RunLost.self) {
                try await tenant.takePage(rows, plugin: plugin, run: late.id, fence: late.fence, reading: Reading())
            }
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("contact"))") == 0)
            _ = try await tenant.takePage(rows, plugin: plugin, run: next.id, fence: next.fence, reading: Reading())
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("contact"))") == 1)
            // a report older than what is known is no news, also of a record that was unlinked
            _ = try await tenant.take(crm, [incoming("1", ["first": "Eva"], at: "2026-01-02T00:00:00Z")])
            _ = try await tenant.take(crm, [incoming("1", [:], isDeleted: true)])
            let report = Reading(began: try await tenant.reading().began, isReport: true)
            let old = try await tenant.take(
                crm, [incoming("1", ["first": "Ada"], at: "2026-01-01T00:00:00Z")], reading: report)
            #expect(old.byVerdict == ["outdated": 1])
            #expect(
                try await tenant.number(
                    "SELECT count(*) FROM \(tenant.table("binding")) WHERE gone_at IS NOT NULL") == 1)
        }
    }

    /// The same new person from several systems in the same moment is one contact.
    @Test func mergesAtOnceMakeOneContact() async throws {
        try await withTenant { tenant in
            var sources: [TestConnector] = []
            for number in 0..<4 { sources.append(try await tenant.connector("s\(number)")) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for source in sources {
                    group.addTask {
                        for round in 0..<5 {
                            _ = try await tenant.take(
                                source,
                                [incoming("\(round)", ["first": "Ada", "mails": [.string("a\(round)@example.org")]])])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("contact"))") == 5)
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("binding"))") == 20)
        }
    }

    @Test func dryRunLeavesNothing() async throws {
        try await withTenant { tenant in
            _ = try await tenant.connector("crm", pushes: ["tag": "x"])
            let known = try await tenant.createContact(
                as: .token(1), fields: ["given_name": "Ada", "emails": [["value": "a@example.org"]]])
            _ = try await tenant.routeAll()
            let before = try await tenant.tableCounts()
            let version = try await tenant.contact(known.id, as: .token(1)).version
            let dry = try await tenant.merge(
                [
                    ["emails": [["value": "not an address"]]],
                    ["given_name": "Eva", "emails": [["value": "a@example.org"]]],
                    ["given_name": "Bo", "tags": ["x"]], [:],
                ], isDry: true)
            #expect(dry.counts.byVerdict["new"] == 1)
            var after = try await tenant.tableCounts()
            for table in ["run", "stage"] { after[table] = before[table] }
            #expect(after == before)
            #expect(try await tenant.contact(known.id, as: .token(1)).version == version)
            let run = try JSON(parsing: await tenant.runJSON(dry.run, as: .token(1)))
            #expect(run["counts"]?["preview"]?["new"] == 1)
            #expect(run["counts"]?["preview"]?["refused"] == 2, "the first and the last line too")
            #expect(run["counts"]?["effects"]?["crm/contacts.push"]?["accepted"] == 1)
            #expect(run["params"]?["samples"]?.array?.isEmpty == false)
        }
    }

    @Test func aRunIsUndone() async throws {
        try await withTenant { tenant in
            let ada = try await tenant.createContact(
                as: .token(1), fields: ["given_name": "Ada", "emails": [["value": "a@example.org"]]])
            let eva = try await tenant.createContact(
                as: .token(1), fields: ["given_name": "Eva", "emails": [["value": "e@example.org"]]])
            let merged = try await tenant.merge([
                ["language": "pl", "emails": [["value": "a@example.org"]]],
                ["language": "pl", "emails": [["value": "e@example.org"]]],
                ["given_name": "New"], ["given_name": "New and edited"],
            ])
            #expect(merged.counts.effective == 4)
            _ = try await tenant.editContact(eva.id, as: .token(1), version: nil, changes: ["language": "de"])
            _ = try await tenant.editContact(eva.id + 2, as: .token(1), version: nil, changes: ["notes": "kept"])
            _ = try await tenant.createRun(as: .token(1), kind: "undo", params: ["run": .int(merged.run)])
            let claimed = try #require(try await tenant.claimRun(lease: 60))
            let answer = try await tenant.undo(run: merged.run, under: claimed)
            #expect(answer["deleted"] == 1 && answer["restored"] == 1)
            #expect(try await tenant.fields(ada.id)["language"] == nil)
            #expect(try await tenant.fields(eva.id)["language"] == "de")
            #expect(try await tenant.contact(eva.id + 2, as: .token(1)).isDeleted == false)
            #expect(try await tenant.contact(eva.id + 1, as: .token(1)).isDeleted)
        }
    }

    @Test func shuffledAndRepeatedVersionsConverge() async throws {
        var random = SplitMix(seed: 7)
        for round in 0..<8 {
            try await withTenant { tenant in
                var random = SplitMix(seed: UInt64(round))
                let crm = try await tenant.connector("crm")
                let versions = (1...8).map { number in
                    incoming(
                        "1", ["first": .string("V\(number)"), "tags": .array((0..<number).map { .string("t\($0)") })],
                        at: "2026-01-0\(number)T00:00:00Z")
                }
                var stream = (versions + versions + versions).shuffled(using: &random)
                while !stream.isEmpty {
                    let size = min(stream.count, Int.random(in: 1...5, using: &random))
                    try await tenant.take(crm, Array(stream.prefix(size)))
                    stream.removeFirst(size)
                }
                let fields = try await tenant.fields(tenant.bound(crm, "1"))
                #expect(fields["given_name"] == "V8")
                #expect(fields["tags"]?.array?.count == 8)
                #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("contact"))") == 1)
            }
        }
        _ = random.next()
    }
}
