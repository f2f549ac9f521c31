import Hub
import Postgres
import Store
import TestKit
import Testing

@testable import Web

/// Single things that people do on pages, each by the page's own form.
@Suite(.inTurn) struct ConsoleSmallTests {
    private func owner() async throws -> Browser {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        var browser = Browser(tenant)
        browser.cookies["kontor"] = try await tenant.signedInOwner().token
        return browser
    }

    private func colleague(of browser: Browser) async throws -> Int64 {
        let made = try await browser.tenant.call(
            "inviteStaff", [:], ["email": "ola@shop.example", "name": "Ola", "role": 1],
            token: browser.cookies["kontor"])
        #expect(made.status == 201, "\(made.json.text)")
        return made.id
    }

    @Test func theListOfPeopleTellsWhoIsAwayAndUntilWhen() async throws {
        var browser = try await owner()
        let away: JSON = ["presence": "away", "until": "2099-01-01T00:00:00Z"]
        #expect(
            try await browser.tenant.call("setPresence", [:], away, token: browser.cookies["kontor"]).status == 204)
        let text = try await browser.open("GET", "/staff").text
        #expect(text.contains("away, back <time datetime=\"2099-01-01T00:00:00"))
        let busy: JSON = ["presence": "busy"]
        #expect(
            try await browser.tenant.call("setPresence", [:], busy, token: browser.cookies["kontor"]).status == 204)
        let badge = "<span class=\"badge\">not to be disturbed</span>"
        #expect(try await browser.open("GET", "/staff").text.contains(badge))
    }

    @Test func aContactIsGivenToSomebodyAndTakenBack() async throws {
        var browser = try await owner()
        let (ola, ada) = (try await colleague(of: browser), try await browser.tenant.contact("Ada"))
        func sees() async throws -> JSON { try await browser.tenant.call("getContact", ["id": String(ada)]).json }
        let mark = try await browser.mark()
        let given = try await browser.open(
            "POST", "/contacts/\(ada)/owner", ["mark": mark, "version": "1", "owner": String(ola)])
        #expect(given.status == 303 && given.location == "/contacts/\(ada)")
        #expect(try await sees()["owner"]?.int == ola)
        #expect(try await browser.open("GET", "/contacts/\(ada)").text.contains("looked after by Ola"))
        // whoever saw it before it was given
        let late = try await browser.open(
            "POST", "/contacts/\(ada)/owner", ["mark": mark, "version": "1", "owner": ""])
        #expect(late.status == 412)
        let version = try #require(try await sees()["version"]?.scalarText)
        let back = try await browser.open(
            "POST", "/contacts/\(ada)/owner", ["mark": mark, "version": version, "owner": ""])
        #expect(back.status == 303)
        #expect(try await sees()["owner"] == .null)
    }

    @Test func whySomebodyIsInASegmentIsToldOnItsPage() async throws {
        var browser = try await owner()
        let ada = try await browser.tenant.contact("Ada")
        let segment = try await browser.tenant.call(
            "createSegment", [:],
            ["name": "Bakers", "condition": ["all": [["tag": "baker"], ["field": "given_name", "is": "Ada"]]]])
        #expect(segment.status == 201, "\(segment.json.text)")
        let page = "/segments/\(segment.id)?contact=\(ada)"
        let out = try await browser.open("GET", page).text
        #expect(out.contains("is not in it") && out.contains("What would change it"))
        #expect(out.firstMatch(of: /no<\/span> has the tag “baker”/) != nil)
        #expect(out.firstMatch(of: /yes<\/span>[^<]*“Ada”/) != nil)
        let edit = try await browser.tenant.call(
            "editContact", ["id": String(ada)], ["fields": ["tags": ["baker"]]], headers: ["If-Match": "\"v1\""])
        #expect(edit.status == 200, "\(edit.json.text)")
        let now = try await browser.open("GET", page).text
        #expect(now.contains("is in it") && !now.contains("is not in it"))
        #expect(try await browser.open("GET", "/segments/\(segment.id)?contact=999999").text.contains("badge calm"))
    }

    @Test func aTeamIsRenamed() async throws {
        var browser = try await owner()
        let made = try await browser.tenant.call(
            "createTeam", [:], ["name": "North"], token: browser.cookies["kontor"])
        #expect(made.status == 201)
        let mark = try await browser.mark()
        let form = ["mark": mark, "name": "South"]
        #expect(try await browser.open("POST", "/staff/teams/\(made.id)", form).status == 303)
        let page = try await browser.open("GET", "/staff/roles").text
        #expect(page.contains("<strong>South</strong>") && !page.contains("North"))
    }

    @Test func aLostSecondFactorIsTakenAway() async throws {
        var browser = try await owner()
        let ola = try await colleague(of: browser)
        let superuser = try await TestCluster.shared.value.superuser
        func has() async throws -> Bool {
            try await superuser.run("SELECT factor_at IS NOT NULL AS there FROM auth.account WHERE id = \(ola)")[0][0]
                .get(
                    "there")
        }
        _ = try await superuser.run("UPDATE auth.account SET factor = 'sealed', factor_at = now() WHERE id = \(ola)")
        #expect(try await has())
        let mark = try await browser.mark()
        let gone = try await browser.open("POST", "/staff/\(ola)/second-factor", ["mark": mark])
        #expect(gone.status == 303 && gone.location == "/staff/\(ola)")
        #expect(try await !has())
        // one's own needs the password
        let tenant = browser.tenant.database.tenant.id
        let me: Int64 = try await superuser.run(
            "SELECT id FROM auth.account WHERE tenant = \(tenant) ORDER BY id LIMIT 1")[0][0].get("id")
        #expect(try await browser.open("POST", "/staff/\(me)/second-factor", ["mark": mark]).status == 404)
    }

    @Test func whatSQLLoginsReadIsToldOnAPage() async throws {
        var browser = try await owner()
        #expect(try await browser.open("GET", "/settings/sql").text.contains("made with the shop’s first login"))
        let cluster = try await TestCluster.shared.value
        try await cluster.provisioner.ensure(module: "reporting", for: browser.tenant.database.tenant)
        let page = try await browser.open("GET", "/settings/sql").text
        #expect(page.contains("<code>sale_line</code> Lines of orders."))
        #expect(page.firstMatch(of: /<code>total<\/code><\/td><td>numeric\(14,2\)<\/td><td>Sum of the order\./) != nil)
        // every view and every column says what it is
        let views =
            try await browser.tenant.call("listSQLViews", token: browser.cookies["kontor"]).json["items"]?.array ?? []
        #expect(views.count == 14)
        for view in views {
            #expect(view["about"]?.string?.isEmpty == false, "\(view["name"]?.string ?? "")")
            for column in view["columns"]?.array ?? [] {
                #expect(
                    column["about"]?.string?.isEmpty == false,
                    "\(view["name"]?.string ?? "").\(column["name"]?.string ?? "")")
            }
        }
    }

    @Test func aReaderChoosesTheColumnsOfTheList() async throws {
        var browser = try await owner()
        let field = try await browser.tenant.call(
            "createField", [:], ["key": "vat", "label": "VAT <no>", "type": "text"])
        #expect(field.status == 201)
        let made = try await browser.tenant.call(
            "createContact", [:],
            [
                "fields": [
                    "given_name": "Ada", "birthday": "1985-09-14", "vat": "<b>7</b>",
                    "emails": [["value": "ada@x.example"]],
                ]
            ])
        #expect(made.status == 201, "\(made.json.text)")
        #expect(try await browser.open("GET", "/contacts").text.contains("ada@x.example"))
        let mark = try await browser.mark()
        let saved = try await browser.open(
            "POST", "/contacts/columns", ["mark": mark, "column": "vat", "q": "Ada"])
        #expect(saved.status == 303 && saved.location == "/contacts?q=Ada")
        #expect(browser.cookies["kontor-columns"] == "vat")
        // none, or none that there is: the usual ones
        _ = try await browser.open("POST", "/contacts/columns", ["mark": mark, "column": "nothing"])
        #expect(browser.cookies["kontor-columns"] == nil)
        browser.cookies["kontor-columns"] = "birthday.vat"
        for path in ["/contacts", "/contacts?part=true"] {
            let list = try await browser.open("GET", path).text
            #expect(list.contains("<th scope=\"col\">Birthday</th><th scope=\"col\">VAT &lt;no&gt;</th>"), "\(path)")
            #expect(
                list.contains(
                    "<td class=\"text\">14 September 1985</td><td class=\"text\">&lt;b&gt;7&lt;/b&gt;</td></tr>"))
            #expect(!list.contains("ada@x.example"))
        }
        // what a browser made up is passed over
        browser.cookies["kontor-columns"] = "<script>.gone_field"
        let list = try await browser.open("GET", "/contacts").text
        #expect(list.contains("<th scope=\"col\">gone_field</th>") && !list.contains("<script>."))
    }

    @Test func initialsAreOfTheFirstAndTheLastWord() {
        for (name, initials) in [
            ("Anna Maria Kowalska", "AK"), ("anna", "A"), ("  ola   nord ", "ON"), ("7 seas", "7S"), ("", "?"),
            (" ", "?"),
            ("Łukasz Żak", "ŁŻ"), ("wood & sons", "WS"), ("Jean-Luc", "JL"), ("A1 b2", "AB"),
        ] {
            #expect(FieldText.initials(name) == initials, "\(name)")
        }
    }

    @Test func browsersAreToldByTheirNames() {
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge, Windows"
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                "Chrome, Android"
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                "Safari, iPhone"
            ), ("curl/8.5.0", "curl/8.5.0"), ("", ""),
        ] {
            #expect(BrowserName(agent).text == name)
        }
    }

    @Test func theAuditLogIsReadByWhoDidIt() async throws {
        var browser = try await owner()
        let ola = try await colleague(of: browser)
        for (path, chosen) in [
            ("/audit", ""), ("/audit?actor=staff:\(ola)", "staff:\(ola)"), ("/audit?actor=token:99", "token:99"),
        ] {
            let text = try await browser.open("GET", path).text
            #expect(
                text.contains(
                    "<option value=\"staff:\(ola)\"\(chosen == "staff:\(ola)" ? " selected" : "")>Ola</option>"))
            #expect(text.contains("selected>API token 99<") == (chosen == "token:99"), "\(path)")
        }
    }

    @Test func whatASignInSendsAlongIsOfOneSessionConnectionAndHour() throws {
        let state = SignInPages.State(of: 7, session: "mine", now: 1_000)
        #expect(try SignInPages.State(state.said, session: "mine", now: 4_600).connection == 7)
        #expect(try SignInPages.State(state.said, session: "mine", now: 4_600).verifier == state.verifier)
        #expect(state.verifier.count == 43 && state.challenge != state.verifier)
        let parts = state.said.split(separator: ".")
        let changed = [
            "8.1000.\(parts[2])", "7.1001.\(parts[2])", "7.1000.\(String(parts[2].reversed()))", "7.1000.", "7.1000",
            "",
        ]
        for said in changed {
            #expect(throws: Failure.self) { try SignInPages.State(said, session: "mine", now: 1_000) }
        }
        #expect(throws: Failure.self) { try SignInPages.State(state.said, session: "another", now: 1_000) }
        #expect(throws: Failure.self) { try SignInPages.State(state.said, session: "mine", now: 4_601) }
        #expect(throws: Failure.self) { try SignInPages.State(state.said, session: "mine", now: 999) }
    }
}
