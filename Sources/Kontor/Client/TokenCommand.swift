import ArgumentParser
import Foundation
import Hub

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "API tokens: what programs of the shop come in with (docs/roles.md).",
        subcommands: [List.self, Add.self, Revoke.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All tokens; of each its beginning.")
        @OptionGroup var options: ClientOptions
        func run() async throws { options.show(try await options.client.call("GET", "/tokens")) }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a token; it is shown only now.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "What it is for, such as “till”.") var label: String
        @Option(parsing: .upToNextOption, help: "Such as contacts:read; see docs/api.md.") var scopes: [String]
        @Option(help: "Number of the role whose rights it has; without it, it reaches everything its scopes name.")
        var role: Int64?
        @Option(help: "When it ends, such as 2027-01-31T00:00:00Z; unless told, when it is revoked.") var until: String?

        func run() async throws {
            var body: JSON = ["label": .string(label), "scopes": .array(scopes.map(JSON.string))]
            body["role"] = role.map(JSON.int)
            body["expires_at"] = until.map(JSON.string)
            options.show(try await options.client.call("POST", "/tokens", body: body))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a token.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        func run() async throws { options.show(try await options.client.call("DELETE", "/tokens/\(id)")) }
    }
}
