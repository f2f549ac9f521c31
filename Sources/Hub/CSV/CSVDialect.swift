/// How a CSV file is written, as far as its beginning shows.
public struct CSVDialect: Sendable, Hashable {
    public let encoding: CSVEncoding
    /// Bytes of byte order mark before the text.
    public let markLength: Int
    /// ",", ";", tab or "|".
    public let delimiter: UInt8
    /// True when the first line only names the delimiter ("sep=;") and is no row.
    public let hasSeparatorLine: Bool

    public static let delimiters: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09, UInt8(ascii: "|")]
    private static let sampleRows = 50

    /// - Parameter sample: the first bytes of the file; 64 kB are plenty.
    public static func detect(_ sample: [UInt8]) -> CSVDialect {
        let (encoding, markLength) = CSVEncoding.detect(sample)
        var decoder = CSVDecoder(encoding)
        let text = decoder.decode(Array(sample.dropFirst(markLength)))
        if text.starts(with: "sep=".utf8), text.count > 5, text[5] == 0x0A || text[5] == 0x0D,
            delimiters.contains(text[4])
        {
            return CSVDialect(
                encoding: encoding, markLength: markLength, delimiter: text[4], hasSeparatorLine: true)
        }
        return CSVDialect(
            encoding: encoding, markLength: markLength, delimiter: delimiter(of: text), hasSeparatorLine: false)
    }

    /// The delimiter that splits most rows into as many cells as the first, and into most cells.
    private static func delimiter(of text: [UInt8]) -> UInt8 {
        var best = (delimiter: delimiters[0], rows: 0, cells: 1)
        for delimiter in delimiters {
            let counts = cellCounts(text, delimiter)
            guard let first = counts.first, first > 1 else { continue }
            let rows = counts.count { $0 == first } * 100 / counts.count
            if (rows, first) > (best.rows, best.cells) { best = (delimiter, rows, first) }
        }
        return best.delimiter
    }

    private static func cellCounts(_ text: [UInt8], _ delimiter: UInt8) -> [Int] {
        var counts: [Int] = []
        var parser = CSVParser(delimiter: delimiter, checksWidth: false)
        let collect = { (event: CSVParser.Event) in
            if case .row(let row) = event, counts.count < sampleRows { counts.append(row.count) }
        }
        parser.feed(text, collect)
        // The last row of a sample may be cut off: it counts only when there is no other.
        if counts.isEmpty { parser.finish(collect) }
        return counts
    }
}
