import CLibpq

/// How a column's text becomes JSON.
private enum JSONForm {
    /// Integers, json and jsonb: already JSON.
    case raw
    case bool
    /// Floats: raw, but Infinity and NaN, which JSON lacks, become strings.
    case float
    case string
    case timestamp
    case timestampUTC
    indirect case array(JSONForm)

    /// By the type's OID (pg_type.dat). numeric stays a string: a JSON number would lose its digits.
    init(oid: Oid) {
        switch oid {
        case 20, 21, 23, 26, 114, 3802: self = .raw
        case 16: self = .bool
        case 700, 701: self = .float
        case 1114: self = .timestamp
        case 1184: self = .timestampUTC
        case 1005, 1007, 1016, 199, 3807: self = .array(.raw)
        case 1000: self = .array(.bool)
        case 1021, 1022: self = .array(.float)
        case 1185: self = .array(.timestampUTC)
        case 1009, 1014, 1015, 1231, 2951, 1182: self = .array(.string)
        default: self = .string
        }
    }
}

extension Rows {
    /// All rows as a JSON array of objects, keyed by column name, straight from the text results. Integers,
    /// booleans, finite floats, json and jsonb are raw; timestamptz is RFC 3339 in UTC with `Z`; one-dimensional
    /// arrays of text, uuid, numbers, booleans and timestamptz are JSON arrays; everything else is a string.
    public func json() -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(count * columnCount * 24 + 2)
        let forms = (0..<columnCount).map { JSONForm(oid: PQftype(result, Int32(truncatingIfNeeded: $0))) }
        let keys = (0..<columnCount).map { column -> [UInt8] in
            var key: [UInt8] = [column == 0 ? UInt8(ascii: "{") : UInt8(ascii: ",")]
            var name = columnName(column)
            name.withUTF8 { appendJSONString($0, to: &key) }
            key.append(UInt8(ascii: ":"))
            return key
        }
        out.append(UInt8(ascii: "["))
        for row in 0..<count {
            if row > 0 { out.append(UInt8(ascii: ",")) }
            if columnCount == 0 { out.append(UInt8(ascii: "{")) }
            for column in 0..<columnCount {
                out.append(contentsOf: keys[column])
                append(value(row, column), forms[column], to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
        out.append(UInt8(ascii: "]"))
        return out
    }

    private func append(_ value: UnsafeBufferPointer<UInt8>?, _ form: JSONForm, to out: inout [UInt8]) {
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
        case .array(let member): appendArray(value, member, to: &out)
        }
    }

    /// An array of more than one dimension, or with bounds that do not parse, falls back to its text.
    private func appendArray(_ value: UnsafeBufferPointer<UInt8>, _ form: JSONForm, to out: inout [UInt8]) {
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
        out.append(contentsOf: value[..<space])
        out.append(UInt8(ascii: "T"))
        let rest = UnsafeBufferPointer(rebasing: value[(space + 1)...])
        if utc, rest.count > 3, rest.suffix(3).elementsEqual("+00".utf8) {
            out.append(contentsOf: rest.dropLast(3))
            out.append(UInt8(ascii: "Z"))
        } else {
            out.append(contentsOf: rest)
            let sign = rest.count >= 3 ? rest[rest.count - 3] : 0
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
