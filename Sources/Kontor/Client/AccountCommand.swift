import ArgumentParser
import Foundation
import Hub

struct SignInCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-in", abstract: "Sign in with e-mail and password.",
        discussion:
            "The answer holds the session's token, to be put into KONTOR_TOKEN. It ends after 12 hours without use.")
    @OptionGroup var options: ClientOptions
    @Option(help: "The shop's name.") var tenant: String
    @Option var email: String
    @Flag(help: "Ask for a code of the second factor, too.") var code = false

    func run() async throws {
        let client = try APIClient(url: options.url, isSigningIn: true)
        var body: JSON = [
            "tenant": .string(tenant), "email": .string(email), "password": .string(try Secret.read("Password: ")),
        ]
        if code { body["code"] = .string(try Secret.read("Code: ")) }
        options.show(try await client.call("POST", "/sessions", body: body))
    }
}

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Your account and where you are signed in.",
        subcommands: [Show.self, Sessions.self, SignOut.self, Password.self, Factor.self, Presence.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The account you signed in to.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/account")) }
    }

    struct Sessions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Where you are signed in.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/sessions")) }
    }

    struct SignOut: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End this session, or another one of yours.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "Number of the session; this one unless told.") var id: Int64?

        func run() async throws {
            let client = try options.client
            let session: Int64?
            if let id { session = id } else { session = try await client.call("GET", "/account")["session"]?.int }
            _ = try await client.call("DELETE", "/sessions/\(session ?? 0)")
        }
    }

    struct Presence: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Tell colleagues whether you are at work.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "available, busy or away.") var presence: String
        @Option(help: "Until when, such as 2027-01-31T08:00:00Z; unless told, until you say otherwise.") var until:
            String?

        func run() async throws {
            var body: JSON = ["presence": .string(presence)]
            body["until"] = until.map(JSON.string)
            options.show(try await options.client.call("PUT", "/account/presence", body: body))
        }
    }

    struct Factor: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set up a second factor by an authenticator app, or take it away.",
            discussion:
                "Password and code are asked for, or read from lines of standard input. Keep the recovery codes safe.")
        @OptionGroup var options: ClientOptions
        @Flag(help: "Take it away.") var remove = false

        func run() async throws {
            let client = try options.client
            let password: JSON = ["password": .string(try Secret.read("Present password: "))]
            guard !remove else {
                _ = try await client.call("POST", "/account/second-factor/removal", body: password)
                return
            }
            options.show(try await client.call("POST", "/account/second-factor", body: password))
            let code = try Secret.read("Code of the app: ")
            options.show(try await client.call("PUT", "/account/second-factor", body: ["code": .string(code)]))
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change your password; your other sessions end.",
            discussion: "The present and the new one are asked for, or read from two lines of standard input.")
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let client = try options.client
            let old = try Secret.read("Present password: ")
            let new = try Secret.read("New password: ")
            _ = try await client.call(
                "PUT", "/account/password", body: ["old": .string(old), "new": .string(new)])
        }
    }
}
