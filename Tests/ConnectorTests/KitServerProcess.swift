import Foundation

/// A program that serves while the tests run, and ends with the test process, even a killed one.
final class KitServerProcess: Sendable {
    enum Failure: Error {
        case notReady(String)
        case setupFailed(String)
    }

    private let process: Process
    private let lifeline: FileHandle
    /// The first line the program printed, when it was asked for.
    let firstLine: String

    /// Starts a program from Tests/Support.
    ///
    /// - Parameters:
    ///   - readsLine: wait for the first line on standard output (a port number).
    init(_ script: String, _ arguments: [String], readsLine: Bool = false) throws {
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        // Those that print a line end by themselves when their standard input does; the others need a
        // watcher. It cannot send SIGTERM: what is started from a thread of Swift's pool has that blocked.
        let watch = """
            parent=$1; shift; "$@" </dev/null & child=$!
            while kill -0 "$parent" && kill -0 $child; do sleep 0.5; done; kill -9 $child
            """
        let command = readsLine ? #"shift; exec "$@""# : watch
        let own = String(ProcessInfo.processInfo.processIdentifier)
        process.arguments = ["-c", command, "sh", own, Self.support(script)] + arguments
        process.standardInput = input
        process.standardOutput = readsLine ? output : FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        lifeline = input.fileHandleForWriting
        guard readsLine else {
            firstLine = ""
            return
        }
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0A { line.append(byte) }
        firstLine = String(decoding: line, as: UTF8.self)
        if firstLine.isEmpty { throw Failure.notReady(script) }
    }

    deinit { try? lifeline.close() }

    static func support(_ script: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Support").appendingPathComponent(script).path
    }

    /// Runs a script to its end.
    static func run(_ script: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: support(script))
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure.setupFailed(script) }
    }

    /// A port of 127.0.0.1 that is free at the moment.
    static func freePort() -> Int {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard bind(socket, $0, length) == 0, getsockname(socket, $0, &length) == 0 else { return 0 }
                return $0.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    Int(UInt16(bigEndian: $0.pointee.sin_port))
                }
            }
        }
    }

    /// Waits until something answers at an address, 30 seconds at most.
    static func waitUntil(_ isReady: () async throws -> Bool) async throws {
        for _ in 0..<300 {
            if (try? await isReady()) == true { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Failure.notReady("the server did not come up")
    }
}
