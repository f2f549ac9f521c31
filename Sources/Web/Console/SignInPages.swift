import Cryptography
import Foundation
import Hub
import Store

/// Letting Kontor in at another system on that system's own page: there and back.
enum SignInPages {
    /// The service as the browser reaches it.
    static func origin(_ desk: Desk) -> String {
        "\(desk.call.services.isSecure ? "https" : "http")://\(desk.call.host ?? "localhost")"
    }

    /// Where the other system sends people back to; it wants to know that address beforehand.
    static func back(_ desk: Desk) -> String { origin(desk) + "/connections/signed-in" }

    static let foreign = Failure(
        .invalid, "sign_in.foreign", "This answer belongs to no sign-in of yours of the last hour: begin again.")

    /// What goes there and comes back: which connection, when, and that it is of this very session (RFC 6749 section 10.12).
    struct State {
        /// Seconds that a sign-in may take.
        private static let longest: Int64 = 3600
        let connection: Int64
        /// When it began, in seconds since 1970.
        let at: Int64
        private var text: String { "\(connection).\(at)" }

        init(of connection: Int64, session: String, now: Int64) {
            (self.connection, at, self.session) = (connection, now, session)
        }

        /// - Throws: `Failure` `sign_in.foreign`.
        init(_ said: String, session: String, now: Int64) throws {
            let parts = said.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3, let connection = Int64(parts[0]), let at = Int64(parts[1]),
                let proof = Crypto.unbase64url(parts[2]),
                Crypto.constantTimeEqual(proof, Self.proof("\(connection).\(at)", "state", session)),
                at <= now, now - at <= Self.longest
            else { throw SignInPages.foreign }
            (self.connection, self.at, self.session) = (connection, at, session)
        }

        private let session: String

        var said: String { text + "." + Crypto.base64url(Self.proof(text, "state", session)) }

        /// The proof key (RFC 7636 section 4.1): nothing has to be kept meanwhile, and nobody without the session knows it.
        var verifier: String { Crypto.base64url(Self.proof(text, "verifier", session)) }

        var challenge: String { Crypto.base64url(Crypto.sha256(Array(verifier.utf8))) }

        private static func proof(_ text: String, _ what: String, _ session: String) -> [UInt8] {
            Array(Crypto.hmacSHA256(key: Array(session.utf8), Array("kontor 1 sign-in \(what) \(text)".utf8)))
        }
    }
}

extension Operations {
    static let signInPages: [Operation] = [
        // a link, since browsers hold forms to this host (`form-action`); nothing is changed by it
        page("console.goSignIn", "/connections/{id}/sign-in", access: .tenant(.config)) { desk in
            let system = try await desk.call.ask("getConnector", desk.call.path)
            guard let signIn = desk.manifest(system["kind"]?.string ?? "")?.signIn, let session = desk.call.cookie
            else {
                throw Failure.notFound("address")
            }
            let state = SignInPages.State(
                of: try desk.call.id(), session: session, now: Int64(Date().timeIntervalSince1970))
            let settings = system["settings"] ?? [:]
            // a connection that is older than the setting has the usual page
            let usual = desk.manifest(system["kind"]?.string ?? "")?.settings.first { $0.name == signIn.address }?
                .fallback
            let address = settings[signIn.address]?.string ?? usual?.string ?? ""
            guard address.hasPrefix("https://") || address.hasPrefix("http://") else {
                throw Failure(.invalid, "connector.settings", "The address of the sign-in page is no web address.")
            }
            let asked = signIn.parameters.merging([
                "response_type": "code", "client_id": settings[signIn.clientID]?.string ?? "",
                "redirect_uri": SignInPages.back(desk), "scope": signIn.scope, "state": state.said,
                "code_challenge": state.challenge, "code_challenge_method": "S256",
            ]) { $1 }
            let query = asked.sorted { $0.key < $1.key }.map { "\($0.key)=\(PercentText.encode($0.value))" }
            return desk.go(
                address + (address.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + query.joined(separator: "&"))
        },
        page(
            "console.signedIn", "/connections/signed-in", access: .tenant(.config),
            query: [
                .query("state", Schema.text(1, 200), "What was sent along."),
                .query("code", Schema.text(1, 4000), "To be traded for tokens."),
                .query("error", Schema.text(1, 200), "Why there is none."),
            ], takesMore: true
        ) { desk in
            let said = desk.call.query
            let state = try SignInPages.State(
                said["state"]?.string ?? "", session: desk.call.cookie ?? "", now: Int64(Date().timeIntervalSince1970))
            let path = ["id": String(state.connection)]
            // a code that was traded is good for nothing, and would stand in the way of what it was traded for
            let before = try await desk.call.ask("getConnector", path)["settings"]?[Manifest.SignIn.moment]?.int
            guard before.map({ $0 < state.at }) ?? true else { throw SignInPages.foreign }
            guard let code = said["code"]?.string, !code.isEmpty else {
                return desk.go("/connections/\(state.connection)", notice: "not_signed_in")
            }
            let grant: JSON = [
                "code": .string(code), "code_verifier": .string(state.verifier),
                "redirect_uri": .string(SignInPages.back(desk)),
            ]
            let now = Int64(Date().timeIntervalSince1970)
            try await desk.call.ask(
                "editConnector", path,
                body: [
                    "settings": [
                        Manifest.SignIn.grant: .string(grant.text), Manifest.SignIn.moment: .int(now),
                    ]
                ])
            // a code is good for minutes: traded by the first call
            try await desk.call.ask("checkConnector", path)
            return desk.go("/connections/\(state.connection)", notice: "connected")
        },
    ]
}
