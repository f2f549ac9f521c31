import Hub
import TestKit
import Testing

@testable import Store
@testable import Web

/// Pages for people without an account.
@Suite(.inTurn) struct PageTests {
    @Test func aPersonChoosesWithoutSigningIn() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        let contact = try await tenant.contact("Ada")
        for (key, title) in [("news", "News & <b>more</b>"), ("offers", "Offers")] {
            let made = try await tenant.call("savePurpose", ["key": key], ["title": ["en": .string(title)]])
            #expect(made.status == 204)
        }
        let wording = try await tenant.call(
            "publishWording", [:], ["purpose": "news", "language": "en", "body": "Monthly <script>alert(1)</script>"])
        #expect(wording.status == 201)
        let path = try #require(
            try await tenant.call("preferenceLink", ["id": String(contact)]).json["path"]?.string)
        func page(_ verb: String, _ body: String? = nil, path: String) async throws -> (status: Int, text: String) {
            let reply = try await tenant.send(
                verb, path, body.map { Array($0.utf8) }, headers: ["Content-Type": "application/x-www-form-urlencoded"],
                token: nil)
            #expect(reply.headers["content-type"] == "text/html; charset=utf-8")
            #expect(reply.headers["content-security-policy"]?.contains("default-src 'none'") == true)
            return (reply.status, String(decoding: reply.body, as: UTF8.self))
        }
        func consents() async throws -> JSON? {
            try await tenant.call("getContact", ["id": String(contact)]).json["consents"]
        }
        let first = try await page("GET", path: path)
        #expect(first.status == 200 && first.text.contains("News &amp; &lt;b&gt;more&lt;/b&gt;"))
        #expect(
            first.text.contains("&lt;script&gt;") && !first.text.contains("<script") && !first.text.contains(" checked")
        )
        // the evidence is of what was shown, whatever was published since
        #expect(first.text.contains("name=\"wording.news\" value=\"\(wording.id)\""))
        _ = try await tenant.call("publishWording", [:], ["purpose": "news", "language": "en", "body": "Weekly"])
        let saved = try await page(
            "POST", "purpose=news&wording.news=\(wording.id)&purpose=unknown&wording.offers=x", path: path)
        #expect(
            saved.text.contains("Your choice is saved.") && saved.text.split(separator: " checked").count == 2)
        #expect(try await consents() == ["consent:news"])
        let ledger = try await tenant.call("listConsents", ["id": String(contact)]).json["items"]
        #expect(ledger?[0]?["wording"]?.int == wording.id && ledger?[0]?["source"] == "preference page")
        // a wording of another purpose is none of this
        let foreign = try await tenant.call(
            "publishWording", [:], ["purpose": "offers", "language": "en", "body": "Offers"])
        let wrong = try await tenant.send(
            "POST", path, Array("purpose=offers&wording.offers=\(wording.id)".utf8),
            headers: ["Content-Type": "application/x-www-form-urlencoded"], token: nil)
        #expect(wrong.status == 422 && foreign.status == 201)
        #expect(try await consents() == ["consent:news"])
        // a mail program unsubscribes with one click (RFC 8058)
        _ = try await page("POST", "List-Unsubscribe=One-Click", path: path)
        #expect(try await consents() == [])
        // another person's page, or none, looks the same
        let other = try await page("GET", path: path.replacing("-\(contact)-", with: "-\(contact + 1)-"))
        let none = try await page("GET", path: "/preferences/1-1-00000000000000000000000000000000")
        #expect(other.status == 404 && none.status == 404 && other.text == none.text)
        #expect(try await page("GET", path: "/preferences/nonsense").text == none.text)
        let lithuanian = try await page("GET", path: path + "?lang=lt")
        #expect(lithuanian.text.contains("lang=\"lt\"") && lithuanian.text.contains("Išsaugoti"))
        #expect(try await page("GET", path: "/privacy/no-such-shop").status == 404)
    }

    @Test func theRecordOfProcessingTellsWhatIsSetUp() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        #expect(try await tenant.call("savePurpose", ["key": "news"], ["title": ["en": "News"]]).status == 204)
        let made = try await tenant.call(
            "createConnector", [:],
            ["kind": "plain", "name": "Letters", "settings": ["url": "https://example.org", "password": "a word"]])
        let push = made.json["plugins"]?.array?.first { $0["capability"] == "push" }?["id"]?.int ?? 0
        let empty = try await tenant.call("getProcessingRecord").json["recipients"]?[0]
        #expect(empty?["name"] == "Letters" && empty?["flows"] == [])
        let on: JSON = ["state": "on", "filter": ["consent": "news"]]
        #expect(try await tenant.call("editPlugin", ["id": String(push)], on).status == 200)
        let hide: JSON = ["hidden_fields": ["birthday"]]
        #expect(try await tenant.call("editConnector", ["id": String(made.id)], hide).status == 200)
        let record = try await tenant.call("getProcessingRecord").json
        #expect(record["purposes"]?[0]?["key"] == "news")
        #expect(record["data"]?.array?.contains { $0["key"] == "emails" } == true)
        let recipient = record["recipients"]?[0]
        #expect(
            recipient?["flows"] == [
                [
                    "title": "Out", "direction": "to", "capability": "push", "plugin": "contacts.export",
                    "filter": ["consent": "news"],
                ]
            ])
        #expect(recipient?["hidden_fields"] == ["birthday"] && !record.text.contains("a word"))
    }

    @Test func everyLanguageHasEveryText() {
        #expect(Set(PreferencePage.words.keys) == ["en", "it", "lt", "nb", "pl"])
        for words in PreferencePage.words.values {
            for text in Mirror(reflecting: words).children { #expect((text.value as? String)?.isEmpty == false) }
        }
    }
}
