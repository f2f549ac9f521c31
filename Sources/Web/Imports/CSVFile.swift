import Hub
import Store

/// Rows of a CSV file on their way to be staged.
struct CSVFile {
    private let table: CSVTable
    private let reader: RowReader
    private var text: CSVText
    private var hasHeader = false
    private(set) var rows: [StagedRow] = []
    private(set) var rowCount = 0
    private(set) var faultCount = 0

    init(table: CSVTable, reader: RowReader) {
        (self.table, self.reader) = (table, reader)
        text = CSVText(table.dialect)
    }

    mutating func feed(_ bytes: [UInt8]) {
        var events: [CSVParser.Event] = []
        text.feed(bytes) { events.append($0) }
        for event in events { take(event) }
    }

    mutating func finish() {
        var events: [CSVParser.Event] = []
        text.finish { events.append($0) }
        for event in events { take(event) }
    }

    mutating func takeRows() -> [StagedRow] {
        defer { rows.removeAll(keepingCapacity: true) }
        return rows
    }

    private mutating func take(_ event: CSVParser.Event) {
        switch event {
        case .row(let row):
            guard hasHeader else {
                hasHeader = true
                return
            }
            var values: [String: JSON] = [:]
            for (index, header) in table.headers.enumerated() where !header.isEmpty && index < row.count {
                values[header] = .string(Self.clean(row.text(index)))
            }
            rows.append(reader.row(line: Int64(row.line), values: .object(values)))
            rowCount += 1
        case .fault(let fault):
            rows.append(reader.fault(line: Int64(fault.line), message: fault.description))
            faultCount += 1
        }
    }

    /// PostgreSQL's text holds no U+0000.
    private static func clean(_ text: String) -> String {
        guard text.utf8.contains(0) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value != 0 }))
    }
}
