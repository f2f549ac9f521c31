/// One row of a result.
public struct Row: Sendable {
    let rows: Rows
    let index: Int

    /// The value of the column `name`.
    /// - Throws: `PostgresError` (`.usage`) when there is no such column, when NULL meets a type that is not
    ///   optional, or when the text does not fit the type.
    public func get<T: SQLDecodable>(_ name: String, as type: T.Type = T.self) throws -> T {
        guard let column = rows.index(of: name) else {
            throw PostgresError(.usage, "the result has no column \(name)", column: name)
        }
        return try get(column, as: type)
    }

    /// The value of the column at `column`, counted from 0; throws like the form by name.
    public func get<T: SQLDecodable>(_ column: Int, as type: T.Type = T.self) throws -> T {
        guard column >= 0, column < rows.columnCount else {
            throw PostgresError(.usage, "the result has \(rows.columnCount) columns, none at \(column)")
        }
        guard let bytes = rows.value(index, column) else {
            if let null = T.fromNull() { return null }
            throw failure(column, "is NULL, not \(T.self)")
        }
        guard let value = T.decode(bytes) else { throw failure(column, "does not fit \(T.self)") }
        return value
    }

    /// The text form of a value as it came; nil for NULL and for a column that is not there.
    public func bytes(_ name: String) -> [UInt8]? {
        rows.index(of: name).flatMap { rows.value(index, $0) }.map { Array($0) }
    }

    /// True when the column at hand is NULL or missing.
    public func isNull(_ name: String) -> Bool {
        rows.index(of: name).map { rows.value(index, $0) == nil } ?? true
    }

    private func failure(_ column: Int, _ problem: String) -> PostgresError {
        let name = rows.columnName(column)
        return PostgresError(.usage, "column \(name) \(problem)", column: name)
    }
}
