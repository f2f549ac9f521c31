import Foundation
import Hub
import Postgres
import Store

/// Pages of the console against the calls of the API that they stand on; how soon many open consoles show a change, and what
/// memory the service takes with them.
struct ConsoleBench {
    private let here: Bench.Surroundings
    private static let consoles = 200
    private static let password = "seven kettles on a quiet ferry"

    init(_ here: Bench.Surroundings) { self.here = here }

    func run() async throws -> [Figure] {
        guard let program = here.kontor else { throw Options.Wrong(description: "pages need the program kontor") }
        let cluster = here.cluster
        let contacts = here.isSmall ? 100_000 : 1_000_000
        let tenant = try await cluster.makeTenant("console", modules: ["sales"])
        try await SegmentData(tenant: tenant, cluster: cluster, contacts: contacts, suppliers: 100).make()
        try await cluster.provisioner.setOwner(
            of: tenant, email: "owner@bench.example", password: Self.password)
        let token = try await cluster.provisioner.issueToken(
            for: tenant, label: "bench", scopes: ["contacts:read", "contacts:write", "config", "runs", "feed", "audit"])
        let service = try await KontorService(program, cluster, hasWorkers: true)
        do {
            let figures = try await measure(service, token, contacts)
            await service.process.stop()
            return figures
        } catch {
            await service.process.stop()
            throw error
        }
    }

    private func measure(_ service: KontorService, _ token: String, _ contacts: Int) async throws -> [Figure] {
        let place = service.address.replacingOccurrences(of: "http://", with: "").split(separator: ":").map(String.init)
        let text = try await ChildProcess.run(
            here.python,
            ["\(here.helpers)/console.py"] + place + [
                token, "\(contacts)", "console", Self.password, "\(Self.consoles)",
            ])
        let found = try JSON(text: text.trimmingCharacters(in: .whitespacesAndNewlines))
        func number(_ value: JSON?) throws -> Double {
            guard let value = value?.double ?? value?.int.map(Double.init) else {
                throw ChildProcess.Failed(description: "console: \(text)")
            }
            return value
        }
        var figures = try (found["pages"]?.object ?? [:]).sorted { $0.key < $1.key }.map { name, times in
            let (page, calls) = (try number(times.array?[0]), try number(times.array?[1]))
            return Figure(
                "console.\(name)_ms", page, "ms",
                against:
                    "the calls it stands on: \(Figure.short(calls)) ms; 95th percentile of the page: \(Figure.short(try number(times.array?[2]))) ms",
                ratio: page / calls)
        }
        figures.append(
            Figure(
                "console.live_ms", try number(found["live_last"]), "ms",
                against:
                    "the last of \(Self.consoles) consoles; their median: \(Figure.short(try number(found["live_median"]))) ms"
            ))
        if let peak = Memory.megabytes("VmHWM", of: service.process.id) {
            figures.append(Figure("console.memory_mb", peak, "MB", against: "\(Self.consoles) consoles open"))
        }
        return figures
    }
}
