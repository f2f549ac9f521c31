import Hub
import Postgres
import TestKit
import Testing

@testable import Store
@testable import Web

/// Every ready-made role at every operation there is: nothing that the role hides is in any answer.
@Suite(.inTurn) struct RoleMatrixTests {
    /// Stands in a contact of the sales person, one of the owner, and one of another tenant.
    private static let words = ["own": "Zitronen", "other": "Yggdrasil", "foreign": "Xylophon"]

    private static func fields(_ word: String) -> JSON {
        [
            "given_name": .string(word), "emails": [["value": .string("\(word.lowercased())mail@secret.example")]],
            "phones": [["value": "+48600123456"]], "notes": .string("\(word)QxNote"), "birthday": "1987-06-05",
            "source": .string("\(word)QxSource"), "type": .string("\(word)QxType"), "tags": [.string("\(word)QxTag")],
            "job_title": .string("\(word)QxJob"),
            "profiles": [["value": .string("https://x.example/\(word)QxProfile")]],
        ]
    }

    /// What must not be found in any answer to a role, besides everything of the contacts it does not read.
    private static let hides: [String: [String]] = [
        "owner": [], "manager": [], "read-only": [], "sales": [],
        "warehouse": ["zitronenmail", "1987-06-05", "QxProfile", "QxNote", "QxSource"],
        "marketing": ["+48600123456", "QxNote"],
        "courier": ["zitronenmail", "1987-06-05", "QxProfile", "QxNote", "QxSource", "QxType", "QxTag", "QxJob"],
        "accountant": ["1987-06-05", "QxProfile", "QxNote"],
    ]

    private struct Shop {
        let tenant: WebTestTenant
        let boss: String
        let contacts: [String: Int64]
        let paths: [String: String]
        /// Session and number by role.
        let people: [String: (id: Int64, token: String)]

        /// A program's token with each role.
        func programs() async throws -> [String: String] {
            var tokens: [String: String] = [:]
            for role in try await tenant.call("listRoles", token: boss).json["items"]?.array ?? [] {
                let name = role["name"]?.string ?? ""
                let scopes = Scope.ofTenants.filter { $0 != .tokens }.map { JSON.string($0.rawValue) }
                let made = try await tenant.call(
                    "createToken", [:],
                    ["label": .string(name), "scopes": .array(scopes), "role": role["id"] ?? .null], token: boss)
                #expect(made.status == 201)
                tokens[name] = made.json["token"]?.string
            }
            return tokens
        }
    }

    private func shop() async throws -> Shop {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        let boss = try await tenant.signedInOwner()
        let roles = try await tenant.call("listRoles", token: boss.token).json["items"]?.array ?? []
        #expect(Set(roles.compactMap { $0["name"]?.string }) == Set(Self.hides.keys))
        var people = ["owner": boss]
        for role in roles where role["name"] != "owner" {
            let name = role["name"]?.string ?? ""
            let made = try await tenant.call(
                "inviteStaff", [:],
                ["email": .string("\(name)@shop.example"), "name": .string(name), "role": role["id"] ?? .null],
                token: boss.token)
            #expect(made.status == 201)
            people[name] = (made.id, try await tenant.session(of: made.id))
        }
        let connector = try await tenant.call(
            "createConnector", [:],
            ["kind": "plain", "name": "Link", "settings": ["url": "https://example.org", "password": "word"]])
        let plugins = connector.json["plugins"]?.array ?? []
        let push = plugins.first { $0["capability"] == "push" }?["id"]?.int ?? 0
        try await tenant.database.editPlugin(push, as: .token(1), PluginEdit(state: "on"))
        var contacts: [String: Int64] = [:]
        for (whose, word) in Self.words where whose != "foreign" {
            let made = try await tenant.call("createContact", [:], ["fields": Self.fields(word)])
            contacts[whose] = made.id
            let owner = people[whose == "own" ? "sales" : "owner"]?.id ?? 0
            #expect(try await tenant.call("setOwner", ["id": String(made.id)], ["owner": .int(owner)]).status == 204)
            _ = try await tenant.call("editContact", ["id": String(made.id)], ["fields": ["language": "pl"]])
        }
        _ = try await tenant.database.routeAll()
        try await leaveTraces(tenant, contacts: contacts, connector: connector.id, plugin: push)
        let segment = try await tenant.call(
            "createSegment", [:], ["name": "All", "condition": ["field": "language", "is": "pl"]])
        let rule = try await tenant.call(
            "createRetention", [:], ["name": "Old", "condition": ["unchanged_in_days": 1000]])
        let run = try await tenant.database.createRun(as: .token(1), kind: "csv", state: "done")
        let paths = [
            "connectors": String(connector.id), "connections": String(connector.id), "plugins": String(push),
            "segments": String(segment.id), "retention": String(rule.id),
            "runs": String(run),
            "staff": String(boss.id), "roles": "2", "teams": "1", "conflicts": "1", "tokens": "1", "pushes": "1",
        ]
        return Shop(tenant: tenant, boss: boss.token, contacts: contacts, paths: paths, people: people)
    }

    /// What syncs leave behind that repeats values.
    private func leaveTraces(_ tenant: WebTestTenant, contacts: [String: Int64], connector: Int64, plugin: Int64)
        async throws
    {
        let door = tenant.database
        for (whose, id) in contacts {
            let fields = Self.fields(Self.words[whose] ?? "")
            _ = try await door.run(
                as: .system,
                """
                INSERT INTO \(door.table("binding")) (connector, entity, record, remote_id, agreed)
                VALUES (\(connector), 'contact', \(id), \("r\(id)"), \(fields.text)::jsonb)
                """)
            _ = try await door.run(
                as: .system,
                """
                INSERT INTO \(door.table("attempt")) (plugin, record, fence, change, outcome, message)
                VALUES (\(plugin), \(id), 1, 1, 'failed', \("no room for \(fields.text)"))
                """)
            _ = try await door.run(
                as: .system,
                "UPDATE \(door.table("delivery")) SET message = \(fields.text) WHERE record = \(id)")
            for field in fields.object?.keys.sorted() ?? [] {
                _ = try await door.run(
                    as: .system,
                    """
                    INSERT INTO \(door.table("conflict")) (contact, connector, field, hub, remote, kept, reason)
                    VALUES (\(id), \(connector), \(field), \((fields[field] ?? .null).text)::jsonb, '"x"', 'hub', 'newer')
                    """)
            }
        }
        _ = try await door.run(
            as: .system,
            """
            INSERT INTO \(door.table("duplicate")) (a, b, evidence)
            VALUES (\(contacts.values.min()!), \(contacts.values.max()!), 'phone')
            """)
    }

    @Test func noAnswerHoldsWhatARoleHides() async throws {
        let shop = try await shop()
        let foreign = try await WebTestServer.shared.value.makeTenant()
        _ = try await foreign.call("createContact", [:], ["fields": Self.fields(Self.words["foreign"]!)])
        var answered: [String: Int] = [:]
        for (role, token) in try await shop.programs() {
            for operation in shop.tenant.server.operations
            where operation.access != .open && operation.access != .operators && operation.verb == "GET"
                && !operation.isPage
            {
                for contact in operation.path.contains("contact") ? ["own", "other"] : ["own"] {
                    let number = String(shop.contacts[contact] ?? 0)
                    let kind = operation.path.split(separator: "/").dropFirst(2).first.map(String.init) ?? ""
                    let address = operation.path.replacing(
                        "{id}", with: kind == "contacts" ? number : shop.paths[kind] ?? "1"
                    ).replacing("{contact}", with: number)
                    let reply = try await shop.tenant.send("GET", address, token: token)
                    judge(reply, role, "program \(operation.id) \(contact)")
                    // no contact is a program's own
                    let text = String(decoding: reply.body, as: UTF8.self).lowercased()
                    #expect(role != "sales" || !text.contains("zitronen"), "program \(operation.id)")
                    if reply.status == 200 { answered["program", default: 0] += 1 }
                }
            }
            for question in Self.questions {
                judge(try await shop.tenant.send("GET", question, token: token), role, "program \(question)")
            }
        }
        for (role, person) in shop.people {
            for operation in shop.tenant.server.operations
            where operation.access != .open && operation.access != .operators && operation.verb == "GET" {
                for contact in operation.path.contains("contact") ? ["own", "other"] : ["own"] {
                    let number = String(shop.contacts[contact] ?? 0)
                    let parts = operation.path.split(separator: "/")
                    let kind = (operation.isPage ? parts.first : parts.dropFirst(2).first).map(String.init) ?? ""
                    let address = operation.path.replacing(
                        "{id}", with: kind == "contacts" ? number : shop.paths[kind] ?? "1"
                    )
                    .replacing("{contact}", with: number)
                    let reply = try await shop.tenant.send("GET", address, token: person.token)
                    judge(reply, role, "\(operation.id) \(contact)")
                    if reply.status == 200 { answered[role, default: 0] += 1 }
                    if role == "sales" && contact == "other" && kind == "contacts" && operation.path.contains("{id}") {
                        // what the role may not do at all is refused for its own contacts, too
                        let own = try await shop.tenant.send(
                            "GET", address.replacing("/\(number)", with: "/\(shop.contacts["own"] ?? 0)"),
                            token: person.token)
                        #expect(reply.status == (own.status == 403 ? 403 : 404), "\(operation.id)")
                    }
                }
            }
            for question in Self.questions {
                let reply = try await shop.tenant.send("GET", question, token: person.token)
                judge(reply, role, question)
            }
        }
        // what they may see they do see
        #expect((answered["program"] ?? 0) > 100, "\(answered)")
        #expect((answered["owner"] ?? 0) > 40 && (answered["sales"] ?? 0) > 15, "\(answered)")
        for role in ["owner", "manager", "read-only", "accountant", "marketing"] {
            let list = try await shop.tenant.call("listContacts", token: shop.people[role]?.token)
            #expect(list.json["items"]?.array?.count == 2, "\(role)")
        }
    }

    /// Searches and conditions that guess at hidden values: their answers tell nothing.
    private static let questions = [
        "/api/v1/contacts?q=secret.example", "/api/v1/contacts?q=qxnote", "/api/v1/contacts?q=1987-06",
        "/api/v1/contacts?tag=ZitronenQxTag", "/api/v1/contacts?q=600123",
        "/api/v1/contacts?condition=" + WebTestTenant.encode("{\"field\": \"source\", \"is\": \"ZitronenQxSource\"}"),
    ]

    @Test func guessesAtHiddenValuesFindNothing() async throws {
        let shop = try await shop()
        let guesses: [(role: String, query: String, finds: Int)] = [
            ("warehouse", "q=qxnote", 0), ("warehouse", "q=zitronenmail", 0), ("warehouse", "q=1987-06", 0),
            ("warehouse", "q=zitronen", 1), ("marketing", "q=600123", 0), ("marketing", "q=zitronenmail", 1),
            ("courier", "tag=ZitronenQxTag", 0), ("marketing", "tag=ZitronenQxTag", 1), ("sales", "q=yggdrasil", 0),
            ("sales", "q=zitronen", 1), ("owner", "q=qxnote", 2),
            ("courier", "condition=" + WebTestTenant.encode("{\"field\": \"type\", \"is\": \"ZitronenQxType\"}"), 0),
            ("owner", "condition=" + WebTestTenant.encode("{\"field\": \"type\", \"is\": \"ZitronenQxType\"}"), 1),
            (
                "warehouse",
                "condition=" + WebTestTenant.encode("{\"field\": \"birthday\", \"before\": \"1988-01-01\"}"), 0
            ),
            ("owner", "condition=" + WebTestTenant.encode("{\"field\": \"birthday\", \"before\": \"1988-01-01\"}"), 2),
        ]
        for guess in guesses {
            let reply = try await shop.tenant.send(
                "GET", "/api/v1/contacts?\(guess.query)", token: shop.people[guess.role]?.token)
            #expect(reply.json["items"]?.array?.count == guess.finds, "\(guess)")
        }
        for (role, expected) in [("warehouse", 0), ("owner", 1)] {
            let count = try await shop.tenant.call(
                "previewSegment", [:], ["condition": ["field": "notes", "is": "ZitronenQxNote"]],
                token: shop.people[role]?.token)
            #expect(count.json["count"]?.int == Int64(expected), "\(role)")
        }
    }

    /// Making a contact tells as little of those that its maker does not see: with their address and number it is answered as
    /// with ones that nobody has.
    @Test func makingAContactTellsNothingOfHiddenOnes() async throws {
        let shop = try await shop()
        let token = shop.people["sales"]?.token
        var answers: [[String]] = []
        for (mail, phone) in [
            ("yggdrasilmail@secret.example", "+48600123456"), ("nobody@secret.example", "+48600123499"),
        ] {
            let made = try await shop.tenant.call(
                "createContact", [:],
                [
                    "fields": [
                        "given_name": "Neu", "emails": [["value": .string(mail)]],
                        "phones": [["value": .string(phone)]],
                    ]
                ],
                token: token)
            #expect(made.status == 201)
            _ = try await shop.tenant.database.routeAll()
            var said = [
                made.json, try await shop.tenant.call("getContact", ["id": String(made.id)], token: token).json,
            ]
            for operation in ["contactHistory", "explainContact", "listConsents"] {
                said.append(try await shop.tenant.call(operation, ["id": String(made.id)], token: token).json)
            }
            said.append(try await shop.tenant.call("listDuplicates", token: token).json)
            answers.append(
                said.map {
                    // numbers and moments are their own
                    $0.text.replacing(mail, with: "mail").replacing(phone, with: "phone").replacing(/[0-9]+/, with: "n")
                })
        }
        #expect(answers[0] == answers[1])
    }

    /// Every view a SQL login has, as each role: the same.
    @Test func noSQLViewHoldsWhatARoleHides() async throws {
        let cluster = try await TestCluster.shared.value
        let reporting = try await cluster.reporting
        let shop = try await shop()
        let door = shop.tenant.database
        try await cluster.provisioner.ensure(module: "reporting", for: door.tenant)
        let boss = Actor.staff(try #require(shop.people["owner"]).id)
        for role in try JSON(parsing: await door.roles(as: boss)).array ?? [] {
            var rights = role["rights"] ?? [:]
            let functions = rights["functions"]?.array ?? []
            guard !functions.contains("sql") else { continue }
            rights["functions"] = .array(functions + ["sql"])
            try await door.editRole(role["id"]?.int ?? 0, as: boss, version: nil, title: nil, rights: rights)
        }
        let views = try await cluster.superuser.run(
            "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = \("\(door.tenant.schema)_rep")::regnamespace"
        )[0].map { try $0.get("relname", as: String.self) }
        #expect(views.count >= 14)
        var logins: [String: SQLLogin] = [:]
        for (role, person) in shop.people {
            logins[role] = try await door.addSQLLogin(of: person.id, label: role, as: boss)
        }
        try await reporting.catchUp()
        for (role, login) in logins {
            var bytes = 0
            for view in views {
                let answer = try await reporting.psql(login, "SELECT * FROM \(view)")
                #expect(answer.errors == "", "\(role) \(view)")
                judge(answer.out, role, view)
                bytes += answer.out.utf8.count
            }
            #expect(bytes > 500, "\(role)")
        }
    }

    private func judge(_ reply: Reply, _ role: String, _ what: String) {
        #expect(reply.status < 500, "\(role) \(what)")
        judge(String(decoding: reply.body, as: UTF8.self), role, what)
    }

    private func judge(_ text: String, _ role: String, _ what: String) {
        for hidden in Self.hides[role] ?? [] { #expect(!text.contains(hidden), "\(role) \(what): \(hidden)") }
        #expect(!text.contains(Self.words["foreign"]!), "\(role) \(what)")
        if role == "sales" { #expect(!text.contains(Self.words["other"]!), "\(what)") }
    }

    @Test func writesAreHeldToTheRole() async throws {
        let shop = try await shop()
        func status(_ role: String, _ operation: String, _ contact: String, _ body: JSON? = nil) async throws -> Int {
            try await shop.tenant.call(
                operation, ["id": String(shop.contacts[contact] ?? 0)], body, token: shop.people[role]?.token
            ).status
        }
        let note: JSON = ["fields": ["job_title": "changed"]]
        #expect(try await status("sales", "editContact", "own", note) == 200)
        #expect(try await status("sales", "editContact", "other", note) == 404)
        #expect(try await status("sales", "deleteContact", "own") == 403)
        #expect(try await status("sales", "eraseContact", "own") == 403)
        for role in ["warehouse", "marketing", "courier", "accountant", "read-only"] {
            #expect(try await status(role, "editContact", "own", note) == 403, "\(role)")
            #expect(try await status(role, "setOwner", "own", ["owner": nil]) == 403, "\(role)")
        }
        let made = try await shop.tenant.call(
            "createContact", [:], ["fields": ["given_name": "New"]], token: shop.people["sales"]?.token)
        #expect(made.status == 201 && made.json["owner"]?.int == shop.people["sales"]?.id)
        #expect(
            try await shop.tenant.call(
                "createContact", [:], ["fields": ["given_name": "New"]], token: shop.people["courier"]?.token
            ).status == 403)
        // given away, it is out of sight
        #expect(try await status("sales", "setOwner", "own", ["owner": .int(shop.people["owner"]?.id ?? 0)]) == 204)
        #expect(try await status("sales", "getContact", "own") == 404)
        for (role, operation, body) in [
            (
                "manager", "createConnector",
                ["kind": "plain", "name": "x", "settings": ["url": "https://x.example", "password": "x"]]
            ),
            ("marketing", "createField", ["key": "x", "label": "x", "type": "text"]),
            ("manager", "createRole", ["name": "xx", "title": "x", "rights": [:]]),
            ("manager", "createToken", ["label": "x", "scopes": ["feed"]]),
            ("sales", "createSegment", ["name": "x", "condition": ["tag": "x"]]),
        ] as [(String, String, JSON)] {
            let reply = try await shop.tenant.call(operation, [:], body, token: shop.people[role]?.token)
            #expect(reply.status == 403, "\(role) \(operation) \(reply.json.text)")
        }
        let segment = try await shop.tenant.call(
            "createSegment", [:], ["name": "x", "condition": ["tag": "x"]], token: shop.people["marketing"]?.token)
        #expect(segment.status == 201)
    }

    @Test func anInvitationIsAcceptedOnce() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        let boss = try await tenant.signedInOwner()
        let made = try await tenant.call(
            "inviteStaff", [:], ["email": "Ola@Shop.example", "name": "Ola", "role": 3, "language": "pl"],
            token: boss.token)
        let link = made.json["token"] ?? .null
        #expect(made.json["mailed"] == false)
        let name: String = try await tenant.server.cluster.superuser.run(
            "SELECT name FROM kontor.tenant WHERE id = \(tenant.database.tenant.id)")[0][0].get(0)
        func signIn(_ word: String) async throws -> Reply {
            try await tenant.call(
                "signIn", [:], ["tenant": .string(name), "email": "ola@shop.example", "password": .string(word)],
                token: "")
        }
        #expect(try await signIn("a password of hers").status == 401)
        let short = try await tenant.call("acceptInvitation", [:], ["token": link, "password": "short"], token: "")
        #expect(short.code == "password.length")
        let accepted: JSON = ["token": link, "password": "a password of hers"]
        #expect(try await tenant.call("acceptInvitation", [:], accepted, token: "").status == 204)
        let again = try await tenant.call("acceptInvitation", [:], accepted, token: "")
        #expect(again.status == 404 && again.code == "invitation.invalid")
        let session = try await signIn("a password of hers")
        #expect(session.status == 201)
        let token = session.json["token"]?.string ?? ""
        let rights = try await tenant.call("getRights", ["id": String(made.id)], token: token)
        #expect(rights.json["role"] == "sales" && rights.json["reads"] == [.int(made.id)])
        // a newer link ends an older one, and a disabled person has none and no session
        let first = try await tenant.call("renewInvitation", ["id": String(made.id)], token: boss.token)
        let second = try await tenant.call("renewInvitation", ["id": String(made.id)], token: boss.token)
        let old: JSON = ["token": first.json["token"] ?? .null, "password": "another password of hers"]
        #expect(try await tenant.call("acceptInvitation", [:], old, token: "").status == 404)
        let disabled = try await tenant.call(
            "editStaff", ["id": String(made.id)], ["disabled": true], token: boss.token)
        #expect(disabled.json["disabled"] == true)
        let late: JSON = ["token": second.json["token"] ?? .null, "password": "another password of hers"]
        #expect(try await tenant.call("acceptInvitation", [:], late, token: "").status == 404)
        #expect(try await signIn("a password of hers").status == 401)
        try await Task.sleep(for: .milliseconds(1100))
        #expect(try await tenant.call("getAccount", token: token).status == 401)
        let twice = try await tenant.call(
            "inviteStaff", [:], ["email": "ola@shop.example", "name": "Ola", "role": 3], token: boss.token)
        #expect(twice.status == 409 && twice.code == "staff.exists")
    }
}
