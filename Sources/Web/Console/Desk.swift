import HTTPTypes
import Hub
import Store

/// One request for a page: who sits there, in which language, and what every page shows of that.
struct Desk: Sendable {
    let call: Call
    let console: Console
    let texts: ConsoleTexts
    /// Who is signed in; null before.
    let frame: JSON

    /// A page for somebody who is signed in.
    static func open(_ call: Call) async throws -> Desk {
        let console = try console(call)
        guard case .staff = call.actor else { throw Caller.noSession }
        let frame = try await call.tenant.frame(as: call.actor)
        return Desk(call: call, console: console, texts: console.texts(frame["language"]?.string ?? "en"), frame: frame)
    }

    /// A page for anybody.
    static func outside(_ call: Call) throws -> Desk {
        let console = try console(call)
        let texts = console.texts(ConsoleTexts.preferred(call.headers[.acceptLanguage]))
        return Desk(call: call, console: console, texts: texts, frame: .null)
    }

    private static func console(_ call: Call) throws -> Console {
        guard let console = call.services.console else { throw Failure.notFound("address") }
        return console
    }

    func may(_ scope: Scope) -> Bool { call.grant.confined == nil && call.scopes.contains(scope.rawValue) }

    /// A page, in its frame.
    /// - Parameters:
    ///   - template: the page's own; frames are `desk` and, before signing in, `door`.
    ///   - place: the address of the entry of the menu it belongs to.
    ///   - failure: why a form was refused, to be said above it.
    func page(
        _ template: String, title: String, place: String = "", status: Int = 200, failure: Failure? = nil, _ data: JSON
    ) throws -> Answer {
        var model = data
        if let failure {
            model["error"] = .string(texts.said(failure))
            model["details"] = .array(failure.details.compactMap { $0["message"] })
        }
        model["title"] = .string(title)
        if frame != .null {
            model["person"] = frame
            let name = frame["name"]?.string ?? ""
            model["person"]?["shown"] = .string(name.isEmpty ? frame["email"]?.string ?? "" : name)
            model["menu"] = menu(place)
            model["mark"] = mark.map(JSON.string)
        }
        model["notice"] = ConsoleSession.cookie("kontor-notice", call.headers).flatMap {
            texts.keys.contains("notice_\($0)") ? .string(texts["notice_\($0)"]) : nil
        }
        let answer = try html(template, model, status: failure.map { Problem.status($0.kind) } ?? status)
        return model["notice"] == nil ? answer : answer.with(.setCookie, "kontor-notice=; Path=/; Max-Age=0")
    }

    /// The languages there are, each in its own words.
    func languages(_ chosen: String) -> JSON {
        .array(
            Schemas.languages.map { language in
                [
                    "value": .string(language), "text": .string(console.texts(language)["language_name"]),
                    "is_chosen": .bool(language == chosen),
                ]
            })
    }

    /// Part of a page, for a script that puts it in place.
    func html(_ template: String, _ model: JSON, status: Int = 200) throws -> Answer {
        var model = model
        if model["mark"] == nil { model["mark"] = mark.map(JSON.string) }
        let bytes = try console.render(template, model, texts: texts)
        let isPacked = bytes.count > 1_000 && Gzip.isTaken(call.headers[.acceptEncoding])
        var answer = Answer(status, json: isPacked ? try Gzip.pack(bytes, .quick) : bytes)
        answer.contentType = "text/html; charset=utf-8"
        if isPacked { answer = answer.with(.contentEncoding, "gzip") }
        return answer.with(.vary, "Accept-Encoding").with(.contentSecurityPolicy, Self.policy).with(
            .init("Referrer-Policy")!, "same-origin")
    }

    /// Nothing comes from elsewhere, and nothing is run or drawn that stands in the page itself.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        + "frame-ancestors 'none'; base-uri 'none'"

    private var mark: String? {
        call.cookie.map(ConsoleSession.mark)
    }

    private func menu(_ place: String) -> JSON {
        let all: [(String, String, String, Bool)] = [
            ("/", "house", "menu_home", true), ("/contacts", "people", "menu_contacts", may(.contactsRead)),
            ("/segments", "collection", "menu_segments", may(.contactsRead)),
            ("/connections", "plug", "menu_connections", may(.config)),
            ("/problems", "exclamation-triangle", "menu_problems", may(.runs)),
            ("/monitoring", "activity", "menu_monitoring", may(.runs)),
            ("/staff", "person-badge", "menu_staff", may(.staff)),
            (
                "/settings", "gear", "menu_settings",
                may(.config) || may(.tokens) || may(.sql) || may(.staff) || may(.audit)
            ),
        ]
        return .array(
            all.filter(\.3).map { href, icon, key, _ in
                [
                    "href": .string(href), "icon": .string(icon), "text": .string(texts[key]),
                    "current": .bool(href == place),
                ]
            })
    }

    /// Sends the browser on, after something was done.
    /// - Parameter notice: what is said there, by its key without `notice_`.
    func go(_ path: String, notice: String? = nil) -> Answer {
        var answer = Answer(303, json: [])
        answer.contentType = nil
        answer = answer.with(.location, path)
        return notice.map { answer.with(.setCookie, "kontor-notice=\($0); Path=/; HttpOnly; SameSite=Lax; Max-Age=20") }
            ?? answer
    }

    /// A moment for a `time` element: exact for the script that shows it in the reader's own time, and readable without.
    func moment(_ value: JSON?) -> JSON {
        guard let text = value?.string else { return .null }
        return ["at": .string(text), "text": .string(Self.readable(text))]
    }

    /// A contact's name; its number where it has none, or none that the reader sees.
    func contact(_ name: JSON?, _ id: JSON?) -> JSON {
        if let name = name?.string, !name.isEmpty { return .string(name) }
        return .string("\(texts["contact"]) \(id?.scalarText ?? "")")
    }

    /// A moment (RFC 3339, in UTC) to the minute.
    static func readable(_ moment: String) -> String {
        let bytes = moment.utf8.prefix(16).map { $0 == UInt8(ascii: "T") ? UInt8(ascii: " ") : $0 }
        return String(decoding: bytes, as: UTF8.self) + " UTC"
    }
}
