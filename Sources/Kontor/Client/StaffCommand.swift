import ArgumentParser
import Foundation
import Hub

struct StaffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "staff", abstract: "People who work in the shop, and what they may do.",
        subcommands: [
            List.self, Invite.self, Edit.self, Link.self, HandOver.self, Remove.self, Rights.self, Why.self, Mails.self,
            Policy.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Everybody who works here.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/staff")) }
    }

    /// What is said of a person when they come and when they change.
    struct Details: ParsableArguments {
        @Option(help: "Number of the role (kontor role list).") var role: Int64?
        @Option(help: "Number of a team; may be repeated. Replaces the teams before.") var team: [Int64] = []
        @Option(help: "Number of the superior; 0 for nobody.") var superior: Int64?
        @Option(help: "en, it, lt, nb or pl.") var language: String?
        @Option var name: String?

        var json: JSON {
            var body: JSON = [:]
            body["role"] = role.map(JSON.int)
            if !team.isEmpty { body["teams"] = .array(team.map(JSON.int)) }
            if let superior { body["superior"] = superior == 0 ? .null : .int(superior) }
            body["language"] = language.map(JSON.string)
            body["name"] = name.map(JSON.string)
            return body
        }
    }

    struct Invite: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an account. The token in the answer sets its password once: kontor accept.")
        @OptionGroup var options: ClientOptions
        @Argument var email: String
        @OptionGroup var details: Details
        @Flag(inversion: .prefixedNo, help: "Whether Kontor sends the link, where it has a mail server.") var mail =
            true

        func validate() throws {
            guard details.role != nil, details.name != nil else { throw ValidationError("give --role and --name") }
        }

        func run() async throws {
            var body = details.json
            body["email"] = .string(email)
            body["mail"] = .bool(mail)
            options.show(try await options.client.call("POST", "/staff", body: body))
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change role, teams, superior, name; disable, enable.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The person's number.") var id: Int64
        @OptionGroup var details: Details
        @Flag(inversion: .prefixedNo, help: "Disabled people cannot sign in; their contacts stay theirs.")
        var disabled: Bool?

        func run() async throws {
            var body = details.json
            body["disabled"] = disabled.map(JSON.bool)
            options.show(try await options.client.call("PATCH", "/staff/\(id)", body: body))
        }
    }

    struct Link: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A new token to set the password by, for who has not come yet or lost it.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The person's number.") var id: Int64
        @Flag(inversion: .prefixedNo, help: "Whether Kontor sends it, where it has a mail server.") var mail = true
        func run() async throws {
            options.show(try await options.client.call("POST", "/staff/\(id)/invitation?mail=\(mail)"))
        }
    }

    struct Mails: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The last mails to staff, and what became of them.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/mails")) }
    }

    struct Policy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What the shop demands of passwords.")
        @OptionGroup var options: ClientOptions
        @Option(help: "JSON file with the policy to set, whole.") var set: String?

        func run() async throws {
            guard let set else { return options.show(try await options.client.call("GET", "/password-policy")) }
            let policy = try JSON(parsing: Array(Data(contentsOf: URL(filePath: set))))
            options.show(try await options.client.call("PUT", "/password-policy", body: policy))
        }
    }

    struct HandOver: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make all of one person's contacts another's.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The person's number.") var id: Int64
        @Option(help: "Number of the person who gets them.") var to: Int64

        func run() async throws {
            options.show(try await options.client.call("POST", "/staff/\(id)/hand-over", body: ["to": .int(to)]))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a person whose contacts were handed over, and their account.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The person's number.") var id: Int64
        func run() async throws { options.show(try await options.client.call("DELETE", "/staff/\(id)")) }
    }

    struct Rights: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What a person's role comes down to.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The person's number.") var id: Int64
        func run() async throws { options.show(try await options.client.call("GET", "/staff/\(id)/rights")) }
    }

    struct Why: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Why a person may or may not see and change a contact.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The person's number.") var id: Int64
        @Argument(help: "The contact's number.") var contact: Int64

        func run() async throws {
            options.show(try await options.client.call("GET", "/staff/\(id)/contacts/\(contact)"))
        }
    }
}

struct AcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Set your password by the token of an invitation.",
        discussion: "Token and password are asked for, or read from two lines of standard input.")
    @OptionGroup var options: ClientOptions

    func run() async throws {
        let client = try APIClient(url: options.url, isSigningIn: true)
        let token = try Secret.read("Token: ")
        let password = try Secret.read("New password: ")
        _ = try await client.call(
            "POST", "/invitations", body: ["token": .string(token), "password": .string(password)])
    }
}
