/// A Swift value that can be bound as a parameter. Everything travels in PostgreSQL's text format and the server
/// infers the type from where the parameter stands; write a cast (`\(x)::bigint`) where it cannot.
public protocol SQLValue: Sendable {
    /// Appends the text form to `buffer`; returns false for NULL (nothing appended).
    func encode(into buffer: inout [UInt8]) -> Bool
}

extension Int: SQLValue, SQLArrayItem {
    public func encode(into buffer: inout [UInt8]) -> Bool { appendDecimal(Int64(self), to: &buffer) }
}
extension Int64: SQLValue, SQLArrayItem {
    public func encode(into buffer: inout [UInt8]) -> Bool { appendDecimal(self, to: &buffer) }
}
extension Int32: SQLValue, SQLArrayItem {
    public func encode(into buffer: inout [UInt8]) -> Bool { appendDecimal(Int64(self), to: &buffer) }
}
extension Bool: SQLValue, SQLArrayItem {
    public func encode(into buffer: inout [UInt8]) -> Bool {
        buffer.append(self ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        return true
    }
}
extension Double: SQLValue, SQLArrayItem {
    public func encode(into buffer: inout [UInt8]) -> Bool {
        if isInfinite {
            buffer.append(contentsOf: (self < 0 ? "-Infinity" : "Infinity").utf8)
        } else {
            buffer.append(contentsOf: (isNaN ? "NaN" : description).utf8)
        }
        return true
    }
}
extension String: SQLValue, SQLArrayItem {
    public func encode(into buffer: inout [UInt8]) -> Bool {
        buffer.append(contentsOf: utf8)
        return true
    }
}
extension Optional: SQLValue where Wrapped: SQLValue {
    public func encode(into buffer: inout [UInt8]) -> Bool { self?.encode(into: &buffer) ?? false }
}

/// Appends `value` in decimal digits; always true, so that integer types can return it.
@discardableResult
func appendDecimal(_ value: Int64, to buffer: inout [UInt8]) -> Bool {
    if value < 0 { buffer.append(UInt8(ascii: "-")) }
    var magnitude = value.magnitude
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
        var start = 20
        repeat {
            start -= 1
            digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10)
            magnitude /= 10
        } while magnitude > 0
        buffer.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start..<20]))
    }
    return true
}
