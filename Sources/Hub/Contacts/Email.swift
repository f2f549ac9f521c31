/// E-mail addresses.
public enum Email {
    /// The address in small letters, without "mailto:" or a name around it; nil unless it has the shape of one.
    public static func normalised(_ text: String) -> String? {
        var address = Text.line(text).lowercased()
        if address.hasSuffix(">"), let open = address.lastIndex(of: "<") {
            address = String(address[address.index(after: open)...].dropLast())
        }
        if address.hasPrefix("mailto:") { address = String(address.dropFirst(7)) }
        address = CanonicalForm.composed(address)
        return hasShape(address) ? address : nil
    }

    private static func hasShape(_ address: String) -> Bool {
        let parts = address.unicodeScalars.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, address.utf8.count <= 254 else { return false }
        let local = parts[0]
        guard (1...64).contains(local.count), !local.contains(where: isForbidden) else { return false }
        let words = local.split(separator: ".", omittingEmptySubsequences: false)
        return words.allSatisfy { !$0.isEmpty } && isDomain(parts[1])
    }

    private static func isDomain(_ domain: Substring.UnicodeScalarView) -> Bool {
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, let last = labels.last, last.count >= 2 else { return false }
        guard !last.allSatisfy({ $0.properties.numericType != nil }) else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != "-" && label.last != "-"
                && label.allSatisfy { $0 == "-" || isWordScalar($0) }
        }
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) }
        return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            || scalar.properties.generalCategory == .nonspacingMark
    }

    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar.value < 0x20 || "\"(),:;<>@[\\]".unicodeScalars.contains(scalar)
    }
}
