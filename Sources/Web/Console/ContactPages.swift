import HTTPTypes
import Hub
import Store

extension Operations {

    static let contactPages: [Operation] = [
        page(
            "console.export", "/contacts/export", access: .tenant(.feed),
            query: ContactListQuery.parameters
        ) { desk in
            try await desk.call.answer("exportContacts", query: ContactListQuery(desk.call).asked())
        },
        page("console.preferences", "/contacts/{id}/preferences", access: .tenant(.contactsWrite)) { desk in
            let link = try await desk.call.ask("preferenceLink", desk.call.path)
            return desk.go(link["path"]?.string ?? "/")
        },
        page("console.newContact", "/contacts/new", access: .tenant(.contactsWrite)) { desk in
            try await editPage(desk, nil)
        },
        action("console.addContact", "/contacts/new", access: .tenant(.contactsWrite)) { desk, form in
            do {
                let fields = try await typed(desk, form, before: [:])
                let made = try await desk.call.ask("createContact", body: ["fields": .object(fields)])
                return desk.go("/contacts/\(made["id"]?.scalarText ?? "")", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try await editPage(desk, nil, form, failure)
            }
        },
        page("console.contact", "/contacts/{id}", access: .tenant(.contactsRead)) { desk in
            try await ContactCard(desk).answer()
        },
        page("console.editContact", "/contacts/{id}/edit", access: .tenant(.contactsWrite)) {
            desk in
            try await editPage(desk, try await desk.call.ask("getContact", desk.call.path))
        },
        action("console.saveContact", "/contacts/{id}/edit", access: .tenant(.contactsWrite)) { desk, form in
            let contact = try await desk.call.ask("getContact", desk.call.path)
            do {
                let fields = try await typed(desk, form, before: contact["fields"]?.object ?? [:])
                if !fields.isEmpty {
                    try await desk.call.ask(
                        "editContact", desk.call.path, body: ["fields": .object(fields)],
                        version: Int64(form["version"]))
                }
                return desk.go("/contacts/\(desk.call.path["id"] ?? "")", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try await editPage(desk, contact, form, failure)
            }
        },
        action("console.deleteContact", "/contacts/{id}/delete", access: .tenant(.contactsWrite)) { desk, form in
            try await desk.call.ask("deleteContact", desk.call.path, version: Int64(form["version"]))
            return desk.go("/contacts", notice: "deleted")
        },
        action("console.restoreContact", "/contacts/{id}/restore", access: .tenant(.contactsWrite)) { desk, _ in
            try await desk.call.ask("restoreContact", desk.call.path)
            return desk.go("/contacts/\(desk.call.path["id"] ?? "")", notice: "restored")
        },
        action("console.addConsent", "/contacts/{id}/consents", access: .tenant(.contactsWrite)) { desk, form in
            var consent: JSON = [
                "purpose": .string(form["purpose"]), "granted": .bool(form["granted"] == "true"), "source": "console",
            ]
            if !form["proof"].isEmpty { consent["proof"] = .string(form["proof"]) }
            try await desk.call.ask("addConsent", desk.call.path, body: consent)
            return desk.go("/contacts/\(desk.call.path["id"] ?? "")", notice: "saved")
        },
        page("console.subject", "/contacts/{id}/data", access: .tenant(.feed)) { desk in
            try await desk.call.answer("exportSubjectPage", desk.call.path)
        },
        action("console.erase", "/contacts/{id}/erase", access: .tenant(.contactsWrite)) { desk, _ in
            try await desk.call.ask("eraseContact", desk.call.path)
            return desk.go("/contacts/\(desk.call.path["id"] ?? "")", notice: "erased")
        },
        action("console.lock", "/contacts/{id}/locks", access: .tenant(.contactsWrite)) { desk, form in
            let contact = try await desk.call.ask("getContact", desk.call.path)
            var locks = Set((contact["locks"]?.array ?? []).compactMap(\.string))
            if form["held"] == "true" { locks.insert(form["field"]) } else { locks.remove(form["field"]) }
            try await desk.call.ask(
                "setLocks", desk.call.path, body: ["fields": .array(locks.sorted().map(JSON.string))])
            return desk.go("/contacts/\(desk.call.path["id"] ?? "")", notice: "saved")
        },
        action("console.retryContact", "/contacts/{id}/retry", access: .tenant(.runs)) { desk, _ in
            try await desk.call.ask("getContact", desk.call.path)
            try await desk.call.ask("retryDeliveries", body: ["record": .int(try desk.call.id())])
            return desk.go("/contacts/\(desk.call.path["id"] ?? "")", notice: "retried")
        },
    ]

    /// Fields of the form, by how they are typed: one line, a list of lines.
    private static let lines = ["given_name", "family_name", "company", "job_title", "language", "birthday"]
    private static let lists = ["emails", "phones"]

    private static func editPage(
        _ desk: Desk, _ contact: JSON?, _ form: FormBody? = nil, _ failure: Failure? = nil
    ) async throws -> Answer {
        let fields = contact?["fields"] ?? [:]
        func value(_ key: String, _ stored: String) -> JSON { .string(form?.raw(key) ?? stored) }
        var model: JSON = [
            // a form that was overtaken stays so: what others changed is not written over unseen
            "version": form.map { .string($0["version"]) } ?? contact?["version"] ?? .null,
            "is_stale": .bool(failure?.kind == .stale),
            "back": .string(contact?["id"].map { "/contacts/\($0.scalarText ?? "")" } ?? "/contacts"),
            "notes": value("notes", fields["notes"]?.string ?? ""),
            "tags": value("tags", (fields["tags"]?.array ?? []).compactMap(\.string).joined(separator: "\n")),
            "lines": .array(
                lines.map { key in
                    [
                        "key": .string(key), "label": .string(desk.texts.field(key)),
                        "value": value(key, fields[key]?.scalarText ?? ""), "type": key == "birthday" ? "date" : "text",
                    ]
                }),
            "lists": .array(
                lists.map { key in
                    let stored = (fields[key]?.array ?? []).compactMap { $0["value"]?.string }.joined(separator: "\n")
                    return ["key": .string(key), "label": .string(desk.texts.field(key)), "value": value(key, stored)]
                }),
        ]
        let own = try await desk.call.ask("listFields")["items"]?.array ?? []
        model["own"] = .array(own.filter { $0["is_standard"] == false }.compactMap { ownField(desk, $0, fields, form) })
        return try desk.page(
            "contact-edit", title: contact?["name"]?.string ?? desk.texts["contact_new"], place: "/contacts",
            failure: failure, model)
    }

    /// A field of the tenant's own in the form; nil for types that are edited elsewhere.
    private static func ownField(_ desk: Desk, _ field: JSON, _ fields: JSON, _ form: FormBody?) -> JSON? {
        let (key, type) = (field["key"]?.string ?? "", field["type"]?.string ?? "")
        guard ["text", "number", "date", "choice", "link", "flag"].contains(type) else { return nil }
        let stored = form?.raw("own.\(key)") ?? fields[key]?.scalarText ?? ""
        let choices = type == "flag" ? ["true", "false"] : (field["choices"]?.array ?? []).compactMap(\.string)
        return [
            "key": .string(key), "label": field["label"] ?? .string(key), "value": .string(stored),
            "type": type == "date" ? "date" : type == "link" ? "url" : "text", "is_choice": .bool(!choices.isEmpty),
            "is_text": .bool(type == "text"),
            "choices": .array(
                choices.map { choice in
                    [
                        "value": .string(choice), "is_chosen": .bool(choice == stored),
                        "text": .string(type == "flag" ? desk.texts["flag_\(choice)"] : choice),
                    ]
                }),
        ]
    }

    /// What was changed in the form, as the interface takes it; null for what was emptied.
    private static func typed(_ desk: Desk, _ form: FormBody, before: [String: JSON]) async throws -> [String: JSON] {
        var fields: [String: JSON] = [:]
        func put(_ key: String, _ value: JSON) { if value != before[key] ?? .null { fields[key] = value } }
        for key in lines + ["notes"] where form.has(key) { put(key, form[key].isEmpty ? .null : .string(form[key])) }
        for key in lists where form.has(key) {
            let known = before[key]?.array ?? []
            let values = form.lines(key).map { line in
                known.first { $0["value"]?.string == line } ?? ["value": .string(line)]
            }
            put(key, values.isEmpty ? .null : .array(values))
        }
        if form.has("tags") {
            let tags = form.lines("tags").map(JSON.string)
            if Set(tags) != Set(before["tags"]?.array ?? []) { fields["tags"] = tags.isEmpty ? .null : .array(tags) }
        }
        let own = try await desk.call.ask("listFields")["items"]?.array ?? []
        for field in own {
            guard let key = field["key"]?.string, form.has("own.\(key)") else { continue }
            let text = form["own.\(key)"]
            switch field["type"]?.string {
            case _ where text.isEmpty: put(key, .null)
            case "number": put(key, Double(text).flatMap { $0.isFinite ? .double($0) : nil } ?? .string(text))
            case "flag": put(key, .bool(text == "true"))
            default: put(key, .string(text))
            }
        }
        return fields
    }
}
