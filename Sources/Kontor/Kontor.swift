import ArgumentParser
import Foundation
import Hub

@main
struct Kontor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kontor",
        abstract: "One golden record per contact, every system kept up to date.",
        discussion: """
            The service: serve, work, migrate, tenant. Everything else speaks to a running service at KONTOR_URL \
            with the token in KONTOR_TOKEN. Shell completion: kontor --generate-completion-script bash.
            """,
        version: "0.1.0",
        subcommands: [
            Serve.self, Work.self, Migrate.self, TenantCommand.self, KeysCommand.self, UsageCommand.self,
            ContactCommand.self,
            ExplainCommand.self,
            ReplayCommand.self, ConnectorCommand.self, PluginCommand.self, SegmentCommand.self, ImportCommand.self,
            RunCommand.self, DeliveryCommand.self, SignInCommand.self, AccountCommand.self, StaffCommand.self,
            RoleCommand.self, TeamCommand.self, TokenCommand.self, SQLCommand.self, AuditCommand.self,
            AcceptCommand.self,
            CallCommand.self,
        ])

    static func main() async {
        // a closed pipe or peer is an error of the call, not the end of the program
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            FileHandle.standardError.write(Data("kontor: \(failure.code): \(failure.message)\n".utf8))
            for detail in failure.details { FileHandle.standardError.write(Data("  \(detail.text)\n".utf8)) }
            Foundation.exit(1)
        } catch {
            exit(withError: error)
        }
    }
}
