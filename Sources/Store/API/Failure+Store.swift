public import Hub
internal import Logging
internal import Postgres

extension Failure {
    /// What the caller of an interface is told of an error that comes out of the store. Nothing of a statement
    /// or a value is in it.
    /// - Parameter error: a `Failure` stays what it is.
    public init(storeError error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as PostgresError: self = Self.words(error)
        default: self = Failure(.broken, "internal", "Kontor could not do this; the log says why.")
        }
    }

    private static func words(_ error: PostgresError) -> Failure {
        switch error.kind {
        case .busy, .connection:
            return Failure(
                .unavailable, "database.unavailable", "The database cannot be reached now: try again.", retryAfter: 1)
        case .timeout:
            return Failure(
                .unavailable, "database.timeout", "The database did not answer in time: try again.", retryAfter: 5)
        case .usage, .server: break
        }
        if error.isRetryable || error.sqlState?.hasPrefix("53") == true || error.sqlState == "55P03" {
            return Failure(
                .unavailable, "database.busy", "The database is too busy for this now: try again.", retryAfter: 1)
        }
        if error.sqlState == "42501" { return .right }
        if error.sqlState == "KL001" { return .limit(error.constraint ?? "") }
        if error.sqlState?.hasPrefix("22") == true {
            return Failure(.invalid, "value.invalid", "A value is out of range or is not of the kind that is needed.")
        }
        return Failure(.broken, "internal", "Kontor could not do this; the log says why.")
    }

    /// PostgreSQL, or the service, refused by the caller's role.
    static let right = Failure(
        .forbidden, "right.missing", "Your role does not allow this. Ask who manages staff in your shop.")

    /// - Parameter constraint: what PostgreSQL names the limit that is reached.
    private static func limit(_ constraint: String) -> Failure {
        let of = constraint.hasPrefix("limit_") ? String(constraint.dropFirst(6)) : constraint
        let words = [
            "contacts": "as many contacts as it may: delete some, or ask",
            "staff": "as many people as it may: disable one, or ask",
            "storage": "as much data as it may: ask",
        ]
        return Failure(
            .conflict, "limit.\(of)", "The shop has \(words[of] ?? "as much as it may: ask") who hosts Kontor for more."
        )
    }

    /// What the log may say of an error: statements' texts and codes, never values.
    public static func logText(_ error: any Error) -> String {
        switch error {
        case let failure as Failure: failure.code
        case let error as PostgresError: error.description
        default: "\(type(of: error))"
        }
    }
}
