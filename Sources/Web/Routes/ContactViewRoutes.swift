import HTTPTypes
import Hub
import Store

extension Operations {
    static let contactViews: [Operation] = [
        Operation(
            id: "contactHistory", method: .get, path: "\(prefix)/contacts/{id}/history",
            summary: "What happened to a contact, newest first.", access: .tenant(.contactsRead),
            parameters: [contactID, limit, cursor], responses: [200: Schema.page(Schema.ref("HistoryEntry"))],
            handle: { call in
                let page = try await call.tenant.history(
                    of: call.id(), before: call.cursor(), limit: call.limit, as: call.actor)
                return .page(page.json, next: page.next)
            }),
        Operation(
            id: "explainContact", method: .get, path: "\(prefix)/contacts/{id}/explain",
            summary: "Why each system did or did not get this contact, and what would change that.",
            access: .tenant(.contactsRead),
            parameters: [
                contactID, .query("connector", Schema.text(1, 100), "A connector's name, to ask about that one only."),
            ],
            responses: [200: Schema.ref("Explanation")],
            handle: { call in
                Answer(try await call.tenant.explain(call.id(), connector: call.text("connector"), as: call.actor))
            }),
        Operation(
            id: "contactBindings", method: .get, path: "\(prefix)/contacts/{id}/bindings",
            summary: "Where else a contact is, and what was agreed on there.", access: .tenant(.contactsRead),
            parameters: [contactID], responses: [200: Schema.page(Schema.ref("Binding"))],
            handle: { call in .items(try await call.tenant.bindings(of: call.id(), as: call.actor)) }),
        Operation(
            id: "contactAttempts", method: .get, path: "\(prefix)/contacts/{id}/attempts",
            summary: "Attempts to deliver a contact, newest first.", access: .tenant(.contactsRead),
            parameters: [contactID, limit, cursor], responses: [200: Schema.page(Schema.ref("Attempt"))],
            handle: { call in
                let page = try await call.tenant.attempts(
                    of: call.id(), before: call.cursor(), limit: call.limit, as: call.actor)
                return .page(page.json, next: page.next)
            }),
        Operation(
            id: "listDecisions", method: .get, path: "\(prefix)/decisions",
            summary: "What every plugin said to each change, newest first.", access: .tenant(.contactsRead),
            parameters: [
                .query("contact", Schema.id, "Of this contact only."),
                .query("connector", Schema.id, "Those alone about which a plugin of this connector said something."),
                .query("verdict", Schema.text(1, 40), "Those alone of which it said this, such as missing_tag."), limit,
                cursor,
            ],
            responses: [200: Schema.page(Schema.ref("Decision"))],
            handle: { call in
                let page = try await call.tenant.decisions(
                    contact: call.query["contact"]?.int, connector: call.query["connector"]?.int,
                    verdict: call.text("verdict"), before: call.cursor(), limit: call.limit, as: call.actor)
                return .page(page.json, next: page.next)
            }),
    ]

    static let conflicts: [Operation] = [
        Operation(
            id: "listConflicts", method: .get, path: "\(prefix)/conflicts",
            summary: "Fields that both sides had changed, newest first.", access: .tenant(.contactsRead),
            parameters: [
                .query("contact", Schema.id, "Of this contact only."),
                .query("settled", Schema.flag, "Only those that somebody settled, or only the others."), limit, cursor,
            ], responses: [200: Schema.page(Schema.ref("Conflict"))],
            handle: { call in
                let page = try await call.tenant.conflicts(
                    contact: call.query["contact"]?.int, isSettled: call.query["settled"]?.bool, before: call.cursor(),
                    limit: call.limit, as: call.actor)
                return .page(page.json, next: page.next)
            }),
        Operation(
            id: "settleConflict", method: .post, path: "\(prefix)/conflicts/{id}/settle",
            summary: "Settles a conflict: the chosen side's value becomes the contact's.",
            access: .tenant(.contactsWrite),
            parameters: [id("id", "The conflict's number.")], body: .json(Schema.ref("Settlement")),
            responses: [204: nil],
            errors: [409],
            handle: { call in
                try await call.tenant.settleConflict(
                    call.id(), takesRemote: call.body["keep"] == "remote", as: call.actor)
                return .empty
            }),
        Operation(
            id: "listDuplicates", method: .get, path: "\(prefix)/duplicates",
            summary: "Pairs of contacts that may be the same person.", access: .tenant(.contactsRead),
            parameters: [
                .query("state", Schema.choice(["open", "merged", "different"]), "“open” unless told."), limit, cursor,
            ],
            responses: [200: Schema.page(Schema.ref("Duplicate"))],
            handle: { call in
                let (a, b) = try call.cursorPair()
                let page = try await call.tenant.duplicates(
                    state: call.text("state") ?? "open", after: (a: a, b: b), limit: call.limit, as: call.actor)
                return .page(page.json, next: page.next)
            }),
    ]
}
