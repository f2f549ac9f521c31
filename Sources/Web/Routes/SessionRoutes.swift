import HTTPTypes
import Hub
import Store

extension Operations {
    static let sessions: [Operation] = [
        Operation(
            id: "signIn", method: .post, path: "\(prefix)/sessions",
            summary:
                "Signs in with e-mail and password. The session's token is shown only now; it is sent like an API token.",
            access: .open, body: .json(Schema.ref("SignIn"), limit: 10_000), responses: [201: Schema.ref("MadeToken")],
            errors: [401, 429],
            handle: { call in
                let made = try await call.services.node.signIn(
                    SignIn(
                        tenant: call.body["tenant"]?.string ?? "", email: call.body["email"]?.string ?? "",
                        password: call.body["password"]?.string ?? "", address: call.address,
                        agent: call.headers[.userAgent] ?? ""), gate: call.services.passwords)
                return Answer(201, ["id": .int(made.id), "token": .string(made.token.text)])
            }),
        Operation(
            id: "listSessions", method: .get, path: "\(prefix)/sessions",
            summary: "Where the caller is signed in.", access: .staff,
            responses: [200: Schema.page(Schema.ref("Session"))],
            handle: { call in .items(try await call.tenant.sessions(as: call.actor)) }),
        Operation(
            id: "endSession", method: .delete, path: "\(prefix)/sessions/{id}",
            summary: "Ends one of the caller's sessions; it stops working within a second.", access: .staff,
            parameters: [id("id", "The session's number.")], responses: [204: nil],
            handle: { call in
                try await call.tenant.endSession(call.id(), as: call.actor)
                return .empty
            }),
    ]

    static let account: [Operation] = [
        Operation(
            id: "getAccount", method: .get, path: "\(prefix)/account",
            summary: "The account the caller signed in to, and the number of this session.", access: .staff,
            responses: [200: Schema.ref("Account")],
            handle: { call in
                var account = try JSON(parsing: await call.tenant.account(as: call.actor))
                account["session"] = .int(call.grant.id)
                return Answer(account)
            }),
        Operation(
            id: "changePassword", method: .put, path: "\(prefix)/account/password",
            summary: "Changes the caller's password; the caller's other sessions end.", access: .staff,
            body: .json(Schema.ref("NewPassword"), limit: 10_000), responses: [204: nil], errors: [429],
            handle: { call in
                try await call.tenant.changePassword(
                    from: call.body["old"]?.string ?? "", to: call.body["new"]?.string ?? "", in: call.grant.id,
                    as: call.actor, gate: call.services.passwords)
                return .empty
            }),
    ]
}
