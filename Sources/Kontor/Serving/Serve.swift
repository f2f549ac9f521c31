import ArgumentParser
import ConnectorKit
import Foundation
import Hub
import Logging
import Postgres
import Relay
import ServiceLifecycle
import Store
import UnixSignals
import Web

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the service: the API, and by default the workers.",
        discussion: "Stops cleanly on SIGTERM; after a kill the next start finishes what was begun.")

    @OptionGroup var settings: Settings
    @Option(help: "Address to listen on.") var host = "127.0.0.1"
    @Option(help: "Port to listen on; 0 for any free one.") var port = 8480
    @Option(help: "File to write the port to, once it is open.") var portFile: String?
    @Flag(inversion: .prefixedNo, help: "Whether to run the workers in this process too.") var workers = true

    func run() async throws {
        let runtime = try await Runtime.open(settings, mayJoin: false)
        do {
            try await serve(runtime)
        } catch {
            await runtime.close()
            throw error
        }
        await runtime.close()
    }

    private func serve(_ runtime: Runtime) async throws {
        let log = runtime.log
        try await runtime.instance.prepare()
        let provisioner = Provisioner(runtime.instance)
        try await provisioner.start()
        try await provisioner.forgetOldMaster(in: settings.masterKeyPath)
        let migrated = try await provisioner.migrateAll()
        if migrated > 0 { log.info("tenants migrated", metadata: ["tenants": "\(migrated)"]) }
        let node = try await runtime.node()
        let links = try runtime.links()
        let reporting = try runtime.reporting(node)
        let mail = try settings.mail()
        try await node.setMails(mail != nil)
        let (reads, calls) = (ReadLog(node: node, log: log), CallCounter(node: node, log: log))
        let certificate = try settings.certificate()
        let web = WebServer(
            services: WebServices(
                node: node, provisioner: provisioner, manifests: links.manifests, reads: reads, calls: calls,
                console: try Console(folder: settings.consoleFolder),
                isSecure: try certificate != nil || settings.publicAddress()?.hasPrefix("https://") ?? false,
                strictSeconds: settings.hsts.map { max(0, $0) } ?? (certificate == nil ? nil : 31_536_000),
                sqlServer: { reporting?.status },
                verifyHook: { try await HookDoor(links: links).verify($0, $1, $2, $3, $4) }),
            host: host, port: port, certificate: certificate, log: log)
        let application = try web.application { [portFile] port in
            if let portFile, !FileManager.default.createFile(atPath: portFile, contents: Data("\(port)\n".utf8)) {
                log.error("the port file cannot be written", metadata: ["file": "\(portFile)"])
            }
            log.notice("kontor is open", metadata: ["port": "\(port)"])
        }
        var services: [any Service] = [
            application,
            RecordService(
                node: node, reads: reads, calls: calls, file: settings.folder + "/audit-heads.jsonl", log: log),
        ]
        if let certificate { services.append(certificate) }
        if workers {
            services.append(RelayService(relay: Relay(node: node, links: links, options: settings.relay, log: log)))
        }
        if let mail {
            services.append(
                MailService(
                    worker: MailWorker(
                        node: node, client: mail.client, sender: mail.sender,
                        address: mail.address, log: log)))
        }
        if let reporting { services.append(reporting) }
        let group = ServiceGroup(
            configuration: .init(
                services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
        try await group.run()
        await node.database.close()
        await provisioner.close()
    }
}

struct Work: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run workers only, beside a service on the same database. Any number may run.")

    @OptionGroup var settings: Settings

    func run() async throws {
        let runtime = try await Runtime.open(settings, mayJoin: true)
        let node = try await runtime.node()
        let service = RelayService(
            relay: Relay(node: node, links: try runtime.links(), options: settings.relay, log: runtime.log))
        runtime.log.notice("worker runs")
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: runtime.log))
        try await group.run()
        await node.database.close()
        await runtime.close()
    }
}

/// The loops as a service that ends gracefully.
struct RelayService: Service {
    let relay: Relay

    func run() async throws {
        await cancelWhenGracefulShutdown { await relay.run() }
    }
}

/// The mail worker as a service that ends gracefully.
struct MailService: Service {
    let worker: MailWorker

    func run() async throws {
        await cancelWhenGracefulShutdown { await worker.run() }
    }
}

/// Has webhooks verified by the connector they are for.
struct HookDoor: Sendable {
    let links: Links

    func verify(
        _ tenant: TenantDatabase, _ connector: Int64, _ headers: [String: String], _ body: [UInt8], _ receivedAt: Int64
    ) async throws {
        guard let known = try await tenant.connector(connector),
            let receiver = try links.link(kind: known.kind, connector: connector, settings: known.settings, of: tenant)
                as? any HookReceiver
        else { throw Failure.notFound("webhook") }
        do {
            try await receiver.verify(Hook(headers: headers, body: body, receivedAt: receivedAt))
        } catch let error as HookError {
            throw switch error {
            case .forged:
                Failure(.forbidden, "hook.forged", "The signature does not fit: check the secret on both sides.")
            case .stale: Failure(.forbidden, "hook.stale", "The webhook's time is more than 300 seconds off.")
            case .malformed(let reason): Failure(.invalid, "hook.malformed", reason)
            }
        }
    }
}
