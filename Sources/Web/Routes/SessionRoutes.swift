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
                        password: call.body["password"]?.string ?? "", code: call.body["code"]?.string,
                        address: call.address,
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
            id: "setLanguage", method: .put, path: "\(prefix)/account/language",
            summary: "The language the caller works in.", access: .staff, body: .json(Schema.ref("Language")),
            responses: [204: nil],
            handle: { call in
                try await call.tenant.setLanguage(call.body["language"]?.string ?? "", as: call.actor)
                return .empty
            }),
        Operation(
            id: "setPresence", method: .put, path: "\(prefix)/account/presence",
            summary: "Whether the caller is at work, for colleagues to see.", access: .staff,
            body: .json(Schema.ref("Presence")), responses: [204: nil],
            handle: { call in
                try await call.tenant.setPresence(
                    call.body["presence"]?.string ?? "", until: call.body["until"]?.string, as: call.actor)
                return .empty
            }),
        Operation(
            id: "getSecondFactor", method: .get, path: "\(prefix)/account/second-factor",
            summary: "Whether the caller's account has a second factor.", access: .staff,
            responses: [200: Schema.ref("SecondFactor")],
            handle: { call in Answer(try await call.tenant.secondFactor(as: call.actor)) }),
        Operation(
            id: "proposeSecondFactor", method: .post, path: "\(prefix)/account/second-factor",
            summary: "A secret for the caller's authenticator app, in force once a first code is given.",
            access: .staff,
            body: .json(Schema.ref("PresentPassword"), limit: 10_000), responses: [200: Schema.ref("ProposedFactor")],
            errors: [409, 429],
            handle: { call in
                let made = try await call.tenant.proposeFactor(
                    password: call.body["password"]?.string ?? "", as: call.actor,
                    gate: call.services.passwords)
                return Answer(["secret": .string(made.secret), "address": .string(made.address)])
            }),
        Operation(
            id: "confirmSecondFactor", method: .put, path: "\(prefix)/account/second-factor",
            summary:
                "Puts it in force by a first code; the caller's other sessions end. The recovery codes are shown only now.",
            access: .staff, body: .json(Schema.ref("FactorCode"), limit: 10_000),
            responses: [200: Schema.ref("RecoveryCodes")],
            handle: { call in
                let codes = try await call.tenant.confirmFactor(
                    code: call.body["code"]?.string ?? "", in: call.grant.id, as: call.actor)
                return Answer(["recovery_codes": .array(codes.map(JSON.string))])
            }),
        Operation(
            id: "removeSecondFactor", method: .post, path: "\(prefix)/account/second-factor/removal",
            summary: "Takes the caller's second factor away.", access: .staff,
            body: .json(Schema.ref("PresentPassword"), limit: 10_000), responses: [204: nil], errors: [404, 429],
            handle: { call in
                try await call.tenant.removeFactor(
                    password: call.body["password"]?.string ?? "", as: call.actor, gate: call.services.passwords)
                return .empty
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
