import HTTPTypes
import Hub
import Store

/// Roles as forms: whose contacts, which fields, which functions.
extension Operations {
    static let rolePages: [Operation] = [
        page("console.roles", "/staff/roles", access: .tenant(.staff)) { desk in try await rolesPage(desk) },
        page(
            "console.newRole", "/staff/roles/new", access: .tenant(.staff),
            query: [.query("like", Schema.id, "The role it begins as.")]
        ) { desk in
            var model: JSON = ["title": .string(desk.texts["role_new"]), "rights": [:]]
            if let like = desk.call.query["like"]?.scalarText {
                model["rights"] = try await desk.call.ask("getRole", ["id": like])["rights"]
            }
            return try await rolePage(desk, model)
        },
        action("console.addRole", "/staff/roles/new", access: .tenant(.staff)) { desk, form in
            let rights = typed(form)
            do {
                let made = try await desk.call.ask(
                    "createRole",
                    body: ["name": .string(slug(form["title"])), "title": .string(form["title"]), "rights": rights])
                return desk.go("/staff/roles/\(made["id"]?.scalarText ?? "")", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try await rolePage(desk, ["title": .string(form["title"]), "rights": rights], failure)
            }
        },
        page("console.role", "/staff/roles/{id}", access: .tenant(.staff)) { desk in
            try await rolePage(desk, try await desk.call.ask("getRole", desk.call.path))
        },
        action("console.saveRole", "/staff/roles/{id}", access: .tenant(.staff)) { desk, form in
            var role = try await desk.call.ask("getRole", desk.call.path)
            let rights = typed(form, over: role["rights"])
            do {
                try await desk.call.ask(
                    "editRole", desk.call.path, body: ["title": .string(form["title"]), "rights": rights],
                    version: Int64(form["version"]))
                return desk.go("/staff/roles/\(desk.call.path["id"] ?? "")", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                (role["rights"], role["version"]) = (rights, .string(form["version"]))
                return try await rolePage(desk, role, failure)
            }
        },
        action("console.deleteRole", "/staff/roles/{id}/delete", access: .tenant(.staff)) { desk, _ in
            do {
                try await desk.call.ask("deleteRole", desk.call.path)
                return desk.go("/staff/roles", notice: "deleted_role")
            } catch let failure as Failure where failure.kind == .conflict {
                return try await rolePage(desk, try await desk.call.ask("getRole", desk.call.path), failure)
            }
        },
        action("console.addTeam", "/staff/teams", access: .tenant(.staff)) { desk, form in
            do {
                try await desk.call.ask("createTeam", body: ["name": .string(form["name"])])
                return desk.go("/staff/roles", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try await rolesPage(desk, failure)
            }
        },
        action("console.renameTeam", "/staff/teams/{id}", access: .tenant(.staff)) { desk, form in
            do {
                try await desk.call.ask("renameTeam", desk.call.path, body: ["name": .string(form["name"])])
                return desk.go("/staff/roles", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken && failure.kind != .notFound {
                return try await rolesPage(desk, failure)
            }
        },
        action("console.deleteTeam", "/staff/teams/{id}/delete", access: .tenant(.staff)) { desk, _ in
            try await desk.call.ask("deleteTeam", desk.call.path)
            return desk.go("/staff/roles", notice: "deleted_role")
        },
    ]

    private static func rolesPage(_ desk: Desk, _ failure: Failure? = nil) async throws -> Answer {
        async let people = desk.call.ask("listStaff")
        async let teams = desk.call.ask("listTeams")
        let roles = try await desk.call.ask("listRoles")["items"]?.array ?? []
        let staff = try await people["items"]?.array ?? []
        func names(_ belongs: (JSON) -> Bool) -> JSON? {
            let names = staff.filter(belongs).map { person -> String in
                let name = person["name"]?.string ?? ""
                return name.isEmpty ? person["email"]?.string ?? "" : name
            }
            return names.isEmpty ? nil : .string(names.joined(separator: ", "))
        }
        return try desk.page(
            "roles", title: desk.texts["roles_title"], place: "/staff", failure: failure,
            [
                "roles": .array(
                    roles.map { role in
                        [
                            "href": .string("/staff/roles/\(role["id"]?.scalarText ?? "")"),
                            "text": role["title"] ?? .null,
                            "like": .string("/staff/roles/new?like=\(role["id"]?.scalarText ?? "")"),
                            "people": names { $0["role"] == role["id"] } ?? .null,
                        ]
                    }),
                "teams": .array(
                    try await teams["items"]?.array?.map { team in
                        [
                            "id": team["id"] ?? .null, "name": team["name"] ?? .null,
                            "people": names { team["members"]?.array?.contains($0["id"] ?? .null) == true } ?? .null,
                        ]
                    } ?? []),
            ])
    }

    private static func rolePage(_ desk: Desk, _ role: JSON, _ failure: Failure? = nil) async throws -> Answer {
        let labels = try await desk.call.askIfAllowed("listFields")?["items"]?.array ?? []
        let (rights, texts) = (role["rights"] ?? [:], desk.texts)
        let contact = rights["contact"] ?? [:]
        func choices(_ name: String, _ values: [String], _ chosen: String?) -> JSON {
            [
                "name": .string(name), "label": .string(texts["role_\(name)"]),
                "values": .array(
                    values.map { value in
                        [
                            "value": .string(value), "text": .string(scope(value, of: name, texts)),
                            "is_chosen": .bool(value == chosen ?? "none"),
                        ]
                    }),
            ]
        }
        func listed(_ kind: String, _ value: String) -> Bool {
            contact[kind]?.array?.contains(.string(value)) == true
        }
        let fields = labels.compactMap { $0["key"]?.string }.map { key -> JSON in
            let state = listed("hidden", key) ? "hidden" : listed("masked", key) ? "masked" : "seen"
            return [
                "name": .string("field.\(key)"), "label": .string(texts.label(key, labels)),
                "values": .array(
                    ["seen", "masked", "hidden"].map {
                        [
                            "value": .string($0), "text": .string(texts["sight_\($0)"]),
                            "is_chosen": .bool($0 == state),
                        ]
                    }),
            ]
        }
        let isOwner = role["name"] == "owner"
        return try desk.page(
            "role", title: role["title"]?.string ?? "", place: "/staff", failure: failure,
            [
                "name": role["title"] ?? .null, "version": role["version"] ?? .null, "is_owner": .bool(isOwner),
                "address": role["id"].map { .string("/staff/roles/\($0.scalarText ?? "")") } ?? "/staff/roles/new",
                "is_new": .bool(role["id"] == nil), "may_delete": .bool(role["id"] != nil && !isOwner),
                "scopes": [
                    choices("read", RoleRights.scopes, contact["read"]?.string),
                    choices("change", RoleRights.scopes, contact["change"]?.string),
                    choices("delete", RoleRights.scopes, contact["delete"]?.string),
                    choices("order", RoleRights.orderScopes, rights["order"]?["read"]?.string),
                    choices("product", ["all", "none"], rights["product"]?["read"]?.string),
                ],
                "may_create": .bool(contact["create"] == true),
                "only": .array(
                    RoleRights.conditions.map { kind in
                        let values = (contact["only"]?[kind]?.array ?? []).compactMap(\.string)
                        return [
                            "name": .string("only.\(kind)"), "label": .string(texts["role_only_\(kind)"]),
                            "value": .string(values.joined(separator: "\n")),
                        ]
                    }), "fields": .array(fields),
                "functions": .array(
                    RoleRights.functions.map { function in
                        [
                            "value": .string(function), "text": .string(texts["function_\(function)"]),
                            "is_chosen": .bool(rights["functions"]?.array?.contains(.string(function)) == true),
                        ]
                    }),
            ])
    }

    /// Orders and products are nobody's own.
    static func scope(_ value: String, of entity: String, _ texts: ConsoleTexts) -> String {
        texts[value == "all" && (entity == "order" || entity == "product") ? "scope_every" : "scope_\(value)"]
    }

    /// What a form says of rights, as a role keeps it.
    /// - Parameter former: the rights there were, where what the form did not show stays: fields, for who reads no contacts.
    private static func typed(_ form: FormBody, over former: JSON? = nil) -> JSON {
        var contact: JSON = ["create": .bool(form.has("create"))]
        for name in ["read", "change", "delete"] { contact[name] = .string(form[name]) }
        var only: JSON = [:]
        for kind in RoleRights.conditions {
            let values = form.lines("only.\(kind)").map(JSON.string)
            if !values.isEmpty { only[kind] = .array(values) }
        }
        if only != [:] { contact["only"] = only }
        let showsFields = form.names.contains { $0.hasPrefix("field.") }
        for sight in ["hidden", "masked"] {
            guard showsFields else {
                contact[sight] = former?["contact"]?[sight]
                continue
            }
            let keys = form.names.filter { $0.hasPrefix("field.") && form[$0] == sight }.map {
                JSON.string(String($0.dropFirst("field.".count)))
            }
            if !keys.isEmpty { contact[sight] = .array(keys) }
        }
        return [
            "contact": contact, "order": ["read": .string(form["order"])],
            "product": ["read": .string(form["product"])],
            "functions": .array(form.all("function").map(JSON.string)),
        ]
    }

    /// A name for programs, from what people call it.
    /// - Parameters: what stands between the parts of a made-up name, and its beginning where the title gives none.
    static func slug(_ title: String, separator: String = "-", fallback: String = "role") -> String {
        let key = Folding.key(title)
        return key.first?.isLetter == true && key.count > 1
            ? String(key.prefix(40)) : "\(fallback)\(separator)\(key.prefix(30))"
    }
}
