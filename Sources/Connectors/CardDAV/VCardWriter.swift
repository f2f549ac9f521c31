/// Writes vCards: lines end with CRLF and are folded after 75 bytes, never inside a letter.
enum VCardWriter {
    static func write(_ card: VCard) -> [UInt8] {
        var bytes: [UInt8] = []
        append("BEGIN:VCARD", to: &bytes)
        append("VERSION:\(card.version)", to: &bytes)
        for property in card.properties { append(line(property), to: &bytes) }
        append("END:VCARD", to: &bytes)
        return bytes
    }

    private static func line(_ property: VCard.Property) -> String {
        var line = property.group.map { "\($0)." } ?? ""
        line += property.name
        for parameter in property.parameters {
            line += ";\(parameter.name)=" + parameter.values.map(quoted).joined(separator: ",")
        }
        return line + ":" + property.value
    }

    private static func quoted(_ value: String) -> String {
        value.unicodeScalars.contains { $0 == "," || $0 == ";" || $0 == ":" } ? "\"\(value)\"" : value
    }

    private static func append(_ line: String, to bytes: inout [UInt8]) {
        var length = 0
        for scalar in line.unicodeScalars {
            let size = UTF8.width(scalar)
            if length + size > 75 {
                bytes += [0x0D, 0x0A, 0x20]
                length = 1
            }
            bytes += String(scalar).utf8
            length += size
        }
        bytes += [0x0D, 0x0A]
    }
}
