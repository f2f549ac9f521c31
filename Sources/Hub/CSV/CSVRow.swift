/// One row of a CSV file. Its cells are views into the parser's buffer, which the row keeps alive.
public struct CSVRow: Sendable {
    struct Cell: Sendable {
        let start: Int
        let end: Int
        /// Whether it has doubled quotes.
        let isEscaped: Bool
    }

    let buffer: [UInt8]
    let cells: [Cell]
    /// Line of the file on which the row begins, from 1.
    public let line: Int

    /// How many cells there are.
    public var count: Int { cells.count }

    /// The bytes of a cell, in UTF-8; a copy only when the cell has quotes in it.
    public subscript(index: Int) -> ArraySlice<UInt8> {
        let cell = cells[index]
        let raw = buffer[cell.start..<cell.end]
        return cell.isEscaped ? CSVRow.unescaped(raw) : raw
    }

    /// The text of a cell; bytes that are not UTF-8 become U+FFFD.
    public func text(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }

    /// The texts of all cells.
    public var texts: [String] { cells.indices.map(text) }

    private static func unescaped(_ raw: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let quote = UInt8(ascii: "\"")
        var result: [UInt8] = []
        result.reserveCapacity(raw.count)
        var isSecond = false
        for byte in raw {
            isSecond = byte == quote && !isSecond
            if !isSecond { result.append(byte) }
        }
        return result[...]
    }
}
