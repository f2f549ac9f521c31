import Hub
import Store

extension Operations {
    static let staffPages: [Operation] = [
        page("console.staff", "/staff", access: .tenant(.staff)) { desk in try await staffPage(desk) },
        action("console.invite", "/staff", access: .tenant(.staff)) { desk, form in
            do {
                let made = try await desk.call.ask(
                    "inviteStaff",
                    body: [
                        "email": .string(form["email"]), "name": .string(form["name"]),
                        "role": Int64(form["role"]).map { .int($0) } ?? .null, "language": .string(form["language"]),
                    ])
                return try await handed(desk, made)
            } catch let failure as Failure where failure.kind != .broken {
                return try await staffPage(desk, form, failure)
            }
        },
        action("console.renew", "/staff/{id}/invitation", access: .tenant(.staff)) { desk, _ in
            let mails = try await desk.call.ask("listMails")["items"]?.array ?? []
            let last = try mails.first { $0["account"]?.int == (try desk.call.id()) }
            // who cannot be reached by mail is handed a link
            let query: [String: JSON] = last?["state"] == "failed" ? ["mail": false] : [:]
            return try await handed(desk, try await desk.call.ask("renewInvitation", desk.call.path, query: query))
        },
        action("console.editStaff", "/staff/{id}", access: .tenant(.staff)) { desk, form in
            var edit: JSON = [:]
            if form.has("role") { edit["role"] = Int64(form["role"]).map { .int($0) } }
            if form.has("disabled") { edit["disabled"] = .bool(form["disabled"] == "true") }
            try await desk.call.ask("editStaff", desk.call.path, body: edit)
            return desk.go("/staff", notice: "saved")
        },
        action("console.policy", "/staff/policy", access: .tenant(.staff)) { desk, form in
            try await desk.call.ask(
                "setPasswordPolicy",
                body: [
                    "length": number(form["length"]), "strength": number(form["strength"]),
                    "words": .array(form.lines("words").map(JSON.string)), "history": number(form["history"]),
                    "expires_days": form["expires_days"].isEmpty ? .null : number(form["expires_days"]),
                    "factor_roles": .array(form.all("factor_role").compactMap(Int64.init).map(JSON.int)),
                ])
            return desk.go("/staff", notice: "saved")
        },
    ]

    /// A number, or what was typed in place of one, which is then refused.
    private static func number(_ text: String) -> JSON { Int64(text).map { .int($0) } ?? .string(text) }

    /// Goes back to the list when a mail goes; else shows the link, for it can be read only now.
    private static func handed(_ desk: Desk, _ made: JSON) async throws -> Answer {
        guard let token = made["token"]?.string else { return desk.go("/staff", notice: "invited") }
        return try await staffPage(desk, link: "/invitations/\(token)")
    }

    private static func staffPage(
        _ desk: Desk, _ form: FormBody? = nil, _ failure: Failure? = nil, link: String? = nil
    ) async throws -> Answer {
        async let asked = desk.call.ask("listStaff")
        async let rules = desk.call.ask("getPasswordPolicy")
        async let sent = desk.call.ask("listMails")
        let roles = try await desk.call.ask("listRoles")["items"]?.array ?? []
        let mails = try await sent["items"]?.array ?? []
        let policy = try await rules
        func choices(_ chosen: String?) -> JSON {
            .array(
                roles.map { role in
                    [
                        "value": .string(role["id"]?.scalarText ?? ""), "text": role["title"] ?? .null,
                        "is_chosen": .bool(role["id"]?.scalarText == chosen),
                    ]
                })
        }
        let people = try await asked["items"]?.array ?? []
        var model: JSON = [
            "people": .array(
                people.map { person in
                    let number = person["id"]?.scalarText ?? ""
                    let name = person["name"]?.string ?? ""
                    let mail = mails.first { $0["account"] == person["id"] && $0["kind"] == "invitation" }
                    return [
                        "id": .string(number), "name": .string(name.isEmpty ? person["email"]?.string ?? "" : name),
                        "initials": .string(FieldText.initials(name.isEmpty ? person["email"]?.string ?? "" : name)),
                        "email": person["email"] ?? .null, "roles": choices(person["role"]?.scalarText),
                        "is_online": person["online"] ?? false,
                        "back": person["presence_until"]?.string == nil
                            ? .null : ["when": desk.moment(person["presence_until"])],
                        "presence": person["presence"] == "available"
                            ? .null : .string(desk.texts["presence_\(person["presence"]?.string ?? "")"]),
                        "is_disabled": person["disabled"] ?? false,
                        "is_me": .bool(desk.call.actor == .staff(Int64(number) ?? 0)),
                        "mail": mail.map { .string(desk.texts["mail_\($0["state"]?.string ?? "")"]) } ?? .null,
                        "mail_badge": .string(badge(mail?["state"]?.string)), "mail_error": mail?["error"] ?? .null,
                    ]
                }),
            "roles": choices(form?["role"]), "email": .string(form?["email"] ?? ""),
            "name": .string(form?["name"] ?? ""),
            "languages": desk.languages(form?["language"] ?? desk.texts.language),
            "policy": policy,
            "policy_words": .string((policy["words"]?.array ?? []).compactMap(\.string).joined(separator: "\n")),
            "is_strong": .bool(policy["strength"] == 4),
            "factor_roles": .array(
                roles.map { role in
                    [
                        "value": .string(role["id"]?.scalarText ?? ""), "text": role["title"] ?? .null,
                        "is_chosen": .bool(policy["factor_roles"]?.array?.contains(role["id"] ?? .null) ?? false),
                    ]
                }),
        ]
        model["link"] = link.map(JSON.string)
        return try desk.page(
            "staff", title: desk.texts["menu_staff"], place: "/staff",
            failure: failure, model)
    }
}
