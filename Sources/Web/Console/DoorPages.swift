import HTTPTypes
import Hub
import Store

/// Pages before somebody is signed in, and the way out.
extension Operations {
    static let door: [Operation] = [
        Operation(
            id: "console.asset", method: .get, path: "/assets/{name}", summary: "A file for the browser.",
            access: .open,
            parameters: [name("name", Schema.string, "Its name.")], responses: [200: nil], isDocumented: false,
            handle: { call in
                guard let console = call.services.console else { throw Failure.notFound("address") }
                return try console.assets.answer(
                    call.path["name"] ?? "", packed: Gzip.isTaken(call.headers[.acceptEncoding]))
            }),
        openPage("console.signIn", "/sign-in", query: [.query("next", Schema.text(0, 2000), "Where to go then.")]) {
            desk in
            try signInPage(desk, next: desk.call.text("next") ?? "")
        },
        openAction("console.doSignIn", "/sign-in") { desk, form in
            var given: [String: JSON] = [
                "tenant": .string(form["tenant"]), "email": .string(form["email"]),
                "password": .string(form.raw("password")),
            ]
            if !form["code"].isEmpty { given["code"] = .string(form["code"]) }
            do {
                let made = try await desk.call.ask("signIn", body: .object(given))
                let session = ConsoleSession.field(made["token"]?.string, isSecure: desk.call.services.isSecure)
                return desk.go(inside(form["next"])).adding(.setCookie, session)
            } catch let failure as Failure where failure.kind != .broken {
                let status = failure.kind == .tooMany ? 429 : 401
                return try signInPage(desk, next: form["next"], form, failure, status: status)
            }
        },
        action("console.signOut", "/sign-out") { desk, _ in
            try await desk.call.ask("endSession", ["id": String(desk.call.grant.id)])
            return desk.go("/sign-in").adding(
                .setCookie, ConsoleSession.field(nil, isSecure: desk.call.services.isSecure))
        },
        openPage("console.forgot", "/forgot-password") { desk in
            try desk.page("forgot", title: desk.texts["forgot_title"], [:])
        },
        openAction("console.doForgot", "/forgot-password") { desk, form in
            do {
                try await desk.call.ask(
                    "askPasswordReset", body: ["tenant": .string(form["tenant"]), "email": .string(form["email"])])
                return try desk.page("forgot", title: desk.texts["forgot_title"], ["done": true])
            } catch let failure as Failure where failure.kind != .broken {
                return try desk.page(
                    "forgot", title: desk.texts["forgot_title"], status: Problem.status(failure.kind),
                    ["error": .string(desk.texts.said(failure))])
            }
        },
        openPage(
            "console.invitation", "/invitations/{token}"
        ) { desk in
            try desk.page("invitation", title: desk.texts["invitation_title"], [:])
        },
        openAction(
            "console.accept", "/invitations/{token}"
        ) { desk, form in
            do {
                guard form.raw("password") == form.raw("again") else {
                    throw Failure(.invalid, "password.unequal", "The two passwords are not the same.")
                }
                try await desk.call.ask(
                    "acceptInvitation",
                    body: ["token": .string(desk.call.path["token"] ?? ""), "password": .string(form.raw("password"))])
                return try desk.page("invitation", title: desk.texts["invitation_title"], ["done": true])
            } catch let failure as Failure where failure.kind != .broken {
                return try desk.page(
                    "invitation", title: desk.texts["invitation_title"], status: Problem.status(failure.kind),
                    ["error": .string(desk.texts.said(failure))])
            }
        },
    ]

    static func openPage(
        _ id: String, _ path: String, query: [Parameter] = [], _ show: @escaping @Sendable (Desk) throws -> Answer
    ) -> Operation {
        Operation(
            id: id, method: .get, path: path, summary: "A page of the console.", access: .open,
            parameters: query + places(path), responses: [200: Schema.string], answerType: "text/html",
            isDocumented: false, isPage: true, handle: { try show(try Desk.outside($0)) })
    }

    private static func signInPage(
        _ desk: Desk, next: String, _ form: FormBody? = nil, _ failure: Failure? = nil, status: Int = 200
    ) throws -> Answer {
        var model: JSON = [
            "next": .string(next), "tenant": .string(form?["tenant"] ?? ""), "email": .string(form?["email"] ?? ""),
        ]
        model["error"] = failure.map { .string(desk.texts.said($0)) }
        model["needs_code"] = .bool(failure?.code == "sign_in.code")
        return try desk.page("sign-in", title: desk.texts["sign_in_title"], status: status, model)
    }

    /// Where somebody wanted to go, if it is within these pages.
    private static func inside(_ path: String) -> String {
        path.hasPrefix("/") && !path.hasPrefix("//") && !path.contains("\\")
            && path.utf8.allSatisfy { 0x21...0x7E ~= $0 } ? path : "/"
    }
}
