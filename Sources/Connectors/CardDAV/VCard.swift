/// A vCard (RFC 2426, RFC 6350) as a list of properties in their own order and wording, so that what
/// nobody touches is written back as it was read.
struct VCard: Hashable, Sendable {
    struct Property: Hashable, Sendable {
        /// "item1" in "item1.TEL:…".
        var group: String?
        /// Upper case.
        var name: String
        var parameters: [Parameter] = []
        /// As it stands in the card: still escaped.
        var value: String
    }

    struct Parameter: Hashable, Sendable {
        /// Upper case.
        var name: String
        /// Without quotes.
        var values: [String]
    }

    /// "3.0" or "4.0".
    var version: String
    /// All but BEGIN, VERSION and END.
    var properties: [Property]

    func first(_ name: String) -> Property? { properties.first { $0.name == name } }
    func all(_ name: String) -> [Property] { properties.filter { $0.name == name } }

    /// Apple's label of a property, in another property of the same group: "_$!<Home>!$_" is "Home".
    func label(of property: Property) -> String? {
        guard let group = property.group,
            let label = properties.first(where: { $0.name == "X-ABLABEL" && $0.group == group })
        else { return nil }
        let text = VCardText.unescape(label.value)
        guard text.utf8.starts(with: "_$!<".utf8), text.utf8.count > 8 else { return text }
        return String(text.dropFirst(4).dropLast(4))
    }

    /// Sets the one property of a name, keeping its group and parameters; nil removes it.
    mutating func set(_ name: String, _ value: String?) {
        guard let value, !value.isEmpty else {
            properties.removeAll { $0.name == name }
            return
        }
        if let place = properties.firstIndex(where: { $0.name == name }) {
            // What said how the old value was written does not hold for the new one.
            properties[place].parameters.removeAll { ["ENCODING", "CHARSET", "X-APPLE-OMIT-YEAR"].contains($0.name) }
            properties[place].value = value
        } else {
            properties.append(Property(name: name, value: value))
        }
    }
}

extension VCard.Property {
    func values(_ parameter: String) -> [String] {
        parameters.filter { $0.name == parameter }.flatMap(\.values)
    }

    /// Lower-case TYPE values.
    var types: [String] { values("TYPE").map { $0.lowercased() } }
}

/// Escaping in values: backslash before comma, semicolon, backslash and n.
enum VCardText {
    static func escape(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", ",", ";":
                escaped.append("\\")
                escaped.append(scalar)
            case "\r": escaped.append(contentsOf: "\\n".unicodeScalars)
            case "\n": if previous != "\r" { escaped.append(contentsOf: "\\n".unicodeScalars) }
            default: if scalar.value >= 32 || scalar == "\t" { escaped.append(scalar) }
            }
            previous = scalar
        }
        return String(escaped)
    }

    static func unescape(_ text: String) -> String {
        var plain = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                plain.append(scalar == "n" || scalar == "N" ? "\n" : scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                plain.append(scalar)
            }
        }
        return String(plain)
    }

    /// Parts of a still escaped value between separators that are not escaped.
    static func split(_ text: String, at separator: Unicode.Scalar) -> [String] {
        var parts = [String.UnicodeScalarView()]
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if scalar == separator, !isEscaped {
                parts.append(String.UnicodeScalarView())
                continue
            }
            isEscaped = scalar == "\\" && !isEscaped
            parts[parts.count - 1].append(scalar)
        }
        return parts.map { String($0) }
    }
}
