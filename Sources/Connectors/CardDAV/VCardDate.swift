/// Birthdays, in the forms of both versions.
enum VCardDate {
    /// "1985-04-12" from "19850412", "1985-04-12T00:00:00Z" and so on; "--0412", "--04", "---12", "1985-04"
    /// and "1985" for parts of a date. Nil for free text.
    static func read(_ property: VCard.Property) -> String? {
        guard !property.values("VALUE").contains(where: { $0.lowercased() == "text" }) else { return nil }
        let text = property.value.prefix { $0 != "T" && $0 != " " }
        let digits = text.filter { $0 != "-" }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        if text.hasPrefix("---") { return digits.count == 2 ? "---\(digits)" : nil }
        if text.hasPrefix("--") { return digits.count == 2 || digits.count == 4 ? "--\(digits)" : nil }
        switch digits.count {
        case 4: return String(digits)
        case 6: return "\(digits.prefix(4))-\(digits.suffix(2))"
        case 8:
            let (year, monthDay) = (digits.prefix(4), digits.suffix(4))
            // Apple's way to leave the year out in version 3.0.
            if property.values("X-APPLE-OMIT-YEAR").contains(String(year)) { return "--\(monthDay)" }
            return "\(year)-\(monthDay.prefix(2))-\(monthDay.suffix(2))"
        default: return nil
        }
    }

    /// Version 4.0 writes whole dates without hyphens, 3.0 either way; partial dates are 4.0's own, and
    /// what readers of 3.0 make of best.
    static func write(_ date: String, version: String) -> String {
        guard version == "4.0", !date.hasPrefix("--"), date.utf8.count == 10 else { return date }
        return date.filter { $0 != "-" }
    }
}
