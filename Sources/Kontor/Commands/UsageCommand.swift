import ArgumentParser
import Foundation
import Hub
import Store

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "What tenants use and owe: for the operator, counts alone.",
        subcommands: [List.self, Invoice.self, Tariff.self, Limits.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Usage of every tenant in a month, as JSON.")
        @OptionGroup var settings: Settings
        @Option(help: "Such as 2026-11, in UTC; the present one unless told.") var month: String?

        func run() async throws {
            let day = try month.map(firstDay)
            try await withProvisioner(settings) { provisioner, _ in
                print(try await provisioner.usage(month: day).items.text)
            }
        }
    }

    struct Invoice: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What a tenant owes for a month, as JSON.")
        @OptionGroup var settings: Settings
        @Argument(help: "The tenant's name.") var name: String
        @Argument(help: "Such as 2026-11.") var month: String

        func run() async throws {
            let day = try firstDay(month)
            try await withProvisioner(settings) { provisioner, _ in
                print(try await provisioner.invoice(of: provisioner.find(name), month: day).text)
            }
        }
    }

    struct Tariff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a tariff of a JSON file, and give it to a tenant.",
            discussion:
                #"The file: {"currency": "EUR", "base": 19.9, "steps": [{"upto": 1000, "price": 0.05}, {"price": 0.02}]}"#
        )
        @OptionGroup var settings: Settings
        @Argument(help: "The tariff's name.") var name: String
        @Option(help: "JSON file; needed for a new tariff.") var file: String?
        @Option(help: "Tenant that gets it.") var tenant: String?

        func run() async throws {
            let tariff = try file.map { try JSON.file($0) }
            try await withProvisioner(settings) { provisioner, _ in
                if let tariff {
                    try await provisioner.saveTariff(
                        name, currency: tariff["currency"]?.string ?? "",
                        base: tariff["base"]?.double ?? Double(tariff["base"]?.int ?? 0), steps: tariff["steps"] ?? [])
                }
                if let tenant { try await provisioner.setTariff(name, of: provisioner.find(tenant)) }
            }
        }
    }

    struct Limits: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what a tenant may have at most: all of it anew.",
            discussion: "What is not named has no limit. Without any option no limit is left.")
        @OptionGroup var settings: Settings
        @Argument(help: "The tenant's name.") var name: String
        @Option(help: "Contacts.") var contacts: Int64?
        @Option(help: "People who can sign in.") var staff: Int64?
        @Option(help: "Megabytes on the disk.") var storage: Int64?
        @Option(help: "API calls by programs in a minute.") var calls: Int64?

        func run() async throws {
            let named = ["contacts": contacts, "staff": staff, "storage": storage, "calls": calls]
            let limits = JSON.object(named.compactMapValues { $0.map { .int($0) } })
            try await withProvisioner(settings) { provisioner, _ in
                try await provisioner.setLimits(limits, of: provisioner.find(name))
            }
        }
    }
}

private func firstDay(_ month: String) throws -> String {
    guard month.wholeMatch(of: /[0-9]{4}-(0[1-9]|1[0-2])/) != nil else {
        throw ValidationError("a month is such as 2026-11")
    }
    return month + "-01"
}
