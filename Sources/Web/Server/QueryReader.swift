import Hub

/// Reads what stands behind the question mark.
enum QueryReader {
    /// - Parameters:
    ///   - text: percent-encoded (RFC 3986), "+" for a space.
    ///   - parameters: what the operation knows.
    ///   - takesMore: whether what it does not know is passed over.
    /// - Returns: values in the types their schemas say.
    /// - Throws: `RequestFault` `query.malformed`, `query.unknown`, `query.repeated`, `query.invalid`.
    static func read(_ text: Substring, _ parameters: [Parameter], takesMore: Bool = false) throws -> [String: JSON] {
        var values: [String: JSON] = [:]
        for pair in text.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentText.decode(halves[0], plusIsSpace: true),
                let value = halves.count == 2 ? PercentText.decode(halves[1], plusIsSpace: true) : ""
            else {
                throw RequestFault(400, "query.malformed", "The query is not percent-encoded UTF-8 text.")
            }
            guard let parameter = parameters.first(where: { $0.place == .query && $0.name == name }) else {
                if takesMore { continue }
                throw RequestFault.query("query.unknown", "There is no parameter “\(name)” here.", name)
            }
            let typed = typed(value, parameter.schema)
            let problems = SchemaCheck.problems(typed, parameter.schema, schemas: Schemas.all, at: name)
            guard problems.isEmpty else {
                throw RequestFault(
                    400, "query.invalid", "A parameter has a value that it cannot have.", details: problems)
            }
            guard values.updateValue(typed, forKey: name) == nil else {
                throw RequestFault.query("query.repeated", "The parameter “\(name)” is given twice.", name)
            }
        }
        return values
    }

    private static func typed(_ value: String, _ schema: JSON) -> JSON {
        switch schema["type"]?.string {
        case "integer" where value.utf8.first != UInt8(ascii: "+"): Int64(value).map { .int($0) } ?? .string(value)
        case "boolean": value == "true" ? true : value == "false" ? false : .string(value)
        default: .string(value)
        }
    }
}

/// Percent-encoded text (RFC 3986, 2.1).
enum PercentText {
    /// - Returns: nil for a "%" without two hexadecimal digits, for what is not UTF-8, and for U+0000, which no
    ///   stored text can hold.
    static func decode(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }

    /// Everything but unreserved characters (RFC 3986, 2.3) is encoded.
    static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
