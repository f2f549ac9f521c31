import ConnectorKit
import Hub
import Logging
import Synchronization

/// Secrets in memory.
final class KitSecrets: SecretStore {
    private let values: Mutex<[String: String]>
    init(_ values: [String: String]) { self.values = Mutex(values) }
    func secret(_ name: String) async throws -> String? { values.withLock { $0[name] } }
    func take(_ name: String) async throws -> String? { values.withLock { $0.removeValue(forKey: name) } }
    func save(_ new: [String: String]) async throws { values.withLock { $0.merge(new) { $1 } } }
}

/// Keeps every line that is logged, at every level, with its metadata.
final class KitLog: Sendable {
    private let kept = Mutex<[String]>([])

    var text: String { kept.withLock { $0.joined(separator: "\n") } }
    func note(_ line: String) { kept.withLock { $0.append(line) } }
    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: KitLog
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            log.note("\(event.level) \(event.message) \(metadata) \(event.metadata ?? [:])")
        }
    }
}
