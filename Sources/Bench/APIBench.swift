import Foundation
import Hub
import Postgres
import Store

/// The service's API against FastAPI with asyncpg doing the same work on the same cluster, both loaded by wrk.
struct APIBench {
    private let here: Bench.Surroundings
    private static let rounds = 3
    private static let seconds = 5
    private static let contacts = 20_000
    private static let connections = 32

    /// A server under load.
    private struct Side {
        let process: ChildProcess
        let address: String
        let token: String
    }

    init(_ here: Bench.Surroundings) { self.here = here }

    func run() async throws -> [Figure] {
        guard let program = here.kontor else { throw Options.Wrong(description: "the API needs the program kontor") }
        let cluster = here.cluster
        let tenant = try await cluster.makeTenant("api")
        try await cluster.makeContacts(1...Self.contacts, in: tenant, logged: false)
        let token = try await cluster.provisioner.issueToken(for: tenant, label: "bench", scopes: ["contacts:read"])
        let service = try await KontorService(program, cluster, hasWorkers: false)
        let kontor = Side(process: service.process, address: service.address, token: token)
        let script = try await PgbenchScript.contact(of: tenant, cluster, contacts: Self.contacts)
        do {
            let figures = try await compare(kontor, tenant, script)
            await kontor.process.stop()
            return figures
        } catch {
            await kontor.process.stop()
            throw error
        }
    }

    private func compare(_ kontor: Side, _ tenant: Tenant, _ script: String) async throws -> [Figure] {
        let fastAPI = try await fastAPI(tenant, kontor.token)
        do {
            let figures =
                try await compare("get", "contact.lua", kontor, fastAPI, script)
                + compare("list", "list.lua", kontor, fastAPI, nil)
            await fastAPI.process.stop()
            return figures
        } catch {
            await fastAPI.process.stop()
            throw error
        }
    }

    private func compare(
        _ name: String, _ script: String, _ kontor: Side, _ fastAPI: Side, _ pgbench: String?
    ) async throws -> [Figure] {
        var cpu: [[Double]] = [[], []]
        var sides: [() async throws -> Double] = [kontor, fastAPI].enumerated().map { index, side in
            {
                let (rate, cost) = try await load(side, script)
                cpu[index].append(cost)
                return rate
            }
        }
        if let pgbench {
            let conninfo = here.cluster.instance.serviceConnection
            sides.append { try await PgbenchScript.rate(conninfo, ["-f", pgbench], seconds: Self.seconds) }
        }
        let rates = try await Rounds.interleaved(Self.rounds, sides)
        let own = Rounds.median(rates[0])
        var figures = [
            Figure(
                "api.\(name)_vs_fastapi", own, "requests/s",
                against: "FastAPI and asyncpg, a worker per core: \(Figure.short(Rounds.median(rates[1])))",
                ratio: Rounds.ratio(rates[0], to: rates[1])),
            Figure(
                "api.\(name)_cpu_us", Rounds.median(cpu[0]), "µs/request",
                against: "FastAPI: \(Figure.short(Rounds.median(cpu[1])))", ratio: Rounds.ratio(cpu[0], to: cpu[1])),
        ]
        if pgbench != nil {
            figures.append(
                Figure(
                    "api.\(name)_vs_pgbench", own, "requests/s",
                    against: "pgbench, same statements in its pipeline mode: \(Figure.short(Rounds.median(rates[2])))",
                    ratio: Rounds.ratio(rates[0], to: rates[2])))
        }
        return figures
    }

    /// - Returns: requests per second, and the server's processor time for each in microseconds.
    private func load(_ side: Side, _ script: String) async throws -> (rate: Double, cpu: Double) {
        let before = ChildProcess.cpuSeconds(of: side.process.id)
        let text = try await ChildProcess.run(
            "wrk",
            [
                "-t1", "-c\(Self.connections)", "-d\(Self.seconds)s", "-H", "Authorization: Bearer \(side.token)", "-s",
                "\(here.helpers)/\(script)", side.address, "--", "\(Self.contacts)",
            ])
        let used = ChildProcess.cpuSeconds(of: side.process.id) - before
        guard !text.contains("Non-2xx"), !text.contains("Socket errors") else {
            throw ChildProcess.Failed(
                description: "\(side.address) answers wrongly: \(text) \(side.process.text.suffix(1000))")
        }
        // "  12345 requests in 5.00s, ..." and "Requests/sec:   2469.00"
        func number(beside words: String) -> Double? {
            text.split(separator: "\n").first { $0.contains(words) }
                .flatMap { $0.replacingOccurrences(of: words, with: "").split(separator: " ").first }.flatMap {
                    Double($0)
                }
        }
        guard let rate = number(beside: "Requests/sec:"), let count = number(beside: "requests in") else {
            throw ChildProcess.Failed(description: "wrk told no rate: \(text)")
        }
        return (rate, used / count * 1e6)
    }

    /// uvicorn with a worker per core, as its guide says, and a pool in each.
    private func fastAPI(_ tenant: Tenant, _ token: String) async throws -> Side {
        let port = 18_000 + Int(getpid()) % 2000
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let pads = try await here.cluster.superuser.run(
            "SELECT encode(inner_pad, 'hex') AS inner, encode(outer_pad, 'hex') AS outer FROM auth.key")[0][0]
        let process = try ChildProcess(
            here.python,
            [
                "-m", "uvicorn", "fastapi_contacts:app", "--app-dir", here.helpers, "--port", "\(port)", "--workers",
                "\(cores)", "--no-access-log", "--log-level", "warning",
            ],
            environment: [
                "BENCH_DATABASE": here.cluster.instance.serviceConnection, "BENCH_SCHEMA": tenant.schema,
                "BENCH_INNER": try pads.get("inner"), "BENCH_OUTER": try pads.get("outer"),
                "PYTHONDONTWRITEBYTECODE": "1",
            ])
        let side = Side(process: process, address: "http://127.0.0.1:\(port)", token: token)
        let watch = Stopwatch()
        while true {
            do {
                _ = try await ChildProcess.run(
                    "curl",
                    [
                        "-sf", "-o", "/dev/null", "-H", "Authorization: Bearer \(token)",
                        side.address + "/api/v1/contacts/1",
                    ])
                return side
            } catch {
                guard watch.seconds < 30 else {
                    await process.stop()
                    throw ChildProcess.Failed(description: "FastAPI did not open: \(process.text)")
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
