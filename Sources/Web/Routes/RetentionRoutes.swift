import HTTPTypes
import Hub
import Store

extension Operations {
    private static let ruleID = id("id", "Number of the rule.")

    static let retention: [Operation] = [
        Operation(
            id: "listRetention", method: .get, path: "\(prefix)/retention",
            summary: "Rules for how long contacts are kept; for who sees every contact.", access: .tenant(.config),
            responses: [200: Schema.page(Schema.ref("RetentionRule"))],
            handle: { call in .items(try await call.tenant.retentionRules(as: call.actor).bytes) }),
        Operation(
            id: "createRetention", method: .post, path: "\(prefix)/retention",
            summary: "Makes a rule, which is off until it is switched on: look at its preview first.",
            access: .tenant(.config), body: .json(Schema.ref("NewRetentionRule"), limit: 200_000),
            responses: [201: Schema.ref("RetentionRule")], errors: [409],
            handle: { call in
                try call.demand(.contactsWrite)
                let id = try await call.tenant.createRetention(RetentionEdit(call.body), as: call.actor)
                return Answer(201, try await call.tenant.retentionRule(id, as: call.actor))
            }),
        Operation(
            id: "editRetention", method: .patch, path: "\(prefix)/retention/{id}",
            summary: "Changes a rule, or switches it on or off. A rule that is on works once a day.",
            access: .tenant(.config), parameters: [ruleID],
            body: .json(Schema.ref("RetentionRuleEdit"), limit: 200_000),
            responses: [200: Schema.ref("RetentionRule")], errors: [409],
            handle: { call in
                try call.demand(.contactsWrite)
                let id = try call.id()
                try await call.tenant.editRetention(id, RetentionEdit(call.body), as: call.actor)
                return Answer(try await call.tenant.retentionRule(id, as: call.actor))
            }),
        Operation(
            id: "deleteRetention", method: .delete, path: "\(prefix)/retention/{id}",
            summary: "Removes a rule; what it ended stays so.", access: .tenant(.config), parameters: [ruleID],
            responses: [204: nil],
            handle: { call in
                try await call.tenant.deleteRetention(call.id(), as: call.actor)
                return .empty
            }),
        Operation(
            id: "previewRetention", method: .get, path: "\(prefix)/retention/{id}/preview",
            summary: "Whom a rule would end now: how many, and the first ten. Nothing is changed.",
            access: .tenant(.config), parameters: [ruleID], responses: [200: Schema.ref("RetentionPreview")],
            handle: { call in
                try call.demand(.contactsRead)
                return Answer(try await call.tenant.previewRetention(call.id(), as: call.actor))
            }),
    ]
}

extension RetentionEdit {
    init(_ body: JSON) {
        self.init()
        (name, subject, action) = (body["name"]?.string, body["subject"]?.string, body["action"]?.string)
        (state, condition, most) = (body["state"]?.string, body["condition"], body["most"]?.int.map { Int($0) })
    }
}
