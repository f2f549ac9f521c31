/// What an array bound as one parameter may hold: `[UInt8]` is bytea, everything else an array literal.
public protocol SQLArrayElement: Sendable {
    static func encode(array: [Self], into buffer: inout [UInt8])
}

/// A member of a PostgreSQL array literal.
public protocol SQLArrayItem: SQLArrayElement, SQLValue {}

extension SQLArrayItem {
    public static func encode(array: [Self], into buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "{"))
        var member: [UInt8] = []
        for (index, item) in array.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: ",")) }
            member.removeAll(keepingCapacity: true)
            guard item.encode(into: &member) else {
                buffer.append(contentsOf: "NULL".utf8)
                continue
            }
            buffer.append(UInt8(ascii: "\""))
            for byte in member {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { buffer.append(UInt8(ascii: "\\")) }
                buffer.append(byte)
            }
            buffer.append(UInt8(ascii: "\""))
        }
        buffer.append(UInt8(ascii: "}"))
    }
}

extension Optional: SQLArrayElement where Wrapped: SQLArrayItem {}
extension Optional: SQLArrayItem where Wrapped: SQLArrayItem {}

extension UInt8: SQLArrayElement {
    /// bytea in hex form.
    public static func encode(array: [UInt8], into buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\\"))
        buffer.append(UInt8(ascii: "x"))
        for byte in array {
            buffer.append(hexDigit(byte >> 4))
            buffer.append(hexDigit(byte & 15))
        }
    }
}

extension Array: SQLValue where Element: SQLArrayElement {
    public func encode(into buffer: inout [UInt8]) -> Bool {
        Element.encode(array: self, into: &buffer)
        return true
    }
}

/// The lower-case digit of a value under 16.
@inline(__always)
func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
