import Foundation
import Hub
import Logging
import Postgres
import TestKit
import Testing

@testable import Store

@Suite(.inTurn) struct AuditTests {
    private struct Shop {
        let door: TenantDatabase
        let boss: Actor
    }

    private func shop() async throws -> Shop {
        let cluster = try await TestCluster.shared.value
        let door = try await cluster.makeTenant(modules: ["reporting"])
        try await cluster.provisioner.setOwner(of: door.tenant, email: "boss@x.example", password: "a long passphrase")
        return Shop(
            door: door, boss: .staff(try await door.rows("SELECT account FROM \(door.table("staff"))")[0].get(0)))
    }

    private func entries(_ shop: Shop, _ actor: Actor? = nil) async throws -> [JSON] {
        var query = AuditQuery()
        query.limit = 500
        return try JSON(parsing: await shop.door.audit(query, as: actor ?? shop.boss).json).array ?? []
    }

    /// Seals until nothing is open: other tests' transactions hold it back meanwhile.
    private func sealed(_ door: TenantDatabase) async throws -> (place: Int64, hash: String) {
        for _ in 0..<600 {
            let head = try await door.sealAudit()
            if try await door.number("SELECT count(*) FROM \(door.table("audit")) WHERE place IS NULL") == 0 {
                return head
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("the log is not sealed in a minute")
        return try await door.sealAudit()
    }

    @Test func whatMattersIsOnRecordWithoutValues() async throws {
        let shop = try await shop()
        let (door, boss) = (shop.door, shop.boss)
        let role = try await door.createRole(as: boss, name: "trial", title: "T", rights: ["contact": ["read": "own"]])
        try await door.editRole(role, as: boss, version: nil, title: nil, rights: ["contact": ["read": "all"]])
        let link = try await door.connector("crm")
        try await door.saveSecrets(["token": "Quartz secret"], ofConnector: link.id)
        try await door.editPlugin(link.push, as: boss, PluginEdit(filter: ["tag": "client"]))
        _ = try await door.addToken(as: boss, label: "x", scopes: ["feed"], expiresAt: nil)
        let login = try await door.addSQLLogin(
            of: try #require(Int64(boss.description.dropFirst(6))), label: "x", as: boss)
        try await door.removeSQLLogin(login.name, as: boss)
        let contact = try await door.createContact(as: boss, fields: ["given_name": "Quartz"]).id
        let reads = ReadLog(node: door.node, log: .init(label: "reads"))
        for _ in 1...3 { reads.note([contact], to: boss, of: door.tenant) }
        await reads.flush()
        var file: [UInt8] = []
        #expect(try await door.writeContacts(ContactQuery(), as: boss) { file += $0 } == 1)
        let found = try await entries(shop)
        func has(_ action: String, _ entity: String? = nil, _ record: Int64? = nil) -> JSON? {
            found.first {
                $0["action"]?.string == action && $0["entity"]?.string == entity && $0["record"]?.int == record
            }
        }
        #expect(has("added", "role", role)?["actor"]?.string == boss.description)
        let change = has("changed", "role", role)?["details"]
        #expect(change?["before"]?["rights"] == ["contact": ["read": "own"]])
        #expect(change?["after"]?["rights"] == ["contact": ["read": "all"]])
        #expect(has("changed", "connector", link.id)?["details"] == ["fields": ["secrets"]])
        #expect(has("changed", "plugin", link.push)?["details"] == ["fields": ["filter", "rule"]])
        for action in ["token.made", "sql_login.made", "sql_login.removed"] { #expect(has(action) != nil, "\(action)") }
        #expect(found.filter { $0["action"] == "read" }.count == 1 && has("read", "contact", contact) != nil)
        #expect(has("export.begun", "contact") != nil)
        #expect(has("export.ended", "contact")?["details"] == ["contacts": 1])
        #expect(!JSON.array(found).text.contains("Quartz"))
        // only for who has the right, and nobody takes anything away
        var person = StaffEdit()
        (person.name, person.role) = ("Ola", 2)
        let ola = try await door.invite(as: boss, email: "ola@x.example", person).id
        #expect(try await entries(shop, .staff(ola)).isEmpty)
        await #expect(throws: PostgresError.self) { try await door.verifyAudit(known: nil, as: .staff(ola)) }
        for statement: SQL in [
            "DELETE FROM \(door.table("audit"))", "UPDATE \(door.table("audit")) SET actor = 'x'",
            "INSERT INTO \(door.table("audit")) (actor, action) VALUES ('x', 'x')",
            "DELETE FROM \(door.table("audit_head"))",
        ] {
            let error = await #expect(throws: PostgresError.self) { try await door.rows(statement) }
            #expect(error?.sqlState == "42501")
        }
    }

    @Test func theChainTellsWhatWasChangedRemovedOrPutIn() async throws {
        let shop = try await shop()
        let (door, boss) = (shop.door, shop.boss)
        let superuser = try await TestCluster.shared.value.superuser
        for number in 1...20 { try await door.note("trial", record: Int64(number), as: boss) }
        let head = try await sealed(door)
        #expect(head.place > 20)
        #expect(try await door.verifyAudit(known: (head.place, head.hash), as: boss)["whole"] == true)
        let audit = door.table("audit")
        /// What verifying says after a superuser's doing, which is then taken back.
        func broken(_ doing: SQL..., known: Bool = false) async throws -> Int64? {
            _ = try await superuser.run("CREATE TABLE kept_audit AS SELECT * FROM \(audit)")
            for statement in doing { _ = try await superuser.run(statement) }
            let answer = try await door.verifyAudit(known: known ? (head.place, head.hash) : nil, as: boss)
            _ = try await superuser.run("DELETE FROM \(audit)")
            _ = try await superuser.run("INSERT INTO \(audit) OVERRIDING SYSTEM VALUE SELECT * FROM kept_audit")
            _ = try await superuser.run("DROP TABLE kept_audit")
            #expect(answer["whole"]?.bool == (answer["broken_at"]?.isNull == true))
            return answer["broken_at"]?.int
        }
        let tenth: Int64 = try await superuser.run("SELECT place FROM \(audit) WHERE record = 10")[0][0].get(0)
        #expect(try await broken("UPDATE \(audit) SET record = 99 WHERE place = \(tenth)") == tenth)
        #expect(try await broken("UPDATE \(audit) SET at = at - interval '1 s' WHERE place = \(tenth)") == tenth)
        #expect(try await broken("DELETE FROM \(audit) WHERE place = \(tenth)") == tenth)
        #expect(try await broken("DELETE FROM \(audit) WHERE place = \(head.place)") == head.place)
        #expect(
            try await broken(
                "UPDATE \(audit) SET place = place + 1000 WHERE place >= \(tenth)",
                "UPDATE \(audit) SET place = place - 999 WHERE place >= 1000",
                "INSERT INTO \(audit) (actor, action, place, hash) VALUES ('x', 'x', \(tenth), '')") == tenth)
        // who rewrites the whole chain is found out by an end that was kept elsewhere
        let rewrite: SQL = """
            DO $$ DECLARE r \(audit); h bytea := ''; BEGIN
                FOR r IN SELECT * FROM \(audit) ORDER BY place LOOP
                    h := \(door.table("link"))(h, r, r.place);
                    UPDATE \(audit) a SET hash = h WHERE a.id = r.id;
                END LOOP;
                UPDATE \(door.table("audit_head")) SET hash = h;
            END $$
            """
        let lie: SQL = "UPDATE \(audit) SET record = 99 WHERE place = \(tenth)"
        let kept = try await superuser.run("SELECT hash FROM \(door.table("audit_head"))")[0][0].get(
            0, as: [UInt8].self)
        #expect(try await broken(lie, rewrite) == nil)
        #expect(try await broken(lie, rewrite, known: true) == head.place)
        _ = try await superuser.run("UPDATE \(door.table("audit_head")) SET hash = \(kept)")
        #expect(try await door.verifyAudit(known: (head.place, head.hash), as: boss)["whole"] == true)
    }

    @Test func sealingMissesNothingThatEndsLate() async throws {
        let shop = try await shop()
        let before = try await sealed(shop.door).place
        try await shop.door.transaction(as: shop.boss) { session in
            _ = try await session.query("SELECT \(shop.door.table("note"))('slow', NULL, NULL, '{}')")
            try await shop.door.note("quick", as: shop.boss)
            #expect(try await shop.door.sealAudit().place == before)
        }
        #expect(try await sealed(shop.door).place == before + 2)
        #expect(try await shop.door.verifyAudit(known: nil, as: shop.boss)["whole"] == true)
    }
}
