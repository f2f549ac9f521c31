import HTTPTypes
import Hub
import Store

/// One member of staff: role, teams, superior, what that comes down to, and leaving.
extension Operations {
    static let personPages: [Operation] = [
        page(
            "console.person", "/staff/{id}", access: .tenant(.staff),
            query: [
                .query(
                    "contact", Schema.text(1, 200),
                    "A contact to ask about: its number, or part of its name or addresses.")
            ]
        ) { desk in
            try await personPage(desk)
        },
        action("console.savePerson", "/staff/{id}/person", access: .tenant(.staff)) { desk, form in
            do {
                try await desk.call.ask(
                    "editStaff", desk.call.path,
                    body: [
                        "name": .string(form["name"]), "role": .int(Int64(form["role"]) ?? 0),
                        "superior": Int64(form["superior"]).map { .int($0) } ?? .null,
                        "teams": .array(form.all("team").compactMap(Int64.init).map(JSON.int)),
                    ])
                return desk.go("/staff/\(desk.call.path["id"] ?? "")", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken && failure.kind != .notFound {
                return try await personPage(desk, failure, form)
            }
        },
        action("console.handOver", "/staff/{id}/hand-over", access: .tenant(.staff)) { desk, form in
            try await desk.call.ask("handOver", desk.call.path, body: ["to": .int(Int64(form["to"]) ?? 0)])
            return desk.go("/staff/\(desk.call.path["id"] ?? "")", notice: "handed_over")
        },
        action("console.removePersonsFactor", "/staff/{id}/second-factor", access: .tenant(.staff)) { desk, _ in
            do {
                try await desk.call.ask("removeMembersFactor", desk.call.path)
                return desk.go("/staff/\(desk.call.path["id"] ?? "")", notice: "factor_removed")
            } catch let failure as Failure where failure.kind == .notFound {
                return try await personPage(desk, failure)
            }
        },
        action("console.removePerson", "/staff/{id}/remove", access: .tenant(.staff)) { desk, _ in
            do {
                try await desk.call.ask("removeStaff", desk.call.path)
                return desk.go("/staff", notice: "removed")
            } catch let failure as Failure where failure.kind == .conflict || failure.kind == .invalid {
                return try await personPage(desk, failure)
            }
        },
    ]

    /// - Parameter form: what was typed, when that was refused.
    private static func personPage(_ desk: Desk, _ failure: Failure? = nil, _ form: FormBody? = nil) async throws
        -> Answer
    {
        async let asked = desk.call.ask("getMember", desk.call.path)
        async let rights = desk.call.ask("getRights", desk.call.path)
        async let roles = desk.call.ask("listRoles")
        async let teams = desk.call.ask("listTeams")
        async let staff = desk.call.ask("listStaff")
        async let known = desk.call.askIfAllowed("listFields")
        let labels = try await known?["items"]?.array ?? []
        var person = try await asked
        let people = try await staff["items"]?.array?.filter { $0["id"] != person["id"] } ?? []
        let shown = shownName(person)
        if let form {
            person["name"] = .string(form["name"])
            for key in ["role", "superior"] { person[key] = Int64(form[key]).map { .int($0) } ?? .null }
            person["teams"] = .array(form.all("team").compactMap(Int64.init).map(JSON.int))
        }
        var model: JSON = [
            "id": person["id"] ?? .null, "name": person["name"] ?? .null, "email": person["email"] ?? .null,
            "shown": .string(shown), "initials": .string(FieldText.initials(shown)),
            "is_me": .bool(desk.call.actor == .staff(person["id"]?.int ?? 0)),
            "roles": options(try await roles["items"]?.array ?? [], chosen: person["role"]) { $0["title"] ?? .null },
            "superiors": options(people, chosen: person["superior"]) { .string(shownName($0)) },
            "heirs": options(people.filter { $0["disabled"] != true }, chosen: nil) { .string(shownName($0)) },
            "has_heirs": .bool(people.contains { $0["disabled"] != true }),
            "teams": .array(
                try await teams["items"]?.array?.map { team in
                    [
                        "value": team["id"] ?? .null, "text": team["name"] ?? .null,
                        "is_chosen": .bool(person["teams"]?.array?.contains(team["id"] ?? .null) == true),
                    ]
                } ?? []),
            "rights": words(desk, try await rights, [person] + people, labels),
        ]
        if let contact = desk.call.query["contact"]?.scalarText {
            model["contact"] = .string(contact)
            model["answer"] = try await explained(desk, contact)
        }
        return try desk.page("person", title: shown, place: "/staff", failure: failure, model)
    }

    private static func shownName(_ person: JSON) -> String {
        let name = person["name"]?.string ?? ""
        return name.isEmpty ? person["email"]?.string ?? "" : name
    }

    private static func options(_ items: [JSON], chosen: JSON?, _ text: (JSON) -> JSON) -> JSON {
        .array(
            items.map { item in
                ["value": item["id"] ?? .null, "text": text(item), "is_chosen": .bool(item["id"] == chosen)]
            })
    }

    /// What a person may do with one contact; what stands against it when none is meant that the asker sees.
    private static func explained(_ desk: Desk, _ contact: String) async throws -> JSON {
        do {
            let contact = try await desk.meant(contact)
            let found = try await desk.call.ask(
                "explainRights", ["id": desk.call.path["id"] ?? "", "contact": contact.id])
            return [
                "name": .string(contact.name), "href": .string("/contacts/\(contact.id)"),
                "may": .array(
                    ["read", "change", "delete"].map { what in
                        let isAllowed = found["may"]?[what] == true
                        return [
                            "text": .string(desk.texts["may_\(what)"]), "badge": isAllowed ? "good" : "bad",
                            "answer": .string(desk.texts[isAllowed ? "yes" : "no"]),
                        ]
                    }), "because": .array(RightsWords(found, in: try await desk.phrases()).sentences.map(JSON.string)),
            ]
        } catch let failure as Failure where failure.kind == .notFound || failure.code == "contact.unclear" {
            return ["may": [], "because": [.string(desk.texts.said(failure))]]
        }
    }

    /// Effective rights, a line each.
    private static func words(_ desk: Desk, _ rights: JSON, _ people: [JSON], _ labels: [JSON]) -> JSON {
        let texts = desk.texts
        func whose(_ value: JSON?) -> String {
            guard let list = value?.array else { return texts["scope_all"] }
            let names = list.map { id in people.first { $0["id"] == id }.map(shownName) ?? id.scalarText ?? "" }
            if list == [people.first?["id"] ?? .null] { return texts["scope_own"] }
            return names.isEmpty ? texts["scope_none"] : names.joined(separator: ", ")
        }
        func fields(_ value: JSON?) -> String {
            (value?.array ?? []).compactMap(\.string).map { texts.label($0, labels) }.joined(separator: ", ")
        }
        func facets(_ value: JSON?) -> String {
            (value?.array ?? []).compactMap(\.string).map { String($0.split(separator: ":").last ?? "") }.joined(
                separator: ", ")
        }
        let lines = [
            ("role_read", whose(rights["reads"])), ("role_change", whose(rights["changes"])),
            ("role_delete", whose(rights["deletes"])), ("role_only_tag", facets(rights["tags"])),
            ("role_only_source", facets(rights["sources"])), ("role_only_country", facets(rights["countries"])),
            ("role_only_consent", facets(rights["consents"])),
            ("sight_masked", fields(rights["masked"])), ("sight_hidden", fields(rights["hidden"])),
            ("role_order", scope(rights["orders"]?.string ?? "none", of: "order", texts)),
            (
                "role_functions",
                RoleRights.functions.filter { rights["may"]?.array?.contains(.string($0)) == true }.map {
                    texts["function_\($0)"]
                }.joined(separator: "; ")
            ),
        ]
        return .array(
            lines.filter { !$0.1.isEmpty }.map { ["label": .string(texts[$0.0]), "text": .string($0.1)] })
    }
}
