import Foundation

/// A program run for a measurement: pgbench, wrk, a Python baseline, the service itself.
final class ChildProcess: Sendable {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }
    private nonisolated(unsafe) let process: Process
    private let output: String

    /// Starts a program found in PATH.
    /// - Parameter environment: variables over those of this process.
    init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        // threads of the Swift runtime block most signals, and a child would inherit that: pgbench ends by SIGALRM
        process.arguments = ["--default-signal", program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        output = NSTemporaryDirectory() + "/kontor-bench-\(UUID().uuidString).out"
        guard FileManager.default.createFile(atPath: output, contents: nil),
            let file = FileHandle(forWritingAtPath: output)
        else { throw Failed(description: "\(output) cannot be written") }
        process.standardOutput = file
        process.standardError = file
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit { unlink(output) }

    var id: Int32 { process.processIdentifier }

    /// What it has written to standard output and standard error.
    var text: String { FileManager.default.contents(atPath: output).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// Waits for its end.
    /// - Returns: what it wrote.
    /// - Throws: `Failed` with its last words when it does not exit with 0.
    func finish() async throws -> String {
        await waitForEnd()
        guard process.terminationStatus == 0 else {
            throw Failed(
                description:
                    "\(process.arguments?[1] ?? "?") exits with \(process.terminationStatus): \(text.prefix(3000))")
        }
        return text
    }

    /// Asks it to end and waits until it has.
    func stop() async {
        process.terminate()
        await waitForEnd()
    }

    private func waitForEnd() async {
        while process.isRunning {
            do { try await Task.sleep(for: .milliseconds(10)) } catch { process.terminate() }
        }
    }

    /// Runs a program to its end.
    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> String {
        try await ChildProcess(program, arguments, environment: environment).finish()
    }

    /// Seconds of processor time that a process and its living children have used.
    static func cpuSeconds(of process: Int32) -> Double {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        return all.reduce(0) { sum, id in
            guard let stat = FileManager.default.contents(atPath: "/proc/\(id)/stat") else { return sum }
            let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
            guard fields.count > 12, id == process || Int32(fields[1]) == process, let user = Double(fields[11]),
                let system = Double(fields[12])
            else { return sum }
            return sum + (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }
    }
}
