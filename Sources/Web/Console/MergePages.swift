import HTTPTypes
import Hub
import Store

/// Two contacts side by side, to be made one.
extension Operations {
    static let mergePages: [Operation] = [
        page(
            "console.merge", "/contacts/{id}/merge", access: .tenant(.contactsWrite),
            query: [
                .query("with", Schema.id, "The contact that goes into this one."),
                .query("q", Schema.text(0, 200), "Whom to look for."),
            ]
        ) { desk in
            guard let other = desk.call.query["with"]?.int else { return try await pickPage(desk) }
            return try await mergePage(desk, other)
        },
        action("console.mergeContacts", "/contacts/{id}/merge", access: .tenant(.contactsWrite)) { desk, form in
            guard let other = Int64(form["with"]) else { throw Failure.notFound("contact") }
            let choices = form.names.filter { $0.hasPrefix("choice.") }.map {
                (String($0.dropFirst("choice.".count)), JSON.string(form[$0]))
            }
            do {
                try await desk.call.ask(
                    "mergeContacts", desk.call.path,
                    body: [
                        "with": .int(other), "choices": .object(Dictionary(choices) { first, _ in first }),
                        "with_version": .int(Int64(form["with_version"]) ?? 1),
                        "delete_twins": .bool(form.has("delete_twins")),
                    ], version: Int64(form["version"]))
                return desk.go("/contacts/\(desk.call.path["id"] ?? "")", notice: "merged")
            } catch let failure as Failure where failure.kind != .broken && failure.kind != .notFound {
                return try await mergePage(desk, other, failure)
            }
        },
        action("console.undoMerge", "/contacts/{id}/unmerge", access: .tenant(.contactsWrite)) { desk, form in
            try await desk.call.ask("getContact", desk.call.path)
            try await desk.call.ask("undoMerge", ["id": form["merge"]])
            return desk.go("/contacts/\(desk.call.path["id"] ?? "")", notice: "unmerged")
        },
        action("console.different", "/problems/different", access: .tenant(.contactsWrite)) { desk, form in
            try await desk.call.ask(
                "setDifferent", body: ["a": .int(Int64(form["a"]) ?? 0), "b": .int(Int64(form["b"]) ?? 0)])
            return desk.go("/problems", notice: "different")
        },
    ]

    /// Who the other one is.
    private static func pickPage(_ desk: Desk) async throws -> Answer {
        let contact = try await desk.call.ask("getContact", desk.call.path)
        let name = contact["name"]?.string ?? ""
        let search = desk.call.text("q") ?? name
        var query: [String: JSON] = ["limit": 20]
        if !search.isEmpty { query["q"] = .string(search) }
        let found = try await desk.call.ask("listContacts", query: query)["items"]?.array ?? []
        let id = contact["id"]?.scalarText ?? ""
        let others = found.filter { $0["id"] != contact["id"] }.map { one -> JSON in
            let line = ContactLine(one, desk.texts)
            return [
                "href": .string("/contacts/\(id)/merge?with=\(line.id)"), "name": .string(line.name),
                "initials": .string(line.initials), "company": line.company.map(JSON.string) ?? .null,
                "email": line.email.map(JSON.string) ?? .null, "phone": line.phone.map(JSON.string) ?? .null,
            ]
        }
        return try desk.page(
            "merge-pick", title: desk.texts["merge_pick"], place: "/contacts",
            [
                "back": .string("/contacts/\(id)"),
                "name": .string(name.isEmpty ? desk.texts["contact_nameless"] : name),
                "q": .string(search), "others": .array(others), "is_empty": .bool(others.isEmpty),
            ])
    }

    private static func mergePage(_ desk: Desk, _ other: Int64, _ failure: Failure? = nil) async throws -> Answer {
        async let asked = desk.call.ask("getContact", desk.call.path)
        async let second = desk.call.ask("getContact", ["id": String(other)])
        async let preview = desk.call.ask("previewMerge", desk.call.path, query: ["with": .int(other)])
        async let known = desk.call.ask("listFields")
        let (contact, goes, labels) = (try await asked, try await second, try await known["items"]?.array ?? [])
        let fields = sorted(try await preview["fields"]?.array ?? [])
        let open = fields.filter { field in
            let sides = [field["keep"] ?? .null, field["other"] ?? .null]
            return sides[0] != sides[1] && !sides.contains(.null)
        }
        let twins = (try await preview["twins"]?.array ?? []).compactMap(\.string)
        let id = contact["id"]?.scalarText ?? ""
        func named(_ contact: JSON) -> JSON {
            let name = contact["name"]?.string ?? ""
            return [
                "name": .string(name.isEmpty ? desk.texts["contact_nameless"] : name), "id": contact["id"] ?? .null,
                "initials": .string(FieldText.initials(name)),
                "href": .string("/contacts/\(contact["id"]?.scalarText ?? "")"),
                "version": contact["version"] ?? .null,
            ]
        }
        let same = fields.filter { field in !open.contains { $0["field"] == field["field"] } }
        return try desk.page(
            "merge", title: desk.texts["merge_title"], place: "/contacts", failure: failure,
            [
                "stays": named(contact), "goes": named(goes), "back": .string("/contacts/\(id)"),
                "swap": .string("/contacts/\(other)/merge?with=\(id)"),
                "fields": .array(open.map { choice(desk, $0, labels, [contact, goes]) }),
                "has_same": .bool(!same.isEmpty),
                "same": .array(
                    same.map { field in
                        [
                            "label": .string(desk.texts.label(field["field"]?.string ?? "", labels)),
                            "pieces": pieces(desk, field["field"], field["result"], labels),
                        ]
                    }), "has_twins": .bool(!twins.isEmpty),
                "twins": .string(desk.texts.filled("merge_twins", ["names": twins.joined(separator: ", ")])),
            ])
    }

    /// In the order of a card; the month is part of the day.
    private static func sorted(_ fields: [JSON]) -> [JSON] {
        let order = ["given_name", "family_name"] + ContactCard.order
        func place(_ field: JSON) -> Int { order.firstIndex(of: field["field"]?.string ?? "") ?? 99 }
        let hasDay = fields.contains { $0["field"] == "birthday" }
        return fields.filter { !(hasDay && $0["field"] == "birth_month") }.sorted { place($0) < place($1) }
    }

    /// One field with its values to choose from.
    private static func choice(_ desk: Desk, _ field: JSON, _ labels: [JSON], _ contacts: [JSON]) -> JSON {
        let (key, chosen) = (field["field"]?.string ?? "", field["choice"]?.string)
        func number(_ place: Int) -> String {
            "\(desk.texts["contact_number"]) \(contacts[place]["id"]?.scalarText ?? "")"
        }
        let sides = chosen == "both" ? ["both", "keep", "other"] : ["keep", "other"]
        return [
            "label": .string(desk.texts.label(key, labels)), "key": .string(key),
            "sides": .array(
                sides.map { side in
                    [
                        "value": .string(side), "is_chosen": .bool(side == chosen),
                        "title": .string(side == "both" ? desk.texts["merge_both"] : number(side == "keep" ? 0 : 1)),
                        "pieces": pieces(desk, field["field"], field[side == "both" ? "result" : side], labels),
                    ]
                }),
        ]
    }

    private static func pieces(_ desk: Desk, _ field: JSON?, _ value: JSON?, _ labels: [JSON]) -> JSON {
        .array(desk.texts.pieces(value ?? .null, of: field?.string ?? "", labels))
    }
}
