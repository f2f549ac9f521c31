import Foundation
public import Hub
internal import Postgres

/// A tenant in one file: JSON lines. The first names versions and modules; then for each table {"table", "columns"}
/// and a line per row; the last is {"end": rows}, so that a torn file is known.
enum TenantArchive {
    static let format: Int64 = 1

    /// What COPY's text format wrote for one JSON value: only backslashes are doubled.
    static func plain(_ line: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(line.count)
        var isEscaped = false
        for byte in line {
            if byte == UInt8(ascii: "\\") && !isEscaped {
                isEscaped = true
            } else {
                out.append(byte)
                isEscaped = false
            }
        }
        return out
    }
}

extension TenantDatabase {
    /// Writes all of a tenant's data as of one moment.
    /// - Parameter write: takes the next bytes of the file.
    public func export(modules: [String: Int], _ write: @Sendable ([UInt8]) async throws -> Void) async throws {
        // each wrapped under the master key: without that they are of no use
        let keys = try await run(
            as: .system,
            "SELECT purpose, id, encode(sealed, 'base64') AS sealed, master FROM auth.data_keys(\(tenant.id))")[0]
        let wrapped = try JSON(parsing: keys.json())
        try await snapshot { session in
            // kept with the accounts, apart from the tenant's data
            let policy = try await session.query(
                "SELECT length, strength, words, history, expires_days, factor_roles FROM \(table("password_policy"))()"
            )
            let header: JSON = [
                "kontor": .int(TenantArchive.format), "tenant": .int(tenant.id), "country": .string(tenant.country),
                "modules": .object(modules.mapValues { .int(Int64($0)) }), "keys": wrapped,
                "password_policy": try JSON(parsing: policy.json(row: 0)),
            ]
            try await write(header.bytes + [0x0A])
            var rows = 0
            for (name, columns) in try await Self.tables(of: tenant.schema, session) {
                let head: JSON = ["table": .string(name), "columns": .array(columns.map(JSON.string))]
                try await write(head.bytes + [0x0A])
                let list = columns.map { "\(identifier: $0)" as SQL }.joined(separator: ", ")
                rows += try await session.copyOut(
                    "COPY (SELECT row_to_json(x) FROM (SELECT \(list) FROM \(table(name))) x) TO STDOUT"
                ) { bytes in
                    for line in bytes.split(separator: 0x0A) { try await write(TenantArchive.plain(line) + [0x0A]) }
                }
            }
            try await write((["end": .int(Int64(rows))] as JSON).bytes + [0x0A])
        }
    }

    /// Tables of a schema with the columns that are stored as given, by name; without what is worked out of others.
    static func tables(of schema: String, _ session: Session) async throws -> [(String, [String])] {
        try await session.query(
            """
            SELECT c.relname::text AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = \(schema)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
            WHERE c.relkind = 'r' AND c.relname <> 'effective' GROUP BY c.relname ORDER BY c.relname
            """
        ).map { (try $0.get("name"), try $0.get("columns")) }
    }
}
