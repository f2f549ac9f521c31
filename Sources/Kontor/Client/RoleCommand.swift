import ArgumentParser
import Foundation
import Hub

struct RoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Roles: what may be seen, changed and used (docs/roles.md).",
        subcommands: [List.self, Show.self, Create.self, Edit.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All roles with their rights.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/roles")) }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One role.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        func run() async throws { options.show(try await options.client.call("GET", "/roles/\(id)")) }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a role of rights in a JSON file.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "Small letters, digits and hyphens.") var name: String
        @Option(help: "How it is shown; the name unless told.") var title: String?
        @Option(help: "JSON file with the rights.") var rights: String

        func run() async throws {
            let body: JSON = [
                "name": .string(name), "title": .string(title ?? name), "rights": try JSON.file(rights),
            ]
            options.show(try await options.client.call("POST", "/roles", body: body))
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a role; its people work under it with their next request.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Option var title: String?
        @Option(help: "JSON file with the rights.") var rights: String?

        func run() async throws {
            var body: JSON = [:]
            body["title"] = title.map(JSON.string)
            body["rights"] = try rights.map { try JSON.file($0) }
            options.show(try await options.client.call("PATCH", "/roles/\(id)", body: body))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a role nobody has.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        func run() async throws { options.show(try await options.client.call("DELETE", "/roles/\(id)")) }
    }
}

struct TeamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "team", abstract: "Teams; kontor staff edit puts people into them.",
        subcommands: [List.self, Create.self, Rename.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All teams with their members.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/teams")) }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a team.")
        @OptionGroup var options: ClientOptions
        @Argument var name: String
        func run() async throws {
            options.show(try await options.client.call("POST", "/teams", body: ["name": .string(name)]))
        }
    }

    struct Rename: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Rename a team.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Argument var name: String
        func run() async throws {
            options.show(try await options.client.call("PATCH", "/teams/\(id)", body: ["name": .string(name)]))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a team; its members stay.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        func run() async throws { options.show(try await options.client.call("DELETE", "/teams/\(id)")) }
    }
}
