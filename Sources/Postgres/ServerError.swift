import CLibpq

extension PostgresError {
    /// Reads the fields of a failed result (libpq's PG_DIAG codes).
    init(result: OpaquePointer) {
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
        }
        let state = field("C")
        self.init(
            Self.kind(of: state), field("M") ?? Self.trimmed(PQresultErrorMessage(result)), sqlState: state)
        constraint = field("n")
        schema = field("s")
        table = field("t")
        column = field("c")
        routine = field("R")
        hint = field("H")
    }

    /// The libpq connection's own message, for losses and refusals.
    init(connection: OpaquePointer) {
        self.init(.connection, Self.trimmed(PQerrorMessage(connection)))
    }

    /// No SQLSTATE means that libpq made the error itself: the connection is gone.
    private static func kind(of state: String?) -> Kind {
        guard let state else { return .connection }
        switch state {
        case "57014": return .timeout
        case "57P01", "57P02", "57P03", "57P05", "25P03": return .connection
        default: return state.hasPrefix("08") ? .connection : .server
        }
    }

    private static func trimmed(_ text: UnsafeMutablePointer<CChar>?) -> String {
        guard let text else { return "connection lost" }
        var message = String(cString: text)
        while message.last?.isNewline == true { message.removeLast() }
        return message.isEmpty ? "connection lost" : message
    }
}
