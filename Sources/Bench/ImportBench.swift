import Foundation
import Hub
import Store

/// A CSV file through the running service, from the first byte of the upload to the last merged contact, against a
/// bare COPY of the same file.
struct ImportBench {
    private let here: Bench.Surroundings

    init(_ here: Bench.Surroundings) { self.here = here }

    func run() async throws -> [Figure] {
        guard let program = here.kontor else { throw Options.Wrong(description: "the import needs the program kontor") }
        let rows = here.isSmall ? 100_000 : 1_000_000
        let file = try ContactFile(rows: rows, folder: here.cache)
        let service = try await KontorService(program, here.cluster, hasWorkers: true)
        do {
            var copies: [Double] = []
            var imports: [(staging: Double, all: Double)] = []
            // a million rows take minutes: one round of them, the baseline before and after
            for round in 0..<(here.isSmall ? 3 : 1) {
                copies.append(try await copy(file))
                imports.append(try await load(file, into: "import\(round)", service))
                copies.append(try await copy(file))
            }
            let peak = Memory.megabytes("VmHWM", of: service.process.id) ?? 0
            await service.process.stop()
            return figures(rows, copies, imports, peak)
        } catch {
            let words = service.process.text.suffix(1000)
            await service.process.stop()
            throw ChildProcess.Failed(description: "\(error) \(words)")
        }
    }

    private func figures(
        _ rows: Int, _ copies: [Double], _ imports: [(staging: Double, all: Double)], _ peak: Double
    ) -> [Figure] {
        let (copy, all) = (Rounds.median(copies), Rounds.median(imports.map(\.all)))
        let staging = Rounds.median(imports.map(\.staging))
        return [
            Figure(
                "import.vs_copy", all, "s",
                against: "bare COPY of the same \(Figure.short(Double(rows))) rows: \(Figure.short(copy)) s",
                ratio: all / copy),
            Figure(
                "import.staging", staging, "s", against: "decode, parse, map, normalise, COPY", ratio: staging / copy),
            Figure("import.rate", Double(rows) / all, "contacts/s"),
            Figure("import.peak_mb", peak, "MB", against: "memory of the service, bar 300", ratio: peak / 300),
        ]
    }

    private func copy(_ file: ContactFile) async throws -> Double {
        _ = try await here.cluster.psql(
            here.cluster.plainConninfo, "DROP TABLE IF EXISTS bare",
            "CREATE TABLE bare (\(ContactFile.columns.map { "\"\($0)\" text" }.joined(separator: ", ")))", "CHECKPOINT")
        let watch = Stopwatch()
        _ = try await here.cluster.psql(
            here.cluster.plainConninfo, "\\copy bare from '\(file.path)' (format csv, header)")
        return watch.seconds
    }

    private func load(_ file: ContactFile, into name: String, _ service: KontorService) async throws -> (Double, Double)
    {
        let tenant = try await here.cluster.makeTenant(name)
        let token = try await here.cluster.provisioner.issueToken(
            for: tenant, label: "bench", scopes: ["contacts:write", "runs"])
        let watch = Stopwatch()
        var run = try await curl(
            service, token, "/imports/csv", "-X", "POST", "-T", file.path, "-H", "Content-Type: text/csv", "-H",
            "Expect:")
        let staging = watch.seconds
        while ["staging", "queued", "running"].contains(run["state"]?.string ?? "") {
            try await Task.sleep(for: .milliseconds(200))
            run = try await curl(service, token, "/runs/\(run["id"]?.int ?? 0)")
        }
        let seconds = watch.seconds
        guard run["state"] == "done", run["counts"]?["new"]?.int.map({ $0 > Int64(file.rows) * 9 / 10 }) == true else {
            throw ChildProcess.Failed(description: "the import ended otherwise: \(run.text)")
        }
        return (staging, seconds)
    }

    private func curl(_ service: KontorService, _ token: String, _ path: String, _ options: String...) async throws
        -> JSON
    {
        let text = try await ChildProcess.run(
            "curl", ["-sS", "-H", "Authorization: Bearer \(token)"] + options + [service.address + "/api/v1" + path])
        return try JSON(text: text)
    }
}
