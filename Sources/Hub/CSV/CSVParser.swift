/// Parses CSV (RFC 4180) piece by piece: quoted cells, line breaks in them, rows ended by CRLF, LF or CR.
/// Blank lines are passed over. A quotation mark within an unquoted cell counts as text, as many programs write it so.
public struct CSVParser {
    /// What a piece of the file yields.
    public enum Event: Sendable {
        case row(CSVRow)
        case fault(CSVFault)
    }

    private enum Mode { case begin, plain, quoted, closed, skipping }
    private enum Step { case next, more }

    private let delimiter: UInt8
    private let limits: CSVLimits
    private let checksWidth: Bool
    private var width: Int?

    /// Begins with the unfinished row.
    private var buffer: [UInt8] = []
    private var at = 0
    private var line = 1
    private var mode = Mode.begin
    private var rowStart = 0
    private var rowLine = 1
    private var cells: [CSVRow.Cell] = []
    private var cellStart = 0
    private var cellEnd = 0
    private var isEscaped = false
    /// Behind the row's first line break, where to go on when the row turns out to be malformed.
    private var firstBreak: Int?

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed: UInt8 = 0x0A
    private static let carriageReturn: UInt8 = 0x0D

    /// - Parameters:
    ///   - delimiter: a byte such as ",", ";" or tab.
    ///   - checksWidth: whether a row with another number of cells than the first is a fault.
    public init(delimiter: UInt8, limits: CSVLimits = CSVLimits(), checksWidth: Bool = true) {
        (self.delimiter, self.limits, self.checksWidth) = (delimiter, limits, checksWidth)
    }

    /// Takes the next piece of the file, in UTF-8 without a byte order mark, and gives what it completes.
    public mutating func feed(_ bytes: [UInt8], _ each: (Event) throws -> Void) rethrows {
        if rowStart == buffer.count {
            buffer = bytes
        } else {
            buffer = Array(buffer[rowStart...]) + bytes
        }
        at -= rowStart
        cellStart -= rowStart
        cellEnd -= rowStart
        firstBreak? -= rowStart
        cells = cells.map { .init(start: $0.start - rowStart, end: $0.end - rowStart, isEscaped: $0.isEscaped) }
        rowStart = 0
        try run(isLast: false, each)
    }

    /// Gives what is left at the end of the file. The parser must not be used after it.
    public mutating func finish(_ each: (Event) throws -> Void) rethrows {
        while true {
            try run(isLast: true, each)
            if mode == .skipping || at == rowStart { return }
            if mode == .quoted {
                try fault(.unterminatedQuote, each)
            } else {
                if mode == .begin || mode == .plain { (cellStart, cellEnd) = (mode == .begin ? at : cellStart, at) }
                if try endCell(each) { try endRow(each) }
            }
        }
    }

    private mutating func run(isLast: Bool, _ each: (Event) throws -> Void) rethrows {
        while at < buffer.count {
            let step: Step
            switch mode {
            case .begin: step = beginCell()
            case .plain: step = try plain(isLast, each)
            case .quoted: step = try quoted(isLast, each)
            case .closed: step = try closed(isLast, each)
            case .skipping: step = skip(isLast)
            }
            if step == .more { break }
        }
        if mode == .skipping { rowStart = at }
        if mode == .plain || mode == .quoted, at - cellStart > limits.cell {
            try fault(.cellTooLarge(limits.cell), each)
        } else if mode != .skipping, at - rowStart > limits.row {
            try fault(.rowTooLarge(limits.row), each)
        }
    }

    private mutating func beginCell() -> Step {
        isEscaped = false
        if buffer[at] == Self.quote {
            mode = .quoted
            at += 1
        } else {
            mode = .plain
        }
        cellStart = at
        return .next
    }

    private mutating func plain(_ isLast: Bool, _ each: (Event) throws -> Void) rethrows -> Step {
        let (start, delimiter) = (at, delimiter)
        at = buffer.withUnsafeBufferPointer { bytes in
            var index = start
            while index < bytes.count {
                let byte = bytes[index]
                if byte == delimiter || byte == Self.lineFeed || byte == Self.carriageReturn { break }
                index += 1
            }
            return index
        }
        guard at < buffer.count else { return .more }
        cellEnd = at
        return try separator(isLast, each)
    }

    private mutating func quoted(_ isLast: Bool, _ each: (Event) throws -> Void) rethrows -> Step {
        let start = at
        at = buffer.withUnsafeBufferPointer { bytes in
            var index = start
            while index < bytes.count {
                let byte = bytes[index]
                if byte == Self.quote || byte == Self.lineFeed || byte == Self.carriageReturn { break }
                index += 1
            }
            return index
        }
        guard at < buffer.count else { return .more }
        if buffer[at] != Self.quote {
            guard let length = breakLength(isLast) else { return .more }
            at += length
            line += 1
            if firstBreak == nil { firstBreak = at }
            if at - cellStart > limits.cell { try fault(.cellTooLarge(limits.cell), each) }
            return .next
        }
        if at + 1 == buffer.count && !isLast { return .more }
        if at + 1 < buffer.count && buffer[at + 1] == Self.quote {
            isEscaped = true
            at += 2
        } else {
            cellEnd = at
            mode = .closed
            at += 1
        }
        return .next
    }

    private mutating func closed(_ isLast: Bool, _ each: (Event) throws -> Void) rethrows -> Step {
        switch buffer[at] {
        case delimiter, Self.lineFeed, Self.carriageReturn: return try separator(isLast, each)
        case UInt8(ascii: " "): at += 1
        default: try fault(.textAfterQuote, each)
        }
        return .next
    }

    /// At a delimiter or a line break behind a cell.
    private mutating func separator(_ isLast: Bool, _ each: (Event) throws -> Void) rethrows -> Step {
        if buffer[at] == delimiter {
            if try endCell(each) {
                at += 1
                mode = .begin
            }
            return .next
        }
        guard let length = breakLength(isLast) else { return .more }
        guard try endCell(each) else { return .next }
        at += length
        line += 1
        try endRow(each)
        return .next
    }

    /// Bytes of the line break here; nil when it cannot be known before the next piece.
    private func breakLength(_ isLast: Bool) -> Int? {
        if buffer[at] == Self.lineFeed { return 1 }
        if at + 1 == buffer.count { return isLast ? 1 : nil }
        return buffer[at + 1] == Self.lineFeed ? 2 : 1
    }

    /// - Returns: false when the row is at fault.
    private mutating func endCell(_ each: (Event) throws -> Void) rethrows -> Bool {
        let problem: CSVFault.Reason? =
            if cellEnd - cellStart > limits.cell {
                .cellTooLarge(limits.cell)
            } else if cells.count == limits.columns {
                .tooManyColumns(limits.columns)
            } else if at - rowStart > limits.row {
                .rowTooLarge(limits.row)
            } else {
                nil
            }
        if let problem {
            try fault(problem, each)
            return false
        }
        cells.append(.init(start: cellStart, end: cellEnd, isEscaped: isEscaped))
        return true
    }

    private mutating func endRow(_ each: (Event) throws -> Void) rethrows {
        let row = CSVRow(buffer: buffer, cells: cells, line: rowLine)
        let isBlank = cells.count == 1 && cells[0].start == cells[0].end && mode != .closed
        let count = cells.count
        beginRow()
        if isBlank { return }
        let expected = width ?? count
        width = expected
        if checksWidth && count != expected {
            try each(.fault(CSVFault(line: row.line, reason: .width(found: count, expected: expected))))
        } else {
            try each(.row(row))
        }
    }

    private mutating func beginRow() {
        rowStart = at
        rowLine = line
        cells.removeAll(keepingCapacity: true)
        firstBreak = nil
        isEscaped = false
        mode = .begin
    }

    /// Reports the row and goes on behind its first line break: a quotation mark too many must not swallow the file.
    private mutating func fault(_ reason: CSVFault.Reason, _ each: (Event) throws -> Void) rethrows {
        let fault = CSVFault(line: rowLine, reason: reason)
        if let resume = firstBreak {
            at = resume
            line = rowLine + 1
            beginRow()
        } else {
            beginRow()
            mode = .skipping
        }
        try each(.fault(fault))
    }

    /// Passes over the rest of a faulty line.
    private mutating func skip(_ isLast: Bool) -> Step {
        while at < buffer.count {
            if buffer[at] == Self.lineFeed || buffer[at] == Self.carriageReturn {
                guard let length = breakLength(isLast) else { return .more }
                at += length
                line += 1
                beginRow()
                return .next
            }
            at += 1
        }
        return .more
    }
}
