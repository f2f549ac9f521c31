import ArgumentParser
import Foundation
import Hub

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import contacts from a CSV file of any size.",
        discussion: "Encoding, delimiter and columns are found out; refused rows are told with their line numbers.")
    @OptionGroup var options: ClientOptions
    @Argument var file: String
    @Flag(help: "Tell what would happen, and do nothing.") var dry = false
    @Option(help: "Wait for approval when more contacts than this would change.") var maxChanges: Int?
    @Option(help: "JSON file with a mapping of the columns, instead of the guessed one.") var mapping: String?

    func run() async throws {
        guard FileManager.default.isReadableFile(atPath: file) else {
            throw ValidationError("cannot read \(file)")
        }
        let client = try options.client
        let run = try await client.call(
            "POST", "/imports/csv",
            query: [
                ("dry", dry ? "true" : nil), ("max_changes", maxChanges.map(String.init)),
                ("mapping", try mapping.map { try JSON.file($0).text }),
            ], file: file, contentType: "text/csv")
        guard let id = run["id"]?.int else { return options.show(run) }
        options.show(try await client.wait(run: id))
    }
}

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Imports, polls and other work that was asked for.",
        subcommands: [List.self, Show.self, Rows.self, Approve.self, Cancel.self, Undo.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Newest runs first.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/runs")) }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One run.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        func run() async throws { options.show(try await options.client.call("GET", "/runs/\(id)")) }
    }

    struct Rows: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What became of each row of a run.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Option(help: "Only rows with this verdict, such as refused.") var verdict: String?

        func run() async throws {
            options.show(try await options.client.call("GET", "/runs/\(id)/rows", query: [("verdict", verdict)]))
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a run go on that waits for approval.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        func run() async throws { options.show(try await options.client.call("POST", "/runs/\(id)/approve")) }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give up a run that has not begun, or that waits for approval.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        func run() async throws { options.show(try await options.client.call("POST", "/runs/\(id)/cancel")) }
    }

    struct Undo: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take back what a run changed, where nobody changed it since.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        func run() async throws { try await options.follow("/runs/\(id)/undo") }
    }
}

struct DeliveryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delivery", abstract: "What is behind in which system.", subcommands: [List.self, Retry.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deliveries, such as dead letters.")
        @OptionGroup var options: ClientOptions
        @Option(help: "due, leased, done or dead.") var state: String?
        func run() async throws {
            options.show(try await options.client.call("GET", "/deliveries", query: [("state", state)]))
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try again at once what failed: dead letters, and what waits for its next attempt.")
        @OptionGroup var options: ClientOptions
        @Option(help: "Of this connector only.") var connector: Int64?
        @Option(help: "With this code only.") var code: String?
        @Option(help: "Of this contact only.") var record: Int64?

        func run() async throws {
            var body: JSON = [:]
            body["connector"] = connector.map(JSON.int)
            body["code"] = code.map(JSON.string)
            body["record"] = record.map(JSON.int)
            options.show(try await options.client.call("POST", "/deliveries/retry", body: body))
        }
    }
}

struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Any operation of the API, such as: kontor call GET /conflicts",
        discussion: "All operations stand in /api/v1/openapi.json.")
    @OptionGroup var options: ClientOptions
    @Argument var method: String
    @Argument(help: "Below /api/v1, with its query.") var path: String
    @Argument(help: "JSON body.") var body: String?

    func run() async throws {
        options.show(try await options.client.call(method.uppercased(), path, body: try body.map(JSON.argument)))
    }
}
