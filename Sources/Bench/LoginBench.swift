import Foundation
import Hub
import Postgres
import Store

/// What 500 sign-ins at once cost somebody who reads contacts meanwhile, and whether the time of a sign-in tells a known
/// account from an unknown one.
struct LoginBench {
    private let here: Bench.Surroundings
    private static let contacts = 5000
    private static let accounts = 12

    init(_ here: Bench.Surroundings) { self.here = here }

    func run() async throws -> [Figure] {
        guard let program = here.kontor else { throw Options.Wrong(description: "logins need the program kontor") }
        let cluster = here.cluster
        let tenant = try await cluster.makeTenant("logins")
        try await cluster.makeContacts(1...Self.contacts, in: tenant, logged: false)
        try await cluster.provisioner.setOwner(
            of: tenant, email: "k1@bench.example", password: "seven kettles on a quiet ferry")
        _ = try await cluster.superuser.run(
            """
            INSERT INTO auth.account (tenant, email, password)
            SELECT \(tenant.id), 'k' || i || '@bench.example', a.password
            FROM auth.account a, generate_series(2, \(Self.accounts)) i WHERE a.tenant = \(tenant.id)
            """)
        let token = try await cluster.provisioner.issueToken(for: tenant, label: "bench", scopes: ["contacts:read"])
        let service = try await KontorService(program, cluster, hasWorkers: false)
        do {
            let figures = try await measure(service, token)
            await service.process.stop()
            return figures
        } catch {
            await service.process.stop()
            throw error
        }
    }

    private func measure(_ service: KontorService, _ token: String) async throws -> [Figure] {
        let place = service.address.replacingOccurrences(of: "http://", with: "").split(separator: ":").map(String.init)
        let text = try await ChildProcess.run(
            here.python,
            ["\(here.helpers)/logins.py"] + place + [token, "\(Self.contacts)", "logins", "\(Self.accounts)"])
        let found = try JSON(text: text.trimmingCharacters(in: .whitespacesAndNewlines))
        func number(_ name: String) throws -> Double {
            guard let value = found[name]?.double ?? found[name]?.int.map(Double.init) else {
                throw ChildProcess.Failed(description: "logins: \(text)")
            }
            return value
        }
        return [
            Figure(
                "logins.others_p95_ms", try number("during"), "ms",
                against:
                    "without sign-ins: \(Figure.short(try number("calm"))) ms; of 1,500, \(Int(try number("tried"))) were looked at and \(Int(try number("refused"))) sent away",
                ratio: try number("during") / number("calm")),
            Figure(
                "logins.known_ms", try number("known"), "ms",
                against: "unknown accounts: \(Figure.short(try number("unknown"))) ms",
                ratio: try number("known") / number("unknown")),
        ]
    }
}
