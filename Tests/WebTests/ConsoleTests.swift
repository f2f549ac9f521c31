import Foundation
import FoundationNetworking
import Hub
import Postgres
import Store
import TestKit
import Testing

@testable import Web

@Suite(.inTurn) struct ConsoleTests {
    private static let password = "correct horse battery"

    private func signedIn() async throws -> Browser {
        let server = try await WebTestServer.shared.value
        let tenant = try await server.makeTenant()
        let name: String = try await server.cluster.superuser.run(
            "SELECT name FROM kontor.tenant WHERE id = \(tenant.database.tenant.id)")[0][0].get("name")
        try await server.cluster.provisioner.setOwner(
            of: tenant.database.tenant, email: "boss@shop.example", password: Self.password)
        var browser = Browser(tenant)
        let form = ["tenant": name, "email": "boss@shop.example", "password": Self.password, "next": "/contacts"]
        let wrong = try await browser.open("POST", "/sign-in", form.merging(["password": "wrong"]) { $1 })
        #expect(wrong.status == 401 && wrong.text.contains("boss@shop.example") && !wrong.text.contains("wrong\""))
        let right = try await browser.open("POST", "/sign-in", form)
        #expect(right.status == 303 && right.location == "/contacts" && browser.cookies["kontor"] != nil)
        return browser
    }

    /// Whose role reads no contacts does not see the fields either, by whose names conditions are said.
    @Test func whoReadsNoContactsHasTheirPages() async throws {
        let tenant = try await WebTestServer.shared.value.makeTenant()
        let boss = try await tenant.signedInOwner()
        let role = try await tenant.call(
            "createRole", [:],
            ["name": "porter", "title": "Porter", "rights": ["contact": ["read": "none"], "functions": ["settings"]]],
            token: boss.token)
        #expect(role.status == 201, "\(role.json.text)")
        let made = try await tenant.call(
            "inviteStaff", [:], ["email": "porter@shop.example", "name": "Porter", "role": .int(role.id)],
            token: boss.token)
        var browser = Browser(tenant)
        browser.cookies["kontor"] = try await tenant.session(of: made.id)
        for path in ["/", "/connections", "/retention"] {
            #expect(try await browser.open("GET", path).status == 200, "\(path)")
        }
    }

    @Test func aPageWithoutASessionLeadsToTheDoor() async throws {
        let server = try await WebTestServer.shared.value
        let tenant = try await server.makeTenant()
        for operation in server.operations where operation.isPage && operation.access != .open {
            let path = operation.path.replacing(/\{[a-z]+\}/, with: "1")
            var browser = Browser(tenant)
            let found = try await browser.open(operation.verb, path)
            #expect(found.status == 303 && found.location?.contains("/sign-in") == true, "\(operation.id)")
            // an API token is no person
            let token = try await tenant.send(
                operation.verb, path, operation.verb == "POST" ? [] : nil,
                headers: ["Content-Type": "multipart/form-data"], token: tenant.token)
            #expect(token.status == 403, "\(operation.id)")
        }
    }

    @Test func aFormWorksOnlyFromItsPage() async throws {
        var browser = try await signedIn()
        let mark = try await browser.mark()
        let form = ["mark": mark, "given_name": "Ada", "family_name": "L<script>", "tags": "a\r\nb, c"]
        for wrong in [
            ["mark": ""], ["mark": "x"], ["mark": String(mark.reversed())],
        ] {
            let refused = try await browser.open("POST", "/contacts/new", form.merging(wrong) { $1 })
            #expect(refused.status == 403 && refused.text.contains("form.foreign"))
        }
        let other = try await browser.open("POST", "/contacts/new", form, headers: ["Sec-Fetch-Site": "cross-site"])
        #expect(other.status == 403)
        let elsewhere = try await browser.open(
            "POST", "/contacts/new", form, headers: ["Origin": "https://evil.example"])
        #expect(elsewhere.status == 403)
        // another session's mark is none
        var second = try await signedIn()
        let foreign = try await second.mark()
        #expect(try await browser.open("POST", "/contacts/new", form.merging(["mark": foreign]) { $1 }).status == 403)
        let made = try await browser.open("POST", "/contacts/new", form)
        #expect(made.status == 303)
        let card = try await browser.open("GET", made.location ?? "")
        #expect(card.status == 200 && card.text.contains("Ada L&lt;script&gt;") && !card.text.contains("<script>L"))
        #expect(!card.text.contains("L<script>"))
        // the rows of the list, too, which no template writes
        let list = try await browser.open("GET", "/contacts?part=true").text
        #expect(list.contains("Ada L&lt;script&gt;") && !list.contains("L<script>"))
        // what was typed is still there when it cannot be taken
        let bad = try await browser.open(
            "POST", "\(made.location ?? "")/edit",
            ["mark": mark, "version": "1", "emails": "no address", "notes": "kept"])
        #expect(bad.status == 422 && bad.text.contains("no address") && bad.text.contains("kept"))
        let saved = try await browser.open(
            "POST", "\(made.location ?? "")/edit",
            ["mark": mark, "version": "1", "emails": "ada@x.example", "tags": "a"])
        #expect(saved.status == 303)
        let late = try await browser.open(
            "POST", "\(made.location ?? "")/edit", ["mark": mark, "version": "1", "given_name": "Eve"])
        // and stays refused: what somebody else changed is not written over unseen
        let again = try #require(late.text.firstMatch(of: /name="version" value="([0-9]*)"/)).1
        #expect(late.status == 412 && again == "1")
        let out = try await browser.open("POST", "/sign-out", ["mark": mark])
        #expect(out.status == 303 && browser.cookies["kontor"] == nil)
    }

    /// Every field there can be is shown in the form, kept when it is sent back as it came, and changed when it is changed.
    @Test func aContactIsEditedWhole() async throws {
        var browser = try await signedIn()
        let mark = try await browser.mark()
        let own: [(key: String, type: String, choices: [String], first: JSON, typed: [String: String], then: JSON)] = [
            ("remark", "text", [], "a\nb", ["own.remark": "c"], "c"),
            ("size", "number", [], 3, ["own.size": "4.5"], .double(4.5)),
            ("turnover", "money", [], "12.50", ["own.turnover": "13"], "13.00"),
            ("since", "date", [], "2020-01-01", ["own.since": "2021-02-03"], "2021-02-03"),
            ("season", "month", [], 9, ["own.season": "10"], 10),
            ("grade", "choice", ["A", "B"], "A", ["own.grade": "B"], "B"),
            ("trades", "multi_choice", ["Wood", "Glass"], ["Wood"], ["own.trades": "Glass"], ["Glass"]),
            ("vip", "flag", [], true, ["own.vip": "false"], false),
            ("shop", "link", [], "https://a.example", ["own.shop": "b.example"], "https://b.example"),
        ]
        var fields: JSON = [
            "given_name": "Ada", "emails": [["value": "a@x.example", "label": "work"]], "birth_month": 5,
            "source": "fair",
            "addresses": [["street": "Main 1", "city": "Oslo", "country": "NO", "label": "home"]], "tags": ["a", "b"],
        ]
        for field in own {
            let made = try await browser.tenant.call(
                "createField", [:],
                [
                    "key": .string(field.key), "label": .string(field.key), "type": .string(field.type),
                    "choices": .array(field.choices.map(JSON.string)),
                ])
            #expect(made.status == 201, "\(field.key)")
            fields[field.key] = field.first
        }
        let made = try await browser.tenant.call("createContact", [:], ["fields": fields])
        let path = ["id": String(made.id)]
        let page = try await browser.open("GET", "/contacts/\(made.id)/edit").text
        // as a browser would send it back
        var form = ["mark": mark, "version": "1"]
        for match in page.matches(of: /<input class="form-control" name="([^"]+)" (?:type="[a-z]+" )?value="([^"]*)"/) {
            form[String(match.1)] = String(match.2)
        }
        for match in page.matches(of: /<textarea class="form-control" name="([^"]+)" rows="[0-9]">([^<]*)</) {
            form[String(match.1)] = String(match.2)
        }
        for match in page.matches(
            of: /<select class="form-select" name="([^"]+)">(?:(?!<\/select>).)*<option value="([^"]*)" selected>/)
        {
            form[String(match.1)] = String(match.2)
        }
        for match in page.matches(of: /<input type="hidden" name="([^"]+\.asked)" value="1">/) {
            form[String(match.1)] = "1"
        }
        for match in page.matches(of: /<input type="checkbox" name="([^"]+)" value="([^"]*)" checked>/) {
            form[String(match.1)] = String(match.2)
        }
        for name in ["given_name", "emails", "birth_month", "addresses.1.city", "own.trades", "own.season", "own.vip"] {
            #expect(form[name] != nil, "\(name)")
        }
        let address = "/contacts/\(made.id)/edit"
        #expect(try await browser.open("POST", address, form).status == 303)
        let kept = try await browser.tenant.call("getContact", path).json
        #expect(kept["version"] == 1 && kept["fields"] == made.json["fields"])
        // a choice that there is no more stays with who has it
        let fewer = try await browser.tenant.call("editField", ["key": "grade"], ["choices": ["B"]])
        #expect(fewer.status == 200)
        let later = try await browser.open("GET", "/contacts/\(made.id)/edit").text
        #expect(later.contains("<option value=\"A\" selected>A</option>"))
        #expect(try await browser.open("POST", address, form).status == 303)
        #expect(try await browser.tenant.call("getContact", path).json["version"] == 1)
        // everything of the tenant's own, an address gone, another one come
        for field in own { form.merge(field.typed) { $1 } }
        for part in ["street", "city", "country"] { form["addresses.0.\(part)"] = "" }
        form.merge(["addresses.1.city": "Vilnius", "birth_month": "6", "emails": ""]) { $1 }
        #expect(try await browser.open("POST", address, form).status == 303)
        let changed = try await browser.tenant.call("getContact", path).json["fields"] ?? [:]
        for field in own { #expect(changed[field.key] == field.then, "\(field.key)") }
        #expect(
            changed["addresses"] == [["city": "Vilnius"]] && changed["emails"] == nil && changed["birth_month"] == 6)
        #expect(changed["given_name"] == "Ada" && changed["source"] == "fair" && changed["tags"] == ["a", "b"])
    }

    @Test func nobodyIsLedElsewhereBySigningIn() async throws {
        let browser = try await signedIn()
        for next in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""] {
            var guest = Browser(browser.tenant)
            let name: String = try await browser.tenant.server.cluster.superuser.run(
                "SELECT name FROM kontor.tenant WHERE id = \(browser.tenant.database.tenant.id)")[0][0].get("name")
            let form = ["tenant": name, "email": "boss@shop.example", "password": Self.password, "next": next]
            #expect(try await guest.open("POST", "/sign-in", form).location == "/")
        }
    }

    @Test func aSegmentThatIsGoneIsSaidAndNobodyIsChangedForIt() async throws {
        var browser = try await signedIn()
        _ = try await browser.tenant.contact("Ada")
        let list = try await browser.open("GET", "/contacts?segment=999")
        #expect(list.status == 404 && list.text.contains("role=\"alert\"") && list.text.contains("Ada"))
        let form = ["mark": try await browser.mark(), "scope": "found", "segment": "999", "add_tags": "seen"]
        #expect(try await browser.open("POST", "/contacts/edit", form).status == 404)
        #expect(try await browser.tenant.call("listRuns").json["items"] == [])
    }

    @Test func pagesLetNothingInFromElsewhere() async throws {
        let browser = try await signedIn()
        let token = try #require(browser.cookies["kontor"])
        for operation in browser.tenant.server.operations
        where operation.isPage && operation.verb == "GET" && operation.pathNames.isEmpty && operation.access != .open
            // a file, and an answer that nobody waits for
            && !["console.export", "console.signedIn"].contains(operation.id)
        {
            let shown = operation.access == .operators ? browser.tenant.server.operatorToken : token
            let reply = try await browser.tenant.send("GET", operation.path, token: shown)
            #expect(reply.status == 200, "\(operation.id)")
            let text = String(decoding: reply.body, as: UTF8.self)
            #expect(
                reply.headers["content-security-policy"]
                    == "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                    + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
            #expect(!text.contains("http://") && !text.contains("https://"), "\(operation.id)")
            #expect(text.firstMatch(of: /[ ](style|on[a-z]+)="/) == nil, "\(operation.id)")
            #expect(!text.contains("{{"), "\(operation.id)")
        }
    }

    // MARK: Texts

    private func texts() throws -> [String: JSON] {
        try Dictionary(
            uniqueKeysWithValues: Schemas.languages.map { language in
                let file = URL(filePath: WebTestServer.console + "/texts/\(language).json")
                return (language, try JSON(parsing: Data(contentsOf: file)))
            })
    }

    @Test func everyIconOfAPageIsPacked() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var used = Set<String>()
        for (folder, mark) in [
            ("console/templates", /icons\}\}#([a-z-]+)/), ("Sources/Web/Console", /"([a-z]+-[a-z-]+)", "\/[a-z]*"/),
        ] {
            let files = try FileManager.default.contentsOfDirectory(
                at: root.appending(path: folder), includingPropertiesForKeys: nil)
            for file in files {
                let text = try String(contentsOf: file, encoding: .utf8)
                used.formUnion(text.matches(of: mark).map { String($0.1) })
            }
        }
        #expect(used.count > 25 && used.contains("signpost-split"))
        #expect(used.subtracting(ConsoleAssets.icons) == [])
    }

    /// What stands in braces.
    private func names(_ text: String) -> Set<String> { Set(text.matches(of: /\{[a-z]+\}/).map { String($0.0) }) }

    @Test func everyTextIsThereInEveryLanguage() throws {
        let texts = try texts()
        let own = try #require(texts["en"]?.object)
        // the hub's phrases stand in no file in English
        let phrases = ConsoleTexts.english
        #expect(phrases.count > 80 && Set(phrases.keys).isDisjoint(with: own.keys))
        let said = own.merging(phrases) { own, _ in own }
        let english = Set(said.keys)
        for (language, file) in texts {
            let members = language == "en" ? said : file.object ?? [:]
            #expect(Set(members.keys) == english, "\(language)")
            for (key, value) in members {
                if let forms = value.object {
                    #expect(Set(forms.keys) == ConsoleTexts.categories(language), "\(language) \(key)")
                    let wanted = names(said[key]?["other"]?.string ?? "")
                    // "tomorrow" and "once" need no number
                    for form in forms.values {
                        #expect(names(form.string ?? "").union(["{n}"]) == wanted, "\(language) \(key)")
                    }
                } else {
                    #expect(value.string?.isEmpty == false, "\(language) \(key)")
                    #expect(names(value.string ?? "") == names(said[key]?.string ?? ""), "\(language) \(key)")
                }
            }
        }
        let folder = WebTestServer.console + "/templates"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let template = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            for match in template.matches(of: /\{\{t\.([a-z_0-9]+)\}\}/) {
                #expect(english.contains(String(match.1)), "\(name) \(match.1)")
            }
        }
        for (folder, pattern) in [
            ("Sources/Web/Console", /(?:texts\[|filled\(|count\(|note\(try await [a-z]+, )"([a-z_0-9]+)"/),
            ("Sources/Web/Console", /notice: "([a-z_]+)"/),
        ] {
            let root = URL(filePath: WebTestServer.console).deletingLastPathComponent().appending(path: folder).path
            for name in try FileManager.default.contentsOfDirectory(atPath: root) {
                let source = try String(contentsOfFile: "\(root)/\(name)", encoding: .utf8)
                for match in source.matches(of: pattern) {
                    let key = String(match.1)
                    guard key != "en" else { continue }
                    #expect(english.contains(key) || english.contains("notice_\(key)"), "\(name) \(key)")
                }
            }
        }
    }

    @Test(arguments: [
        (
            "en",
            "a contact that has the tag “supplier” and (has Industry equal to “wood” or has bought something at least 2 times in the last 30 days)"
        ),
        (
            "pl",
            "kontakt, który ma tag „supplier” i (ma „wood” w polu „Industry” lub kupił coś co najmniej 2 razy w ostatnich 30 dniach)"
        ),
        (
            "nb",
            "en kontakt som har etiketten «supplier» og (har «wood» i feltet «Industry» eller har kjøpt noe minst 2 ganger de siste 30 dagene)"
        ),
        (
            "it",
            "un contatto che ha il tag «supplier» e (ha «wood» nel campo «Industry» o ha comprato prodotti almeno 2 volte negli ultimi 30 giorni)"
        ),
        (
            "lt",
            "kontaktas, atitinkantis sąlygą: turi žymą „supplier“ ir (lauke „Industry“ turi „wood“ arba pirko prekių bent 2 kartus per pastarąsias 30 dienų)"
        ),
    ]) func conditionsAreSaidInTheReadersLanguage(_ language: String, _ words: String) throws {
        let console = try Console(folder: WebTestServer.console)
        let phrases = ReaderPhrases(
            texts: console.texts(language),
            fields: [["key": "industry", "label": "Industry", "is_standard": false]],
            staff: [["id": 7, "name": "Ola Nowak"], ["id": 8, "name": ""]])
        let condition: JSON = [
            "all": [
                ["tag": "supplier"],
                ["any": [["field": "industry", "is": "wood"], ["bought": ["at_least": 2, "within_days": 30]]]],
            ]
        ]
        #expect(phrases.words(condition).string == words)
        #expect(phrases.words(["a": "condition of a newer Kontor"]) == .null)
        let nor = console.texts(language)["says_nor"]
        let clients = phrases.words(["not": ["owner": [7, 8]]]).string ?? ""
        #expect(clients.hasSuffix(" Ola Nowak \(nor) 8"), "\(clients)")
    }

    /// What Kontor itself says of a state is said in the reader's language, and what another system said as it said it.
    @Test func whyAConnectionStandsStillIsSaidInTheReadersLanguage() throws {
        let texts = try Console(folder: WebTestServer.console).texts("pl")
        let reason = texts.reason(
            "paused by the watch: 900 contacts edited within an hour, where the most before was 12")
        #expect(reason == "wstrzymane przez Kontor: zmiany w ciągu godziny: 900; wcześniej najwyżej 12")
        #expect(texts.reason("401: bad credentials") == "401: bad credentials" && texts.reason(nil) == .null)
        let waiting = texts.message(ofRun: ["state": "awaiting_approval", "message": "It would change 9 contacts."])
        #expect(waiting == .string(texts["run_awaits"]))
        #expect(texts.message(ofRun: ["state": "failed", "message": "no"]) == "no")
    }

    @Test func decisionsAreFoundByWhatWasSaid() async throws {
        let browser = try await signedIn()
        let door = browser.tenant.database
        let connector = try await browser.tenant.call(
            "createConnector", [:],
            ["kind": "plain", "name": "Link", "settings": ["url": "https://example.org", "password": "word"]])
        let plugins = connector.json["plugins"]?.array ?? []
        let push = plugins.first { $0["capability"] == "push" }?["id"]?.int ?? 0
        try await door.editPlugin(push, as: .token(1), PluginEdit(state: "on", filter: ["tag": "vip"]))
        let plain = try await browser.tenant.contact("Ada")
        let special = try await browser.tenant.call(
            "createContact", [:], ["fields": ["given_name": "Eva", "tags": ["vip"]]]
        ).id
        _ = try await door.routeAll()
        func shown(_ query: String) async throws -> [Bool] {
            var browser = browser
            let page = try await browser.open("GET", "/decisions?\(query)")
            #expect(page.status == 200)
            return [(plain, "Ada"), (special, "Eva")].map {
                page.text.contains("<a href=\"/contacts/\($0.0)\">\($0.1)</a>")
            }
        }
        #expect(try await shown("") == [true, true])
        #expect(try await shown("verdict=missing_tag") == [true, false])
        #expect(try await shown("connector=\(connector.id)&verdict=accepted") == [false, true])
        #expect(try await shown("connector=999999&verdict=") == [false, false])
        #expect(try await shown("verdict=nonsense") == [false, false])
        var mine = browser
        #expect(
            try await mine.open("GET", "/decisions?verdict=missing_tag").text.contains(
                "The contact lacks a tag that the filter asks for."))
    }

    @Test func keyFiguresAreSummedByWeek() throws {
        let texts = try Console(folder: WebTestServer.console).texts("en")
        let today = try Date("2026-11-23T12:00:00Z", strategy: .iso8601)
        func day(_ day: String, _ contacts: Int64, _ new: Int64, _ edited: Int64) -> JSON {
            [
                "day": .string(day), "contacts": .int(contacts), "new": .int(new), "edited": .int(edited), "deleted": 0,
                "orders": 0,
            ]
        }
        let tiles = Figures(
            [day("2026-11-10", 1_000, 9, 1), day("2026-11-16", 1_020, 20, 0), day("2026-11-17", 1_234, 214, 5)],
            today: today
        ).tiles(texts)
        #expect(tiles.map { $0["title"] } == ["Contacts", "Changes in 7 days"])
        #expect(tiles[0]["value"] == "1,234" && tiles[0]["trend"] == "added in 7 days: 214; in the 7 before: 29")
        #expect(tiles[1]["value"] == "5" && tiles[1]["trend"] == "in the 7 before: 1")
        #expect(tiles[1]["line"]?.string?.split(separator: " ").count == 14)
        #expect(Figures([], today: today).tiles(texts).isEmpty)
    }

    @Test func countsAreSaidAsEachLanguageDoes() throws {
        let console = try Console(folder: WebTestServer.console)
        let said: [(String, Int, String)] = [
            ("en", 1, "1 contact"), ("en", 0, "0 contacts"), ("pl", 1, "1 kontakt"), ("pl", 3, "3 kontakty"),
            ("pl", 5, "5 kontaktów"), ("pl", 12, "12 kontaktów"), ("pl", 22, "22 kontakty"), ("nb", 2, "2 kontakter"),
            ("lt", 1, "1 kontaktas"), ("lt", 11, "11 kontaktų"), ("lt", 21, "21 kontaktas"), ("lt", 9, "9 kontaktai"),
            ("it", 1, "1 contatto"), ("it", 7, "7 contatti"),
        ]
        for (language, number, words) in said {
            #expect(console.texts(language).count("count_contacts", number) == words)
        }
        #expect(console.texts("lt").month(9).lowercased() == "rugsėjis")
        for (header, language) in [
            ("pl-PL,pl;q=0.9,en;q=0.8", "pl"), ("de,no;q=0.5", "nb"), ("de", "en"), ("en;q=0.1, it;q=0.2", "it"),
            ("", "en"),
        ] {
            #expect(ConsoleTexts.preferred(header) == language)
        }
    }
}
