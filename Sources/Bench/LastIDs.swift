import Synchronization

/// The record each writer made last.
final class LastIDs: Sendable {
    private let ids: Mutex<[Int64]>

    init(_ writers: Int) { ids = Mutex([Int64](repeating: 0, count: writers)) }

    subscript(writer: Int) -> Int64 {
        get { ids.withLock { $0[writer] } }
        set { ids.withLock { $0[writer] = newValue } }
    }
}
