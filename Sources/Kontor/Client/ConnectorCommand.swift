import ArgumentParser
import Foundation
import Hub

struct ConnectorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connector", abstract: "Links to remote systems.",
        subcommands: [Kinds.self, List.self, Create.self, Edit.self, Check.self, HookURL.self])

    struct Kinds: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Kinds of systems that can be connected, and their settings.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/connector-kinds")) }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All connectors with their plugins.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/connectors")) }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Connect a system.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "Such as google.") var kind: String
        @Argument(help: "Your name for it.") var name: String
        @Option(
            help: "JSON file with the settings; - for standard input, so that secrets stay out of the process list.")
        var settings: String
        @Option(help: "Precedence as a source: 1 wins over 100.") var rank = 50

        func run() async throws {
            let body: JSON = [
                "kind": .string(kind), "name": .string(name), "rank": .int(Int64(rank)),
                "settings": try settings == "-"
                    ? JSON(parsing: FileHandle.standardInput.readDataToEndOfFile()) : JSON.file(settings),
            ]
            options.show(try await options.client.call("POST", "/connectors", body: body))
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Change a connector: state, rank, policy, settings.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Argument(help: "Such as '{\"state\": \"paused\"}'.") var changes: String

        func run() async throws {
            options.show(try await options.client.call("PATCH", "/connectors/\(id)", body: try JSON.argument(changes)))
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sign in at the remote and say as whom.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64

        func run() async throws { try await options.follow("/connectors/\(id)/check") }
    }

    struct HookURL: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "hook-url", abstract: "Where the remote is to send its webhooks.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64

        func run() async throws { options.show(try await options.client.call("GET", "/connectors/\(id)/hook-url")) }
    }
}

struct PluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "Capabilities of connectors.", subcommands: [Edit.self, RunNow.self, Try.self])

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Change a plugin: state, filter, mapping, schedule.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Argument(help: "Such as '{\"state\": \"on\", \"filter\": {\"tag\": \"supplier\"}}'.") var changes: String

        func run() async throws {
            options.show(try await options.client.call("PATCH", "/plugins/\(id)", body: try JSON.argument(changes)))
        }
    }

    struct RunNow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Fetch now, and wait until it is done.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Flag(help: "Tell what would happen, and do nothing.") var dry = false
        @Option(help: "Wait for approval when more contacts than this would change.") var maxChanges: Int?

        func run() async throws {
            try await options.follow(
                "/plugins/\(id)/run",
                query: [("dry", dry ? "true" : nil), ("max_changes", maxChanges.map(String.init))])
        }
    }

    struct Try: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try a mapping on some records as they are now, without any effect.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Option(help: "JSON file with a mapping, instead of the one in force.") var mapping: String?
        @Option(help: "How many records.") var records = 10

        func run() async throws {
            var body: JSON = ["records": .int(Int64(records))]
            body["mapping"] = try mapping.map { try JSON.file($0) }
            try await options.follow("/plugins/\(id)/try", body: body)
        }
    }
}

struct SegmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segment", abstract: "Segments and their groups in newsletter applications.",
        subcommands: [List.self, Create.self, Count.self, Members.self, Push.self, RunPush.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All segments, in words.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/segments")) }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a segment.")
        @OptionGroup var options: ClientOptions
        @Argument var name: String
        @Argument(help: "See docs/conditions.md.") var condition: String

        func run() async throws {
            let body: JSON = ["name": .string(name), "condition": try JSON.argument(condition)]
            options.show(try await options.client.call("POST", "/segments", body: body))
        }
    }

    struct Count: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "How many contacts are in a segment now.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        func run() async throws { options.show(try await options.client.call("GET", "/segments/\(id)/count")) }
    }

    struct Members: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Who is in a segment; or why one contact is or is not.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Option(help: "Explain this contact.") var explain: Int64?

        func run() async throws {
            options.show(
                try await options.client.call("GET", "/segments/\(id)/members" + (explain.map { "/\($0)" } ?? "")))
        }
    }

    struct Push: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Keep a segment as a group in a remote.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The segment.") var id: Int64
        @Option(help: "The group plugin of the connector.") var plugin: Int64
        @Option(help: "The group's name there.") var name: String
        @Option(help: "Only those who consented to this.") var purpose: String
        @Option(help: "Such as '{\"monthly\": 1}'; on demand when not given.") var schedule: String?

        func run() async throws {
            var body: JSON = ["plugin": .int(plugin), "group_name": .string(name), "purpose": .string(purpose)]
            if let schedule { body["schedule"] = try JSON.argument(schedule) }
            options.show(try await options.client.call("POST", "/segments/\(id)/pushes", body: body))
        }
    }

    struct RunPush: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run-push", abstract: "Bring a group up to date now.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The push.") var id: Int64

        func run() async throws { try await options.follow("/pushes/\(id)/run") }
    }
}

extension ClientOptions {
    /// Asks for a run and waits for its end.
    func follow(_ path: String, query: [(String, String?)] = [], body: JSON? = nil) async throws {
        let client = try client
        let run = try await client.call("POST", path, query: query, body: body)
        guard let id = run["id"]?.int else { return show(run) }
        show(try await client.wait(run: id))
    }
}
