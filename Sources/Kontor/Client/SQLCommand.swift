import ArgumentParser
import Foundation
import Hub

struct SQLCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql", abstract: "PostgreSQL logins for staff and their reporting tools (docs/sql-reporting.md).",
        subcommands: [List.self, Add.self, Remove.self, Server.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Logins: everybody's, or one's own.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/sql-logins")) }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a login; its password is shown only now.",
            discussion: "Connect by: psql 'host=HOST port=PORT dbname=kontor user=NAME'")
        @OptionGroup var options: ClientOptions
        @Argument(help: "What it is for, such as “Metabase”.") var label: String
        @Option(help: "Number of the person whose rights it has; you unless told.") var person: Int64?

        func run() async throws {
            var body: JSON = ["label": .string(label)]
            body["person"] = person.map(JSON.int)
            options.show(try await options.client.call("POST", "/sql-logins", body: body))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a login and its sessions.")
        @OptionGroup var options: ClientOptions
        @Argument var name: String
        func run() async throws { options.show(try await options.client.call("DELETE", "/sql-logins/\(name)")) }
    }

    struct Server: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Where to connect to, and whether it is there.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/sql-server")) }
    }
}
