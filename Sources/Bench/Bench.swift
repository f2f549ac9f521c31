import Foundation
import Logging

/// Measures Kontor against what it is compared with, both in one run. Started by scripts/bench.
@main
struct Bench {
    /// What a measurement needs to know.
    struct Surroundings: Sendable {
        let cluster: BenchCluster
        /// A tenth of the data, for a quick look.
        let isSmall: Bool
        /// Holds generated files between runs.
        let cache: String
        /// Python with the baselines' packages.
        let python: String
        /// The baselines' scripts.
        let helpers: String
        /// The service's program; nil leaves the API's figures out.
        let kontor: String?
    }

    /// The measurements by the beginning of their figures' names, in the order in which they run.
    private static let all: [(name: String, run: @Sendable (Surroundings) async throws -> [Figure])] = [
        ("client", { try await ClientBench($0).run() }),
        ("events", { try await EventsBench($0).run() + ClaimBench($0).run() }),
        ("routing", { try await RoutingBench($0).run() }),
        ("api", { try await APIBench($0).run() }),
        ("logins", { try await LoginBench($0).run() }),
        ("console", { try await ConsoleBench($0).run() }),
        ("segment", { try await SegmentBench($0).run() }),
        ("rights", { try await RightsBench($0).run() }),
        ("reporting", { try await ReportingBench($0).run() }),
        ("import", { try await ImportBench($0).run() }),
        ("tenants", { try await TenantsBench($0).run() }),
    ]

    static func main() async {
        do {
            try await measure(Options(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
            exit(1)
        }
    }

    @concurrent private static func measure(_ options: Options) async throws {
        let chosen =
            try options.names.isEmpty
            ? all
            : options.names.reduce(into: []) { chosen, name in
                guard let one = all.first(where: { name == $0.name || name.hasPrefix($0.name + ".") }) else {
                    throw Options.Wrong(description: "there is no figure \(name)")
                }
                if !chosen.contains(where: { $0.name == one.name }) { chosen.append(one) }
            }
        let cluster = try await BenchCluster(folder: options.folder, sql: options.sql)
        let surroundings = Surroundings(
            cluster: cluster, isSmall: options.isSmall, cache: options.cache, python: options.python,
            helpers: options.helpers, kontor: options.kontor)
        var figures: [Figure] = []
        var failures: [String] = []
        say(Figure.heading)
        for measurement in chosen {
            do {
                let made = try await measurement.run(surroundings)
                for figure in made { say(figure.line) }
                figures += made
            } catch {
                failures.append(measurement.name)
                FileHandle.standardError.write(Data("bench: \(measurement.name): \(error)\n".utf8))
            }
        }
        await cluster.close()
        try FileManager.default.removeItem(atPath: options.folder)
        if let file = options.jsonFile { try report(figures).write(toFile: file, atomically: true, encoding: .utf8) }
        guard failures.isEmpty else {
            throw Options.Wrong(description: "not measured: " + failures.joined(separator: ", "))
        }
    }

    /// Prints a line at once, also into a pipe.
    private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    private static func report(_ figures: [Figure]) -> String {
        "[" + figures.map(\.json.text).joined(separator: ",\n ") + "]\n"
    }
}
