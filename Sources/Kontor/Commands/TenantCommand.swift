import ArgumentParser
import Foundation
import Hub
import Postgres
import Store

struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Make, list, suspend, resume, export, restore and drop tenants.",
        subcommands: [
            Create.self, List.self, Suspend.self, Resume.self, Export.self, Restore.self, Drop.self,
            Token.self, Owner.self,
        ])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a tenant and an API token with all scopes.")
        @OptionGroup var settings: Settings
        @Argument(help: "Small letters, digits and hyphens.") var name: String
        @Option(help: "The shop's name.") var title: String?
        @Option(help: "ISO 3166 code of the country whose telephone numbers have no prefix.") var country = "PL"
        @Option(help: "E-mail of the owner's account, whose password is then asked for.") var owner: String?

        func run() async throws {
            let password = try owner.map { try Secret.read("Password of \($0): ") } ?? ""
            if let owner { try PasswordRule(email: owner).check(password) }
            try await withProvisioner(settings) { provisioner, _ in
                let tenant = try await provisioner.create(name: name, title: title ?? name, country: country)
                if let owner { try await provisioner.setOwner(of: tenant, email: owner, password: password) }
                let token = try await provisioner.issueToken(for: tenant, label: "owner", scopes: Scopes.all)
                print((["tenant": .string(name), "token": .string(token)] as JSON).text)
            }
        }
    }

    struct Owner: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the owner's account, or give it a new password; its sessions end.")
        @OptionGroup var settings: Settings
        @Argument(help: "The tenant's name.") var name: String
        @Argument var email: String

        func run() async throws {
            let password = try Secret.read("Password of \(email): ")
            try await withProvisioner(settings) { provisioner, _ in
                try await provisioner.setOwner(of: provisioner.find(name), email: email, password: password)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all tenants as JSON.")
        @OptionGroup var settings: Settings

        func run() async throws {
            try await withProvisioner(settings) { provisioner, _ in
                print(String(decoding: try await provisioner.list(), as: UTF8.self))
            }
        }
    }

    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Close a tenant to everyone, keeping its data.")
        @OptionGroup var settings: Settings
        @Argument var name: String

        func run() async throws {
            try await withProvisioner(settings) { provisioner, _ in
                try await provisioner.setSuspended(true, provisioner.find(name))
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Open a suspended tenant again.")
        @OptionGroup var settings: Settings
        @Argument var name: String

        func run() async throws {
            try await withProvisioner(settings) { provisioner, _ in
                try await provisioner.setSuspended(false, provisioner.find(name))
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Write all of a tenant's data, as of now, to a file.")
        @OptionGroup var settings: Settings
        @Argument var name: String
        @Argument(help: "A new file.") var file: String

        func run() async throws {
            guard !FileManager.default.fileExists(atPath: file),
                FileManager.default.createFile(atPath: file, contents: nil, attributes: [.posixPermissions: 0o600]),
                let handle = FileHandle(forWritingAtPath: file)
            else { throw ValidationError("\(file) is there already or cannot be made") }
            try await withProvisioner(settings) { provisioner, runtime in
                let tenant = try await provisioner.find(name)
                let node = try await runtime.node()
                try await node.tenant(tenant).export(modules: provisioner.modules(of: tenant)) {
                    try handle.write(contentsOf: Data($0))
                }
                await node.database.close()
            }
            try handle.close()
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a tenant of an export, under any free name. Its connectors are paused.")
        @OptionGroup var settings: Settings
        @Argument(help: "An exported file.") var file: String
        @Option(help: "Name of the new tenant.") var name: String
        @Option(help: "The shop's name.") var title: String?

        func run() async throws {
            guard let handle = FileHandle(forReadingAtPath: file) else { throw ValidationError("cannot read \(file)") }
            try await withProvisioner(settings) { provisioner, _ in
                let tenant = try await provisioner.restore(
                    as: name, title: title ?? name,
                    from: ArchiveLines { Array(try handle.read(upToCount: 1 << 20) ?? Data()) })
                let token = try await provisioner.issueToken(for: tenant, label: "owner", scopes: Scopes.all)
                print((["tenant": .string(name), "token": .string(token)] as JSON).text)
            }
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a tenant and all it holds; a drop that is cut short is finished by the next call.")
        @OptionGroup var settings: Settings
        @Argument var name: String
        @Option(help: "The name once more, to be sure.") var confirm: String

        func validate() throws {
            guard confirm == name else { throw ValidationError("--confirm must repeat the tenant's name") }
        }

        func run() async throws {
            try await withProvisioner(settings) { provisioner, _ in
                try await provisioner.drop(provisioner.find(name))
            }
        }
    }

    struct Token: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make another API token; it is shown once.")
        @OptionGroup var settings: Settings
        @Argument(help: "The tenant; “operator” for the operator's own.") var name: String
        @Option var label = "cli"
        @Option(parsing: .upToNextOption, help: "What it may do; all when not given.") var scopes: [String] = []

        func run() async throws {
            try await withProvisioner(settings) { provisioner, _ in
                let isOperator = name == "operator"
                let tenant = isOperator ? nil : try await provisioner.find(name)
                let scopes = isOperator ? ["operator"] : scopes.isEmpty ? Scopes.all : scopes
                print(try await provisioner.issueToken(for: tenant, label: label, scopes: scopes))
            }
        }
    }
}

/// What API tokens of a tenant may be allowed.
enum Scopes {
    static let all = ["audit", "contacts:read", "contacts:write", "config", "runs", "feed", "tokens"]
}

func withProvisioner(
    _ settings: Settings, _ body: (Provisioner, Runtime) async throws -> Void
) async throws {
    let runtime = try await Runtime.open(settings, mayJoin: true)
    let provisioner = Provisioner(runtime.instance)
    do {
        try await runtime.instance.prepare()
        try await provisioner.start()
        try await body(provisioner, runtime)
    } catch {
        await provisioner.close()
        await runtime.close()
        throw error
    }
    await provisioner.close()
    await runtime.close()
}
