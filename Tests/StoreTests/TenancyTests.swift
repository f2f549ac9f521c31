import Cryptography
import Foundation
import Hub
import Logging
import Postgres
import TestKit
import Testing

@testable import Store

@Suite(.inTurn) struct TenancyTests {
    private func name() -> String { "x" + Crypto.hex(Crypto.randomBytes(8)) }

    @Test func halfMadeTenantIsFinishedAndADropCutShortToo() async throws {
        let cluster = try await TestCluster.shared.value
        let name = name()
        // made as far as its row and its schema
        _ = try await cluster.superuser.run(
            "INSERT INTO kontor.tenant (name, title, country) VALUES (\(name), 'Half', 'DE')")
        let tenant = try await cluster.provisioner.create(name: name, title: "Whole", country: "PL")
        await #expect { try await cluster.provisioner.create(name: name, title: "Other", country: "PL") } throws: {
            ($0 as? Failure)?.code == "tenant.exists"
        }
        #expect(try await cluster.node.openTenants().contains(tenant))
        let database = cluster.node.tenant(tenant)
        _ = try await database.createContact(as: .token(1), fields: ["name": "Ada"])
        // nothing changes when migrations run again
        let before = try await database.tableCounts()
        try await cluster.instance.prepare()
        // other tests' tenants are being made meanwhile
        _ = try await cluster.provisioner.migrateAll()
        #expect(try await database.tableCounts() == before)

        try await cluster.provisioner.setSuspended(true, tenant)
        #expect(try await !cluster.node.openTenants().contains(tenant))
        try await cluster.provisioner.setSuspended(true, tenant)
        try await cluster.provisioner.setSuspended(false, tenant)
        #expect(try await cluster.node.openTenants().contains(tenant))

        // each place where a drop can be cut short
        for step in 0...2 {
            let again = try await cluster.provisioner.create(name: name + "\(step)", title: "T", country: "PL")
            _ = try await cluster.superuser.run("UPDATE kontor.tenant SET state = 'dropping' WHERE id = \(again.id)")
            if step > 0 { _ = try await cluster.superuser.run("DROP SCHEMA \(identifier: again.schema) CASCADE") }
            if step > 1 { _ = try await cluster.superuser.run("DELETE FROM kontor.tenant WHERE id = \(again.id)") }
            await #expect(throws: Failure.self) { try await cluster.provisioner.setSuspended(false, again) }
            try await cluster.provisioner.drop(again)
            let left = try await cluster.superuser.run(
                """
                SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = \(again.schema))
                    + (SELECT count(*) FROM kontor.tenant WHERE id = \(again.id))
                    + (SELECT count(*) FROM kontor.module WHERE tenant = \(again.id)) AS n
                """)[0][0]
            #expect(try left.get("n") == 0)
        }
    }

    @Test func namesAreRefused() async throws {
        let cluster = try await TestCluster.shared.value
        for bad in ["", "a", "A1", "1a", "a b", "a;drop", "ab\n", "é1", String(repeating: "a", count: 41), "a\u{301}b"]
        {
            await #expect("\(bad)") {
                try await cluster.provisioner.create(name: bad, title: "T", country: "PL")
            } throws: {
                ($0 as? Failure)?.code == "tenant.name"
            }
        }
        await #expect(throws: Failure.self) {
            try await cluster.provisioner.create(name: name(), title: "T", country: "pl")
        }
    }

    /// Else each script, each COPY would cost a process of the server.
    @Test(arguments: [false, true]) func connectionsOfTheServiceAreLentAgain(forMigrations: Bool) async throws {
        let instance = try await TestCluster.shared.value.instance
        var configuration = DatabaseConfiguration(
            conninfo: forMigrations ? instance.migrationConnection : instance.serviceConnection)
        (configuration.sharedConnections, configuration.leasedConnections) = (1, 1)
        let database = Database(configuration, log: Logger(label: "test"))
        try await database.start()
        var backends = Set<Int32>()
        for _ in 0..<3 {
            backends.insert(
                try await database.lease { session in
                    try await session.execute(script: "SELECT 1; SELECT 2")
                    return session.backendPID
                })
        }
        await database.close()
        #expect(backends.count == 1)
    }

    /// What somebody who can run any SQL as the service's login cannot do.
    @Test func serviceLoginIsConfined() async throws {
        let database = try await TestCluster.shared.value.node.database
        let key = try await TestCluster.shared.value.secrets.contextKey
        try await withTenant { tenant in
            try await withTenant { other in
                _ = try await other.createContact(as: .token(1), fields: ["name": "Ada"])
                let forbidden: [SQL] = [
                    "TRUNCATE \(other.table("contact"))", "SET ROLE kontor_owner", "SET ROLE kontor_migrate",
                    "SELECT * FROM auth.key",
                    "SELECT * FROM auth.token", "SELECT * FROM auth.account", "SELECT * FROM kontor.tenant",
                    "CREATE TABLE public.x (a int)", "CREATE TEMP TABLE x (a int)", "CREATE SCHEMA x",
                    "DO $$ BEGIN NULL; END $$", "CREATE FUNCTION hub.x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                    "CREATE ROLE x", "ALTER TABLE \(other.table("contact")) DISABLE ROW LEVEL SECURITY",
                    "DROP TABLE \(other.table("contact"))", "DELETE FROM \(tenant.table("change"))",
                    "UPDATE \(tenant.table("change")) SET after = NULL",
                    "SELECT pg_advisory_xact_lock(1)", "SELECT lo_creat(1)", "COPY (SELECT 1) TO PROGRAM 'true'",
                    "ALTER ROLE kontor_app SUPERUSER", "SET SESSION AUTHORIZATION kontor_owner",
                ]
                for statement in forbidden {
                    await #expect("\(statement)") {
                        _ = try await tenant.transaction(as: .token(1)) { try await $0.query(statement) }
                    } throws: { ["42501", "25001"].contains(($0 as? PostgresError)?.sqlState) }
                }
                // a context holds for its own tenant only
                #expect(try await tenant.number("SELECT count(*) FROM \(other.table("contact"))") == 0)
                #expect(try await other.number("SELECT count(*) FROM \(other.table("contact"))") == 1)
                let signer = ContextSigner(key: Array(repeating: 7, count: 32), isPooled: false)
                let real = other.node.signer
                let forged: [@Sendable (Int32) -> String] = [
                    { _ in "" }, { _ in "x" }, { signer.context(tenant: other.tenant.id, actor: .system, backend: $0) },
                    { real.context(tenant: other.tenant.id, actor: .system, backend: $0 + 1) },
                    { real.context(tenant: tenant.tenant.id, actor: .system, backend: $0) },
                    {
                        real.context(tenant: other.tenant.id, actor: .token(1), backend: $0).replacingOccurrences(
                            of: "token:1", with: "staff:2")
                    },
                    { _ in real.context(tenant: other.tenant.id, actor: .system, backend: 0) },
                    { Self.expired(other.tenant.id, backend: $0, key) },
                ]
                for (number, make) in forged.enumerated() {
                    let rows = try await database.run(
                        prelude: { "SELECT set_config('kontor.context', \(make($0)), true)" },
                        "SELECT count(*) FROM \(other.table("contact"))")
                    #expect(try rows[0][0].get(0) == 0, "forgery \(number)")
                }
                // and the same way with a good one there is a row: the test can fail
                let good = try await database.run(
                    prelude: {
                        "SELECT set_config('kontor.context', \(real.context(tenant: other.tenant.id, actor: .system, backend: $0)), true)"
                    },
                    "SELECT count(*) FROM \(other.table("contact"))")
                #expect(try good[0][0].get(0) == 1)
            }
        }
    }

    /// Signed with the real key, but over.
    private static func expired(_ tenant: Int64, backend: Int32, _ key: [UInt8]) -> String {
        let payload = "\(tenant)|system|1000000000|\(backend)"
        return payload + "|" + Crypto.hex(Crypto.hmacSHA256(key: key, Array(payload.utf8)))
    }

    /// With a few connections of its own, one of them lent.
    private func node(shared: Int) async throws -> Node {
        let cluster = try await TestCluster.shared.value
        var configuration = DatabaseConfiguration(conninfo: cluster.instance.serviceConnection)
        (configuration.sharedConnections, configuration.leasedConnections) = (shared, 1)
        let database = Database(configuration, log: .init(label: "test"))
        try await database.start()
        return Node(database: database, secrets: cluster.secrets, log: .init(label: "test"))
    }

    @Test func requestsOfTwoTenantsNeverMix() async throws {
        let cluster = try await TestCluster.shared.value
        let node = try await node(shared: 4)
        let tenants = try await [cluster.makeTenant(), cluster.makeTenant()].map { node.tenant($0.tenant) }
        for (number, tenant) in tenants.enumerated() {
            _ = try await tenant.createContact(as: .token(1), fields: ["name": .string("T\(number)")])
        }
        let mixes = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<40 {
                group.addTask {
                    var mixes = 0
                    for round in 0..<250 {
                        let mine = (task + round) % 2
                        let names = try await tenants[mine].rows(
                            "SELECT name FROM \(tenants[0].table("contact")) UNION ALL SELECT name FROM \(tenants[1].table("contact"))"
                        )
                        if try names.map({ try $0.get(0, as: String.self) }) != ["T\(mine)"] { mixes += 1 }
                    }
                    return mixes
                }
            }
            return try await group.reduce(0, +)
        }
        await node.database.close()
        #expect(mixes == 0)
    }

    /// A setting that was made for one transaction is an empty text in the next, and no value.
    @Test func whatWasSetForOneTransactionIsNothingToTheNext() async throws {
        let cluster = try await TestCluster.shared.value
        let node = try await node(shared: 1)
        let tenant = node.tenant(try await cluster.makeTenant().tenant)
        for setting in ["SELECT set_config('kontor.run', '7', true)", "SELECT 1"] as [SQL] {
            try await tenant.transaction(as: .token(1)) { session in
                _ = try await session.query(setting)
                _ = try await session.query(
                    "INSERT INTO \(tenant.table("contact")) (data) VALUES ('{\"name\": \"Ada\"}')")
            }
        }
        let runs = try await tenant.rows("SELECT run FROM \(tenant.table("change")) ORDER BY id").map {
            try $0.get("run", as: Int64?.self)
        }
        #expect(runs == [7, nil])
        await node.database.close()
    }

    /// Contexts are signed once and used again: for the same actor, tenant and backend only.
    @Test func everyActorHasItsOwnContext() async throws {
        try await withTenant { tenant in
            try await withTenant { other in
                let actors = [Actor.system, .token(1), .staff(2), .connector(1), .intake(1)]
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<120 {
                        group.addTask {
                            let actor = actors[number % actors.count]
                            let (mine, not) = number / actors.count % 2 == 0 ? (tenant, other) : (other, tenant)
                            let question: SQL =
                                "SELECT auth.me(\(mine.tenant.id)) AS me, auth.me(\(not.tenant.id)) AS not_me"
                            let row = try await mine.rows(question, as: actor)[0]
                            #expect(try row.get("me") == actor.description)
                            #expect(row.isNull("not_me"))
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    /// Every table, view and function of one tenant, asked under the context of another.
    @Test func catalogueOfOneTenantIsEmptyToAnother() async throws {
        let cluster = try await TestCluster.shared.value
        try await withTenant(modules: ["sales"]) { mine in
            try await withTenant(modules: ["sales"]) { other in
                try await fill(mine)
                // what a tenant makes is rows: objects of the database are the same in every tenant
                let objects = try await cluster.superuser.run(
                    """
                    SELECT coalesce(string_agg(DISTINCT name, ','), '') FROM (
                        SELECT oid, relname::text AS name, relnamespace AS schema FROM pg_class
                        UNION ALL SELECT oid, proname, pronamespace FROM pg_proc UNION ALL SELECT oid, typname, typnamespace FROM pg_type
                    ) o GROUP BY schema HAVING schema IN (\(mine.tenant.schema)::regnamespace, \(other.tenant.schema)::regnamespace)
                    """)[0]
                let names = try objects.map { Set(try $0.get(0, as: String.self).split(separator: ",")) }
                #expect(names.count == 2)
                #expect(names[0].symmetricDifference(names[1]) == [])
                let relations = try await cluster.superuser.run(
                    "SELECT relname, relkind::text AS kind FROM pg_class WHERE relkind IN ('r', 'v', 'p') AND relnamespace = \(mine.tenant.schema)::regnamespace"
                )[0]
                #expect(relations.count >= 24)
                var seen = 0
                for row in relations {
                    let table = mine.table(try row.get("relname"))
                    if try await mine.number("SELECT count(*) FROM \(table)") > 0 { seen += 1 }
                    for actor in [Actor.system, .token(1), .staff(1), .connector(1), .intake(1)] {
                        #expect(
                            try await other.rows("SELECT count(*) FROM \(table)", as: actor)[0].get(0) == 0, "\(table)")
                        let removed: Int
                        do { removed = try await other.rows("DELETE FROM \(table)", as: actor).affected } catch let
                            error as PostgresError where error.sqlState == "42501" || error.sqlState == "55000"
                        { removed = 0 }
                        #expect(removed == 0, "\(table)")
                    }
                }
                #expect(seen >= 12, "there was something to see")
                let functions = try await cluster.superuser.run(
                    """
                    SELECT p.proname, (SELECT string_agg('NULL::' || format_type(t, NULL), ', ') FROM unnest(p.proargtypes) t) AS args
                    FROM pg_proc p WHERE p.pronamespace = \(mine.tenant.schema)::regnamespace AND p.prorettype <> 'trigger'::regtype
                    """)[0]
                #expect(functions.count >= 5)
                for row in functions {
                    let arguments: String = try row.get("args", as: String?.self) ?? ""
                    let call: SQL =
                        "SELECT count(x) FROM \(mine.table(try row.get("proname")))(\(unsafeRaw: arguments)) x"
                    let count: Int
                    do { count = try await other.number(call) } catch let error as PostgresError
                        where error.sqlState == "42501"
                    { count = 0 }
                    // an empty list is a value and tells nothing
                    #expect(count <= 1, "\(call)")
                }
                await #expect(throws: PostgresError.self) {
                    try await other.rows("SELECT \(mine.table("erase_contact"))(1)")
                }
                #expect(try await mine.number("SELECT count(*) FROM \(mine.table("contact")) WHERE data <> '{}'") > 0)
                #expect(try await other.number("SELECT count(*) FROM \(mine.table("feed"))('0'::xid8, 0, 100)") == 0)
                // a connector of its own tenant reads contacts through the view alone
                for table in ["contact", "change", "contact_key", "stage", "consent", "conflict", "duplicate", "inbox"]
                {
                    #expect(
                        try await mine.rows("SELECT count(*) FROM \(mine.table(table))", as: .connector(1))[0].get(0)
                            == 0, "\(table)")
                }
            }
        }
    }

    private func fill(_ tenant: TenantDatabase) async throws {
        let crm = try await tenant.connector("crm", pushes: ["all": []])
        try await tenant.take(
            crm,
            [
                incoming("1", ["first": "Ada", "mails": ["a@example.org"]]),
                incoming("2", ["last": "Ek", "mails": ["a@example.org"]]),
            ])
        let made = try await tenant.createContact(as: .token(1), fields: ["name": "Eva"])
        _ = try await tenant.addConsent(
            made.id, as: .token(1), purpose: "news", granted: true, at: nil, source: "t", proof: nil)
        _ = try await tenant.merge([["name": "Bo"]])
        try await tenant.storeHook(connector: crm.id, eventKey: "1", headers: [:], body: [1])
        _ = try await tenant.routeAll()
        _ = try await tenant.claim(tenant.duePlugin(crm), limit: 1, lease: 60)
        _ = try await tenant.createSegment(as: .token(1), name: "all", condition: ["all": []])
        try await tenant.addField(as: .token(1), key: "size", label: "Size", type: "number", choices: [])
    }

    @Test func bellHoldsNumbersOnly() async throws {
        let cluster = try await TestCluster.shared.value
        let heard = Task {
            var payloads: [String] = []
            for await event in cluster.superuser.listen("kontor") {
                guard case .notified(let payload) = event else { continue }
                if payload == "that is all" { break }
                payloads.append(payload)
            }
            return payloads
        }
        try await Task.sleep(for: .milliseconds(300))
        try await withTenant { tenant in
            for number in 0..<3 {
                _ = try await tenant.createContact(as: .token(1), fields: ["name": .string("Canary\(number)")])
                try await Task.sleep(for: .milliseconds(60))
            }
            // a writer that is not Kontor rings from the trigger
            let signer = tenant.node.signer
            let id = tenant.tenant.id
            _ = try await tenant.node.database.run(
                prelude: {
                    "SELECT set_config('kontor.context', \(signer.context(tenant: id, actor: .token(1), backend: $0)), true)"
                },
                "INSERT INTO \(tenant.table("contact")) (data) VALUES ('{\"name\": \"Canary\"}')")
        }
        _ = try await cluster.superuser.run("SELECT pg_notify('kontor', 'that is all')")
        let payloads = await heard.value
        #expect(payloads.count >= 4)
        for payload in payloads {
            // tenants, and after a space the number of the process that rang
            #expect(payload.wholeMatch(of: /[0-9]+(,[0-9]+)*( [0-9]+)?/) != nil, "\(payload)")
        }
    }

    @Test func feedMissesNothingAndRepeatsNothing() async throws {
        try await withTenant { tenant in
            let writers = Task {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<6 {
                        group.addTask {
                            for number in 0..<12 {
                                try await tenant.transaction(as: .token(1)) { session in
                                    let document = "{\"name\": \"W\(writer)-\(number)\"}"
                                    _ = try await session.query(
                                        "INSERT INTO \(tenant.table("contact")) (data) VALUES (\(document)::jsonb)")
                                    try await Task.sleep(
                                        for: .milliseconds(writer == 0 ? 40 : (number * 7 + writer * 3) % 13))
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            var seen: [Int64] = []
            var after: (UInt64, Int64) = (0, 0)
            // a feed ends before the oldest transaction, and those of other tests may last on a busy machine
            let end = ContinuousClock.now + .seconds(180)
            while seen.count < 72, ContinuousClock.now < end {
                let page = try await tenant.changeFeed(after: after, limit: 7, as: .token(1))
                let changes = try JSON(parsing: page.json).array ?? []
                seen += changes.compactMap { $0["record"]?.int }
                let parts = page.next.split(separator: ".")
                after = (UInt64(parts[0]) ?? 0, Int64(parts[1]) ?? 0)
            }
            try await writers.value
            #expect(seen.count == 72 && Set(seen).count == 72)
            #expect(try JSON(parsing: await tenant.changeFeed(after: after, limit: 7, as: .token(1)).json) == [])
        }
    }

    @Test func secretsAreNowhereInClear() async throws {
        let cluster = try await TestCluster.shared.value
        let canary = "canary-\(name())"
        try await withTenant { tenant in
            let id = try await tenant.createConnector(
                as: .token(1), manifest: MemoryConnector.manifest, name: "crm",
                settings: ["remote": "x", "api_key": .string(canary)])
            let twin = try await tenant.connector("twin")
            #expect(try await tenant.secret("api_key", ofConnector: id) == canary)
            try await tenant.saveSecrets(["token": canary + "2"], ofConnector: id)
            #expect(try await tenant.secret("token", ofConnector: id) == canary + "2")
            #expect(!String(decoding: try await tenant.connectors(as: .token(1)), as: UTF8.self).contains(canary))
            let tables = try await cluster.superuser.run(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = \(tenant.tenant.schema)::regnamespace"
            )[0]
            for row in tables {
                let table = tenant.table(try row.get("relname"))
                let hits = try await cluster.superuser.run(
                    "SELECT count(*) FROM \(table) x WHERE strpos(x::text, \(canary)) > 0")[0][0]
                #expect(try hits.get(0) == 0, "\(table)")
            }
            let shown = try await cluster.superuser.run(
                "SELECT count(*) FROM pg_stat_activity WHERE strpos(query, \(canary)) > 0 AND pid <> pg_backend_pid()")[
                    0][0]
            #expect(try shown.get(0) == 0)
            // the ciphertext opens only where it was written
            _ = try await tenant.rows(
                "UPDATE \(tenant.table("connector")) SET secrets = jsonb_build_object('other', secrets -> 'api_key') || secrets WHERE id = \(id)"
            )
            await #expect(throws: (any Error).self) { try await tenant.secret("other", ofConnector: id) }
            _ = try await tenant.rows(
                "UPDATE \(tenant.table("connector")) t SET secrets = s.secrets FROM \(tenant.table("connector")) s WHERE s.id = \(id) AND t.id = \(twin.id)"
            )
            await #expect(throws: (any Error).self) { try await tenant.secret("api_key", ofConnector: twin.id) }
            try await withTenant { other in
                let copy = try await other.connector("crm")
                let sealed: String = try await tenant.rows(
                    "SELECT secrets::text AS s FROM \(tenant.table("connector")) WHERE id = \(id)")[0].get("s")
                _ = try await other.rows(
                    "UPDATE \(other.table("connector")) SET secrets = \(sealed)::jsonb WHERE id = \(copy.id)")
                await #expect(throws: (any Error).self) { try await other.secret("api_key", ofConnector: copy.id) }
            }
        }
    }
}
