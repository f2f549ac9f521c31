import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// Ways around a role that somebody who can run any SQL as that person might try, and what follows from rights elsewhere.
@Suite(.inTurn) struct RightsWallTests {
    private struct Shop {
        let door: TenantDatabase
        let boss: Actor
        let ola: Actor
        let role: Int64

        func role(_ rights: JSON) async throws {
            try await door.editRole(role, as: boss, version: nil, title: nil, rights: rights)
        }

        /// The code an attempt ends with.
        func code(_ body: () async throws -> Void) async -> String {
            do { try await body() } catch let failure as Failure { return failure.code } catch let error
                as PostgresError
            {
                return error.sqlState ?? "error"
            } catch { return "\(error)" }
            return "done"
        }
    }

    private func shop(_ door: TenantDatabase) async throws -> Shop {
        let cluster = try await TestCluster.shared.value
        try await cluster.provisioner.setOwner(
            of: door.tenant, email: "boss@shop.example", password: "a long passphrase")
        let boss = Actor.staff(try await door.rows("SELECT account FROM \(door.table("staff"))")[0].get(0))
        let role = try await door.createRole(as: boss, name: "trial", title: "Trial", rights: [:])
        var person = StaffEdit()
        (person.name, person.role) = ("Ola", role)
        let ola = try await door.invite(as: boss, email: "ola@shop.example", person).id
        return Shop(door: door, boss: boss, ola: .staff(ola), role: role)
    }

    private static let all: JSON = [
        "contact": ["read": "all", "create": true, "change": "all"], "order": ["read": "all"],
        "product": ["read": "all"],
    ]

    @Test func nobodyMakesTokensWithoutThatRight() async throws {
        try await withTenant { door in
            let shop = try await shop(door)
            try await shop.role(Self.all)
            func make(_ scopes: [String], as actor: Actor) async -> String {
                await shop.code {
                    _ = try await door.addToken(as: actor, label: "x", scopes: scopes, expiresAt: nil)
                }
            }
            #expect(await make(["contacts:read"], as: shop.ola) == "42501")
            #expect(await make(["contacts:read"], as: shop.boss) == "done")
            #expect(await make(["staff"], as: shop.boss) == "42501")
            #expect(await make(["operator"], as: shop.boss) == "42501")
            // a token that is none
            #expect(await make(["contacts:read"], as: .token(999_999)) == "42501")
            let seen = try await door.rows("SELECT count(*) FROM auth.tokens(\(door.tenant.id))", as: shop.ola)
            #expect(try seen[0].get(0) == 0)
            // who was disabled makes none with a session that is still remembered
            var edit = StaffEdit()
            edit.role = 1
            try await door.editStaff(try #require(shop.ola.staffID), as: shop.boss, edit)
            #expect(await make(["contacts:read"], as: shop.ola) == "done")
            edit = StaffEdit()
            edit.isDisabled = true
            try await door.editStaff(try #require(shop.ola.staffID), as: shop.boss, edit)
            #expect(await make(["contacts:read"], as: shop.ola) == "42501")
        }
    }

    /// The functions look at each field; past them only who may change many at once writes.
    @Test func nobodyWritesContactsPastTheFunctions() async throws {
        try await withTenant { door in
            let shop = try await shop(door)
            try await shop.role(Self.all)
            let id = try await door.createContact(as: shop.boss, fields: ["given_name": "Ada"]).id
            let update: SQL = "UPDATE \(door.table("contact")) SET locks = '{notes}' WHERE id = \(id) RETURNING id"
            #expect(try await door.rows(update, as: shop.ola).isEmpty)
            #expect(try await door.rows(update, as: shop.boss).count == 1)
            let added = await shop.code {
                _ = try await door.rows("INSERT INTO \(door.table("contact")) (data) VALUES ('{}')", as: shop.ola)
            }
            #expect(added == "42501")
            // work that waits for approval is seen with its function, and let go on with another
            let run = try await door.createRun(as: .system, kind: "csv", state: "awaiting_approval")
            var rights = Self.all
            rights["functions"] = ["runs"]
            try await shop.role(rights)
            let goOn: SQL = "UPDATE \(door.table("run")) SET state = 'queued' WHERE id = \(run) RETURNING id"
            #expect(try await door.rows("SELECT id FROM \(door.table("run"))", as: shop.ola).count == 1)
            #expect(try await door.rows(goOn, as: shop.ola).isEmpty)
            #expect(try await door.rows(goOn, as: shop.boss).count == 1)
        }
    }

    @Test func everyKindOfWorkHasItsRight() async throws {
        try await withTenant { door in
            let shop = try await shop(door)
            let rights: [String: [String]] = [
                "segments": ["segment"], "runs": [], "connectors": ["poll", "check", "try"],
                "mass_change": ["csv", "batch", "edit", "undo"],
            ]
            for (function, kinds) in rights {
                var role = Self.all
                role["functions"] = [.string(function)]
                try await shop.role(role)
                for kind in ["segment", "poll", "check", "try", "csv", "batch", "undo"] {
                    let code = await shop.code {
                        _ = try await door.createRun(as: shop.ola, kind: kind, state: "staging")
                    }
                    #expect(code == (kinds.contains(kind) ? "done" : "42501"), "\(function) \(kind)")
                }
                // nor under another's name
                let forged = await shop.code {
                    _ = try await door.rows(
                        "INSERT INTO \(door.table("run")) (kind, actor) VALUES ('segment', 'system')", as: shop.ola)
                }
                #expect(forged == "42501")
                let mayMerge = function == "mass_change"
                for attempt: () async throws -> Void in [
                    { try await door.approve(1, as: shop.ola) }, { try await door.cancelRun(1, as: shop.ola) },
                    { _ = try await door.undoRun(999, as: shop.ola) },
                ] {
                    #expect(await shop.code(attempt) == "right.missing" || mayMerge, "\(function)")
                }
            }
        }
    }

    /// Somebody whose role changed while the import waited does not import.
    @Test func anImportIsJudgedWhenItIsDone() async throws {
        try await withTenant { door in
            let shop = try await shop(door)
            var role = Self.all
            role["functions"] = ["mass_change"]
            try await shop.role(role)
            let run = try await door.createRun(as: shop.ola, kind: "batch", state: "staging")
            let reader = try await door.rowReader(mapping: nil, as: shop.ola)
            try await door.stage([reader.row(line: 1, values: ["given_name": "Ada"])], run: run, as: shop.ola)
            let claimed = ClaimedRun(
                id: run, kind: "batch", plugin: nil, connector: nil, params: [:], isDry: false, fence: 0,
                actor: shop.ola)
            try await shop.role(Self.all)
            #expect(await shop.code { _ = try await door.mergeRun(claimed, isDry: false) { true } } == "right.missing")
            try await shop.role(role)
            #expect(try await door.mergeRun(claimed, isDry: false) { true }.byVerdict["new"] == 1)
        }
    }

    @Test func whatPeopleEnterIsTheirsByPrecedence() async throws {
        try await withTenant { door in
            let made = try JSON(parsing: await door.createContact(as: .token(1), fields: ["name": "Ada"]).json)
            #expect(made["origins"]?["*"]?["rank"] == 0 && made["origins"]?["*"]?["by"] == "token:1")
        }
    }

    /// The service may have heard of a role a moment ago that is another by now: then there are no rows, and no harm.
    @Test func anOldSightShowsNothing() async throws {
        try await withTenant { door in
            let shop = try await shop(door)
            try await shop.role(Self.all)
            let id = try await door.createContact(as: shop.ola, fields: ["given_name": "Ada"]).id
            var role = Self.all
            role["contact"]?["masked"] = ["phones"]
            try await shop.role(role)
            // `door` still takes Ola for one who sees whole records
            #expect(await shop.code { _ = try await door.contact(id, as: shop.ola) } == "not_found")
            #expect(
                await shop.code {
                    _ = try await door.editContact(id, as: shop.ola, version: nil, changes: ["notes": "x"])
                } == "not_found")
            #expect(
                await shop.code { _ = try await door.createContact(as: shop.ola, fields: ["given_name": "B"]) }
                    == "not_found")
            #expect(try await door.fields(id)["notes"] == "x")
        }
    }

    @Test func hiddenFieldsShowNeitherInHistoryNorInReasons() async throws {
        try await withTenant { door in
            let shop = try await shop(door)
            _ = try await door.connector("crm", pushes: ["all": [["tag": "vip"]]])
            let id = try await door.createContact(as: .token(1), fields: ["given_name": "Ada", "tags": ["vip"]]).id
            _ = try await door.editContact(id, as: .token(1), version: nil, changes: ["notes": "secret"])
            _ = try await door.routeAll()
            try await shop.role([
                "contact": ["read": "all", "hidden": ["notes", "tags"]], "order": ["read": "all"],
                "product": ["read": "all"],
            ])
            let seen = door.node.tenant(door.tenant, sight: Sight(isMasked: true, owners: nil))
            let history =
                try JSON(parsing: await seen.history(of: id, before: nil, limit: 9, as: shop.ola).json).array ?? []
            #expect(history.map { $0["kind"] } == ["new"] && history[0]["fields"] == ["given_name"])
            let explained = try await seen.explain(id, connector: "crm", as: shop.ola)
            #expect(explained["plugins"]?[0]?["verdict"] == "not_shown")
            #expect(!explained.text.contains("vip"))
            let decisions = try await seen.decisions(contact: id, before: nil, limit: 9, as: shop.ola)
            #expect(!String(decoding: decisions.json, as: UTF8.self).contains("accepted"))
            // nor can a segment ask
            try await shop.role([
                "contact": ["read": "all", "hidden": ["notes", "tags"]], "functions": ["segments"],
            ])
            #expect(
                await shop.code { _ = try await seen.createSegment(as: shop.ola, name: "x", condition: ["tag": "vip"]) }
                    == "right.field")
        }
    }

    @Test func goodsAndAddressesOfOrdersStayClosed() async throws {
        try await withTenant(modules: ["sales"]) { door in
            let shop = try await shop(door)
            _ = try await door.rows(
                """
                WITH c AS (INSERT INTO \(door.table("contact")) (data, sales) VALUES ('{"name": "Ada"}', '{supplier:1,category:x}') RETURNING id),
                    s AS (INSERT INTO \(door.table("sale")) (contact, status, placed_at, email, total)
                        SELECT id, 'completed', now(), 'ada@secret.example', 7 FROM c RETURNING id)
                INSERT INTO \(door.table("sale_line")) (sale, line, name, quantity, total) SELECT id, 1, 'Secret door', 1, 7 FROM s
                """)
            _ = try await door.rows("INSERT INTO \(door.table("supplier")) (name) VALUES ('Secret Oak')")
            try await shop.role(["contact": ["read": "all"], "order": ["read": "all"], "functions": ["export"]])
            let seen = door.node.tenant(door.tenant, sight: Sight(isMasked: true, owners: nil))
            for table in ["sale", "sale_line", "supplier", "product"] {
                #expect(
                    try await door.rows("SELECT count(*) FROM \(door.table(table))", as: shop.ola)[0].get(0) == 0,
                    "\(table)")
            }
            let lines = try await door.rows(
                "SELECT name, total::text FROM \(door.table("sale_line_seen"))", as: shop.ola)
            #expect(lines.count == 1 && lines[0].isNull("name"))
            #expect(try await seen.count(Condition(["orders": ["at_least": 1]]), as: shop.ola) == 1)
            #expect(try await seen.count(Condition(["bought": ["category": "x"]]), as: shop.ola) == 0)
            let feed = try await seen.changeFeed(after: (0, 0), limit: 100, as: shop.ola)
            #expect(!String(decoding: feed.json, as: UTF8.self).contains("Secret"))
        }
    }

    @Test func fieldsInUseStayAndOwnersWhoNeverCameAreNone() async throws {
        try await withTenant { door in
            let shop = try await shop(door)
            try await door.addField(as: .token(1), key: "vat", label: "VAT", type: "text", choices: [])
            _ = try await door.createContact(as: .token(1), fields: ["name": "Ada", "vat": "PL1"])
            try await shop.role(["contact": ["read": "own"], "functions": ["settings"]])
            #expect(await shop.code { try await door.removeField("vat", as: shop.ola) } == "field.in_use")
            #expect(await shop.code { try await door.removeField("none", as: shop.ola) } == "not_found")
            var owner = StaffEdit()
            (owner.name, owner.role) = ("Never", 1)
            _ = try await door.invite(as: shop.boss, email: "never@shop.example", owner)
            var edit = StaffEdit()
            edit.isDisabled = true
            let boss = try #require(shop.boss.staffID)
            #expect(await shop.code { try await door.editStaff(boss, as: shop.boss, edit) } == "staff.last_owner")
            #expect(
                await shop.code { _ = try await door.invite(as: shop.boss, email: "no-at", owner) } == "staff.email")
        }
    }

    /// A search uses its index under row security, and neither it nor its errors tell of texts that the caller may not see.
    @Test func searchingTellsNothingOfOthers() async throws {
        try await withTenant { door in
            let shop = try await shop(door)
            _ = try await door.createContact(as: .token(1), fields: ["given_name": "Ada", "notes": "zebra"])
            let search = door.table("contact")
            let patterns = ["%zebra\\", "%zebrb\\", "zebra\\", "\\"]
            for pattern in patterns {
                for actor in [shop.ola, .token(1)] {
                    for statement: SQL in [
                        "SELECT count(*) FROM \(search) WHERE search OPERATOR(extension.#~~) \(pattern)",
                        "SELECT count(*) FROM \(door.table("find"))(\(pattern))",
                    ] {
                        #expect(try await door.rows(statement, as: actor)[0].get(0) == 0, "\(pattern)")
                    }
                }
                // LIKE itself comes after the policy
                let plain = try await door.rows(
                    "SELECT count(*) FROM \(search) WHERE search LIKE \(pattern)", as: shop.ola)
                #expect(try plain[0].get(0) == 0)
            }
            let plan = try await door.run(
                as: .token(1), "SELECT set_config('enable_seqscan', 'off', true)",
                "EXPLAIN SELECT id FROM \(search) WHERE search OPERATOR(extension.#~~) '%zebra%'")[1]
            #expect(try plan.contains { try $0.get(0, as: String.self).contains("contact_search") })
            var query = ContactQuery()
            query.text = "ZEBRA"
            #expect(try await door.contacts(query, as: .token(1)).ids.count == 1)
        }
    }

    @Test func locksThatAreThereCanBeSentBack() async throws {
        try await withTenant { door in
            let shop = try await shop(door)
            let id = try await door.createContact(as: .token(1), fields: ["name": "Ada"]).id
            _ = try await door.setLocks(id, as: .token(1), fields: ["name", "phones"])
            var role = Self.all
            role["contact"]?["masked"] = ["phones", "emails"]
            try await shop.role(role)
            let seen = door.node.tenant(door.tenant, sight: Sight(isMasked: true, owners: nil))
            _ = try await seen.setLocks(id, as: shop.ola, fields: ["name", "phones", "notes"])
            #expect(
                await shop.code { _ = try await seen.setLocks(id, as: shop.ola, fields: ["emails"]) } == "right.field")
            let kept = try JSON(parsing: await seen.setLocks(id, as: shop.ola, fields: []).json)
            #expect(kept["locks"] == ["phones"])
        }
    }
}

extension Actor {
    fileprivate var staffID: Int64? { if case .staff(let id) = self { id } else { nil } }
}
