import CLibpq

/// How a column's text becomes JSON.
private struct JSONForm {
    enum Value {
        /// Integers, json and jsonb: already JSON.
        case raw
        case bool
        /// Floats: raw, but Infinity and NaN, which JSON lacks, become strings.
        case float
        case string
        case timestamp
        case timestampUTC
    }

    /// Of the members when it is an array.
    let value: Value
    let isArray: Bool

    private init(_ value: Value, isArray: Bool = false) { (self.value, self.isArray) = (value, isArray) }

    /// By the type's OID (pg_type.dat). numeric stays a string: a JSON number would lose its digits.
    init(oid: Oid) {
        switch oid {
        case 20, 21, 23, 26, 114, 3802: self.init(.raw)
        case 16: self.init(.bool)
        case 700, 701: self.init(.float)
        case 1114: self.init(.timestamp)
        case 1184: self.init(.timestampUTC)
        case 1005, 1007, 1016, 199, 3807: self.init(.raw, isArray: true)
        case 1000: self.init(.bool, isArray: true)
        case 1021, 1022: self.init(.float, isArray: true)
        case 1185: self.init(.timestampUTC, isArray: true)
        case 1009, 1014, 1015, 1231, 2951, 1182: self.init(.string, isArray: true)
        default: self.init(.string)
        }
    }
}

/// What stands before each value of a row: comma, name, colon.
private struct JSONKeys {
    /// All of them, one after another.
    private(set) var text: [UInt8] = []
    /// Where each ends, and how the value behind it is written.
    private(set) var columns: [(end: Int, form: JSONForm)] = []

    init(_ rows: Rows) {
        text.reserveCapacity(rows.columnCount * 16)
        columns.reserveCapacity(rows.columnCount)
        for column in 0..<rows.columnCount {
            if column > 0 { text.append(UInt8(ascii: ",")) }
            rows.withColumnName(column) { appendJSONString($0, to: &text) }
            text.append(UInt8(ascii: ":"))
            columns.append((text.count, JSONForm(oid: PQftype(rows.result, Int32(truncatingIfNeeded: column)))))
        }
    }
}

extension Rows {
    /// All rows as a JSON array of objects, keyed by column name, straight from the text results. Integers,
    /// booleans, finite floats, json and jsonb are raw; timestamptz is RFC 3339 in UTC with `Z`; one-dimensional
    /// arrays of text, uuid, numbers, booleans and timestamptz are JSON arrays; everything else is a string.
    public func json() -> [UInt8] {
        var out: [UInt8] = []
        let keys = JSONKeys(self)
        // By the first row: a better guess would cost a look at every value.
        if count > 0 { out.reserveCapacity(2 + count * (length(0, keys) + 1)) }
        out.append(UInt8(ascii: "["))
        for row in 0..<count {
            if row > 0 { out.append(UInt8(ascii: ",")) }
            append(row, keys, to: &out)
        }
        out.append(UInt8(ascii: "]"))
        return out
    }

    /// One row as a JSON object, as `json()` makes it.
    public func json(row: Int) -> [UInt8] {
        precondition(row >= 0 && row < count, "row out of range")
        var out: [UInt8] = []
        let keys = JSONKeys(self)
        out.reserveCapacity(length(row, keys))
        append(row, keys, to: &out)
        return out
    }

    /// What a row's object takes, but for escapes and the quotes within arrays.
    private func length(_ row: Int, _ keys: JSONKeys) -> Int {
        (0..<columnCount).reduce(keys.text.count + 2) { length, column in
            length + Int(PQgetlength(result, Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column))) + 4
        }
    }

    private func append(_ row: Int, _ keys: JSONKeys, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "{"))
        keys.text.withUnsafeBufferPointer { text in
            var start = 0
            for column in 0..<columnCount {
                let key = keys.columns[column]
                out.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<key.end]))
                start = key.end
                if key.form.isArray, let value = value(row, column) {
                    appendArray(value, key.form.value, to: &out)
                } else {
                    append(value(row, column), key.form.value, to: &out)
                }
            }
        }
        out.append(UInt8(ascii: "}"))
    }

    private func append(_ value: UnsafeBufferPointer<UInt8>?, _ form: JSONForm.Value, to out: inout [UInt8]) {
        guard let value else {
            out.append(contentsOf: "null".utf8)
            return
        }
        switch form {
        case .raw: out.append(contentsOf: value)
        case .bool: out.append(contentsOf: (value.first == UInt8(ascii: "t") ? "true" : "false").utf8)
        case .float:
            let last = value.last ?? 0
            if last >= UInt8(ascii: "0") && last <= UInt8(ascii: "9") {
                out.append(contentsOf: value)
            } else {
                appendJSONString(value, to: &out)
            }
        case .string: appendJSONString(value, to: &out)
        case .timestamp: appendTimestamp(value, utc: false, to: &out)
        case .timestampUTC: appendTimestamp(value, utc: true, to: &out)
        }
    }

    /// An array of more than one dimension, or with bounds that do not parse, falls back to its text.
    private func appendArray(_ value: UnsafeBufferPointer<UInt8>, _ form: JSONForm.Value, to out: inout [UInt8]) {
        let start = out.count
        out.append(UInt8(ascii: "["))
        let whole = ArrayLiteral.forEach(value) { member in
            if out.count > start + 1 { out.append(UInt8(ascii: ",")) }
            append(member, form, to: &out)
            return true
        }
        if whole {
            out.append(UInt8(ascii: "]"))
        } else {
            out.removeSubrange(start...)
            appendJSONString(value, to: &out)
        }
    }

    /// `2026-01-02 03:04:05.6+00` becomes `2026-01-02T03:04:05.6Z`. Connections run with TimeZone UTC; a session
    /// that changed it gets its offset written out, which RFC 3339 allows. Infinity and years BC stay as they are.
    private func appendTimestamp(_ value: UnsafeBufferPointer<UInt8>, utc: Bool, to out: inout [UInt8]) {
        guard value.count >= 19, let space = value.firstIndex(of: UInt8(ascii: " ")),
            value.last.map({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) == true
        else { return appendJSONString(value, to: &out) }
        out.append(UInt8(ascii: "\""))
        out.append(contentsOf: UnsafeBufferPointer(rebasing: value[..<space]))
        out.append(UInt8(ascii: "T"))
        let sign = value[value.count - 3]
        let isZero = value[value.count - 2] == UInt8(ascii: "0") && value[value.count - 1] == UInt8(ascii: "0")
        if utc, isZero, sign == UInt8(ascii: "+") {
            out.append(contentsOf: UnsafeBufferPointer(rebasing: value[(space + 1)..<(value.count - 3)]))
            out.append(UInt8(ascii: "Z"))
        } else {
            out.append(contentsOf: UnsafeBufferPointer(rebasing: value[(space + 1)...]))
            if utc, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { out.append(contentsOf: ":00".utf8) }
        }
        out.append(UInt8(ascii: "\""))
    }
}

/// Appends UTF-8 text as a JSON string (RFC 8259): quotes, backslashes and control characters are escaped.
func appendJSONString(_ text: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    var start = 0
    for index in 0..<text.count {
        let byte = text[index]
        if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") { continue }
        if index > start { out.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index])) }
        start = index + 1
        out.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(byte)
        case 0x0A: out.append(UInt8(ascii: "n"))
        case 0x0D: out.append(UInt8(ascii: "r"))
        case 0x09: out.append(UInt8(ascii: "t"))
        default:
            out.append(contentsOf: "u00".utf8)
            out.append(hexDigit(byte >> 4))
            out.append(hexDigit(byte & 15))
        }
    }
    if start < text.count { out.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...])) }
    out.append(UInt8(ascii: "\""))
}
