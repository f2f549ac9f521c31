internal import Hub
public import Logging
internal import Postgres
import Synchronization

/// Counts API calls by tenant, and adds them to the month's every minute. Those of the last minute before the process is
/// killed are lost: they are never counted twice.
public final class CallCounter: Sendable {
    private let counts = Mutex<[Int64: Int64]>([:])
    private let node: Node
    private let log: Logger

    public init(node: Node, log: Logger) { (self.node, self.log) = (node, log) }

    public func note(_ tenant: Int64) { counts.withLock { $0[tenant, default: 0] += 1 } }

    /// Writes what was counted.
    public func flush() async {
        let waiting = counts.withLock { counts in
            defer { counts = [:] }
            return counts
        }
        guard !waiting.isEmpty else { return }
        do {
            _ = try await node.asService(
                "SELECT auth.add_calls(\(Array(waiting.keys))::bigint[], \(Array(waiting.values))::bigint[])")
        } catch {
            // whether it was added cannot be known
            log.error(
                "calls could not be counted",
                metadata: ["calls": "\(waiting.values.reduce(0, +))", "error": "\(Failure.logText(error))"])
        }
    }
}
