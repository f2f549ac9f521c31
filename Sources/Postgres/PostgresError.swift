/// What went wrong in talking to PostgreSQL.
///
/// The server's DETAIL, which quotes column values, is never kept. `description` leaves out the server's message
/// where such messages quote values; it is safe to log.
public struct PostgresError: Error, Sendable {
    public enum Kind: String, Sendable {
        /// The server refused the statement; `sqlState` says why.
        case server
        /// The connection was lost or could not be made. Whether a statement under way took effect is unknown.
        case connection
        /// The deadline or the server's statement_timeout passed, or the statement was cancelled.
        case timeout
        /// No connection became free within the wait limit.
        case busy
        /// The call itself is wrong: a NUL byte, a type that does not fit the column, COPY in a single shot.
        case usage
    }

    public var kind: Kind
    /// The five-character SQLSTATE, when the server sent one.
    public var sqlState: String?
    /// The server's primary message, or this library's own.
    public var message: String
    public var constraint: String?
    public var schema: String?
    public var table: String?
    public var column: String?
    /// The server's source function that raised the error (not translated, unlike the message).
    public var routine: String?
    public var hint: String?

    public init(_ kind: Kind, _ message: String, sqlState: String? = nil, column: String? = nil) {
        self.kind = kind
        self.message = message
        self.sqlState = sqlState
        self.column = column
    }

    /// `catch` and `switch` by SQLSTATE: `case "23505": ...`.
    public static func ~= (sqlState: String, error: PostgresError) -> Bool { error.sqlState == sqlState }
    /// `catch` and `switch` by kind: `case .busy: ...`.
    public static func ~= (kind: Kind, error: PostgresError) -> Bool { error.kind == kind }

    public var isUniqueViolation: Bool { sqlState == "23505" }
    public var isForeignKeyViolation: Bool { sqlState == "23503" }
    public var isCheckViolation: Bool { sqlState == "23514" }
    /// A serialization failure or deadlock: the whole transaction may be tried again.
    public var isRetryable: Bool { sqlState == "40001" || sqlState == "40P01" }

    /// A prepared statement which the server no longer has, or whose result changed its shape.
    var isStalePlan: Bool {
        sqlState == "26000" || (sqlState == "0A000" && routine == "RevalidateCachedQuery")
    }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// SQLSTATE classes whose primary messages name objects and never quote values.
    private static let quietClasses: Set<String> = [
        "08", "0A", "23", "25", "26", "28", "34", "3D", "3F", "40", "42", "53", "54", "55", "57",
    ]

    public var description: String {
        var text = "PostgreSQL \(kind.rawValue)"
        if let sqlState { text += " \(sqlState)" }
        if sqlState.map({ Self.quietClasses.contains(String($0.prefix(2))) }) ?? true { text += ": \(message)" }
        for (label, name) in [
            ("constraint", constraint), ("schema", schema), ("table", table), ("column", column), ("routine", routine),
        ] {
            if let name { text += " \(label)=\(name)" }
        }
        return text
    }

    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
