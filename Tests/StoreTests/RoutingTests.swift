import Hub
import Postgres
import Synchronization
import TestKit
import Testing

@testable import Store

@Suite(.inTurn) struct RoutingTests {
    @Test func referenceScenarioIsDecidedAsTold() async throws {
        try await withTenant { tenant in
            let google = try await tenant.connector("google", pushes: ["tag": "supplier"])
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            let shop = try await tenant.connector("shop", pushes: ["tag": "client"])
            try await tenant.take(
                google, [incoming("g1", ["first": "Otto", "mails": ["otto@oak.example"], "tags": ["supplier"]])])
            _ = try await tenant.routeAll()
            let supplier = try await tenant.bound(google, "g1")
            #expect(
                try await tenant.verdicts(supplier) == [
                    "google": "own_change", "crm": "accepted", "shop": "missing_tag",
                ])

            try await tenant.take(
                shop, [incoming("s1", ["first": "Clara", "mails": ["clara@example.org"], "tags": ["client"]])])
            _ = try await tenant.routeAll()
            let client = try await tenant.bound(shop, "s1")
            #expect(
                try await tenant.verdicts(client) == ["google": "missing_tag", "crm": "accepted", "shop": "own_change"])

            // the CRM has both by key now, and edits them
            try await tenant.take(
                crm,
                [
                    incoming("c1", ["first": "Otto", "mails": ["otto@oak.example"], "tags": ["supplier"]]),
                    incoming("c2", ["first": "Clara", "mails": ["clara@example.org"], "tags": ["client"]]),
                ])
            try await tenant.take(
                crm, [incoming("c1", ["first": "Otto K", "mails": ["otto@oak.example"], "tags": ["supplier"]])])
            try await tenant.take(
                crm, [incoming("c2", ["first": "Clara K", "mails": ["clara@example.org"], "tags": ["client"]])])
            _ = try await tenant.routeAll()
            #expect(
                try await tenant.verdicts(supplier) == [
                    "google": "accepted", "crm": "own_change", "shop": "missing_tag",
                ])
            #expect(
                try await tenant.verdicts(client) == ["google": "missing_tag", "crm": "own_change", "shop": "accepted"])
        }
    }

    @Test func everyOtherReasonIsGiven() async throws {
        try await withTenant { tenant in
            let letter = try await tenant.connector("letter", pushes: ["consent": "newsletter"])
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            let vip = try await tenant.connector("vip", pushes: ["all": []])
            var policy = ConnectorEdit()
            policy.visibleFacets = ["tag:vip"]
            try await tenant.editConnector(vip.id, as: .token(1), manifest: MemoryConnector.manifest, policy)
            try await tenant.take(crm, [incoming("c1", ["first": "Ada"])])
            _ = try await tenant.routeAll()
            let id = try await tenant.bound(crm, "c1")
            #expect(
                try await tenant.verdicts(id) == ["letter": "no_consent", "crm": "own_change", "vip": "not_permitted"])

            _ = try await tenant.editContact(id, as: .token(1), version: nil, changes: ["notes": "only here"])
            _ = try await tenant.routeAll()
            #expect(try await tenant.verdicts(id)["crm"] == "nothing_mapped")

            try await tenant.editPlugin(crm.push, as: .token(1), PluginEdit(state: "paused"))
            _ = try await tenant.editContact(id, as: .token(1), version: nil, changes: ["given_name": "Eva"])
            _ = try await tenant.routeAll()
            #expect(try await tenant.verdicts(id)["crm"] == "paused")
            #expect(try await tenant.duePlugins().isEmpty, "a paused plugin has nothing to do")
            try await tenant.editPlugin(crm.push, as: .token(1), PluginEdit(state: "on"))
            #expect(try await tenant.duePlugins() == [crm.push], "what waited goes on")

            try await tenant.take(crm, [incoming("c1", [:], isDeleted: true)])
            _ = try await tenant.editContact(id, as: .token(1), version: nil, changes: ["given_name": "Ida"])
            _ = try await tenant.routeAll()
            #expect(try await tenant.verdicts(id)["crm"] == "deleted_there")

            // deleting and restoring by hand brings it back
            try await tenant.deleteContact(id, as: .token(1), version: nil)
            _ = try await tenant.routeAll()
            #expect(try await tenant.verdicts(id)["crm"] == "not_bound")
            try await tenant.restoreContact(id, as: .token(1))
            _ = try await tenant.routeAll()
            #expect(try await tenant.verdicts(id)["crm"] == "accepted")
            _ = letter
        }
    }

    @Test func changesAreDecidedWhereNobodyWantsAny() async throws {
        try await withTenant { tenant in
            _ = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ada"])
            #expect(try await tenant.routeAll().changes == 1)
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("outbox"))") == 0)
        }
    }

    @Test func fourRoutersDecideEveryChangeOnce() async throws {
        try await withTenant { tenant in
            _ = try await tenant.connector("crm", pushes: ["all": []])
            _ = try await tenant.merge(
                (0..<1500).map { ["name": .string("N\($0)"), "emails": [["value": .string("n\($0)@example.org")]]] })
            let decided = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 { group.addTask { try await tenant.routeAll(batch: 40).changes } }
                return try await group.reduce(0, +)
            }
            // a router that finds everything locked may end early: the next ring goes on
            let rest = try await tenant.routeAll().changes
            #expect(decided + rest == 1500)
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("decision"))") == 1500)
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("delivery"))") == 1500)
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("outbox"))") == 0)
        }
    }

    @Test func aBacklogIsSharedByRouters() async throws {
        try await withTenant { tenant in
            _ = try await tenant.connector("crm", pushes: ["all": []])
            _ = try await tenant.merge(
                (0..<1050).map { ["name": .string("N\($0)"), "emails": [["value": .string("n\($0)@example.org")]]] })
            let told = Mutex<[Int]>([])
            #expect(try await tenant.route(batch: 20, passes: 5) { pass in told.withLock { $0.append(pass.changes) } })
            #expect(told.withLock { $0 } == [20, 100, 100, 100, 100], "a slice ends though more waits")
            #expect(try await tenant.route(batch: 20, passes: .max) { _ in } == false)
            for table in ["decision", "delivery"] {
                #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table(table))") == 1050)
            }
            #expect(try await tenant.number("SELECT count(*) FROM \(tenant.table("outbox"))") == 0)
        }
    }

    @Test func whatIsDueKeepsItsPlaceUntilItGoesLive() async throws {
        try await withTenant { tenant in
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            let first = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ada"])
            _ = try await tenant.routeAll()
            let second = try await tenant.createContact(as: .token(1), fields: ["given_name": "Ida"])
            _ = try await tenant.merge([["given_name": "Eva", "emails": [["value": "eva@example.org"]]]])
            _ = try await tenant.routeAll()
            let eva = second.id + 1
            let order: SQL =
                "SELECT record FROM \(tenant.table("delivery")) WHERE plugin = \(crm.push) ORDER BY backfill, due_at, record"
            #expect(try await tenant.rows(order).map { try $0.get("record") } == [first.id, second.id, eva])
            for (record, name) in [(first.id, "Ava"), (eva, "Iva")] {
                _ = try await tenant.editContact(
                    record, as: .token(1), version: nil, changes: ["given_name": .string(name)])
            }
            _ = try await tenant.routeAll()
            // no longer of the import, but behind those that have waited longer as live ones
            #expect(try await tenant.rows(order).map { try $0.get("record") } == [first.id, second.id, eva])
            #expect(
                try await tenant.number("SELECT count(*) FROM \(tenant.table("delivery")) WHERE backfill") == 0)
            #expect(
                try await tenant.number(
                    """
                    SELECT count(*) FROM \(tenant.table("delivery")) d
                    WHERE d.wanted = (SELECT max(h.id) FROM \(tenant.table("change")) h WHERE h.record = d.record)
                    """) == 3)
        }
    }

    @Test func explainsAndReplays() async throws {
        try await withTenant { tenant in
            let google = try await tenant.connector(
                "google", pushes: ["all": [["tag": "supplier"], ["field": "language", "is": "pl"]]])
            let made = try await tenant.createContact(as: .token(1), fields: ["name": "Ada", "language": "pl"])
            let other = try await tenant.createContact(as: .token(1), fields: ["name": "Ida", "language": "de"])
            _ = try await tenant.routeAll()
            let answer = try await tenant.explain(made.id, connector: "google", as: .token(1))
            let plugin = try #require(answer["plugins"]?[0])
            #expect(plugin["verdict"] == "missing_tag")
            #expect(plugin["because"]?.string?.contains("tag") == true)
            #expect(plugin["rule"]?["version"] == 2)
            #expect(plugin["input"]?["kind"] == "new")
            #expect(plugin["input"]?["answers"]?.array?.map { $0["answer"] } == [false, true])
            #expect(plugin["what_would_change"]?.array?.count == 1)
            #expect(plugin["what_would_change"]?[0]?.string?.contains("supplier") == true)
            await #expect(throws: Failure.self) {
                try await tenant.explain(made.id, connector: "nobody", as: .token(1))
            }

            let before = try await tenant.tableCounts()
            let since = "2020-01-01T00:00:00Z"
            let same = try await tenant.replay(
                rules: [
                    "google/contacts.push": [
                        "filter": ["all": [["tag": "supplier"], ["field": "language", "is": "pl"]]]
                    ]
                ],
                since: since, as: .token(1))
            #expect(same["changes"] == 2 && same["differences"] == [])
            let wider = try await tenant.replay(
                rules: ["google/contacts.push": ["filter": ["field": "language", "is": "pl"]]], since: since,
                as: .token(1))
            #expect(wider["differences"]?.array?.count == 2)
            let taken = wider["differences"]?.array?.first { $0["to"] == "accepted" }
            #expect(taken?["from"] == "missing_tag" && taken?["count"] == 1 && taken?["examples"] == [.int(made.id)])
            #expect(try await tenant.tableCounts() == before, "a replay has no effect")
            await #expect(throws: Failure.self) {
                try await tenant.replay(rules: ["x/y": [:]], since: since, as: .token(1))
            }
            // the contact moves on: the same rules still differ in nothing
            _ = try await tenant.editContact(made.id, as: .token(1), version: nil, changes: ["tags": ["supplier"]])
            _ = try await tenant.editContact(other.id, as: .token(1), version: nil, changes: ["language": "pl"])
            let later = try await tenant.replay(
                rules: [
                    "google/contacts.push": [
                        "filter": ["all": [["tag": "supplier"], ["field": "language", "is": "pl"]]]
                    ]
                ],
                since: since, as: .token(1))
            #expect(later["differences"] == [])
            _ = google
        }
    }

    @Test func pollsAfterTheFirstImportGoLive() async throws {
        try await withTenant { tenant in
            let shop = try await tenant.connector("shop")
            let crm = try await tenant.connector("crm", pushes: ["all": []])
            for (number, name) in ["first", "second"].enumerated() {
                let run = try await tenant.createRun(as: .system, kind: "poll", plugin: shop.pull, connector: shop.id)
                let claimed = try #require(try await tenant.claimRun(lease: 60))
                #expect(claimed.id == run)
                let plugin = try #require(try await tenant.pullPlugin(shop.pull))
                let records = try await tenant.stagedRows(
                    [incoming("s\(number)", ["first": .string(name)])], plugin: plugin, firstLine: 1)
                _ = try await tenant.takePage(
                    records, plugin: plugin, run: run, reading: Reading(), cursor: "\(number)")
                try await tenant.end(claimed, state: "done")
            }
            _ = try await tenant.routeAll()
            let backfill = try await tenant.rows(
                "SELECT backfill FROM \(tenant.table("delivery")) WHERE plugin = \(crm.push) ORDER BY record")
            #expect(try backfill.map { try $0.get("backfill", as: Bool.self) } == [true, false])
        }
    }
}
