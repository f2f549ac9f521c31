import HTTPTypes
import Hub
import Store

extension Operations {
    static let views: [Operation] = [
        Operation(
            id: "listViews", method: .get, path: "\(prefix)/views",
            summary: "Lists of contacts that the caller, or a colleague for all, has saved.", access: .staff,
            responses: [200: Schema.page(Schema.ref("View"))],
            handle: { call in .items(try await call.tenant.savedViews(as: call.actor)) }),
        Operation(
            id: "saveView", method: .post, path: "\(prefix)/views",
            summary: "Saves what a list of contacts is asked for; one's own of the same name is replaced.",
            access: .staff, body: .json(Schema.ref("NewView"), limit: 10_000),
            responses: [201: Schema.object(["id": Schema.id])], errors: [409],
            handle: { call in
                guard case .staff(let account) = call.actor else { throw Caller.noSession }
                var query: JSON = [:]
                for key in ["q", "tag", "segment"] { query[key] = call.body[key] }
                let id = try await call.tenant.saveView(
                    call.body["name"]?.string ?? "", query: query, isShared: call.body["shared"] == true,
                    as: call.actor, account: account)
                return Answer(201, ["id": .int(id)])
            }),
        Operation(
            id: "deleteView", method: .delete, path: "\(prefix)/views/{id}", summary: "Deletes a view of one's own.",
            access: .staff, parameters: [id("id", "The view's number.")], responses: [204: nil],
            handle: { call in
                try await call.tenant.deleteView(call.id(), as: call.actor)
                return .empty
            }),
    ]
}
