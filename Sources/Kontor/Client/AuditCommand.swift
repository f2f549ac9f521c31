import ArgumentParser
import Foundation
import Hub

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who read, exported, changed rights, credentials, settings and accounts.",
        subcommands: [List.self, Verify.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Entries, newest first.")
        @OptionGroup var options: ClientOptions
        @Option(help: "Such as staff:7.") var actor: String?
        @Option(help: "Such as read, changed, export.begun.") var action: String?
        @Option(help: "Such as contact, role, connector.") var entity: String?
        @Option(help: "Number of the record.") var record: Int64?
        @Option(help: "How many.") var limit = 50

        func run() async throws {
            let query = [
                ("limit", String(limit)), ("actor", actor), ("action", action), ("entity", entity),
                ("record", record.map(String.init)),
            ]
            options.show(try await options.client.call("GET", "/audit", query: query))
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Work the chain of hashes out anew; ends 1 when an entry was changed, removed or put in.",
            discussion:
                "The service writes each chain's end to audit-heads.jsonl in its data folder every day: keep copies elsewhere."
        )
        @OptionGroup var options: ClientOptions
        @Option(help: "An end that was kept elsewhere, as place:hash.") var head: String?

        func run() async throws {
            var query: [(String, String?)] = []
            if let head {
                let parts = head.split(separator: ":").map(String.init)
                guard parts.count == 2 else { throw ValidationError("--head is place:hash") }
                query = [("place", parts[0]), ("hash", parts[1])]
            }
            let found = try await options.client.call("GET", "/audit/verification", query: query)
            options.show(found)
            if found["whole"] != true { throw ExitCode.failure }
        }
    }
}
