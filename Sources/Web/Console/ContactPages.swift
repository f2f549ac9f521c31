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
            try await ContactForm.open(desk).page(nil)
        },
        action("console.addContact", "/contacts/new", access: .tenant(.contactsWrite)) { desk, form in
            let page = try await ContactForm.open(desk)
            do {
                let made = try await desk.call.ask(
                    "createContact", body: ["fields": .object(page.changes(form, before: [:]))])
                return desk.go("/contacts/\(made["id"]?.scalarText ?? "")", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try page.page(nil, form, failure)
            }
        },
        page("console.contact", "/contacts/{id}", access: .tenant(.contactsRead)) { desk in
            try await ContactCard(desk).answer()
        },
        page("console.editContact", "/contacts/{id}/edit", access: .tenant(.contactsWrite)) {
            desk in
            try await ContactForm.open(desk).page(try await desk.call.ask("getContact", desk.call.path))
        },
        action("console.saveContact", "/contacts/{id}/edit", access: .tenant(.contactsWrite)) { desk, form in
            let contact = try await desk.call.ask("getContact", desk.call.path)
            let page = try await ContactForm.open(desk)
            do {
                let fields = page.changes(form, before: contact["fields"]?.object ?? [:])
                if !fields.isEmpty {
                    try await desk.call.ask(
                        "editContact", desk.call.path, body: ["fields": .object(fields)],
                        version: Int64(form["version"]))
                }
                return desk.go("/contacts/\(desk.call.path["id"] ?? "")", notice: "saved")
            } catch let failure as Failure where failure.kind != .broken {
                return try page.page(contact, form, failure)
            }
        },
        action("console.setOwner", "/contacts/{id}/owner", access: .tenant(.contactsWrite)) { desk, form in
            try await desk.call.ask(
                "setOwner", desk.call.path, body: ["owner": Int64(form["owner"]).map { .int($0) } ?? .null],
                version: Int64(form["version"]))
            return desk.go("/contacts/\(desk.call.path["id"] ?? "")", notice: "saved")
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
        action("console.retryContact", "/contacts/{id}/retry", access: .tenant(.runs)) { desk, form in
            try await desk.call.ask("getContact", desk.call.path)
            try await desk.call.ask("retryDeliveries", body: ["record": .int(try desk.call.id())])
            let isOfMany = form["from"] == "problems"
            return desk.go(isOfMany ? "/problems" : "/contacts/\(desk.call.path["id"] ?? "")", notice: "retried")
        },
    ]
}
