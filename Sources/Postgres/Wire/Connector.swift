import CLibpq

/// Opens connections: the caller's conninfo with the settings this library always makes.
struct Connector: Sendable {
    enum Purpose {
        case shared
        case leased
        case listening
    }

    let configuration: DatabaseConfiguration

    /// Connects and logs in on a helper thread.
    /// - Throws: `.connection` with the server's or libpq's reason; `.usage` for a malformed conninfo.
    func connect(_ purpose: Purpose) async throws -> Connection {
        try await onThread {
            try Connection(open(purpose))
        }
    }

    private func open(_ purpose: Purpose) throws -> OpaquePointer {
        let pairs = try parameters(purpose)
        let keys = CStrings(pairs.map(\.key))
        let values = CStrings(pairs.map(\.value))
        guard let raw = PQconnectdbParams(keys.pointers, values.pointers, 0) else {
            throw PostgresError(.connection, "out of memory")
        }
        guard PQstatus(raw) == CONNECTION_OK else {
            defer { PQfinish(raw) }
            throw PostgresError(connection: raw)
        }
        // Notices may quote values and by default go to standard error.
        _ = PQsetNoticeReceiver(raw, { _, _ in }, nil)
        return raw
    }

    private func parameters(_ purpose: Purpose) throws -> [(key: String, value: String)] {
        var given = try Self.parse(configuration.conninfo)
        given["options"] = [given["options"], options(purpose)].compactMap { $0 }.joined(separator: " ")
        given["client_encoding"] = "UTF8"
        given["keepalives"] = "1"
        let defaults = [
            "application_name": configuration.applicationName,
            "connect_timeout": String(max(2, configuration.connectTimeout.components.seconds)),
            "tcp_user_timeout": "15000", "keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3",
        ]
        return given.merging(defaults) { own, _ in own }.map { ($0.key, $0.value) }
    }

    /// Session defaults, given at start-up so that RESET ALL comes back to them.
    private func options(_ purpose: Purpose) -> String {
        var settings = ["TimeZone=UTC", "DateStyle=ISO", "IntervalStyle=iso_8601", "bytea_output=hex"]
        settings.append("idle_in_transaction_session_timeout=60000")
        if purpose == .shared, let timeout = configuration.statementTimeout {
            settings.append("statement_timeout=\(timeout.milliseconds)")
        }
        return settings.map { "-c \($0)" }.joined(separator: " ")
    }

    /// libpq's own reading of keywords or URI. Its error message may quote the string, so it is not passed on.
    private static func parse(_ conninfo: String) throws -> [String: String] {
        guard let list = PQconninfoParse(conninfo, nil) else {
            throw PostgresError(.usage, "the connection string is malformed")
        }
        defer { PQconninfoFree(list) }
        var result: [String: String] = [:]
        var item = list
        while let keyword = item.pointee.keyword {
            if let value = item.pointee.val { result[String(cString: keyword)] = String(cString: value) }
            item += 1
        }
        return result
    }
}

/// A NULL-ended array of C strings that lives as long as this object.
final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafePointer<CChar>?>
    let count: Int

    init(_ strings: [String]) {
        count = strings.count
        pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() {
            let bytes = string.utf8CString
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            for (offset, byte) in bytes.enumerated() { copy[offset] = byte }
            pointers[index] = UnsafePointer(copy)
        }
        pointers[count] = nil
    }

    deinit {
        for index in 0..<count { pointers[index]?.deallocate() }
        pointers.deallocate()
    }
}

extension Duration {
    /// Whole milliseconds, at least 1.
    var milliseconds: Int64 {
        let parts = components
        return max(1, parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)
    }

    /// Nanoseconds, never negative.
    var nanoseconds: UInt64 {
        let parts = components
        return UInt64(max(0, parts.seconds)) &* 1_000_000_000 &+ UInt64(max(0, parts.attoseconds) / 1_000_000_000)
    }
}
