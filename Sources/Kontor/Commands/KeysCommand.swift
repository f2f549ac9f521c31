import ArgumentParser
import Foundation
import Hub
import Store

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Keys that stored credentials are sealed under: look, and change.",
        subcommands: [Check.self, Rotate.self, NewMaster.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open every stored credential, and count those that can and cannot be opened.")
        @OptionGroup var settings: Settings

        func run() async throws {
            var (readable, unreadable) = (0, 0)
            try await withProvisioner(settings) { provisioner, _ in
                for tenant in try await provisioner.all() {
                    let found = try await provisioner.checkSecrets(of: tenant)
                    (readable, unreadable) = (readable + found.readable, unreadable + found.unreadable)
                }
            }
            print((["readable": .int(Int64(readable)), "unreadable": .int(Int64(unreadable))] as JSON).text)
            if unreadable > 0 { throw ExitCode.failure }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seal a tenant's credentials, or everybody's, under a new key.",
            discussion: "The service may run meanwhile. A run that is cut short is finished by the next.")
        @OptionGroup var settings: Settings
        @Argument(help: "The tenant's name; everybody's unless told.") var name: String?

        func run() async throws {
            try await withProvisioner(settings) { provisioner, _ in
                var tenants = try await provisioner.all()
                if let name { tenants = [try await provisioner.find(name)] }
                for tenant in tenants {
                    let count = try await provisioner.rotateKeys(of: tenant)
                    print((["tenant": .int(tenant.id), "credentials": .int(Int64(count))] as JSON).text)
                }
            }
        }
    }

    struct NewMaster: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new-master", abstract: "Put a new master key in force with the next start of the service.",
            discussion: """
                The file then holds both keys. Restart every process of Kontor: the service wraps all tenants' keys under the \
                new one as it starts, and then forgets the old one. Back the file up before and after.
                """)
        @OptionGroup var settings: Settings

        func run() async throws {
            guard ProcessInfo.processInfo.environment["KONTOR_MASTER_SECRET"] == nil else {
                throw ValidationError(
                    "the key is in KONTOR_MASTER_SECRET: put a new one before it, and a comma between")
            }
            let secrets = try InstanceSecrets.load(from: settings.masterKeyPath)
            guard !secrets.isBeingChanged else {
                throw ValidationError("the key is being changed already: start the service, then repeat this")
            }
            try secrets.renewed().save(to: settings.masterKeyPath)
            print("a new master key is in \(settings.masterKeyPath): restart the service")
        }
    }
}
