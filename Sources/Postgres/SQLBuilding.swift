extension SQL {
    /// Collects the pieces of an interpolated statement.
    public struct Interpolation: StringInterpolationProtocol {
        var sql = SQL()

        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.text.reserveCapacity(literalCapacity + interpolationCount * 8)
            if interpolationCount > 0 {
                sql.parameters.reserveCapacity(interpolationCount)
                sql.values.reserveCapacity(interpolationCount * 24)
            }
        }

        public mutating func appendLiteral(_ literal: String) { sql.appendText(literal) }

        /// Binds a value.
        public mutating func appendInterpolation(_ value: some SQLValue) { sql.append(value: value) }

        /// Splices a fragment.
        public mutating func appendInterpolation(_ fragment: SQL) { sql.append(fragment) }

        /// A quoted identifier.
        public mutating func appendInterpolation(identifier name: String) { sql.append(identifier: name) }

        /// A quoted, schema-qualified name.
        public mutating func appendInterpolation(table schema: String, _ name: String) {
            sql.append(identifier: schema)
            sql.text.append(UInt8(ascii: "."))
            sql.append(identifier: name)
        }

        /// Text taken as it is. Never pass anything that came from outside.
        public mutating func appendInterpolation(unsafeRaw text: String) { sql.appendText(text) }
    }

    mutating func appendText(_ literal: String) {
        let start = text.count
        text.append(contentsOf: literal.utf8)
        noteNUL(in: text, from: start)
    }

    mutating func append(identifier name: String) {
        text.append(UInt8(ascii: "\""))
        for byte in name.utf8 {
            if byte == UInt8(ascii: "\"") { text.append(byte) }
            if byte == 0 { holdsNUL = true }
            text.append(byte)
        }
        text.append(UInt8(ascii: "\""))
    }

    mutating func append(value: some SQLValue) {
        let start = values.count
        let position = Int32(truncatingIfNeeded: text.count)
        if value.encode(into: &values) {
            noteNUL(in: values, from: start)
            values.append(0)
            parameters.append(Parameter(position: position, offset: Int32(truncatingIfNeeded: start)))
        } else {
            parameters.append(Parameter(position: position, offset: -1))
        }
        appendPlaceholder(parameters.count)
    }

    /// Appends a fragment. Its placeholders stand in order, `$1` first, so counting on is enough to renumber them.
    mutating func append(_ fragment: SQL) {
        holdsNUL = holdsNUL || fragment.holdsNUL
        if text.isEmpty && parameters.isEmpty {
            let prepared = isPrepared
            self = fragment
            isPrepared = prepared
            return
        }
        let base = Int32(truncatingIfNeeded: values.count)
        values.append(contentsOf: fragment.values)
        var copied = 0
        for (index, parameter) in fragment.parameters.enumerated() {
            text.append(contentsOf: fragment.text[copied..<Int(parameter.position)])
            copied = Int(parameter.position) + 1 + decimalLength(index + 1)
            parameters.append(
                Parameter(
                    position: Int32(truncatingIfNeeded: text.count),
                    offset: parameter.offset < 0 ? -1 : parameter.offset + base))
            appendPlaceholder(parameters.count)
        }
        text.append(contentsOf: fragment.text[copied...])
    }

    private mutating func appendPlaceholder(_ number: Int) {
        text.append(UInt8(ascii: "$"))
        if number < 10 {
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number))
        } else {
            appendDecimal(Int64(number), to: &text)
        }
    }

    private mutating func noteNUL(in bytes: [UInt8], from start: Int) {
        bytes.withUnsafeBufferPointer { buffer in
            for index in start..<buffer.count where buffer[index] == 0 { holdsNUL = true }
        }
    }

    private func decimalLength(_ number: Int) -> Int {
        var length = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            length += 1
        }
        return length
    }
}
