import HTTPTypes
import Hub
import Store

extension Operations {
    static let audit: [Operation] = [
        Operation(
            id: "listAudit", method: .get, path: "\(prefix)/audit",
            summary: "Who read, exported, changed rights, credentials, settings and accounts; newest first.",
            access: .tenant(.audit),
            parameters: [
                .query("actor", Schema.text(1, 40), "Such as staff:7."),
                .query("action", Schema.text(1, 40), "Such as read, changed, export.begun, session.begun."),
                .query("entity", Schema.text(1, 40), "Such as contact, role, connector."),
                .query("record", Schema.id, "Number of the record."), limit, cursor,
            ], responses: [200: Schema.page(Schema.ref("AuditEntry"))],
            handle: { call in
                var query = AuditQuery()
                (query.actor, query.action, query.entity) = (
                    call.text("actor"), call.text("action"), call.text("entity")
                )
                (query.record, query.before, query.limit) = (call.query["record"]?.int, try call.cursor(), call.limit)
                let page = try await call.tenant.audit(query, as: call.actor)
                return .page(page.json, next: page.count == query.limit ? page.last.map { String($0) } : nil)
            }),
        Operation(
            id: "verifyAudit", method: .get, path: "\(prefix)/audit/verification",
            summary: "Works the chain of hashes out anew: whether no entry was changed, removed or put in.",
            access: .tenant(.audit),
            parameters: [
                .query("place", Schema.id, "With `hash`: an end of the chain that was kept elsewhere."),
                .query("hash", ["type": "string", "pattern": "^[0-9a-f]{64}$"], "Its hash, in hexadecimal digits."),
            ], responses: [200: Schema.ref("AuditVerification")],
            handle: { call in
                var known: (place: Int64, hash: String)?
                if let place = call.query["place"]?.int, let hash = call.text("hash") { known = (place, hash) }
                return Answer(try await call.tenant.verifyAudit(known: known, as: call.actor))
            }),
        Operation(
            id: "listAlerts", method: .get, path: "\(prefix)/alerts",
            summary:
                "Actors and connectors that read, export, edit, delete or fail far more than they ever did; newest first.",
            access: .tenant(.audit),
            parameters: [.query("open", Schema.flag, "Those alone that nobody has seen yet."), limit],
            responses: [200: Schema.page(Schema.ref("Alert"))],
            handle: { call in
                .items(
                    try await call.tenant.alerts(openOnly: call.flag("open"), limit: call.limit, as: call.actor))
            }),
        Operation(
            id: "seeAlert", method: .post, path: "\(prefix)/alerts/{id}/seen",
            summary: "Notes that somebody has seen to it. A connector that was paused stays so until it is resumed.",
            access: .tenant(.audit), parameters: [id("id", "Number of the alert.")], responses: [204: nil],
            handle: { call in
                try await call.tenant.setSeen(alert: call.id(), as: call.actor)
                return .empty
            }),
    ]
}
