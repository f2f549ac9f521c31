/// A row that could not be read. Parsing goes on after it.
public struct CSVFault: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Reason: Sendable, Hashable {
        /// More columns than the limit given.
        case tooManyColumns(Int)
        /// Bytes.
        case cellTooLarge(Int)
        /// Bytes.
        case rowTooLarge(Int)
        case textAfterQuote
        case unterminatedQuote
        /// Not as many cells as the first row.
        case width(found: Int, expected: Int)
    }

    /// Line of the file on which the row begins, from 1.
    public let line: Int
    public let reason: Reason

    public var description: String {
        let what =
            switch reason {
            case .tooManyColumns(let limit): "more than \(limit) columns"
            case .cellTooLarge(let limit): "a cell of more than \(limit) bytes; a quotation mark may be missing"
            case .rowTooLarge(let limit): "a row of more than \(limit) bytes; a quotation mark may be missing"
            case .textAfterQuote: "text between a closing quotation mark and the next delimiter"
            case .unterminatedQuote: "a quotation mark that is never closed"
            case .width(let found, let expected): "\(found) cells, but the first row has \(expected)"
            }
        return "line \(line): \(what)"
    }
}

/// What a CSV file may have at most.
public struct CSVLimits: Sendable, Hashable {
    public let columns: Int
    /// Bytes.
    public let cell: Int
    /// Bytes.
    public let row: Int

    public init(columns: Int = 500, cell: Int = 1 << 20, row: Int = 5 << 20) {
        (self.columns, self.cell, self.row) = (columns, cell, row)
    }
}
