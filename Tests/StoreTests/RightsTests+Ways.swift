import Hub
import Postgres
import TestKit
import Testing

@testable import Store

/// Ways by which the same rights are looked at.
extension RightsTests {
    /// The same rows in a file, for a role that allows exports.
    func file(
        _ shop: Shop, _ expected: [RightsModel.Subject], _ model: RightsModel, _ door: TenantDatabase
    ) async throws {
        var bytes: [UInt8] = []
        do {
            _ = try await door.writeContacts(ContactQuery(), as: .staff(shop.ola)) { bytes += $0 }
        } catch let failure as Failure {
            #expect(failure.code == "right.missing" && bytes.isEmpty)
            #expect(model.rights["functions"]?.array?.contains("export") == false)
            return
        }
        #expect(model.rights["functions"]?.array?.contains("export") == true)
        var lines: [[String]] = []
        var parser = CSVParser(delimiter: UInt8(ascii: ","))
        func take(_ event: CSVParser.Event) { if case .row(let row) = event { lines.append(row.texts) } }
        parser.feed(bytes, take)
        parser.finish(take)
        let head = try #require(lines.first)
        #expect(lines.dropFirst().map { $0[0] } == expected.map { String($0.id) }, "\(model.rights.text)")
        for (line, subject) in zip(lines.dropFirst(), expected) {
            let shown = model.shown(subject.fields)
            for field in ["given_name", "notes", "level", "birth_month", "source"] {
                let cell = line[try #require(head.firstIndex(of: field))]
                #expect(cell == shown[field]?.scalarText ?? "", "\(field) \(model.rights.text)")
            }
            // one number each, which begins like a formula unless it is masked
            let phone = shown["phones"]?[0]?["value"]?.string ?? ""
            let cell = line[try #require(head.firstIndex(of: "phones"))]
            #expect(cell == (phone.hasPrefix("+") ? "'" + phone : phone))
        }
    }

    /// The same rows by a SQL login; none, and no way in, for a role without the function.
    func sql(
        _ login: SQLLogin, _ expected: [RightsModel.Subject], _ model: RightsModel, on reporting: TestReporting
    ) async throws {
        let answer = try await reporting.psql(
            login, "SELECT json_build_array(id, fields) FROM contact ORDER BY id",
            // as Metabase and JDBC tools: in a transaction, by cursor, the query of a person inside their own
            """
            BEGIN; DECLARE c NO SCROLL CURSOR FOR SELECT count(*) AS "count", sum("source"."id") AS "sum"
            FROM (SELECT * FROM contact) "source" WHERE "source"."id" > 0 LIMIT 1048575; FETCH 500 FROM c; COMMIT
            """,
            "SELECT count(*), count(DISTINCT record) FROM change WHERE entity = 'contact' AND kind = 'new'",
            "SELECT json_build_array(contact, tag) FROM contact_tag ORDER BY contact, tag")
        guard model.rights["functions"]?.array?.contains("sql") == true else {
            #expect(answer.out == "" && answer.errors.contains("not permitted to log in"), "\(answer)")
            return
        }
        var lines = expected.map { "[\($0.id), \(model.shown($0.fields).text)]" }
        let sum = expected.isEmpty ? "" : String(expected.map(\.id).reduce(0, +))
        lines.append("\(expected.count)|\(sum)")
        lines.append("\(expected.count)|\(expected.count)")
        var tags: [String] = []
        for subject in expected {
            for tag in model.shown(subject.fields)["tags"]?.array ?? [] { tags.append("\(subject.id) \(tag.text)") }
        }
        let got = answer.out.split(separator: "\n").map(String.init)
        #expect(got.count == lines.count + tags.count, "\(answer.errors) \(model.rights.text)")
        for (line, wanted) in zip(got, lines.prefix(expected.count)) {
            #expect(try JSON(text: line) == JSON(text: wanted), "\(model.rights.text)")
        }
        #expect(Array(got.dropFirst(expected.count).prefix(2)) == Array(lines.suffix(2)), "\(model.rights.text)")
        var shown: [String] = []
        for line in got.dropFirst(lines.count) {
            let pair = try JSON(text: line)
            shown.append("\(pair[0]?.text ?? "") \(pair[1]?.text ?? "")")
        }
        #expect(shown.sorted() == tags.sorted(), "\(model.rights.text)")
    }

    /// The same rows and fields by a token with this role, which has no contacts of its own.
    func program(_ token: (id: Int64, text: String), _ shop: Shop, _ rights: JSON) async throws {
        let model = RightsModel(rights: rights, reach: [:])
        let expected = shop.contacts.filter(model.sees)
        let presented = try #require(APIToken(presented: token.text))
        let grant = try #require(try await shop.door.node.open(token: presented))
        #expect(grant.actor == .agent(token.id))
        let scope = rights["contact"]?["read"]?.string
        #expect(grant.scopes.contains("contacts:read") == (scope == "all"), "\(rights.text)")
        let door = shop.door.node.tenant(shop.door.tenant, sight: grant.sight)
        var query = ContactQuery()
        query.limit = 500
        let listed = try JSON(parsing: await door.contacts(query, as: grant.actor).json).array ?? []
        #expect(listed.compactMap { $0["id"]?.int } == expected.map(\.id), "\(rights.text)")
        for (row, subject) in zip(listed, expected) { #expect(row["fields"] == model.shown(subject.fields)) }
        let table = try await door.run(as: grant.actor, "SELECT id FROM \(door.seen("contact")) ORDER BY id")[0]
        #expect(try table.map { try $0.get("id", as: Int64.self) } == expected.map(\.id))
        try await writes(shop, model, as: grant.actor, door)
    }

    static func questions(_ model: RightsModel) -> [(JSON, (JSON) -> Bool)] {
        func shows(_ field: String, _ holds: @escaping (JSON) -> Bool) -> (JSON) -> Bool {
            { model.shown($0)[field].map(holds) ?? false }
        }
        let isOpen = { (field: String) in !(model.hidden + model.masked).contains(field) }
        return [
            (["tag": "vip"], { isOpen("tags") && shows("tags") { $0.array?.contains("vip") ?? false }($0) }),
            (["birth_month": 3], { isOpen("birth_month") && shows("birth_month") { $0 == 3 }($0) }),
            (["field": "level", "is": "gold"], { isOpen("level") && shows("level") { $0 == "gold" }($0) }),
            (["field": "notes", "contains": "anna"], shows("notes") { $0.string?.contains("anna") ?? false }),
            (["field": "emails", "contains": "mail1"], shows("emails") { $0.text.contains("mail1") }),
        ]
    }

    /// One edit of a note, of a contact seen and of one not: it is done, refused or not found as the role says.
    func writes(_ shop: Shop, _ model: RightsModel, as actor: Actor, _ door: TenantDatabase) async throws {
        for subject in [shop.contacts.first(where: model.sees), shop.contacts.first { !model.sees($0) }] {
            guard let subject else { continue }
            let code: String
            do {
                _ = try await door.editContact(
                    subject.id, as: actor, version: nil, changes: ["notes": subject.fields["notes"] ?? .null])
                code = "done"
            } catch let failure as Failure { code = failure.code }
            let isClosed = (model.hidden + model.masked).contains("notes")
            #expect(
                code
                    == (!model.sees(subject)
                        ? "not_found" : !model.mayChange(subject) ? "right.missing" : isClosed ? "right.field" : "done")
            )
        }
    }
}
