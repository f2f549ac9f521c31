import Hub

/// What the beginning of a CSV file tells about all of it.
struct CSVTable: Sendable {
    let dialect: CSVDialect
    /// The columns' names, each once.
    let headers: [String]
    /// The first rows under them.
    let samples: [[String]]
    let mapping: JSON
    private static let sampleRows = 100

    /// - Parameters:
    ///   - sample: the first bytes of the file; 64 kB are plenty.
    ///   - mapping: nil to go by `fields`.
    ///   - fields: what each column holds (`HeaderGuess.choices`); nil to guess by the header.
    ///   - mayBeUnknown: whether a file of which no column is recognised will do.
    /// - Throws: `Failure` `csv.empty`, `csv.header`, `csv.columns`.
    init(
        sample: [UInt8], mapping: JSON?, fields: [String?]? = nil, catalogue: FieldCatalogue, mayBeUnknown: Bool = false
    ) throws {
        dialect = CSVDialect.detect(sample)
        var rows: [[String]] = []
        var reader = CSVText(dialect)
        var fault: CSVFault?
        let keep = { (event: CSVParser.Event) in
            switch event {
            case .row(let row): if rows.count <= Self.sampleRows { rows.append(row.texts) }
            case .fault(let found): if rows.isEmpty, fault == nil { fault = found }
            }
        }
        reader.feed(sample, keep)
        // the last row may be cut off; it matters only when it is the header
        if rows.isEmpty { reader.finish(keep) }
        // without it the first row of data would be taken for the header
        if let fault { throw Failure(.invalid, "csv.header", "The header cannot be read: \(fault).") }
        guard let first = rows.first else { throw Failure(.invalid, "csv.empty", "The file has no rows.") }
        headers = Self.distinct(first)
        samples = Array(rows.dropFirst())
        self.mapping =
            mapping ?? HeaderGuess.mapping(headers, fields: fields, samples: samples, catalogue: catalogue)
        guard mayBeUnknown || self.mapping["rules"]?.array?.isEmpty != true else {
            throw Failure(
                .invalid, "csv.columns",
                "No column could be recognised by its header (\(headers.prefix(10).joined(separator: ", "))): give a mapping."
            )
        }
    }

    /// A header that comes again gets a number.
    private static func distinct(_ headers: [String]) -> [String] {
        var seen: [String: Int] = [:]
        return headers.map { header in
            let count = (seen[header] ?? 0) + 1
            seen[header] = count
            return count == 1 ? header : "\(header) (\(count))"
        }
    }
}

/// The text of a CSV file, without its mark and separator line, parsed piece by piece.
struct CSVText {
    private var decoder: CSVDecoder
    private var parser: CSVParser
    private var markLeft: Int
    private var isInSeparatorLine: Bool

    init(_ dialect: CSVDialect) {
        decoder = CSVDecoder(dialect.encoding)
        parser = CSVParser(delimiter: dialect.delimiter)
        markLeft = dialect.markLength
        isInSeparatorLine = dialect.hasSeparatorLine
    }

    mutating func feed(_ bytes: [UInt8], _ each: (CSVParser.Event) throws -> Void) rethrows {
        let skipped = min(markLeft, bytes.count)
        markLeft -= skipped
        var text = decoder.decode(skipped == 0 ? bytes : Array(bytes.dropFirst(skipped)))
        if isInSeparatorLine {
            guard let end = text.firstIndex(of: 0x0A) ?? text.firstIndex(of: 0x0D) else { return }
            text.removeSubrange(...end)
            isInSeparatorLine = false
        }
        try parser.feed(text, each)
    }

    mutating func finish(_ each: (CSVParser.Event) throws -> Void) rethrows {
        try parser.feed(decoder.finish(), each)
        try parser.finish(each)
    }
}
