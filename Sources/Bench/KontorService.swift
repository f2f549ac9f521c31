import Foundation

/// A running `kontor serve` on the bench's cluster.
final class KontorService: Sendable {
    let process: ChildProcess
    let address: String

    /// Starts it on a free port and waits until it is open.
    init(_ program: String, _ cluster: BenchCluster, hasWorkers: Bool) async throws {
        let portFile = cluster.folder + "/port-\(UUID().uuidString)"
        process = try ChildProcess(
            program,
            [
                "serve", "--data", cluster.folder + "/serve", "--master-key", cluster.folder + "/master.key", "--port",
                "0",
                "--port-file", portFile, "--log", "warning", hasWorkers ? "--workers" : "--no-workers",
            ], environment: ["KONTOR_DATABASE": cluster.serverConninfo, "KONTOR_SQL": cluster.sql])
        let watch = Stopwatch()
        while true {
            if let text = FileManager.default.contents(atPath: portFile),
                let port = Int(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
            {
                address = "http://127.0.0.1:\(port)"
                return
            }
            guard watch.seconds < 30 else {
                await process.stop()
                throw ChildProcess.Failed(description: "kontor serve did not open: \(process.text)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
