/// Writes CSV (RFC 4180) in UTF-8, rows ended by CRLF.
public struct CSVWriter: Sendable {
    private let delimiter: UInt8
    /// What has been written; take it and empty it at will.
    public var bytes: [UInt8] = []

    public init(delimiter: UInt8 = UInt8(ascii: ",")) { self.delimiter = delimiter }

    /// Appends a row. A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    /// - Parameter cells: nil is written as an empty cell.
    public mutating func row(_ cells: [String?]) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { bytes.append(delimiter) }
            append(cell ?? "")
        }
        bytes += [0x0D, 0x0A]
    }

    private mutating func append(_ text: String) {
        let quote = UInt8(ascii: "\"")
        let isGuarded = text.utf8.first.map(CSVWriter.formulaStarts.contains) ?? false
        let isQuoted =
            isGuarded || text.utf8.contains { $0 == delimiter || $0 == quote || $0 == 0x0A || $0 == 0x0D }
            || text.utf8.first == 0x20 || text.utf8.last == 0x20
        guard isQuoted else {
            bytes += text.utf8
            return
        }
        bytes.append(quote)
        if isGuarded { bytes.append(UInt8(ascii: "'")) }
        for byte in text.utf8 {
            if byte == quote { bytes.append(quote) }
            bytes.append(byte)
        }
        bytes.append(quote)
    }

    private static let formulaStarts: Set<UInt8> = [
        UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0D, 0x00,
    ]
}
