import Hub
import TestKit
import Testing

@testable import Web

@Suite(.inTurn) struct ContactAPITests {
    private func tenant() async throws -> WebTestTenant { try await WebTestServer.shared.value.makeTenant() }

    @Test func aContactLives() async throws {
        let tenant = try await tenant()
        let made = try await tenant.call(
            "createContact", [:],
            ["fields": ["given_name": "Ada", "emails": [["value": "ada@example.org"]], "tags": ["client"]]])
        #expect(made.status == 201)
        #expect(made.headers["etag"] == "\"v1\"")
        #expect(made.headers["location"] == "/api/v1/contacts/\(made.id)")
        let at = ["id": String(made.id)]
        #expect(try await tenant.call("getContact", at).json == made.json)

        let edited = try await tenant.call(
            "editContact", at, ["fields": ["family_name": "Byron"]], headers: ["If-Match": "\"v1\""])
        #expect(edited.headers["etag"] == "\"v2\"")
        #expect(edited.json["fields"]?["family_name"] == "Byron")
        let stale = try await tenant.call(
            "editContact", at, ["fields": ["family_name": "King"]], headers: ["If-Match": "\"v1\""])
        #expect(stale.status == 412)
        #expect(stale.code == "contact.stale")
        #expect(try await tenant.call("deleteContact", at, headers: ["If-Match": "\"v1\""]).status == 412)

        #expect(try await tenant.call("setLocks", at, ["fields": ["family_name"]]).json["locks"] == ["family_name"])
        let consent = try await tenant.call("addConsent", at, ["purpose": "news", "granted": true, "source": "form"])
        #expect(consent.json["consents"] == ["consent:news"])
        let history = try await tenant.call("contactHistory", at, query: ["limit": "1"])
        #expect(history.json["items"]?.array?.count == 1)
        let next = try #require(history.json["next"]?.string)
        let older = try await tenant.call("contactHistory", at, query: ["limit": "1", "cursor": next])
        #expect(older.json["items"]?[0]?["id"]?.int ?? .max < history.json["items"]?[0]?["id"]?.int ?? 0)
        for view in ["contactBindings", "contactAttempts"] {
            #expect(try await tenant.call(view, at).json["items"] == [])
        }
        #expect(try await tenant.call("explainContact", at).json["plugins"] == [])

        #expect(try await tenant.call("deleteContact", at).status == 204)
        #expect(try await tenant.call("getContact", at).json["deleted_at"]?.string != nil)
        #expect(try await tenant.call("restoreContact", at).json["deleted_at"] == .null)
        #expect(try await tenant.call("eraseContact", at).json["contacts"] == 1)
        #expect(try await tenant.call("getContact", at).json["fields"] == [:])
    }

    @Test func listsGoPageByPage() async throws {
        let tenant = try await tenant()
        var ids: [Int64] = []
        for name in ["Anna", "Bert", "Cyril"] { ids.append(try await tenant.contact(name)) }
        var seen: [Int64] = []
        var query = ["limit": "2"]
        while true {
            let page = try await tenant.call("listContacts", query: query)
            seen += (page.json["items"]?.array ?? []).compactMap { $0["id"]?.int }
            guard let next = page.json["next"]?.string else { break }
            query["cursor"] = next
        }
        #expect(seen == ids)
        #expect(try await tenant.call("listContacts", query: ["q": "BERT"]).json["items"]?.array?.count == 1)
        let condition = #"{"field":"given_name","is":"Anna"}"#
        #expect(try await tenant.call("listContacts", query: ["condition": condition]).json["items"]?.array?.count == 1)
        #expect(try await tenant.call("listContacts", query: ["condition": "{"]).code == "query.invalid")
        #expect(try await tenant.call("listContacts", query: ["condition": #"{"x":1}"#]).code == "condition.invalid")
        #expect(try await tenant.call("listContacts", query: ["cursor": "!"]).code == "cursor.invalid")
    }

    @Test func aKeyMakesOneContact() async throws {
        let tenant = try await tenant()
        let body: JSON = ["fields": ["given_name": "Once"]]
        let first = try await tenant.call("createContact", [:], body, headers: ["Idempotency-Key": "k1"])
        let second = try await tenant.call("createContact", [:], body, headers: ["Idempotency-Key": "k1"])
        #expect(second.status == 201)
        #expect(second.body == first.body)
        #expect(second.headers["etag"] == first.headers["etag"])
        let other = try await tenant.call(
            "createContact", [:], ["fields": ["given_name": "Else"]], headers: ["Idempotency-Key": "k1"])
        #expect(other.status == 422)
        #expect(other.code == "idempotency.mismatch")
        let bad: JSON = ["fields": ["nonsense": 1]]
        #expect(
            try await tenant.call("createContact", [:], bad, headers: ["Idempotency-Key": "k2"]).code
                == "contact.invalid")
        #expect(try await tenant.call("createContact", [:], body, headers: ["Idempotency-Key": "k2"]).status == 201)
        #expect(try await tenant.call("listContacts").json["items"]?.array?.count == 2)
    }

    @Test func aBatchWaitsToBeMerged() async throws {
        let tenant = try await tenant()
        let run = try await tenant.call(
            "importContacts", query: ["dry": "true", "max_changes": "5"], [["given_name": "A"], ["nonsense": 1]])
        #expect(run.status == 202)
        #expect(run.json["state"] == "queued")
        #expect(run.json["dry"] == true)
        let refused = try await tenant.call("listRunRows", ["id": String(run.id)], query: ["verdict": "refused"])
        #expect(refused.json["items"]?[0]?["line"] == 2)
        #expect(try await tenant.call("undoRun", ["id": String(run.id)]).code == "run.state")
        #expect(try await tenant.call("approveRun", ["id": String(run.id)]).code == "run.state")
        #expect(try await tenant.call("listRuns", query: ["kind": "batch"]).json["items"]?.array?.count == 1)
    }

    @Test func aFileIsStagedWithItsFaultyLines() async throws {
        let tenant = try await tenant()
        let file = "Imię;Nazwisko;E-mail\r\nJan;Kowalski;jan@example.org\r\nonly one\r\nEwa;Nowak;ewa@example.org\r\n"
        let reply = try await tenant.send(
            "POST", "/api/v1/imports/csv?max_changes=10", Array(file.utf8), headers: ["Content-Type": "text/csv"],
            token: tenant.token)
        #expect(reply.status == 202)
        #expect(reply.json["state"] == "queued")
        #expect(reply.json["counts"]?["rows"] == 2)
        #expect(reply.json["counts"]?["faults"] == 1)
        let rows = try await tenant.call("listRunRows", ["id": String(reply.id)])
        #expect(rows.json["items"]?.array?.map { $0["line"]?.int } == [2, 3, 4])
        #expect(rows.json["items"]?[0]?["fields"]?["family_name"] == "Kowalski")
        #expect(rows.json["items"]?[1]?["verdict"] == "refused")
        #expect(rows.json["items"]?[1]?["problems"]?[0]?["code"] == "csv.line")
        let empty = try await tenant.send(
            "POST", "/api/v1/imports/csv", [], headers: ["Content-Type": "text/csv"], token: tenant.token)
        #expect(empty.code == "csv.empty")
    }
}
