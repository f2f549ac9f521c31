import Hub
import Store

extension Operations {
    static let connectionPages: [Operation] = [
        page("console.connections", "/connections", access: .tenant(.config)) { desk in
            let systems = try await desk.call.ask("listConnectors")["items"]?.array ?? []
            let phrases = try await desk.phrases()
            return try desk.page(
                "connections", title: desk.texts["menu_connections"], place: "/connections",
                [
                    "systems": .array(systems.map { connectionCard(desk, $0, phrases) }),
                    "is_empty": .bool(systems.isEmpty),
                ])
        },
        page("console.gallery", "/connections/new", access: .tenant(.config)) { desk in
            let kinds = try await kinds(desk)
            return try desk.page(
                "gallery", title: desk.texts["connect_title"], place: "/connections",
                [
                    "kinds": .array(
                        kinds.map { kind in
                            let (key, title) = (
                                kind["kind"]?.string ?? "", desk.title(ofKind: kind["kind"]?.string ?? "")
                            )
                            return [
                                "title": .string(title), "initials": .string(FieldText.initials(title)),
                                "href": .string("/connections/new/\(kind["kind"]?.string ?? "")"),
                                "plugins": .array(
                                    (kind["plugins"]?.array ?? []).map {
                                        .string(desk.title(ofPlugin: $0["name"]?.string ?? "", kind: key, of: title))
                                    }),
                            ]
                        })
                ])
        },
        page(
            "console.newConnection", "/connections/new/{kind}", access: .tenant(.config)
        ) { desk in try await settingsPage(desk) },
        action("console.connect", "/connections/new/{kind}", access: .tenant(.config)) { desk, form in
            let made: JSON
            do {
                let kind = try await kind(desk)
                made = try await desk.call.ask(
                    "createConnector",
                    body: [
                        "kind": kind["kind"] ?? .null, "name": .string(form["name"]), "settings": settings(kind, form),
                    ])
            } catch let failure as Failure where failure.kind != .broken {
                return try await settingsPage(desk, form, failure)
            }
            // it is there, whether it can be checked at this moment or not
            let number = made["id"]?.scalarText ?? ""
            do {
                try await desk.call.ask("checkConnector", ["id": number])
                return desk.go("/connections/\(number)", notice: "connected")
            } catch let failure as Failure where failure.kind != .broken {
                return desk.go("/connections/\(number)", notice: "saved")
            }
        },
        page("console.connection", "/connections/{id}", access: .tenant(.config)) { desk in
            let system = try await desk.call.ask("getConnector", desk.call.path)
            let number = system["id"]?.int
            let runs = try await desk.call.askIfAllowed("listRuns", query: ["limit": 200])?["items"]?.array ?? []
            let failed = try await desk.call.askIfAllowed(
                "listDeliveries", query: ["state": "dead", "connector": .int(number ?? 0), "limit": 100])
            let dead = failed?["items"]?.array ?? []
            var model = connectionCard(desk, system, try await desk.phrases())
            model["runs"] = .array(
                runs.filter { $0["connector"]?.int == number }.prefix(10).map { runRow(desk, $0, [system]) })
            model["dead"] = dead.isEmpty ? .null : .string(desk.texts.count("count_failed", dead.count))
            model["may_run"] = .bool(desk.may(.runs))
            return try desk.page(
                "connection", title: system["name"]?.string ?? "", place: "/connections", model)
        },
        action("console.setConnection", "/connections/{id}/state", access: .tenant(.config)) { desk, form in
            try await desk.call.ask("editConnector", desk.call.path, body: ["state": .string(form["state"])])
            return desk.go("/connections/\(try desk.call.id())", notice: "saved")
        },
        action("console.checkConnection", "/connections/{id}/check", access: .tenant(.config)) { desk, _ in
            try await desk.call.ask("checkConnector", desk.call.path)
            return desk.go("/connections/\(try desk.call.id())", notice: "checking")
        },
        action("console.setPlugin", "/connections/{id}/plugins/{plugin}", access: .tenant(.config)) { desk, form in
            let plugin = ["id": desk.call.path["plugin"] ?? ""]
            if form.has("run") {
                try await desk.call.ask("runPlugin", plugin, body: [:])
            } else {
                try await desk.call.ask("editPlugin", plugin, body: ["state": .string(form["state"])])
            }
            return desk.go("/connections/\(try desk.call.id())", notice: form.has("run") ? "running" : "saved")
        },
    ]

    private static func kinds(_ desk: Desk) async throws -> [JSON] {
        (try await desk.call.ask("listConnectorKinds")["items"]?.array ?? []).sorted {
            ($0["title"]?.string ?? "") < ($1["title"]?.string ?? "")
        }
    }

    private static func kind(_ desk: Desk) async throws -> JSON {
        guard let kind = try await kinds(desk).first(where: { $0["kind"]?.string == desk.call.path["kind"] }) else {
            throw Failure.notFound("address")
        }
        return kind
    }

    private static func settingsPage(_ desk: Desk, _ form: FormBody? = nil, _ failure: Failure? = nil) async throws
        -> Answer
    {
        let kind = try await kind(desk)
        let (key, title) = (kind["kind"]?.string ?? "", desk.title(ofKind: kind["kind"]?.string ?? ""))
        let model: JSON = [
            "kind": .string(title), "name": .string(form?["name"] ?? title),
            "settings": .array(
                (kind["settings"]?.array ?? []).map { setting in
                    let name = setting["name"]?.string ?? ""
                    let isSecret = setting["is_secret"] == true
                    return [
                        "name": .string(name),
                        "label": .string(
                            desk.title(ofSetting: name, kind: key, label: setting["label"]?.string ?? name)),
                        "type": isSecret ? "password" : "text",
                        "is_required": setting["is_required"] ?? false,
                        "value": .string(isSecret ? "" : form?["set.\(name)"] ?? setting["fallback"]?.scalarText ?? ""),
                    ]
                }),
        ]
        return try desk.page(
            "connect", title: desk.texts.filled("connect_kind", ["kind": title]),
            place: "/connections",
            failure: failure, model)
    }

    /// What was typed, in the type of each setting's fallback.
    private static func settings(_ kind: JSON, _ form: FormBody) -> JSON {
        var settings: JSON = [:]
        for setting in kind["settings"]?.array ?? [] {
            guard let name = setting["name"]?.string else { continue }
            let text = setting["is_secret"] == true ? form.raw("set.\(name)") : form["set.\(name)"]
            if text.isEmpty { continue }
            switch setting["fallback"] {
            case .bool?: settings[name] = .bool(text == "true")
            case .int?: settings[name] = Int64(text).map { .int($0) } ?? .string(text)
            case .double?: settings[name] = Double(text).map { .double($0) } ?? .string(text)
            default: settings[name] = .string(text)
            }
        }
        return settings
    }

    /// A pushing plugin's filter in words; null for one that takes everything.
    static func spoken(_ plugin: JSON, _ phrases: ReaderPhrases) -> JSON {
        guard plugin["capability"] == "push", plugin["filter"] != Condition.everything.json else { return .null }
        return phrases.sentence(plugin["filter"])
    }

    /// A connection with the state of its plugins.
    static func connectionCard(_ desk: Desk, _ system: JSON, _ phrases: ReaderPhrases) -> JSON {
        let (number, state) = (system["id"]?.scalarText ?? "", system["state"]?.string ?? "")
        let kind = system["kind"]?.string ?? ""
        return [
            "id": .string(number), "href": .string("/connections/\(number)"), "name": system["name"] ?? .null,
            "kind": .string(desk.title(ofKind: kind)),
            "initials": .string(FieldText.initials(system["name"]?.string ?? "")), "state": .string(state),
            "state_text": .string(desk.texts["state_\(state)"]), "badge": .string(badge(state)),
            "reason": desk.texts.reason(system["state_reason"]), "is_on": .bool(state == "on"),
            "plugins": .array(
                (system["plugins"]?.array ?? []).map { plugin in
                    let (name, state) = (plugin["name"]?.string ?? "", plugin["state"]?.string ?? "")
                    return [
                        "id": .string(plugin["id"]?.scalarText ?? ""), "connection": .string(number),
                        "title": .string(
                            desk.title(ofPlugin: name, kind: kind, of: system["name"]?.string ?? "")),
                        "state_text": .string(desk.texts["state_\(state)"]),
                        "badge": .string(badge(state)), "is_on": .bool(state == "on"),
                        "pulls": .bool(plugin["capability"] == "pull"), "words": spoken(plugin, phrases),
                    ]
                }),
        ]
    }
}
