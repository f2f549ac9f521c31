public import Hub
internal import Postgres

extension TenantDatabase {
    /// Whether work that ended with this error would end so each time: the data itself does not fit.
    public func isLasting(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError, error.kind == .server, !isRace(error) else { return false }
        return ["22", "23", "42"].contains(error.sqlState?.prefix(2))
    }

    /// What is said of an error that a limit of the tenant is: the same works once there is room. Nil for any other.
    public func limit(_ error: any Error) -> Failure? {
        (error as? PostgresError)?.sqlState == "KL001" ? Failure(storeError: error) : nil
    }

    /// Whether it took longer than it may; it would again.
    public func isTooLong(_ error: any Error) -> Bool { (error as? PostgresError)?.kind == .timeout }

    /// Whether other work came between, so that the same is worth trying again at once.
    public func isRace(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError else { return false }
        return error.isUniqueViolation || error.isRetryable
    }
}
