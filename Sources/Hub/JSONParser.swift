/// What is wrong with a JSON text: where, and what was found.
public struct JSONError: Error, Sendable, CustomStringConvertible {
    public let offset: Int
    public let reason: String
    public var description: String { "\(reason) at byte \(offset)" }
}

extension JSON {
    /// Parses one JSON text (RFC 8259), strictly: no duplicate keys (Swift and PostgreSQL would keep
    /// different ones), no U+0000 (PostgreSQL text cannot hold it), no more than `maxDepth` objects and lists within each other.
    ///
    /// - Parameter bytes: UTF-8.
    /// - Throws: `JSONError`.
    public init(parsing bytes: some Sequence<UInt8>, maxDepth: Int = 64) throws(JSONError) {
        self = try Array(bytes).withUnsafeBufferPointer { buffer throws(JSONError) in
            var parser = JSONParser(bytes: buffer, maxDepth: maxDepth)
            return try parser.document()
        }
    }

    /// Parses what a database or this program wrote, without members that nobody is going to ask for, which costs less
    /// than to make them. What is passed over is not looked at.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8.
    ///   - names: of the members to keep, by how many objects and lists the object that has them stands within; objects at
    ///     other depths are kept whole. Names need no escapes.
    /// - Throws: `JSONError`.
    public init(parsing bytes: [UInt8], keeping names: [Int: [String]]) throws(JSONError) {
        self = try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
            var parser = JSONParser(bytes: buffer, maxDepth: 64)
            for (depth, names) in names {
                while parser.kept.count <= depth { parser.kept.append(nil) }
                parser.kept[depth] = names.map { Array($0.utf8) }
            }
            return try parser.document()
        }
    }

    /// Parses a JSON text; see `init(parsing:maxDepth:)`.
    public init(text: String) throws(JSONError) { try self.init(parsing: text.utf8) }
}

/// Reads bytes that somebody else keeps: each is looked at only below `count`.
private struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let maxDepth: Int
    var at = 0
    /// Members that are made of objects at each depth; nil: all.
    var kept: [[[UInt8]]?] = []

    init(bytes: UnsafeBufferPointer<UInt8>, maxDepth: Int) {
        self.bytes = bytes
        self.maxDepth = maxDepth
    }

    mutating func document() throws(JSONError) -> JSON {
        let value = try self.value(depth: 0)
        skipSpace()
        if at != bytes.count { throw fail("unexpected text after the value") }
        return value
    }

    private func fail(_ reason: String) -> JSONError { JSONError(offset: at, reason: reason) }

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        skipSpace()
        guard at < bytes.count else { throw fail("unexpected end") }
        if depth == maxDepth, bytes[at] == UInt8(ascii: "{") || bytes[at] == UInt8(ascii: "[") {
            throw fail("nested deeper than \(maxDepth) levels")
        }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let count = word.utf8CodeUnitCount
        guard at + count <= bytes.count,
            word.withUTF8Buffer({ $0.elementsEqual(bytes[at..<at + count]) })
        else { throw fail("unexpected character") }
        at += count
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        at += 1
        // most have a few
        let wanted = depth < kept.count ? kept[depth] : nil
        var members = [String: JSON](minimumCapacity: wanted?.count ?? 6)
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw fail("expected a key") }
            if let wanted, !isNext(among: wanted) {
                passOverString()
                try passColon()
                passOver()
            } else if try take(into: &members, depth) {
                throw fail("duplicate key")
            }
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "}")) { return .object(members) }
            throw fail("expected ',' or '}'")
        }
    }

    /// Makes a member.
    /// - Returns: whether there was one of this name.
    private mutating func take(into members: inout [String: JSON], _ depth: Int) throws(JSONError) -> Bool {
        let key = try string()
        try passColon()
        return members.updateValue(try value(depth: depth + 1), forKey: key) != nil
    }

    private mutating func passColon() throws(JSONError) {
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw fail("expected ':'") }
    }

    /// Whether the string that begins here is one of these.
    private func isNext(among names: [[UInt8]]) -> Bool {
        names.contains { name in
            let end = at + 1 + name.count
            return end < bytes.count && bytes[end] == UInt8(ascii: "\"") && bytes[at + 1..<end].elementsEqual(name)
        }
    }

    /// Goes behind a value.
    private mutating func passOver() {
        var level = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""): passOverString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                level += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard level > 0 else { return }
                level -= 1
                at += 1
            case UInt8(ascii: ","):
                guard level > 0 else { return }
                at += 1
            default: at += 1
            }
        }
    }

    private mutating func passOverString() {
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
        at = min(at + 1, bytes.count)
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        at += 1
        var items: [JSON] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(items) }
        while true {
            items.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "]")) { return .array(items) }
            throw fail("expected ',' or ']'")
        }
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = at
        var isWhole = true
        _ = take(UInt8(ascii: "-"))
        let digits = at
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                isWhole = false
            default: return try finishNumber(start, digits, isWhole)
            }
            at += 1
        }
        return try finishNumber(start, digits, isWhole)
    }

    private func finishNumber(_ start: Int, _ digits: Int, _ isWhole: Bool) throws(JSONError) -> JSON {
        let zero = UInt8(ascii: "0")
        guard at > digits, (zero...zero + 9).contains(bytes[digits]), (zero...zero + 9).contains(bytes[at - 1]),
            !(bytes[digits] == zero && at > digits + 1 && (zero...zero + 9).contains(bytes[digits + 1]))
        else { throw fail("unexpected character") }
        // most are numbers of records, which fit
        if isWhole, at - digits < 19 {
            let number = bytes[digits..<at].reduce(Int64(0)) { $0 * 10 + Int64($1 - zero) }
            return .int(digits > start ? -number : number)
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        guard !text.contains(".e"), !text.contains(".E") else { throw fail("unexpected character") }
        if isWhole, let number = Int64(text) { return .int(number) }
        guard let number = Double(text), number.isFinite else { throw fail("number out of range") }
        return .double(number)
    }

    private mutating func string() throws(JSONError) -> String {
        at += 1
        var out: [UInt8] = []
        var start = at
        // all bits that any byte had: what is ASCII, as most is, needs no second look
        var bits: UInt8 = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                let last = UnsafeBufferPointer(rebasing: bytes[start..<at])
                at += 1
                if out.isEmpty, bits < 0x80 { return String(decoding: last, as: UTF8.self) }
                let text =
                    out.isEmpty
                    ? String(validating: last, as: UTF8.self) : String(validating: out + last, as: UTF8.self)
                guard let text else { throw fail("not UTF-8") }
                return text
            case UInt8(ascii: "\\"):
                out += bytes[start..<at]
                at += 1
                try escape(into: &out)
                start = at
            case 0..<0x20: throw fail("control character in a string")
            case let byte:
                bits |= byte
                at += 1
            }
        }
        throw fail("unterminated string")
    }

    private mutating func escape(into out: inout [UInt8]) throws(JSONError) {
        guard at < bytes.count else { throw fail("unterminated string") }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hex4()
            if (0xD800..<0xDC00).contains(code) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw fail("lone surrogate") }
                let low = try hex4()
                guard (0xDC00..<0xE000).contains(low) else { throw fail("lone surrogate") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard code != 0 else { throw fail("U+0000 is not allowed") }
            guard let scalar = Unicode.Scalar(code) else { throw fail("lone surrogate") }
            out += UTF8.encode(scalar)!
        default: throw fail("unknown escape")
        }
    }

    private mutating func hex4() throws(JSONError) -> UInt32 {
        guard at + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16),
            bytes[at] != UInt8(ascii: "+"), bytes[at] != UInt8(ascii: "-")
        else { throw fail("expected four hexadecimal digits") }
        at += 4
        return code
    }
}
