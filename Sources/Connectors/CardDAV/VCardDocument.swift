import Hub

/// The form in which mappings see a vCard:
///
///     {"uid", "fn", "n": {"family","given","additional","prefix","suffix"}, "org": [..], "title",
///      "email": [{"value","type"}], "tel": [..], "adr": [{"street","city","region","postal_code",
///      "country","type"}], "bday": "1985-04-12", "note", "url": [..], "categories": [..], "lang"}
///
/// A birthday without a year is "--0412", a birth month alone "--04".
enum VCardDocument {
    static let nameParts = ["family", "given", "additional", "prefix", "suffix"]
    /// After the post-office box and the extended address.
    static let addressParts = ["street", "city", "region", "postal_code", "country"]

    /// What a card says; members it does not have are not there.
    static func read(_ card: VCard) -> JSON {
        var document: JSON = [:]
        for (member, name) in [("uid", "UID"), ("fn", "FN"), ("title", "TITLE"), ("note", "NOTE"), ("lang", "LANG")] {
            if let property = card.first(name) { document[member] = .string(VCardText.unescape(property.value)) }
        }
        if let property = card.first("N") {
            document["n"] = .object(components(property.value, named: nameParts, from: 0))
        }
        if let property = card.first("ORG") {
            let units = VCardText.split(property.value, at: ";").map(VCardText.unescape)
            document["org"] = .array(units.map { .string($0) })
        }
        if let property = card.first("BDAY"), let date = VCardDate.read(property) { document["bday"] = .string(date) }
        document["email"] = list(card, "EMAIL")
        document["tel"] = list(card, "TEL")
        document["url"] = list(card, "URL")
        let addresses = card.all("ADR").map { property in
            var address: JSON = .object(components(property.value, named: addressParts, from: 2))
            address["type"] = type(of: property, in: card).map { .string($0) }
            return address
        }
        if !addresses.isEmpty { document["adr"] = .array(addresses) }
        let categories = card.all("CATEGORIES").flatMap { VCardText.split($0.value, at: ",") }
        if !categories.isEmpty { document["categories"] = .array(categories.map { .string(VCardText.unescape($0)) }) }
        return document
    }

    private static func list(_ card: VCard, _ name: String) -> JSON? {
        let items = card.all(name).map { property in
            var item: JSON = ["value": .string(plainValue(property))]
            item["type"] = type(of: property, in: card).map { .string($0) }
            return item
        }
        return items.isEmpty ? nil : .array(items)
    }

    /// The value as a person writes it: a telephone number of version 4.0 may be "tel:+48-22-1;ext=2".
    static func plainValue(_ property: VCard.Property) -> String {
        let text = VCardText.unescape(property.value)
        guard property.name == "TEL" || property.name == "EMAIL" else { return text }
        for scheme in ["tel:", "mailto:"] where text.lowercased().utf8.starts(with: scheme.utf8) {
            return String(text.dropFirst(scheme.count))
        }
        return text
    }

    private static func components(_ value: String, named names: [String], from start: Int) -> [String: JSON] {
        let parts = VCardText.split(value, at: ";").dropFirst(start)
        var members: [String: JSON] = [:]
        for (name, part) in zip(names, parts) {
            // Several values in one part ("Ann,Mary") are one text to us.
            let text = VCardText.split(part, at: ",").map(VCardText.unescape).joined(separator: " ")
            if !text.isEmpty { members[name] = .string(text) }
        }
        return members
    }

    /// The one type that says most: "cell" of "HOME,CELL,VOICE,pref"; else Apple's label.
    static func type(of property: VCard.Property, in card: VCard) -> String? {
        let noise: Set<String> = ["pref", "internet", "voice", "x400", "dom", "intl", "postal", "parcel", "x-internet"]
        let types = property.types.filter { !noise.contains($0) && !$0.isEmpty }
        for telling in ["cell", "fax", "pager"] where types.contains(telling) { return telling }
        return types.first ?? card.label(of: property)?.lowercased()
    }
}
