import ConnectorKit
import Foundation
import Hub

/// A vendor's peer from the folder `peers`, on a port of its own; it ends with the test process.
final class PeerProcess: Sendable {
    enum Failure: Error {
        case notReady(String)
        case refused(Int, String)
    }

    private let process: Process
    private let lifeline: FileHandle
    /// Base address without a slash at its end.
    let base: String
    private static let http = HTTPClient(guard: KitFaultProxy.loopback)

    /// - Parameter options: of the peer's command line.
    init(_ name: String, _ options: [String] = []) throws {
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.currentDirectoryURL = Self.root
        let data = FileManager.default.temporaryDirectory.appendingPathComponent("kontor-\(name)-\(UUID().uuidString)")
        // The shell outlives the peer by the time it takes to remove its data.
        let script =
            #"data=$1; name=$2; shift 2; python3 -m "peers.$name" --port 0 --data "$data" --guard "$@"; rm -rf "$data""#
        process.arguments = ["-c", script, "sh", data.path, name] + options
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        self.process = process
        lifeline = input.fileHandleForWriting
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0A { line.append(byte) }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard words.count == 2, words[0] == "ready" else {
            throw Failure.notReady(String(decoding: line, as: UTF8.self))
        }
        base = "http://127.0.0.1:\(words[1])"
    }

    deinit { try? lifeline.close() }

    /// The repository, also when the tests were compiled through a link.
    static var root: URL {
        URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
    }

    /// Calls the peer directly.
    @discardableResult
    func call(
        _ method: String, _ path: String, _ body: JSON? = nil, headers: [(String, String)] = []
    ) async throws -> JSON {
        let request =
            body.map { HTTPRequest(method, base + path, headers: headers, json: $0) }
            ?? HTTPRequest(method, base + path, headers: headers)
        let response = try await Self.http.send(request)
        guard response.isSuccess else {
            throw Failure.refused(response.status, String(decoding: response.body, as: UTF8.self))
        }
        return response.body.isEmpty ? .null : try response.json()
    }

    /// Of the requests to come one in ten is answered 500, one in ten torn, and one in five not at all, after
    /// its effect.
    func misbehave(seed: Int64, path: String = "") async throws {
        try await call(
            "POST", "/_peer/faults",
            [
                "rate_500": .double(0.1), "torn": .double(0.1), "timeout_after_effect": .double(0.2),
                "seed": .int(seed),
                "path": .string(path),
            ])
    }

    func behave() async throws { try await call("POST", "/_peer/faults", [:]) }

    func seed(_ records: JSON) async throws -> JSON { try await call("POST", "/_peer/seed", records) }

    /// All living records of a kind.
    func state(_ kind: String) async throws -> [JSON] {
        try await call("GET", "/_peer/state?kind=\(kind)")[kind]?.array ?? []
    }

    /// A connector to this peer without anything between.
    func environment(_ settings: JSON, secrets: [String: String]) -> ConnectorEnvironment {
        ConnectorEnvironment(settings: settings, secrets: KitSecrets(secrets), http: Self.http, log: KitLog().logger)
    }
}
