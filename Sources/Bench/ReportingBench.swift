import Foundation
import Hub
import Postgres
import Store

/// What heavy queries of SQL logins, on the reporting server beside the service, cost somebody who reads contacts from the
/// service meanwhile.
struct ReportingBench {
    private let here: Bench.Surroundings
    private static let port = 25_433

    init(_ here: Bench.Surroundings) { self.here = here }

    func run() async throws -> [Figure] {
        guard let program = here.kontor else { throw Options.Wrong(description: "reporting needs the program kontor") }
        let cluster = here.cluster
        let contacts = here.isSmall ? 50_000 : 1_000_000
        let tenant = try await cluster.makeTenant("reporting", modules: ["reporting"])
        try await cluster.makeContacts(1...contacts, in: tenant, logged: false)
        try await cluster.provisioner.setOwner(
            of: tenant, email: "boss@bench.example", password: "seven kettles on a quiet ferry")
        let node = try await cluster.node(shared: 1, leased: 1)
        let owner = Int64(try await cluster.number("SELECT max(account)::float8 FROM \(table: tenant.schema, "staff")"))
        var logins: [String] = []
        for number in 1...2 {
            let login = try await node.tenant(tenant).addSQLLogin(of: owner, label: "\(number)", as: .staff(owner))
            logins += [login.name, login.password]
        }
        await node.database.close()
        let token = try await cluster.provisioner.issueToken(for: tenant, label: "bench", scopes: ["contacts:read"])
        let service = try await KontorService(program, cluster, hasWorkers: false)
        let copy = ReportingServer(host: "127.0.0.1", port: Self.port, certificates: nil).standby(
            of: cluster.instance, folder: cluster.folder + "/reporting", log: cluster.log)
        do {
            _ = try await copy.start()
            let figure = try await measure(service, token, contacts, logins)
            await copy.stop()
            await service.process.stop()
            return [figure]
        } catch {
            await copy.stop()
            await service.process.stop()
            throw error
        }
    }

    private func measure(_ service: KontorService, _ token: String, _ contacts: Int, _ logins: [String]) async throws
        -> Figure
    {
        let place = service.address.replacingOccurrences(of: "http://", with: "").split(separator: ":").map(String.init)
        let text = try await ChildProcess.run(
            here.python, ["\(here.helpers)/reports.py"] + place + [token, "\(contacts)", "\(Self.port)"] + logins)
        let found = try JSON(text: text.trimmingCharacters(in: .whitespacesAndNewlines))
        guard let flood = found["flood"]?.double, let calm = found["calm"]?.double else {
            throw ChildProcess.Failed(description: "reports: \(text)")
        }
        return Figure(
            "reporting.others_p95_ms", flood, "ms",
            against:
                "without queries: \(Figure.short(calm)) ms; 8 sessions, \(found["answered"]?.int ?? 0) answered, \(found["ended"]?.int ?? 0) ended",
            ratio: flood / calm)
    }
}
