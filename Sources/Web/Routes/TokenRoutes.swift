import HTTPTypes
import Hub
import Store

extension Operations {
    static let tokens: [Operation] = [
        Operation(
            id: "listTokens", method: .get, path: "\(prefix)/tokens",
            summary: "The tenant's tokens; of each its beginning.",
            access: .tenant(.tokens), responses: [200: Schema.page(Schema.ref("Token"))],
            handle: { call in .items(try await call.tenant.tokens(as: call.actor)) }),
        Operation(
            id: "createToken", method: .post, path: "\(prefix)/tokens",
            summary: """
                Makes a token, which is shown only now. It allows no more than the one it is made with; with a role, no more than \
                that role does, row by row and field by field.
                """,
            access: .tenant(.tokens), body: .json(Schema.ref("NewToken")), responses: [201: Schema.ref("MadeToken")],
            handle: { call in
                let scopes = call.body["scopes"]?.array?.compactMap(\.string) ?? []
                guard call.scopes.isSuperset(of: scopes) else {
                    throw Failure(
                        .forbidden, "scope.exceeds", "A token cannot make one that allows more than it does itself.")
                }
                let token = try await call.tenant.addToken(
                    as: call.actor, label: call.body["label"]?.string ?? "", scopes: scopes,
                    expiresAt: call.body["expires_at"]?.string, role: call.body["role"]?.int)
                return Answer(201, ["id": .int(token.id), "token": .string(token.text)])
            }),
        Operation(
            id: "revokeToken", method: .delete, path: "\(prefix)/tokens/{id}",
            summary: "Revokes a token; it stops working within a second.", access: .tenant(.tokens),
            parameters: [id("id", "The token's number.")], responses: [204: nil],
            handle: { call in
                try await call.tenant.revokeToken(call.id(), as: call.actor)
                return .empty
            }),
    ]
}
