import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// Two contacts made one by a person, and that taken back.
@Suite(.inTurn) struct ContactMergeTests {
    /// All that a merge touches, to compare before and after.
    private func picture(_ tenant: TenantDatabase, _ contacts: [Int64]) async throws -> [String] {
        let statements: [SQL] = [
            """
            SELECT jsonb_build_object('id', id, 'data', data, 'origins', origins, 'locks', locks, 'owner', owner, 'sales', sales,
                'consents', consents, 'deleted', deleted_at IS NOT NULL, 'into', merged_into)::text
            FROM \(tenant.table("contact")) WHERE id = ANY (\(contacts)) ORDER BY id
            """,
            "SELECT concat_ws('|', connector, record, remote_id, gone_at IS NULL) FROM \(tenant.table("binding")) ORDER BY 1",
            "SELECT concat_ws('|', id, contact) FROM \(tenant.table("sale")) ORDER BY id",
            "SELECT concat_ws('|', kind, value, contact) FROM \(tenant.table("contact_key")) ORDER BY 1",
        ]
        var lines: [String] = []
        for statement in statements {
            for row in try await tenant.rows(statement) { lines.append(try row.get(0)) }
        }
        return lines
    }

    private func merge(
        _ tenant: TenantDatabase, _ kept: Int64, _ other: Int64, _ choices: JSON = [:], dropsTwins: Bool = false
    ) async throws -> Int64 {
        try await tenant.mergeContacts(
            kept, with: other, versions: (nil, nil), choices: choices, dropsTwins: dropsTwins, as: .token(1))
    }

    private func json(_ tenant: TenantDatabase, _ id: Int64) async throws -> JSON {
        try JSON(parsing: await tenant.contact(id, as: .token(1)).json)
    }

    @Test func everythingGoesOverAndComesBack() async throws {
        try await withTenant(modules: ["sales"]) { tenant in
            let (shop, crm) = (try await tenant.connector("shop"), try await tenant.connector("crm"))
            try await tenant.take(
                crm,
                [incoming("c1", ["first": "Ada", "last": "Berg", "mails": ["ada@example.org"], "tags": ["client"]])])
            try await tenant.take(
                shop,
                [
                    incoming(
                        "s1",
                        ["first": "A.", "mails": ["berg@example.org"], "phones": ["+47 22 12 34 56"], "tags": ["vip"]])
                ])
            let (a, b) = (try await tenant.bound(crm, "c1"), try await tenant.bound(shop, "s1"))
            let orders = try #require(
                try await tenant.pullPlugin(
                    tenant.rows(
                        "SELECT id FROM \(tenant.table("plugin")) WHERE connector = \(shop.id) AND name = 'orders.import'"
                    )[0]
                    .get("id")))
            try await tenant.takeOrders(
                [
                    incoming(
                        "o1",
                        [
                            "number": "1", "status": "completed", "total": "10.00", "placed_at": "2026-10-01T00:00:00Z",
                            "customer_remote_id": "s1", "lines": [],
                        ])
                ], plugin: orders, cursor: nil)
            _ = try await tenant.addConsent(
                a, as: .token(1), purpose: "news", granted: true, at: "2026-01-01T00:00:00Z", source: "t", proof: nil)
            _ = try await tenant.addConsent(
                b, as: .token(1), purpose: "news", granted: false, at: "2026-02-01T00:00:00Z", source: "t", proof: nil)
            _ = try await tenant.addConsent(
                b, as: .token(1), purpose: "calls", granted: true, at: "2026-02-01T00:00:00Z", source: "t", proof: nil)
            _ = try await tenant.editContact(a, as: .token(1), version: nil, changes: ["notes": "likes oak"])
            _ = try await tenant.editContact(b, as: .token(1), version: nil, changes: ["notes": "rings late"])
            let before = try await picture(tenant, [a, b])

            let preview = try await tenant.mergePreview(a, with: b, as: .token(1))
            let number = try await merge(tenant, a, b)
            let one = try await json(tenant, a)
            for field in try #require(preview["fields"]?.array) {
                #expect(one["fields"]?[field["field"]?.string ?? ""] == field["result"], "the preview says what comes")
            }
            #expect(one["fields"]?["given_name"] == "Ada")
            #expect(
                one["fields"]?["emails"]?.array?.compactMap { $0["value"]?.string } == [
                    "ada@example.org", "berg@example.org",
                ])
            #expect(one["fields"]?["phones"]?[0]?["value"] == "+4722123456")
            #expect(one["origins"]?["phones"]?["by"]?.string == "intake:\(shop.id)", "whose value it is stays known")
            #expect(one["fields"]?["notes"] == "likes oak\n\nrings late")
            #expect(one["consents"] == ["consent:calls"], "the newest evidence of either")
            #expect(try await json(tenant, b)["merged_into"]?.int == a)
            #expect(try await tenant.bound(shop, "s1") == a)
            #expect(try await tenant.number("SELECT contact FROM \(tenant.table("sale"))") == Int(a))
            #expect(try await tenant.merges(of: a, before: nil, limit: 10, as: .token(1)).next == nil)
            // the shop's record is this contact's now
            try await tenant.take(
                shop,
                [
                    incoming(
                        "s1",
                        ["first": "A.", "mails": ["new@example.org"], "phones": ["+47 22 12 34 56"], "tags": ["vip"]])
                ])
            #expect(
                try await tenant.number("SELECT count(*) FROM \(tenant.table("contact")) WHERE deleted_at IS NULL") == 1
            )

            try await tenant.take(
                shop,
                [
                    incoming(
                        "s1",
                        ["first": "A.", "mails": ["berg@example.org"], "phones": ["+47 22 12 34 56"], "tags": ["vip"]])
                ])
            try await tenant.undoMerge(number, as: .token(1))
            #expect(try await picture(tenant, [a, b]) == before)
            await #expect(throws: Failure.self) { try await tenant.undoMerge(number, as: .token(1)) }
        }
    }

    @Test func whatWasChangedSinceStaysWhenItIsUndone() async throws {
        try await withTenant { tenant in
            let a = try await tenant.createContact(
                as: .token(1), fields: ["given_name": "Ada", "emails": [["value": "a@example.org"]]]
            ).id
            let b = try await tenant.createContact(
                as: .token(1),
                fields: [
                    "given_name": "Eva", "family_name": "Tal", "company": "Oak", "emails": [["value": "b@example.org"]],
                ]
            ).id
            let number = try await merge(tenant, a, b, ["given_name": "other", "company": "keep"])
            #expect(try await tenant.fields(a)["given_name"] == "Eva")
            #expect(try await tenant.fields(a)["company"] == nil)
            _ = try await tenant.editContact(
                a, as: .token(1), version: nil,
                changes: [
                    "family_name": "Dal",
                    "emails": [["value": "a@example.org"], ["value": "b@example.org"], ["value": "c@example.org"]],
                ])
            _ = try await tenant.addConsent(
                a, as: .token(1), purpose: "news", granted: false, at: nil, source: "t", proof: nil)
            try await tenant.undoMerge(number, as: .token(1))
            let fields = try await tenant.fields(a)
            #expect(fields["given_name"] == "Ada", "as before the merge")
            #expect(fields["family_name"] == "Dal", "changed since")
            #expect(fields["emails"]?.array?.compactMap { $0["value"]?.string } == ["a@example.org", "c@example.org"])
            #expect(try await tenant.fields(b)["emails"]?[0]?["value"] == "b@example.org")
            #expect(
                try await tenant.number(
                    "SELECT count(*) FROM \(tenant.table("consent")) WHERE contact = \(b) AND NOT granted") == 1,
                "withdrawn for both")
        }
    }

    /// Both are in one system: the second record there is let go or, when asked for, deleted.
    @Test(arguments: [false, true]) func twinsAtRemotes(_ drops: Bool) async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            try await tenant.take(
                crm,
                [
                    incoming("1", ["first": "Ada", "mails": ["a@example.org"]]),
                    incoming("2", ["first": "Ada", "mails": ["b@example.org"]]),
                ])
            let (a, b) = (try await tenant.bound(crm, "1"), try await tenant.bound(crm, "2"))
            let preview = try await tenant.mergePreview(a, with: b, as: .token(1))
            #expect(preview["twins"] == ["crm"])
            _ = try await tenant.routeAll()
            let number = try await merge(tenant, a, b, dropsTwins: drops)
            _ = try await tenant.routeAll()
            #expect(try await tenant.verdicts(b)["crm"] == (drops ? "accepted" : "not_bound"))
            let plugin = try await tenant.duePlugin(crm)
            let claims = try await tenant.claim(plugin, limit: 10, lease: 60)
            #expect(claims.filter { $0.isDeleted && $0.remoteID == "2" }.count == (drops ? 1 : 0))
            #expect(
                claims.contains { $0.record == a && $0.remoteID == "1" && !$0.isDeleted }, "the golden record goes out")
            // an edit of the second record is none of the contact's
            let late = try await tenant.take(crm, [incoming("2", ["first": "Eva", "mails": ["b@example.org"]])])
            #expect(late.byVerdict == ["merged_away": 1])
            #expect(try await tenant.bound(crm, "1") == a)
            #expect(try await tenant.fields(a)["given_name"] == "Ada")
            if !drops {
                var sent = DeliveryResult(try #require(claims.first { $0.record == a }), .done)
                sent.remoteID = "1"
                _ = try await tenant.finish(plugin, [sent], maxAttempts: 3)
                try await tenant.undoMerge(number, as: .token(1))
                try await tenant.take(crm, [incoming("2", ["first": "Eva", "mails": ["b@example.org"]])])
                #expect(try await tenant.fields(b)["given_name"] == "Eva", "it is its own again")
            }
        }
    }

    /// The record that stayed is deleted there, and only the one that was let go is left.
    @Test func aRecordThatWasLetGoHoldsNoPollUp() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm")
            try await tenant.take(
                crm,
                [
                    incoming("1", ["first": "Ada", "mails": ["a@example.org"]]),
                    incoming("2", ["first": "Ada", "mails": ["b@example.org"]]),
                ])
            let (a, b) = (try await tenant.bound(crm, "1"), try await tenant.bound(crm, "2"))
            _ = try await merge(tenant, a, b)
            try await tenant.take(crm, [incoming("1", [:], isDeleted: true)])
            let late = try await tenant.take(
                crm,
                [
                    incoming("2", ["first": "Eva", "mails": ["b@example.org"]]),
                    incoming("3", ["first": "New", "mails": ["n@example.org"]]),
                ])
            #expect(late.byVerdict == ["merged_away": 1, "new": 1])
        }
    }

    @Test func nothingIsMergedWhileItIsOnItsWay() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            let a = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ada"]).id
            let b = try await tenant.createContact(as: .token(1), fields: ["given_name": "Eva"]).id
            _ = try await tenant.routeAll()
            let plugin = try await tenant.duePlugin(crm)
            let claims = try await tenant.claim(plugin, limit: 10, lease: 60)
            let refused = await #expect(throws: Failure.self) { try await merge(tenant, a, b) }
            #expect(refused?.code == "merge.busy")
            let results = claims.map { claim in
                var result = DeliveryResult(claim, .done)
                (result.remoteID, result.agreed) = ("r\(claim.record)", claim.document)
                return result
            }
            #expect(try await tenant.finish(plugin, results, maxAttempts: 3) == 2)
            _ = try await merge(tenant, a, b)
        }
    }

    /// Merged, parted and merged again: what was withdrawn stays withdrawn.
    @Test func partingTwoIsNobodysConsent() async throws {
        try await withTenant { tenant in
            let a = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ada"]).id
            let b = try await tenant.createContact(as: .token(1), fields: ["given_name": "Eva"]).id
            for (contact, isGranted, day) in [(a, true, "01"), (b, false, "02")] {
                _ = try await tenant.addConsent(
                    contact, as: .token(1), purpose: "news", granted: isGranted, at: "2026-01-\(day)T00:00:00Z",
                    source: "t", proof: nil)
            }
            try await tenant.undoMerge(try await merge(tenant, a, b), as: .token(1))
            #expect(try await json(tenant, a)["consents"] == ["consent:news"])
            _ = try await merge(tenant, a, b)
            #expect(try await json(tenant, a)["consents"] == [])
            // and what was granted stays granted
            let c = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ida"]).id
            let d = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ina"]).id
            _ = try await tenant.addConsent(
                d, as: .token(1), purpose: "news", granted: true, at: "2026-01-01T00:00:00Z", source: "t", proof: nil)
            try await tenant.undoMerge(try await merge(tenant, c, d), as: .token(1))
            #expect(try await json(tenant, c)["consents"] == [])
            _ = try await merge(tenant, c, d)
            #expect(try await json(tenant, c)["consents"] == ["consent:news"])
            // said to the number that is no more
            _ = try await tenant.addConsent(
                b, as: .token(1), purpose: "news", granted: true, at: nil, source: "t", proof: nil)
            #expect(try await json(tenant, a)["consents"] == ["consent:news"])
        }
    }

    @Test func mergesOfMergesComeApartInOrder() async throws {
        try await withTenant { tenant in
            var ids: [Int64] = []
            for name in ["A", "B", "C"] {
                ids.append(try await tenant.createContact(as: .token(1), fields: ["given_name": .string(name)]).id)
            }
            let first = try await merge(tenant, ids[1], ids[0])
            let second = try await merge(tenant, ids[2], ids[1])
            #expect(try await json(tenant, ids[0])["merged_into"]?.int == ids[2], "always the one that lives")
            let refused = await #expect(throws: Failure.self) { try await tenant.undoMerge(first, as: .token(1)) }
            #expect(refused?.code == "merge.nested")
            try await tenant.undoMerge(second, as: .token(1))
            #expect(try await json(tenant, ids[0])["merged_into"]?.int == ids[1])
            try await tenant.undoMerge(first, as: .token(1))
            for id in ids { #expect(try await json(tenant, id)["deleted_at"]?.isNull == true) }
        }
    }

    @Test func refusals() async throws {
        try await withTenant { tenant in
            let a = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ada"])
            let b = try await tenant.createContact(as: .token(1), fields: ["given_name": "Eva"])
            func code(_ kept: Int64, _ other: Int64, _ version: Int64? = nil, _ choices: JSON = [:]) async -> String? {
                await #expect(throws: Failure.self) {
                    try await tenant.mergeContacts(
                        kept, with: other, versions: (nil, version), choices: choices, dropsTwins: false, as: .token(1))
                }?.code
            }
            #expect(await code(a.id, a.id) == "merge.same")
            #expect(await code(a.id, 999) == "not_found")
            #expect(await code(a.id, b.id, 7) == "contact.stale")
            #expect(await code(a.id, b.id, nil, ["given_name": "both"]) == "merge.choice")
            try await tenant.deleteContact(b.id, as: .token(1), version: nil)
            #expect(await code(a.id, b.id) == "not_found")
        }
    }

    @Test func erasingReachesAllThatWasMerged() async throws {
        try await withTenant { tenant in
            let a = try await tenant.createContact(as: .token(1), fields: ["given_name": "canary-a"]).id
            let b = try await tenant.createContact(
                as: .token(1), fields: ["given_name": "canary-b", "company": "canary-c"]
            ).id
            _ = try await merge(tenant, a, b)
            _ = try await tenant.eraseContact(b, as: .token(1))
            for name in try await tenant.tableCounts().keys {
                let left = try await tenant.number(
                    "SELECT count(*) FROM \(tenant.table(name)) x WHERE x::text LIKE '%canary%'")
                #expect(left == 0, "\(name)")
            }
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("erasure"))") == 2)
        }
    }

    /// The one was in the other for a while: that is gone from the other's history, too.
    @Test func erasingReachesWhatWasPartedAgain() async throws {
        try await withTenant { tenant in
            let a = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ada"]).id
            let b = try await tenant.createContact(
                as: .token(1), fields: ["given_name": "canary-b", "company": "canary-c"]
            ).id
            try await tenant.undoMerge(try await merge(tenant, a, b), as: .token(1))
            _ = try await tenant.eraseContact(b, as: .token(1))
            for name in try await tenant.tableCounts().keys {
                let left = try await tenant.number(
                    "SELECT count(*) FROM \(tenant.table(name)) x WHERE x::text LIKE '%canary%'")
                #expect(left == 0, "\(name)")
            }
            #expect(try await tenant.fields(a)["given_name"] == "Ada")
        }
    }

    /// A record at a remote that a merge let go is the person's, too.
    @Test func erasingReachesRecordsThatWereLetGo() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            try await tenant.take(
                crm, ["1", "2"].map { incoming($0, ["first": "Ada", "mails": [.string("\($0)@example.org")]]) })
            let (a, b) = (try await tenant.bound(crm, "1"), try await tenant.bound(crm, "2"))
            _ = try await merge(tenant, a, b)
            _ = try await tenant.routeAll()
            _ = try await tenant.eraseContact(a, as: .token(1))
            _ = try await tenant.routeAll()
            #expect(try await tenant.erasure(of: b, as: .token(1))["complete"] == false)
            let claims = try await tenant.claim(tenant.duePlugin(crm), limit: 10, lease: 60)
            #expect(Set(claims.filter(\.isDeleted).compactMap(\.remoteID)) == ["1", "2"])
        }
    }
}
