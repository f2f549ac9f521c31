import ArgumentParser
import Foundation
import Hub

struct ContactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contact", abstract: "Read and change contacts.",
        subcommands: [
            List.self, Show.self, Create.self, Edit.self, Delete.self, Owner.self, History.self, Consent.self,
            Merge.self, Unmerge.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List contacts, those with a text in any field or with a tag.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "Any part of a name, e-mail, telephone or field.") var text: String?
        @Option var tag: String?
        @Option var limit = 50
        @Option(help: "The cursor that the page before ended with.") var cursor: String?

        func run() async throws {
            options.show(
                try await options.client.call(
                    "GET", "/contacts",
                    query: [("q", text), ("tag", tag), ("limit", String(limit)), ("cursor", cursor)]))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one contact.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64

        func run() async throws { options.show(try await options.client.call("GET", "/contacts/\(id)")) }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a contact of fields given as JSON.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "Such as '{\"given_name\": \"Ada\"}'.") var fields: String

        func run() async throws {
            options.show(
                try await options.client.call("POST", "/contacts", body: ["fields": try JSON.argument(fields)]))
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Change fields; null takes one away.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Argument(help: "Such as '{\"notes\": null}'.") var fields: String
        @Option(help: "Refuse when the contact is no longer at this version.") var version: Int64?

        func run() async throws {
            options.show(
                try await options.client.call(
                    "PATCH", "/contacts/\(id)", body: ["fields": try JSON.argument(fields)],
                    headers: version.map { [("If-Match", "\"v\($0)\"")] } ?? []))
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a contact, softly, or erase all of it for good.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Flag(help: "Erase every trace; cannot be undone.") var erase = false

        func run() async throws {
            options.show(
                try await options.client.call(
                    erase ? "POST" : "DELETE", erase ? "/contacts/\(id)/erase" : "/contacts/\(id)"))
        }
    }

    struct Owner: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a contact a member of staff's client, or nobody's.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Argument(help: "Number of the person; nobody unless told.") var person: Int64?

        func run() async throws {
            let body: JSON = ["owner": person.map(JSON.int) ?? .null]
            _ = try await options.client.call("PUT", "/contacts/\(id)/owner", body: body)
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What happened to a contact, newest first.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64

        func run() async throws { options.show(try await options.client.call("GET", "/contacts/\(id)/history")) }
    }

    struct Merge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make one contact of two, or show what would come of it (docs/contacts.md).")
        @OptionGroup var options: ClientOptions
        @Argument(help: "The contact that stays.") var id: Int64
        @Argument(help: "The one that goes into it.") var other: Int64
        @Option(help: "JSON such as '{\"company\": \"other\"}': keep, other or, for lists and notes, both.")
        var choices = "{}"
        @Flag(help: "Where both have a record in one system, delete the other's there.") var deleteTwins = false
        @Flag(help: "Only show.") var dry = false

        func run() async throws {
            let path = "/contacts/\(id)/merge"
            if dry { return options.show(try await options.client.call("GET", path, query: [("with", String(other))])) }
            options.show(
                try await options.client.call(
                    "POST", path,
                    body: [
                        "with": .int(other), "choices": try JSON.argument(choices), "delete_twins": .bool(deleteTwins),
                    ]))
        }
    }

    struct Unmerge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a merge back: both contacts live again.")
        @OptionGroup var options: ClientOptions
        @Argument(help: "Number of the merge.") var merge: Int64

        func run() async throws { _ = try await options.client.call("POST", "/merges/\(merge)/undo") }
    }

    struct Consent: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Record a consent given or withdrawn.")
        @OptionGroup var options: ClientOptions
        @Argument var id: Int64
        @Argument(help: "Such as newsletter.") var purpose: String
        @Flag(help: "Withdrawn instead of given.") var withdraw = false
        @Option(help: "Where the person said so.") var source = "cli"

        func run() async throws {
            options.show(
                try await options.client.call(
                    "POST", "/contacts/\(id)/consents",
                    body: ["purpose": .string(purpose), "granted": .bool(!withdraw), "source": .string(source)]))
        }
    }
}

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Why each system did or did not get a contact, and what would change that.",
        usage: "kontor explain contact 7 [--connector google]")
    @OptionGroup var options: ClientOptions
    @Argument(help: "The word contact.") var entity: String
    @Argument var id: Int64
    @Option(help: "Ask about this connector only.") var connector: String?

    func validate() throws {
        guard entity == "contact" else {
            throw ValidationError("only contacts can be explained: kontor explain contact \(id)")
        }
    }

    func run() async throws {
        options.show(try await options.client.call("GET", "/contacts/\(id)/explain", query: [("connector", connector)]))
    }
}

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "What other rules would have decided for past changes. Nothing is changed.")
    @OptionGroup var options: ClientOptions
    @Option(help: "JSON file: {\"connector/plugin\": {\"filter\": ..., \"mapping\": ...}}.") var rules: String
    @Option(help: "Changes from this moment on (RFC 3339).") var since: String

    func run() async throws {
        let body: JSON = ["rules": try JSON.file(rules), "since": .string(since)]
        options.show(try await options.client.call("POST", "/replay", body: body))
    }
}

extension JSON {
    /// A JSON argument of a command.
    static func argument(_ text: String) throws -> JSON {
        do { return try JSON(text: text) } catch { throw ValidationError("not JSON: \(error)") }
    }

    /// A JSON file.
    static func file(_ path: String) throws -> JSON {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ValidationError("cannot read \(path)")
        }
        do { return try JSON(parsing: data) } catch { throw ValidationError("\(path): \(error)") }
    }
}
