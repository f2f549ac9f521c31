import Foundation
import Hub
import Logging
import Postgres
import TestKit
import Testing

@testable import Store

/// SQL logins: what they see is compared row by row in RightsTests; here, what they cannot do.
/// One after the other: a watchdog ends the sessions of every login that has ended.
@Suite(.serialized, .inTurn) struct SQLLoginTests {
    /// A shop with an owner, who has a SQL login, and one contact.
    private struct Shop {
        let door: TenantDatabase
        let owner: Int64
        let login: SQLLogin
        var schema: String { door.tenant.schema }
    }

    private func shop(_ word: String) async throws -> Shop {
        let cluster = try await TestCluster.shared.value
        let door = try await cluster.makeTenant(modules: ["reporting"])
        try await cluster.provisioner.setOwner(of: door.tenant, email: "boss@x.example", password: "a long passphrase")
        let owner: Int64 = try await door.rows("SELECT account FROM \(door.table("staff"))")[0].get(0)
        _ = try await door.createContact(
            as: .token(1),
            fields: ["given_name": .string(word), "emails": [["value": .string("\(word)@secret.example")]]])
        let login = try await door.addSQLLogin(of: owner, label: "test", as: .staff(owner))
        try await cluster.reporting.catchUp()
        return Shop(door: door, owner: owner, login: login)
    }

    /// Everything a login could try against another tenant, the server, or its own limits: an error, and nothing read.
    @Test func loginsReachNothingBesidesTheirViews() async throws {
        let reporting = try await TestCluster.shared.value.reporting
        let (mine, theirs) = (try await shop("Aurora"), try await shop("Xanthippe"))
        let own = try await reporting.psql(mine.login, "SELECT name FROM contact")
        #expect(own.out == "Aurora\n" && own.errors == "")
        let attempts = [
            "SELECT * FROM \(theirs.schema)_rep.contact", "SELECT * FROM \(theirs.schema).contact",
            "SELECT * FROM \(theirs.schema).contact_seen", "SELECT * FROM \(mine.schema).contact",
            "SELECT * FROM \(mine.schema).contact_seen", "SELECT * FROM auth.account", "SELECT * FROM auth.login",
            "SELECT * FROM auth.key", "SELECT * FROM auth.session", "SELECT * FROM kontor.tenant",
            "SELECT * FROM pg_authid", "SELECT * FROM pg_shadow",
            "SET ROLE kontor_app", "SET ROLE kontor_owner", "SET ROLE kontor_view", "SET ROLE kontor_roles",
            "SET ROLE g_\(theirs.door.tenant.id)", "SET SESSION AUTHORIZATION kontor_app",
            "SET SESSION AUTHORIZATION \(theirs.login.name)",
            "SET row_security = off; SELECT * FROM \(mine.schema).contact",
            "CREATE TEMP TABLE t (a int)", "CREATE TABLE t (a int)", "CREATE SCHEMA s", "DO $$ BEGIN END $$",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "SELECT lo_create(0)",
            "SELECT lo_from_bytea(0, '')",
            "SELECT pg_advisory_lock(1)", "SELECT pg_try_advisory_xact_lock(1)", "LISTEN kontor", "NOTIFY kontor",
            "COPY (SELECT 1) TO PROGRAM 'id'", "COPY (SELECT 1) TO '/tmp/x'", "SELECT pg_read_file('PG_VERSION')",
            "SELECT pg_ls_dir('.')",
            "SELECT pg_terminate_backend(max(pid)) FROM pg_stat_activity WHERE usename <> current_user",
            "SELECT pg_reload_conf()", "SELECT pg_promote()",
            "SELECT pg_wal_replay_pause()", "ALTER ROLE \(mine.login.name) PASSWORD 'x'",
            "ALTER ROLE \(mine.login.name) RESET statement_timeout", "DELETE FROM contact", "UPDATE contact SET id = 1",
            "INSERT INTO contact_tag VALUES (1, 'x')", "SELECT auth.make_group(99)",
            "SELECT auth.make_role('u_0', 1, '')",
            "SELECT auth.add_login(1, 1, '', '', '')", "SELECT \(mine.schema).erase_contact(1)",
            "SELECT pg_get_functiondef('auth.me(bigint)'::regprocedure)",
            "SELECT pg_total_relation_size('\(theirs.schema)_rep.contact')",
            "SET temp_file_limit = -1", "SET log_statement = 'all'", "LOAD 'auto_explain'",
            "SELECT set_config('session_preload_libraries', 'x', false)",
        ]
        for attempt in attempts {
            let answer = try await reporting.psql(mine.login, attempt)
            #expect(answer.errors.contains("ERROR"), "\(attempt): \(answer.out)")
            #expect(!answer.out.contains("Xanthippe") && !answer.errors.contains("Xanthippe"), "\(attempt)")
        }
        // what is readable and must tell nothing
        let nothing = [
            "SELECT set_config('kontor.context', '\(theirs.door.tenant.id)|system|9999999999|0|' || repeat('0', 64), false); SELECT auth.me(\(theirs.door.tenant.id))",
            "SELECT auth.me(\(theirs.door.tenant.id))", "SELECT auth.me(0)",
            "SELECT most_common_vals FROM pg_stats WHERE schemaname LIKE 't\\_%' AND most_common_vals IS NOT NULL",
            "SELECT query FROM pg_stat_activity WHERE usename <> current_user AND query NOT LIKE '<insufficient%' AND query <> ''",
        ]
        for question in nothing {
            let answer = try await reporting.psql(mine.login, question)
            let said = answer.out.split(separator: "\n").last.map(String.init) ?? ""
            #expect(said == "" || said.hasSuffix(String(repeating: "0", count: 64)), "\(question): \(answer)")
            #expect(!answer.out.contains("staff:") && !answer.out.contains("system\n"), "\(question): \(answer)")
        }
        // no other database, and no way to the primary but by its private socket, which refuses
        let elsewhere = try await reporting.psql(mine.login, "\\c postgres")
        #expect(elsewhere.errors.contains("permission denied for database") || elsewhere.errors.contains("pg_hba"))
    }

    /// EXPLAIN tells of a value that somebody else's records have just what it tells of one that nobody's have: as many rows
    /// looked at, as many guessed.
    @Test func explainingTellsNothingOfHiddenValues() async throws {
        let cluster = try await TestCluster.shared.value
        let reporting = try await cluster.reporting
        let shop = try await shop("Aurora")
        let (door, boss) = (shop.door, Actor.staff(shop.owner))
        var person = StaffEdit()
        person.role = try await door.createRole(
            as: boss, name: "own", title: "Own",
            rights: ["contact": ["read": "own"], "order": ["read": "contacts"], "functions": ["sql"]])
        let ola = try await door.invite(as: boss, email: "ola@x.example", person).id
        let login = try await door.addSQLLogin(of: ola, label: "own", as: boss)
        try await door.addField(as: boss, key: "vat", label: "VAT", type: "text", choices: [])
        let hidden: JSON = [
            "given_name": "Hidden", "family_name": "Person", "company": "Vault", "type": "dealer", "language": "pl",
            "emails": [["value": "box@secret.example"]], "phones": [["value": "+48600123456"]],
            "birthday": "1987-06-05",
            "source": "fair", "addresses": [["country": "NO", "city": "Bergen"]], "tags": ["whisper"],
            "notes": "nobody knows", "vat": "PL123",
        ]
        var mine: Int64 = 0
        for number in 0..<120 {
            let fields: JSON = number % 3 == 0 ? ["given_name": .string("Zed \(number)")] : hidden
            let made = try await door.createContact(as: boss, fields: fields).id
            if number == 0 {
                try await door.setOwner(of: made, to: ola, as: boss, version: nil)
                mine = made
            }
        }
        try await hideOrders(of: door, besidesThoseOf: mine, as: cluster.superuser)
        try await reporting.catchUp()
        var script = ""
        var asked = 0
        for (view, column, value, neighbour) in hiddenValues {
            for comparison in neighbour == nil ? ["=", "<", "LIKE"] : ["=", "<"] {
                for text in [value, neighbour ?? value.dropLast() + "~"] {
                    script +=
                        "EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) SELECT * FROM \(view) WHERE \(column) \(comparison) '\(text)';"
                    script += "SELECT '¦\(text)¦' || $$\(view) \(column) \(comparison)$$ || '¦';"
                }
                asked += 1
            }
        }
        let said = try await reporting.psql(login, script)
        #expect(said.errors == "")
        let parts = said.out.components(separatedBy: "¦")
        #expect(parts.count == asked * 6 + 1)
        for at in stride(from: 0, to: parts.count - 6, by: 6) {
            let plans = [at, at + 3].map { place in
                ["'\(parts[place + 1])'", "= \(parts[place + 1]))", "< \(parts[place + 1]))"].reduce(parts[place]) {
                    $0.replacing($1, with: "?")
                }.split(separator: "\n")
            }
            #expect(plans[0].count > 1)
            #expect(plans[0] == plans[1], "\(parts[at + 2])")
        }
    }

    /// Views, columns, values that only hidden records have, and values that none has: those of texts, where nil, stand next to it.
    private let hiddenValues: [(view: String, column: String, value: String, neighbour: String?)] = [
        ("contact", "name", "Hidden Person", nil), ("contact", "given_name", "Hidden", nil),
        ("contact", "family_name", "Person", nil), ("contact", "company", "Vault", nil),
        ("contact", "type", "dealer", nil), ("contact", "language", "pl", nil),
        ("contact", "email", "box@secret.example", nil), ("contact", "phone", "+48600123456", nil),
        ("contact", "source", "fair", nil), ("contact", "country", "NO", nil), ("contact", "city", "Bergen", nil),
        ("contact", "birthday", "1987-06-05", "1987-06-04"), ("contact", "owner", "424242", "424243"),
        ("contact", "version", "77", "76"),
        ("contact", "created_at", "2026-03-04 05:06:07+00", "2026-03-04 05:06:08+00"),
        ("contact", "updated_at", "2026-03-04 05:06:07+00", "2026-03-04 05:06:08+00"),
        ("contact_tag", "tag", "whisper", nil), ("contact_field", "value", "PL123", nil),
        ("change", "before ->> 'notes'", "nobody knows", nil), ("change", "after ->> 'notes'", "nobody knows", nil),
        ("change", "at", "2026-03-04 05:06:07+00", "2026-03-04 05:06:08+00"), ("change", "record", "424242", "424243"),
        ("change", "entity", "supplier", nil), ("change", "kind", "deleted", nil), ("change", "version", "77", "76"),
        ("change", "actor", "staff:424242", nil), ("change", "fields", "{secret}", "{secrez}"),
        ("sale", "number", "H-1", nil), ("sale", "status", "refunded", nil), ("sale", "contact", "424242", "424243"),
        ("sale", "currency", "NOK", nil), ("sale", "total", "777.77", "777.76"),
        ("sale", "placed_at", "2026-03-04 05:06:07+00", "2026-03-04 05:06:08+00"),
        ("sale", "updated_at", "2026-03-04 05:06:07+00", "2026-03-04 05:06:08+00"),
        ("sale_line", "sale", "150", "-5"), ("sale_line", "line", "77", "76"), ("sale_line", "product", "7", "424243"),
        ("sale_line", "name", "Lamp", nil), ("sale_line", "quantity", "777.777", "777.776"),
        ("sale_line", "total", "777.77", "777.76"),
        ("product", "sku", "L-1", nil), ("product", "name", "Lamp", nil), ("product", "price", "777.77", "777.76"),
        ("product", "supplier", "1", "424243"), ("product", "supplier_name", "Oak & Pine", nil),
        ("product", "categories", "{secret}", "{secrez}"),
        ("product", "updated_at", "2026-03-04 05:06:07+00", "2026-03-04 05:06:08+00"),
        ("supplier", "name", "Oak & Pine", nil),
        ("delivery", "record", "424242", "424243"), ("delivery", "state", "dead", nil),
        ("delivery", "attempts", "77", "76"),
        ("delivery", "due_at", "2026-03-04 05:06:07+00", "2026-03-04 05:06:08+00"),
        ("delivery", "code", "refused", nil),
        ("delivery", "message", "Vault is full", nil),
        ("delivery", "changed_at", "2026-03-04 05:06:07+00", "2026-03-04 05:06:08+00"),
        ("decision", "at", "2026-03-04 05:06:07+00", "2026-03-04 05:06:08+00"),
        ("decision", "record", "424242", "424243"),
        ("decision", "kind", "deleted", nil), ("decision", "verdict", "no_consent", nil),
    ]

    /// Contacts of moments, orders, goods, changes, decisions and deliveries that have `hiddenValues`; `mine` has an order and a
    /// delivery with others. PostgreSQL's statistics know all of it.
    private func hideOrders(of door: TenantDatabase, besidesThoseOf mine: Int64, as superuser: Database) async throws {
        let s = door.tenant.schema
        let then = "'2026-03-04 05:06:07+00'"
        let statements = [
            "SET LOCAL session_replication_role = replica",
            "UPDATE \(s).contact SET version = 77, created_at = \(then), updated_at = \(then) WHERE id % 3 = 0 AND id <> \(mine)",
            "INSERT INTO \(s).supplier (name) VALUES ('Oak & Pine')",
            """
            INSERT INTO \(s).product (sku, name, price, supplier, categories, updated_at)
            SELECT 'L-1', 'Lamp', 777.77, 1, '{secret}', \(then) FROM generate_series(1, 300)
            """,
            """
            INSERT INTO \(s).sale (contact, number, status, currency, total, placed_at, updated_at)
            SELECT 424242, 'H-1', 'refunded', 'NOK', 777.77, \(then), \(then) FROM generate_series(1, 300)
            UNION ALL SELECT \(mine), 'M-1', 'completed', 'EUR', 1, now(), now() FROM generate_series(1, 300)
            """,
            """
            INSERT INTO \(s).sale_line (sale, line, product, name, quantity, total)
            SELECT sale, 77, 7, 'Lamp', 777.777, 777.77 FROM generate_series(1, 300) sale
            UNION ALL SELECT sale, 1, 8, 'Nail', 1, 1 FROM generate_series(301, 600) sale
            """,
            """
            INSERT INTO \(s).change (at, entity, record, kind, version, fields, actor)
            SELECT \(then), 'supplier', 424242, 'deleted', 77, '{secret}', 'staff:424242' FROM generate_series(1, 300)
            """,
            """
            INSERT INTO \(s).decision (change, at, plugin, verdict, rule)
            SELECT id, at, '{1}', '{no_consent}', '{1}' FROM \(s).change WHERE record = 424242
            """,
            "INSERT INTO \(s).connector (kind, name) VALUES ('webhook', 'Vault')",
            """
            INSERT INTO \(s).plugin (connector, name, capability, entity)
            SELECT 1, 'p' || p, 'push', 'contact' FROM generate_series(1, 300) p
            """,
            """
            INSERT INTO \(s).delivery (plugin, record, wanted, state, due_at, attempts, code, message, changed_at)
            SELECT p, 424242, 1, 'dead', \(then), 77, 'refused', 'Vault is full', \(then) FROM generate_series(1, 300) p
            UNION ALL SELECT p, \(mine), 1, 'done', now(), 0, NULL, NULL, now() FROM generate_series(1, 300) p
            """,
        ]
        _ = try await superuser.run("DO $do$ BEGIN \(unsafeRaw: statements.joined(separator: ";\n")); END $do$")
        let tables = "contact change decision sale sale_line product supplier delivery".split(separator: " ")
        _ = try await superuser.run("ANALYZE \(unsafeRaw: tables.map { "\(s).\($0)" }.joined(separator: ", "))")
    }

    @Test func aLoginEndsWithItsPersonAtTheNextStatement() async throws {
        let cluster = try await TestCluster.shared.value
        let reporting = try await cluster.reporting
        let shop = try await shop("Aurora")
        var configuration = DatabaseConfiguration(
            conninfo:
                "host=127.0.0.1 port=\(reporting.port) dbname=kontor user=\(shop.login.name) password=\(shop.login.password)"
        )
        (configuration.sharedConnections, configuration.leasedConnections) = (1, 1)
        let session = Database(configuration, log: .init(label: "sql"))
        try await session.start()
        func count() async throws -> Int { try await session.run("SELECT count(*) FROM contact")[0][0].get(0) }
        #expect(try await count() == 1)
        let watch = SQLWatch(reporting.superuser)
        #expect(try await watch.sweep().contains { $0.login == shop.login.name } == false)
        // a second owner is needed to disable the first
        var person = StaffEdit()
        (person.name, person.role) = ("Next", 1)
        let second = try await shop.door.invite(as: .staff(shop.owner), email: "next@x.example", person)
        _ = try await cluster.superuser.run("UPDATE auth.account SET password = 'x' WHERE id = \(second.id)")
        var edit = StaffEdit()
        edit.isDisabled = true
        try await shop.door.editStaff(shop.owner, as: .staff(second.id), edit)
        try await reporting.catchUp()
        #expect(try await count() == 0)
        let again = try await reporting.psql(shop.login, "SELECT 1")
        #expect(again.errors.contains("not permitted to log in"))
        #expect(try await watch.sweep().contains { $0.login == shop.login.name && $0.reason == "ended" })
        // enabled again it works again; without the second factor that the role needs, or with an old password, it does not
        edit.isDisabled = false
        try await shop.door.editStaff(shop.owner, as: .staff(second.id), edit)
        for (policy, seen) in [
            (["factor_roles": [1]] as JSON, "0\n"), ([:], "1\n"), (["expires_days": 30], "0\n"), ([:], "1\n"),
        ] {
            _ = try await cluster.superuser.run(
                "UPDATE auth.account SET password_at = now() - interval '31 days' WHERE id = \(shop.owner)")
            try await shop.door.setPasswordPolicy(policy, as: .staff(second.id))
            try await reporting.catchUp()
            #expect(try await reporting.psql(shop.login, "SELECT count(*) FROM contact").out == seen, "\(policy.text)")
        }
        // with the tenant suspended it does not
        try await cluster.provisioner.setSuspended(true, shop.door.tenant)
        try await reporting.catchUp()
        #expect(try await reporting.psql(shop.login, "SELECT count(*) FROM contact").out == "0\n")
        try await cluster.provisioner.setSuspended(false, shop.door.tenant)
        try await reporting.catchUp()
        #expect(try await reporting.psql(shop.login, "SELECT count(*) FROM contact").out == "1\n")
        // a role of the same name that is another, as one made after it was dropped, is nobody
        _ = try await cluster.superuser.run("UPDATE auth.login SET role = 1 WHERE name = \(shop.login.name)")
        try await reporting.catchUp()
        #expect(try await reporting.psql(shop.login, "SELECT count(*) FROM contact").out == "0\n")
        try await shop.door.removeSQLLogin(shop.login.name, as: .staff(second.id))
        try await reporting.catchUp()
        #expect(try await reporting.psql(shop.login, "SELECT 1").errors.contains("FATAL"))
        await session.close()
    }

    @Test func loginsAreTheirPersonsAndGoWithTheTenant() async throws {
        let cluster = try await TestCluster.shared.value
        let shop = try await shop("Aurora")
        let boss = Actor.staff(shop.owner)
        var person = StaffEdit()
        (person.name, person.role) = ("Ola", 8)
        let ola = try await shop.door.invite(as: boss, email: "ola@x.example", person).id
        func code(_ body: () async throws -> Void) async -> String {
            do { try await body() } catch let failure as Failure { return failure.code } catch { return "\(error)" }
            return "done"
        }
        // Ola reads only: no login of her own, none that the owner makes, and the owner's are not hers to see or end
        #expect(
            await code { _ = try await shop.door.addSQLLogin(of: ola, label: "x", as: .staff(ola)) } == "right.missing")
        #expect(await code { _ = try await shop.door.addSQLLogin(of: ola, label: "x", as: boss) } == "sql.no_right")
        #expect(await code { _ = try await shop.door.addSQLLogin(of: 999_999, label: "x", as: boss) } == "not_found")
        #expect(await code { try await shop.door.removeSQLLogin(shop.login.name, as: .staff(ola)) } == "not_found")
        #expect(try JSON(parsing: await shop.door.sqlLogins(as: .staff(ola))) == [])
        #expect(
            await code { _ = try await shop.door.addSQLLogin(of: shop.owner, label: "x", as: .token(1)) }
                == "right.missing")
        for _ in 0..<4 { _ = try await shop.door.addSQLLogin(of: shop.owner, label: "more", as: boss) }
        #expect(
            await code { _ = try await shop.door.addSQLLogin(of: shop.owner, label: "x", as: boss) } == "sql.too_many")
        let listed = try JSON(parsing: await shop.door.sqlLogins(as: boss)).array ?? []
        #expect(listed.count == 5 && listed.allSatisfy { $0["open"] == true && $0["password"] == nil })
        try await cluster.provisioner.drop(shop.door.tenant)
        let left = try await cluster.superuser.run(
            """
            SELECT rolname FROM pg_roles WHERE rolname = \(shop.login.name) OR rolname = \("g_\(shop.door.tenant.id)")
            UNION ALL SELECT nspname FROM pg_namespace WHERE nspname LIKE \("\(shop.schema)\\_rep")
            """)[0]
        #expect(left.isEmpty)
    }

    @Test func theWatchdogEndsWhatLastsTooLong() async throws {
        let reporting = try await TestCluster.shared.value.reporting
        let shop = try await shop("Aurora")
        async let slow = reporting.psql(shop.login, "SET statement_timeout = 0; SELECT pg_sleep(60)")
        // it looks at the sessions of all tests: none of theirs takes so long
        let watch = SQLWatch(reporting.superuser, statementSeconds: 10)
        var ended: [SQLWatch.Ended] = []
        for _ in 0..<600 where ended.isEmpty {
            try await Task.sleep(for: .milliseconds(50))
            ended = try await watch.sweep().filter { $0.login == shop.login.name }
        }
        #expect(ended.map(\.reason) == ["statement"])
        #expect(try await slow.errors.contains("terminating connection"))
    }

    @Test func everyColumnIsExplainedAndEveryReportRuns() async throws {
        let reporting = try await TestCluster.shared.value.reporting
        let shop = try await shop("Aurora")
        let columns = try await TestCluster.shared.value.superuser.run(
            """
            SELECT c.relname, a.attname, col_description(c.oid, a.attnum) AS comment FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relnamespace = \("\(shop.schema)_rep")::regnamespace
            """)[0]
        #expect(columns.count > 90)
        let guide = try String(contentsOfFile: TestCluster.root + "/docs/sql-reporting.md", encoding: .utf8)
        for row in columns {
            let (view, column): (String, String) = (try row.get("relname"), try row.get("attname"))
            let comment: String = try row.get("comment", as: String?.self) ?? ""
            let section = guide.components(separatedBy: "### `\(view)`").dropFirst().first ?? ""
            #expect(!comment.isEmpty && section.contains("| `\(column)` | \(comment) |"), "\(view).\(column)")
        }
        let folder = TestCluster.root + "/reports"
        let reports = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".sql") }
        #expect(reports.count >= 10)
        for report in reports {
            let answer = try await reporting.psql(
                shop.login, try String(contentsOfFile: "\(folder)/\(report)", encoding: .utf8))
            #expect(answer.errors == "", "\(report)")
        }
    }
}
