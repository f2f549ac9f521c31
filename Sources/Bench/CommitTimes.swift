import Synchronization

/// When each record's write was answered, in nanoseconds of the monotonic clock.
final class CommitTimes: Sendable {
    private let times = Mutex<[(key: String, at: UInt64)]>([])

    func add(_ key: String, at moment: UInt64) { times.withLock { $0.append((key, moment)) } }
    var all: [(key: String, at: UInt64)] { times.withLock { $0 } }
}
