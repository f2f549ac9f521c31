import Hub
import Store

extension Operations {
    static let accountPages: [Operation] = [
        page("console.account", "/account") { desk in try await accountPage(desk) },
        action("console.language", "/account/language") { desk, form in
            try await desk.call.ask("setLanguage", body: ["language": .string(form["language"])])
            return desk.go("/account", notice: "saved")
        },
        action("console.presence", "/account/presence") { desk, form in
            try await doing(desk) {
                let until: JSON = form["until"].isEmpty ? .null : .string("\(form["until"])T00:00:00Z")
                try await desk.call.ask("setPresence", body: ["presence": .string(form["presence"]), "until": until])
                return desk.go("/account", notice: "saved")
            }
        },
        action("console.password", "/account/password") { desk, form in
            try await doing(desk) {
                guard form.raw("new") == form.raw("again") else {
                    throw Failure(.invalid, "password.unequal", "The two passwords are not the same.")
                }
                try await desk.call.ask(
                    "changePassword", body: ["old": .string(form.raw("old")), "new": .string(form.raw("new"))])
                return desk.go("/account", notice: "password_changed")
            }
        },
        action("console.proposeFactor", "/account/second-factor") { desk, form in
            try await doing(desk) {
                let made = try await desk.call.ask(
                    "proposeSecondFactor", body: ["password": .string(form.raw("password"))])
                return try await accountPage(desk, more: ["proposed": made])
            }
        },
        action("console.confirmFactor", "/account/second-factor/confirmation") { desk, form in
            try await doing(desk) {
                let made = try await desk.call.ask("confirmSecondFactor", body: ["code": .string(form["code"])])
                return try await accountPage(desk, more: ["codes": made["recovery_codes"] ?? .null, "has_codes": true])
            }
        },
        action("console.removeFactor", "/account/second-factor/removal") { desk, form in
            try await doing(desk) {
                try await desk.call.ask("removeSecondFactor", body: ["password": .string(form.raw("password"))])
                return desk.go("/account", notice: "saved")
            }
        },
        action("console.endSession", "/account/sessions/{id}") { desk, _ in
            try await desk.call.ask("endSession", ["id": desk.call.path["id"] ?? ""])
            return desk.go("/account", notice: "saved")
        },
    ]

    private static func doing(_ desk: Desk, _ act: () async throws -> Answer) async throws -> Answer {
        do {
            return try await act()
        } catch let failure as Failure where failure.kind != .broken {
            return try await accountPage(
                desk, status: Problem.status(failure.kind), more: ["error": .string(desk.texts.said(failure))])
        }
    }

    private static func accountPage(_ desk: Desk, status: Int = 200, more: JSON = [:]) async throws -> Answer {
        let factor = try await desk.call.ask("getSecondFactor")
        let sessions = try await desk.call.ask("listSessions")["items"]?.array ?? []
        let account = try await desk.call.ask("getAccount")
        var model: JSON = [
            "presences": .array(
                Schemas.presences.map {
                    [
                        "value": .string($0), "text": .string(desk.texts["presence_\($0)"]),
                        "is_chosen": .bool(account["presence"]?.string == $0),
                    ]
                }), "presence_day": .string(String(account["presence_until"]?.string?.prefix(10) ?? "")),
            "languages": desk.languages(desk.texts.language),
            "has_factor": factor["in_force"] ?? false,
            "codes_left": .string(desk.texts.count("count_codes", Int(factor["recovery_codes_left"]?.int ?? 0))),
            "sessions": .array(
                sessions.map { session in
                    [
                        "id": session["id"] ?? .null, "address": session["address"] ?? .null,
                        "agent": .string(BrowserName(session["agent"]?.string ?? "").text),
                        "when": desk.moment(session["used_at"]),
                        "is_this": .bool(session["id"]?.int == desk.call.grant.id),
                    ]
                }),
        ]
        for (name, value) in more.object ?? [:] { model[name] = value }
        return try desk.page("account", title: desk.texts["account_title"], place: "/account", status: status, model)
    }
}
