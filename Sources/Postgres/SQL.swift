/// A statement with its parameters, written as an interpolated string:
///
///     let q: SQL = "SELECT * FROM \(table: "t_7", "contact") WHERE id = \(id)"
///
/// Plain interpolations become `$1`, `$2` ...; another `SQL` is spliced in and its parameters renumbered. Nothing but
/// `unsafeRaw` ever puts a value into the text. Statement text and packed parameter bytes are built once and sent
/// as they are.
public struct SQL: Sendable, ExpressibleByStringInterpolation {
    /// Where a parameter stands in the text, and where its NUL-ended bytes begin (-1: NULL).
    struct Parameter: Sendable {
        var position: Int32
        var offset: Int32
    }

    var text: [UInt8] = []
    var parameters: [Parameter] = []
    /// The text forms of all parameters, each followed by a NUL byte.
    var values: [UInt8] = []
    /// A NUL byte cannot be stored and would cut the value short in libpq: such a statement is refused when sent.
    var holdsNUL = false
    var isPrepared = false

    init() {}

    public init(stringLiteral value: String) { appendText(value) }

    public init(stringInterpolation: Interpolation) { self = stringInterpolation.sql }

    /// Takes `text` as it is. Never pass anything that came from outside.
    public init(unsafeRaw text: String) { appendText(text) }

    /// True without any text.
    public var isEmpty: Bool { text.isEmpty }

    /// The same statement, prepared on the server at first use on each connection and then only executed
    /// (256 texts per connection, least recently used go first). For few texts that are sent often.
    public func prepared() -> SQL {
        var copy = self
        copy.isPrepared = true
        return copy
    }

    public static func + (left: SQL, right: SQL) -> SQL {
        var result = left
        result += right
        return result
    }

    public static func += (left: inout SQL, right: SQL) { left.append(right) }
}

extension SQL: CustomStringConvertible {
    /// The text with placeholders; never the values.
    public var description: String { String(decoding: text, as: UTF8.self) }
}

extension [SQL] {
    /// The statements one after another with `separator` (taken as raw text) between them.
    public func joined(separator: String) -> SQL {
        var result = SQL()
        for (index, part) in enumerated() {
            if index > 0 { result.appendText(separator) }
            result.append(part)
        }
        return result
    }
}
