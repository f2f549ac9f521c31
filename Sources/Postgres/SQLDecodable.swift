/// A type that can be read from PostgreSQL's text format.
public protocol SQLDecodable: Sendable {
    /// The value of a text form, or nil when it does not fit.
    static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> Self?
    /// The value that stands for NULL, or nil when the type has none.
    static func fromNull() -> Self?
}

extension SQLDecodable {
    public static func fromNull() -> Self? { nil }
}

extension Int64: SQLDecodable {
    public static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        var index = 0
        let negative = bytes.first == UInt8(ascii: "-")
        if negative { index = 1 }
        guard index < bytes.count else { return nil }
        var value: Int64 = 0
        while index < bytes.count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            // Counted downwards, since the least Int64 has no positive twin.
            let (next, overflow2) = product.subtractingReportingOverflow(Int64(digit))
            guard !overflow, !overflow2 else { return nil }
            value = next
            index += 1
        }
        guard !negative else { return value }
        return value == .min ? nil : -value
    }
}
extension Int: SQLDecodable {
    public static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? { Int64.decode(bytes).map { Int($0) } }
}
extension Int32: SQLDecodable {
    public static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32? {
        Int64.decode(bytes).flatMap { Int32(exactly: $0) }
    }
}
extension Bool: SQLDecodable {
    public static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool? {
        guard bytes.count == 1 else { return nil }
        switch bytes[0] {
        case UInt8(ascii: "t"): return true
        case UInt8(ascii: "f"): return false
        default: return nil
        }
    }
}
extension Double: SQLDecodable {
    public static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
        Double(String(decoding: bytes, as: UTF8.self))
    }
}
extension String: SQLDecodable {
    public static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> String? { String(decoding: bytes, as: UTF8.self) }
}
extension Optional: SQLDecodable where Wrapped: SQLDecodable {
    public static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> Wrapped?? {
        Wrapped.decode(bytes).map { .some($0) }
    }
    public static func fromNull() -> Wrapped?? { .some(nil) }
}

/// What an array read from a column may hold: `[UInt8]` is bytea, everything else an array literal.
public protocol SQLArrayDecodable: Sendable {
    static func decodeArray(_ bytes: UnsafeBufferPointer<UInt8>) -> [Self]?
}

/// A member that can be read from an array literal.
public protocol SQLArrayMember: SQLArrayDecodable, SQLDecodable {}

extension SQLArrayMember {
    public static func decodeArray(_ bytes: UnsafeBufferPointer<UInt8>) -> [Self]? {
        var values: [Self] = []
        let whole = ArrayLiteral.forEach(bytes) { member in
            guard let value = member.map({ Self.decode($0) }) ?? Self.fromNull() else { return false }
            values.append(value)
            return true
        }
        return whole ? values : nil
    }
}

extension Int: SQLArrayMember {}
extension Int32: SQLArrayMember {}
extension Int64: SQLArrayMember {}
extension Bool: SQLArrayMember {}
extension Double: SQLArrayMember {}
extension String: SQLArrayMember {}
extension Optional: SQLArrayDecodable where Wrapped: SQLArrayMember {}
extension Optional: SQLArrayMember where Wrapped: SQLArrayMember {}

extension UInt8: SQLArrayDecodable {
    /// bytea in hex form, `\x` first.
    public static func decodeArray(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard bytes.count >= 2, bytes.count % 2 == 0, bytes[0] == UInt8(ascii: "\\"), bytes[1] == UInt8(ascii: "x")
        else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count / 2 - 1)
        for index in stride(from: 2, to: bytes.count, by: 2) {
            guard let high = nibble(bytes[index]), let low = nibble(bytes[index + 1]) else { return nil }
            result.append(high << 4 | low)
        }
        return result
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
        default: return nil
        }
    }
}

extension Array: SQLDecodable where Element: SQLArrayDecodable {
    public static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> [Element]? { Element.decodeArray(bytes) }
}
