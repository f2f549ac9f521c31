import Hub
import Store

/// What a connection signs in with, how much its news is worth, and what it may see and change.
extension Operations {
    static let connectionSettingsPages: [Operation] = [
        page("console.connectionSettings", "/connections/{id}/settings", access: .tenant(.config)) { desk in
            try await settingsPage(desk)
        },
        action("console.saveConnection", "/connections/{id}/settings", access: .tenant(.config)) { desk, form in
            let system = try await desk.call.ask("getConnector", desk.call.path)
            let kind = try await kind(desk, system["kind"]?.string)
            do {
                try await desk.call.ask(
                    "editConnector", desk.call.path,
                    body: [
                        "settings": ConnectionForm(desk, kind).settings(form, of: system),
                        "rank": Int64(form["rank"]).map { .int($0) } ?? .string(form["rank"]),
                        "visible_facets": facets(form), "hidden_fields": .array(form.all("hidden").map(JSON.string)),
                        "closed_fields": .array(form.all("closed").map(JSON.string)),
                    ])
                return desk.go("/connections/\(try desk.call.id())", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken && failure.kind != .notFound {
                return try await settingsPage(desk, form, failure)
            }
        },
    ]

    private static let (consent, tag) = ("consent:", "tag:")

    /// What a contact must have one of to be seen; nothing for all contacts.
    private static func facets(_ form: FormBody) -> JSON {
        let tags = form.raw("tags").split { $0 == "," || $0.isNewline }.map { word in
            String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        return .array(
            (form.all("consent").map { consent + $0 } + tags.filter { !$0.isEmpty }.map { tag + $0 } + form.all("facet"))
                .map(JSON.string))
    }

    private static func settingsPage(_ desk: Desk, _ form: FormBody? = nil, _ failure: Failure? = nil) async throws
        -> Answer
    {
        async let purposes = desk.call.askIfAllowed("listPurposes")
        async let known = desk.call.askIfAllowed("listFields")
        let system = try await desk.call.ask("getConnector", desk.call.path)
        let kind = try await kind(desk, system["kind"]?.string)
        let visible = form.map(facets)?.array ?? system["visible_facets"]?.array ?? []
        let seen = visible.compactMap(\.string)
        func listed(_ name: String, _ member: String) -> [String] {
            form?.all(name) ?? (system[member]?.array ?? []).compactMap(\.string)
        }
        let (hidden, closed) = (listed("hidden", "hidden_fields"), listed("closed", "closed_fields"))
        let fields = try await known?["items"]?.array ?? []
        let names = Set(fields.compactMap { $0["key"]?.string })
        let asked = try await purposes?["items"]?.array ?? []
        let keys = Set(asked.compactMap { $0["key"]?.string })
        let name = system["name"]?.string ?? ""
        let hook = kind["receives_hooks"] == true ? try await desk.call.ask("connectorHookURL", desk.call.path) : .null
        let asks = ConnectionForm(desk, kind).model(form, of: system)
        return try desk.page(
            "connection-settings", title: desk.texts.filled("connection_settings_of", ["name": name]),
            place: "/connections", failure: failure,
            [
                "connection": .string(name), "back": .string("/connections/\(system["id"]?.scalarText ?? "")"),
                "settings": asks["settings"] ?? [], "extra": asks["extra"] ?? [],
                "has_extra": asks["has_extra"] ?? false,
                "rank": .string(form?["rank"] ?? system["rank"]?.scalarText ?? ""),
                "hook": hook["path"]?.string.map { .string(SignInPages.origin(desk) + $0) } ?? .null,
                "redirect": kind["signs_in"] == true ? .string(SignInPages.back(desk)) : .null,
                "purposes": .array(
                    asked.map { purpose in
                        [
                            "value": purpose["key"] ?? .null, "text": .string(desk.texts.title(ofPurpose: purpose)),
                            "is_chosen": .bool(seen.contains(consent + (purpose["key"]?.string ?? ""))),
                        ]
                    }),
                "has_purposes": .bool(!asked.isEmpty),
                "tags": .string(
                    seen.filter { $0.hasPrefix(tag) && !$0.utf8.contains(UInt8(ascii: ",")) }.map {
                        String($0.dropFirst(tag.count))
                    }.joined(separator: ", ")),
                // what no field of the form stands for stays
                "others": .array(
                    seen.filter { facet in
                        (!facet.hasPrefix(tag) || facet.utf8.contains(UInt8(ascii: ",")))
                            && !(facet.hasPrefix(consent) && keys.contains(String(facet.dropFirst(consent.count))))
                    }.map(JSON.string)),
                "other_hidden": .array(hidden.filter { !names.contains($0) }.map(JSON.string)),
                "other_closed": .array(closed.filter { !names.contains($0) }.map(JSON.string)),
                "fields": .array(
                    fields.map { field in
                        let key = field["key"]?.string ?? ""
                        return [
                            "key": .string(key), "label": .string(desk.texts.label(key, fields)),
                            "is_hidden": .bool(hidden.contains(key)), "is_closed": .bool(closed.contains(key)),
                        ]
                    }),
            ])
    }
}
