import HTTPTypes
import Hub
import Store

extension Operations {
    static let contacts: [Operation] = [
        Operation(
            id: "listContacts", method: .get, path: "\(prefix)/contacts",
            summary: "A page of living contacts, by number.",
            access: .tenant(.contactsRead),
            parameters: which + [limit, cursor], responses: [200: Schema.page(Schema.ref("Contact"))], errors: [422],
            handle: list),
        Operation(
            id: "exportContacts", method: .get, path: "\(prefix)/exports/contacts.csv",
            summary: "A CSV file of the contacts and fields that the caller sees. It is in the audit log.",
            access: .tenant(.feed), parameters: which, responses: [200: Schema.string], answerType: "text/csv",
            errors: [422],
            handle: { call in
                let query = try await query(call)
                let (tenant, actor) = (call.tenant, call.actor)
                try await tenant.demandExport(as: actor)
                return Answer(contentType: "text/csv; charset=utf-8") { writer in
                    _ = try await tenant.writeContacts(query, as: actor) { try await writer.write($0) }
                }.with(.contentDisposition, "attachment; filename=\"contacts.csv\"")
            }),
        Operation(
            id: "editContacts", method: .post, path: "\(prefix)/contact-edits",
            summary: "Changes many contacts in one run: those named, or all that are found.",
            access: .tenant(.contactsWrite),
            body: .json(Schema.ref("ContactsEdit"), limit: 2_000_000), responses: [202: Schema.ref("Run")],
            handle: { call in
                let body = call.body
                var edit = BulkEdit()
                edit.set = body["set"] ?? [:]
                edit.addedTags = body["add_tags"]?.array?.compactMap(\.string) ?? []
                edit.removedTags = body["remove_tags"]?.array?.compactMap(\.string) ?? []
                let ids = body["ids"]?.array?.compactMap(\.int)
                let query = try await query(
                    call, text: body["q"]?.string, tag: body["tag"]?.string, condition: body["condition"])
                guard ids != nil || query.text != nil || query.condition != nil || body["all"] == true else {
                    throw Failure(
                        .invalid, "edit.everybody",
                        "Say which contacts: ids, q, tag, condition, or all, to change every one.")
                }
                var params: JSON = [:]
                if let most = body["max_changes"] { params["max_changes"] = most }
                let run = try await call.tenant.createEdit(
                    edit, ids: ids, query: query, params: params, isDry: body["dry"] == true, as: call.actor)
                return try await accepted(run, call)
            }),
        Operation(
            id: "createContact", method: .post, path: "\(prefix)/contacts", summary: "Makes a contact.",
            access: .tenant(.contactsWrite),
            parameters: [
                .header(
                    "Idempotency-Key", Schema.text(1, 200),
                    "A key of the caller's choice: the same request sent again is answered as before, and nothing is made twice."
                )
            ], body: .json(Schema.ref("ContactFields")), responses: [201: Schema.ref("Contact")], errors: [409],
            handle: { call in
                func made(_ contact: StoredContact) -> Answer {
                    tagged(contact, 201).with(.location, "\(prefix)/contacts/\(contact.id)")
                }
                return try await Idempotency.once(
                    call, operation: "createContact",
                    again: { made(try await call.tenant.contact($0, as: call.actor)) }
                ) { key in
                    made(
                        try await call.tenant.createContact(
                            as: call.actor, fields: call.body["fields"] ?? .null, key: key))
                }
            }),
        Operation(
            id: "getContact", method: .get, path: "\(prefix)/contacts/{id}",
            summary: "One contact, also a deleted one.",
            access: .tenant(.contactsRead), parameters: [contactID], responses: [200: Schema.ref("Contact")],
            handle: { call in
                let contact = try await call.tenant.contact(call.id(), as: call.actor)
                call.noteRead([contact.id])
                return tagged(contact)
            }),
        Operation(
            id: "editContact", method: .patch, path: "\(prefix)/contacts/{id}",
            summary: "Changes the fields that are given; null takes one away.", access: .tenant(.contactsWrite),
            parameters: [contactID, ifMatch], body: .json(Schema.ref("ContactFields")),
            responses: [200: Schema.ref("Contact")], errors: [412],
            handle: { call in
                tagged(
                    try await call.tenant.editContact(
                        call.id(), as: call.actor, version: call.seenVersion(), changes: call.body["fields"] ?? .null))
            }),
        Operation(
            id: "deleteContact", method: .delete, path: "\(prefix)/contacts/{id}",
            summary: "Deletes a contact here and in the systems that have it; it can be restored.",
            access: .tenant(.contactsWrite), parameters: [contactID, ifMatch], responses: [204: nil], errors: [412],
            handle: { call in
                try await call.tenant.deleteContact(call.id(), as: call.actor, version: call.seenVersion())
                return .empty
            }),
        Operation(
            id: "restoreContact", method: .post, path: "\(prefix)/contacts/{id}/restore",
            summary: "Brings a deleted contact back.",
            access: .tenant(.contactsWrite), parameters: [contactID], responses: [200: Schema.ref("Contact")],
            handle: { call in
                try await call.tenant.restoreContact(call.id(), as: call.actor)
                return tagged(try await call.tenant.contact(call.id(), as: call.actor))
            }),
        Operation(
            id: "eraseContact", method: .post, path: "\(prefix)/contacts/{id}/erase",
            summary: "Erases a contact for good, with its history.", access: .tenant(.contactsWrite),
            parameters: [contactID],
            responses: [200: Schema.ref("Erasure")],
            handle: { call in Answer(try await call.tenant.eraseContact(call.id(), as: call.actor)) }),
        Operation(
            id: "setLocks", method: .put, path: "\(prefix)/contacts/{id}/locks",
            summary: "Holds fields by hand: no sync changes them. The list replaces the one before.",
            access: .tenant(.contactsWrite), parameters: [contactID], body: .json(Schema.ref("Locks")),
            responses: [200: Schema.ref("Contact")],
            handle: { call in
                let fields = Set(call.body["fields"]?.array?.compactMap(\.string) ?? [])
                return tagged(try await call.tenant.setLocks(call.id(), as: call.actor, fields: fields.sorted()))
            }),
        Operation(
            id: "setOwner", method: .put, path: "\(prefix)/contacts/{id}/owner",
            summary: "Makes a contact a member of staff's client, or nobody's.",
            access: .tenant(.contactsWrite), parameters: [contactID, ifMatch], body: .json(Schema.ref("Owner")),
            responses: [204: nil], errors: [412],
            handle: { call in
                try await call.tenant.setOwner(
                    of: call.id(), to: call.body["owner"]?.int, as: call.actor, version: call.seenVersion())
                return .empty
            }),
        Operation(
            id: "addConsent", method: .post, path: "\(prefix)/contacts/{id}/consents",
            summary: "Adds evidence of a consent given or withdrawn; the newest evidence counts.",
            access: .tenant(.contactsWrite), parameters: [contactID], body: .json(Schema.ref("NewConsent")),
            responses: [200: Schema.ref("Contact")],
            handle: { call in
                tagged(
                    try await call.tenant.addConsent(
                        call.id(), as: call.actor, purpose: call.body["purpose"]?.string ?? "",
                        granted: call.body["granted"]?.bool ?? false, at: call.body["at"]?.string,
                        source: call.body["source"]?.string ?? "", proof: call.body["proof"]?.string,
                        wording: call.body["wording"]?.int))
            }),
    ]

    /// Which contacts.
    private static let which: [Parameter] = [
        .query("q", Schema.text(1, 200), "Any part of a name, e-mail address, telephone number or other value."),
        .query("tag", Schema.text(1, 100), "A tag they must have."),
        .query("condition", Schema.text(1, 3000), "A condition they must meet, as JSON (docs/conditions.md)."),
    ]

    static let contactID = id("id", "The contact's number.")

    /// A contact with its version as ETag.
    static func tagged(_ contact: StoredContact, _ status: Int = 200) -> Answer {
        Answer(status, json: contact.json).with(.eTag, "\"v\(contact.version)\"")
    }

    @Sendable private static func list(_ call: Call) async throws -> Answer {
        var query = try await query(call)
        query.limit = call.limit
        query.after = try call.cursor() ?? 0
        let page = try await call.tenant.contacts(query, as: call.actor)
        call.noteRead(page.ids)
        return .page(page.json, next: page.ids.count == query.limit ? page.ids.last.map { String($0) } : nil)
    }

    /// Which contacts the parameters ask for.
    private static func query(_ call: Call) async throws -> ContactQuery {
        var condition: JSON?
        if let text = call.text("condition") {
            do {
                condition = try JSON(text: text)
            } catch {
                throw RequestFault.query("query.invalid", "The condition is no JSON text: \(error).", "condition")
            }
        }
        return try await query(call, text: call.text("q"), tag: call.text("tag"), condition: condition)
    }

    private static func query(_ call: Call, text: String?, tag: String?, condition: JSON?) async throws -> ContactQuery
    {
        var query = ContactQuery()
        query.text = text
        var conditions: [Condition] = []
        if let tag { conditions.append(.leaf(.tag(tag))) }
        if let condition {
            conditions.append(try Condition.checked(condition, await call.tenant.catalogue(as: call.actor)))
        }
        if !conditions.isEmpty { query.condition = .all(conditions) }
        return query
    }
}
