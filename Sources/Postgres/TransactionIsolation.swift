/// How a transaction sees others' changes.
public enum TransactionIsolation: Sendable {
    case readCommitted
    case repeatableRead
    case serializable
    /// One snapshot, no writes.
    case snapshotReadOnly

    var begin: SQL {
        switch self {
        case .readCommitted: "BEGIN"
        case .repeatableRead: "BEGIN ISOLATION LEVEL REPEATABLE READ"
        case .serializable: "BEGIN ISOLATION LEVEL SERIALIZABLE"
        case .snapshotReadOnly: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        }
    }
}
