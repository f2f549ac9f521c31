import Logging

/// Passes on what Hummingbird logs. It gives each request a logger with metadata, and the usual handler makes text of
/// metadata when it is set, for every request; this one keeps it until something is logged.
struct LateMetadata: LogHandler {
    private let log: Logger
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    static func logger(_ log: Logger) -> Logger {
        Logger(label: log.label) { _ in LateMetadata(log: log, logLevel: log.logLevel) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        log.log(
            level: event.level, event.message, metadata: metadata.merging(event.metadata ?? [:]) { _, given in given },
            source: event.source, file: event.file, function: event.function, line: event.line)
    }
}
