import ArgumentParser
import Store

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Set up or update the database; a run that is cut short is finished by the next.")

    @OptionGroup var settings: Settings

    func run() async throws {
        let runtime = try await Runtime.open(settings, mayJoin: true)
        try await runtime.instance.prepare()
        let provisioner = Provisioner(runtime.instance)
        try await provisioner.start()
        print("\(try await provisioner.migrateAll()) tenants migrated")
        await provisioner.close()
        await runtime.close()
    }
}
