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
        ) { desk in try await newConnection(desk) },
        action("console.connect", "/connections/new/{kind}", access: .tenant(.config)) { desk, form in
            let made: JSON
            let kind = try await kind(desk)
            do {
                made = try await desk.call.ask(
                    "createConnector",
                    body: [
                        "kind": kind["kind"] ?? .null, "name": .string(form["name"]),
                        "settings": ConnectionForm(desk, kind).settings(form),
                    ])
            } catch let failure as Failure where failure.kind != .broken {
                return try await newConnection(desk, form, failure)
            }
            // it is there, whether it can be checked at this moment or not
            let number = made["id"]?.scalarText ?? ""
            if waitsForSignIn(kind, made) { return desk.go("/connections/\(number)", notice: "saved") }
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
            // also one of a kind that this program does not know
            let kind = try await kinds(desk).first { $0["kind"] == system["kind"] } ?? .null
            var model = connectionCard(desk, system, try await desk.phrases())
            model["signs_in"] = kind["signs_in"] ?? false
            model["waits"] = .bool(waitsForSignIn(kind, system))
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
                let edit = try await PluginSchedule.switched(
                    to: form["state"], desk.call.ask("getPlugin", plugin))
                try await desk.call.ask("editPlugin", plugin, body: edit)
            }
            return desk.go("/connections/\(try desk.call.id())", notice: form.has("run") ? "running" : "saved")
        },
    ]

    private static func newConnection(_ desk: Desk, _ form: FormBody? = nil, _ failure: Failure? = nil) async throws
        -> Answer
    {
        let kind = try await kind(desk)
        let title = desk.title(ofKind: kind["kind"]?.string ?? "")
        var model = ConnectionForm(desk, kind).model(form)
        model["kind"] = .string(title)
        model["name"] = .string(form?["name"] ?? title)
        if kind["signs_in"] == true { model["back"] = .string(SignInPages.back(desk)) }
        return try desk.page(
            "connect", title: desk.texts.filled("connect_kind", ["kind": title]),
            place: "/connections", failure: failure, model)
    }

    /// Whether nobody has let Kontor in at the other system yet, where that is done on a page of its own.
    static func waitsForSignIn(_ kind: JSON, _ system: JSON) -> Bool {
        let secrets = system["secrets"]?.array ?? []
        return kind["signs_in"] == true && !secrets.contains("refresh_token")
            && !secrets.contains(.string(Manifest.SignIn.grant))
    }

    private static func kinds(_ desk: Desk) async throws -> [JSON] {
        (try await desk.call.ask("listConnectorKinds")["items"]?.array ?? []).sorted {
            ($0["title"]?.string ?? "") < ($1["title"]?.string ?? "")
        }
    }

    private static func kind(_ desk: Desk) async throws -> JSON { try await kind(desk, desk.call.path["kind"]) }

    /// A kind of connector, as the interface lists it.
    /// - Throws: `Failure` `not_found`.
    static func kind(_ desk: Desk, _ name: String?) async throws -> JSON {
        guard let kind = try await kinds(desk).first(where: { $0["kind"]?.string == name }) else {
            throw Failure.notFound("address")
        }
        return kind
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
