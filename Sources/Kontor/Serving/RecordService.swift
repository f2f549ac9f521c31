import Foundation
import Hub
import Logging
import ServiceLifecycle
import Store

/// Writes what was counted and seals the audit logs of all tenants every minute, and every day writes where each chain ends to a file of the data
/// folder, to be kept elsewhere too: who could change the database could not change that.
struct RecordService: Service {
    let node: Node
    let reads: ReadLog
    let calls: CallCounter
    let file: String
    let log: Logger
    private static let (pause, day): (Duration, Duration) = (.seconds(60), .seconds(86_400))

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var writtenAt: ContinuousClock.Instant?
            while !Task.isCancelled {
                await calls.flush()
                do {
                    let isDue = writtenAt.map { $0.duration(to: .now) >= Self.day } ?? true
                    try await seal(writing: isDue)
                    if isDue { writtenAt = .now }
                } catch {
                    if !Task.isCancelled {
                        log.error("audit logs could not be sealed", metadata: ["error": "\(Failure.logText(error))"])
                    }
                }
                // only cancelling ends a sleep early
                do { try await Task.sleep(for: Self.pause) } catch { break }
            }
        }
        await reads.flush()
        await calls.flush()
    }

    private func seal(writing: Bool) async throws {
        var lines = ""
        let now = Date().formatted(.iso8601)
        for tenant in try await node.openTenants() {
            let head = try await node.tenant(tenant).sealAudit()
            let line: JSON = [
                "at": .string(now), "tenant": .int(tenant.id), "place": .int(head.place), "hash": .string(head.hash),
            ]
            lines += line.text + "\n"
        }
        guard writing, !lines.isEmpty else { return }
        if !FileManager.default.fileExists(atPath: file) {
            _ = FileManager.default.createFile(
                atPath: file, contents: nil, attributes: [.posixPermissions: 0o600])
        }
        let handle = try FileHandle(forWritingTo: URL(filePath: file))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(lines.utf8))
        try handle.close()
    }
}
