import CLibpq
import Logging

/// Leaves a lent connection as it was: costs nothing after a clean transaction, otherwise one round trip or two.
struct LeaseReset {
    let connection: Connection
    /// Also undo what outlives transactions: settings, role, cursors, locks, temporary tables, LISTEN.
    let full: Bool
    let log: Logger

    /// Never throws: a connection that cannot be reset is closed, and the pool replaces it.
    func run() async {
        do {
            switch connection.transactionStatus {
            case PQTRANS_IDLE: break
            case PQTRANS_INTRANS, PQTRANS_INERROR: _ = try await connection.pipeline(prelude: nil, ["ROLLBACK"])
            default: return connection.close()
            }
            guard full else { return }
            _ = try await connection.pipeline(
                prelude: nil,
                [
                    "RESET SESSION AUTHORIZATION", "RESET ALL", "CLOSE ALL", "UNLISTEN *",
                    "SELECT pg_advisory_unlock_all()", "DISCARD TEMP",
                ])
        } catch {
            // each costs a process of the server and all it had learned
            log.warning("a connection could not be reset and is closed", metadata: ["error": "\(error)"])
            connection.close()
        }
    }
}
