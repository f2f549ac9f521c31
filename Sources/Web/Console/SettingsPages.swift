import HTTPTypes
import Hub
import Store

/// What a shop sets for itself: fields of its own, consents and their texts, tokens, SQL logins.
extension Operations {
    static let settingsPages: [Operation] = [
        page("console.settings", "/settings") { desk in try await settingsPage(desk) },
        page("console.sql", "/settings/sql") { desk in
            let views = try await desk.call.ask("listSQLViews")["items"]?.array ?? []
            return try desk.page(
                "sql", title: desk.texts["sql_title"], place: "/settings",
                ["server": try await sqlServer(desk), "views": .array(views), "has_views": .bool(!views.isEmpty)])
        },
        action("console.addField", "/settings/fields", access: .tenant(.config)) { desk, form in
            try await done(desk, form, "fields") {
                let type = form["type"]
                var field: JSON = [
                    "key": .string(slug(form["label"], separator: "_", fallback: "field")),
                    "label": .string(form["label"]), "type": .string(type), "is_key": .bool(form.has("is_key")),
                ]
                if type == "choice" || type == "multi_choice" {
                    field["choices"] = .array(form.lines("choices").map(JSON.string))
                }
                try await desk.call.ask("createField", body: field)
            }
        },
        action("console.editField", "/settings/fields/{key}", access: .tenant(.config)) { desk, form in
            try await done(desk, form, "") {
                var edit: JSON = ["label": .string(form["label"])]
                // to become a key, or none, is work for the whole shop: only when it is meant
                if form.has("was"), form.has("is_key") != (form["was"] == "true") {
                    edit["is_key"] = .bool(form.has("is_key"))
                }
                if form.names.contains("choices") { edit["choices"] = .array(form.lines("choices").map(JSON.string)) }
                try await desk.call.ask("editField", desk.call.path, body: edit)
            }
        },
        action("console.deleteField", "/settings/fields/{key}/delete", access: .tenant(.config)) { desk, form in
            try await done(desk, form, "") { try await desk.call.ask("deleteField", desk.call.path) }
        },
        action("console.savePurpose", "/settings/purposes", access: .tenant(.config)) { desk, form in
            try await done(desk, form, "purposes") {
                let titles = Schemas.languages.filter { !form["title.\($0)"].isEmpty }.map {
                    ($0, JSON.string(form["title.\($0)"]))
                }
                // never one that is there: its consents would come to stand under other words
                let taken =
                    try await desk.call.ask("listPurposes")["items"]?.array?.compactMap { $0["key"]?.string } ?? []
                let key = free(slug(titles.first?.1.string ?? "", separator: "_", fallback: "purpose"), taken)
                try await desk.call.ask(
                    "savePurpose", ["key": key], body: ["title": .object(Dictionary(titles) { one, _ in one })])
            }
        },
        action("console.publish", "/settings/wordings", access: .tenant(.config), limit: 500_000) { desk, form in
            try await done(desk, form, "wordings") {
                var wording: JSON = ["language": .string(form["language"]), "body": .string(form["body"])]
                if !form["purpose"].isEmpty { wording["purpose"] = .string(form["purpose"]) }
                try await desk.call.ask("publishWording", body: wording)
            }
        },
        action("console.addToken", "/settings/tokens", access: .tenant(.tokens)) { desk, form in
            do {
                var token: JSON = [
                    "label": .string(form["label"]), "scopes": .array(form.all("scope").map(JSON.string)),
                ]
                if let role = Int64(form["role"]) { token["role"] = .int(role) }
                if !form["until"].isEmpty { token["expires_at"] = .string("\(form["until"])T00:00:00Z") }
                let made = try await desk.call.ask("createToken", body: token)
                return try await settingsPage(desk, more: ["token": made["token"] ?? .null])
            } catch let failure as Failure where failure.kind != .broken {
                return try await settingsPage(desk, failure, again: ["tokens": again(form)])
            }
        },
        action("console.revokeToken", "/settings/tokens/{id}/revoke", access: .tenant(.tokens)) { desk, form in
            try await done(desk, form, "") { try await desk.call.ask("revokeToken", desk.call.path) }
        },
        action("console.addLogin", "/settings/sql-logins") { desk, form in
            do {
                let made = try await desk.call.ask("createSQLLogin", body: ["label": .string(form["label"])])
                return try await settingsPage(desk, more: ["login": made])
            } catch let failure as Failure where failure.kind != .broken {
                return try await settingsPage(desk, failure, again: ["logins": again(form)])
            }
        },
        action("console.removeLogin", "/settings/sql-logins/{name}/remove") { desk, form in
            try await done(desk, form, "") { try await desk.call.ask("removeSQLLogin", desk.call.path) }
        },
    ]

    /// Where SQL logins connect to, and how it is; null where there is no server for them.
    private static func sqlServer(_ desk: Desk) async throws -> JSON {
        do {
            var server = try await desk.call.ask("getSQLServer")
            let state = server["state"]?.string ?? ""
            server["text"] = .string(desk.texts["sql_state_\(state)"])
            server["badge"] = state == "ready" ? "good" : state == "failing" ? "bad" : "wait"
            return server
        } catch let failure as Failure where failure.kind == .notFound {
            return .null
        }
    }

    /// Does it and goes back; what is refused is said on the page, with the form as it was.
    /// - Parameter kind: which form it is.
    private static func done(
        _ desk: Desk, _ form: FormBody, _ kind: String, _ act: () async throws -> Void
    ) async throws -> Answer {
        do {
            try await act()
            return desk.go("/settings", notice: "saved")
        } catch let failure as Failure where failure.kind != .broken && failure.kind != .notFound {
            return try await settingsPage(desk, failure, again: [kind: again(form)])
        }
    }

    /// A key, numbered when it is taken.
    private static func free(_ key: String, _ taken: [String]) -> String {
        guard taken.contains(key) else { return key }
        let numbers = (2...).lazy.map { "\(key.prefix(34))_\($0)" }
        return numbers.first { !taken.contains($0) } ?? key
    }

    /// What was typed into the form.
    private static func again(_ form: FormBody) -> JSON {
        .object(Dictionary(form.names.map { ($0.replacing(".", with: "_"), .string(form.raw($0))) }) { one, _ in one })
    }

    private static func settingsPage(
        _ desk: Desk, _ failure: Failure? = nil, again: [String: JSON] = [:], more: JSON = [:]
    ) async throws -> Answer {
        var model = more
        model["again"] = .object(again)
        if desk.may(.config) && desk.may(.contactsRead) {
            async let fields = desk.call.ask("listFields")
            async let purposes = desk.call.ask("listPurposes")
            model["fields"] = fieldsPart(desk, try await fields["items"]?.array ?? [], again["fields"])
            model["consents"] = try await consentsPart(desk, try await purposes["items"]?.array ?? [], again)
        }
        if desk.may(.tokens) {
            async let roles = desk.call.ask("listRoles")
            model["tokens"] = tokensPart(
                desk, try await desk.call.ask("listTokens")["items"]?.array ?? [],
                roles: try await roles["items"]?.array ?? [])
        }
        if desk.may(.sql) || desk.may(.staff) {
            model["logins"] = loginsPart(desk, try await desk.call.ask("listSQLLogins")["items"]?.array ?? [])
        }
        model["may_retain"] = .bool(desk.may(.config))
        model["may_audit"] = .bool(desk.may(.audit))
        return try desk.page(
            "settings", title: desk.texts["menu_settings"], place: "/settings", failure: failure, model)
    }

    private static func fieldsPart(_ desk: Desk, _ fields: [JSON], _ again: JSON?) -> JSON {
        [
            "items": .array(
                fields.filter { $0["is_standard"] == false }.map { field in
                    let choices = (field["choices"]?.array ?? []).compactMap(\.string)
                    return [
                        "key": field["key"] ?? .null, "label": field["label"] ?? .null,
                        "type": .string(desk.texts["type_\(field["type"]?.string ?? "")"]),
                        "is_key": field["is_key"] ?? false,
                        "choices": choices.isEmpty ? .null : .string(choices.joined(separator: ", ")),
                        "lines": .string(choices.joined(separator: "\n")),
                        "chooses": .bool(field["type"] == "choice" || field["type"] == "multi_choice"),
                        // other kinds of fields cannot be keys
                        "may_key": .bool(["text", "number", "link"].contains(field["type"])),
                    ]
                }),
            "types": .array(
                FieldType.custom.map {
                    [
                        "value": .string($0.rawValue), "text": .string(desk.texts["type_\($0.rawValue)"]),
                        "is_chosen": .bool(again?["type"]?.string == $0.rawValue),
                    ]
                }),
        ]
    }

    private static func consentsPart(_ desk: Desk, _ purposes: [JSON], _ again: [String: JSON]) async throws -> JSON {
        var texts: [JSON] = []
        for (key, name) in [("", desk.texts["privacy_policy"])]
            + purposes.map({ ($0["key"]?.string ?? "", desk.texts.title(ofPurpose: $0)) })
        {
            let wordings = try await desk.call.ask("listWordings", query: key.isEmpty ? [:] : ["purpose": .string(key)])
            var newest: [String: JSON] = [:]
            for wording in wordings["items"]?.array ?? [] {
                let language = wording["language"]?.string ?? ""
                if wording["version"]?.int ?? 0 > newest[language]?["version"]?.int ?? 0 { newest[language] = wording }
            }
            texts.append([
                "key": .string(key), "name": .string(name),
                "is_chosen": .bool(key == again["wordings"]?["purpose"]?.string ?? ""),
                "versions": .array(
                    newest.keys.sorted().map { language in
                        [
                            "language": .string(language), "version": newest[language]?["version"] ?? .null,
                            "when": desk.moment(newest[language]?["published_at"]),
                        ]
                    }),
            ])
        }
        return [
            "items": .array(texts),
            "languages": .array(
                Schemas.languages.map {
                    [
                        "value": .string($0), "text": .string(desk.console.texts($0)["language_name"]),
                        "is_chosen": .bool($0 == again["wordings"]?["language"]?.string ?? desk.texts.language),
                        "typed": again["purposes"]?["title_\($0)"] ?? "",
                    ]
                }),
        ]
    }

    private static func tokensPart(_ desk: Desk, _ tokens: [JSON], roles: [JSON]) -> JSON {
        func title(_ id: JSON?) -> JSON { roles.first { $0["id"] == id }?["title"] ?? .null }
        return [
            "roles": .array(roles.map { ["id": $0["id"] ?? .null, "title": $0["title"] ?? .null] }),
            "items": .array(
                tokens.map { token in
                    let isOver = token["revoked_at"]?.string != nil
                    return [
                        "id": token["id"] ?? .null, "label": token["label"] ?? .null,
                        "prefix": token["prefix"] ?? .null,
                        "scopes": .string(
                            (token["scopes"]?.array ?? []).compactMap(\.string).map(desk.texts.grant).joined(
                                separator: ", ")),
                        "role": title(token["role"]), "is_over": .bool(isOver),
                        "used": desk.moment(token["used_at"]),
                        "until": desk.moment(token["expires_at"]),
                    ]
                }),
            "scopes": .array(
                Scope.ofTenants.filter { desk.may($0) }.map { scope in
                    [
                        "value": .string(scope.rawValue),
                        "text": .string(desk.texts.grant(scope.rawValue)),
                    ]
                }),
        ]
    }

    private static func loginsPart(_ desk: Desk, _ logins: [JSON]) -> JSON {
        [
            "items": .array(
                logins.map { login in
                    [
                        "name": login["name"] ?? .null, "label": login["label"] ?? .null,
                        "email": login["email"] ?? .null,
                        "is_open": login["open"] ?? false, "when": desk.moment(login["created_at"]),
                    ]
                }), "may_add": .bool(desk.may(.sql)),
        ]
    }
}
