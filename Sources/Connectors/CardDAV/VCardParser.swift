/// Reads vCards of versions 3.0 and 4.0, and what is met of 2.1 (bare types, quoted-printable).
enum VCardParser {
    struct Failure: Error, Hashable { var reason: String }

    /// The first card of a text.
    ///
    /// - Parameter bytes: UTF-8; lines that are not are taken as ISO 8859-1.
    /// - Throws: `Failure` when there is no whole card.
    static func parse(_ bytes: [UInt8]) throws(Failure) -> VCard {
        var card: VCard?
        for line in lines(bytes) {
            guard let property = property(line) else { continue }
            switch (property.name, property.value.uppercased()) {
            case ("BEGIN", "VCARD"): card = VCard(version: "3.0", properties: [])
            case ("END", "VCARD"):
                if let card { return card }
                throw Failure(reason: "END before BEGIN")
            case ("VERSION", _): card?.version = property.value
            default: card?.properties.append(property)
            }
        }
        throw Failure(reason: card == nil ? "no card" : "the card has no end")
    }

    /// Unfolded lines: a line break before a space or tab means nothing.
    private static func lines(_ bytes: [UInt8]) -> [String] {
        var lines: [[UInt8]] = []
        for var line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init) {
            if line.last == 0x0D { line.removeLast() }
            if let first = line.first, first == 0x20 || first == 0x09, !lines.isEmpty {
                lines[lines.count - 1] += line.dropFirst()
            } else if let last = lines.last, last.last == UInt8(ascii: "="), isQuotedPrintable(last) {
                lines[lines.count - 1] = last.dropLast() + line
            } else {
                lines.append(line)
            }
        }
        return lines.filter { !$0.isEmpty }.map(text)
    }

    /// Such values go on after a "=" at the end of the line.
    private static func isQuotedPrintable(_ line: [UInt8]) -> Bool {
        let head = String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self).uppercased()
        return head.split(separator: ";").contains { $0 == "QUOTED-PRINTABLE" || $0 == "ENCODING=QUOTED-PRINTABLE" }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(validating: bytes, as: UTF8.self) ?? latin1(bytes)
    }

    private static func latin1(_ bytes: [UInt8]) -> String {
        String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    /// [group "."] name *(";" parameter) ":" value
    private static func property(_ line: String) -> VCard.Property? {
        var parts = [String.UnicodeScalarView()]
        var isQuoted = false
        var rest: Substring.UnicodeScalarView?
        for place in line.unicodeScalars.indices {
            let scalar = line.unicodeScalars[place]
            if scalar == "\"" { isQuoted.toggle() }
            if scalar == ":", !isQuoted {
                rest = Substring(line).unicodeScalars[line.unicodeScalars.index(after: place)...]
                break
            }
            if scalar == ";", !isQuoted {
                parts.append(String.UnicodeScalarView())
            } else {
                parts[parts.count - 1].append(scalar)
            }
        }
        guard let rest else { return nil }
        let head = String(parts[0]).split(separator: ".", maxSplits: 1)
        guard let name = head.last, !name.isEmpty else { return nil }
        var property = VCard.Property(
            group: head.count == 2 ? String(head[0]) : nil, name: name.uppercased(),
            parameters: parts.dropFirst().compactMap { parameter(String($0)) }, value: String(rest))
        decode(&property)
        return property
    }

    private static func parameter(_ text: String) -> VCard.Parameter? {
        let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = pair.first, !name.isEmpty else { return nil }
        guard pair.count == 2 else {
            let bare = name.uppercased()
            let isEncoding = ["QUOTED-PRINTABLE", "BASE64", "8BIT"].contains(bare)
            return VCard.Parameter(name: isEncoding ? "ENCODING" : "TYPE", values: [String(name)])
        }
        var values = [String.UnicodeScalarView()]
        var isQuoted = false
        for scalar in pair[1].unicodeScalars {
            switch scalar {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: values.append(String.UnicodeScalarView())
            default: values[values.count - 1].append(scalar)
            }
        }
        return VCard.Parameter(name: name.uppercased(), values: values.map { String($0) })
    }

    /// Turns a quoted-printable value of a version 2.1 card into text of today's form.
    private static func decode(_ property: inout VCard.Property) {
        guard property.values("ENCODING").contains(where: { $0.uppercased() == "QUOTED-PRINTABLE" }) else { return }
        let bytes = Array(property.value.utf8)
        var plain: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "="), at + 2 < bytes.count,
                let value = UInt8(String(decoding: bytes[(at + 1)...(at + 2)], as: UTF8.self), radix: 16)
            {
                plain.append(value)
                at += 3
            } else {
                plain.append(bytes[at])
                at += 1
            }
        }
        let isLatin = property.values("CHARSET").contains { $0.uppercased().utf8.starts(with: "ISO-8859".utf8) }
        let lines = (isLatin ? latin1(plain) : text(plain)).unicodeScalars
            .filter { $0 != "\r" }.map { $0 == "\n" ? "\\n" : String($0) }
        property.value = lines.joined()
        property.parameters.removeAll { $0.name == "ENCODING" || $0.name == "CHARSET" }
    }
}
