import Hub

/// Writes a document (see `VCardDocument`) into a card: only the members it has, all else stays.
enum VCardMerge {
    /// - Parameter values: a member that is null takes its property away.
    static func merge(_ values: JSON, into card: inout VCard) {
        for (member, name) in [("fn", "FN"), ("title", "TITLE"), ("note", "NOTE"), ("lang", "LANG")] {
            if let value = values[member] { card.set(name, value.scalarText.map(VCardText.escape)) }
        }
        if let name = values["n"] { mergeName(name, into: &card) }
        if let units = values["org"] { mergeUnits(units, into: &card) }
        if let date = values["bday"], date.string != card.first("BDAY").flatMap(VCardDate.read) {
            card.set("BDAY", date.string.map { VCardText.escape(VCardDate.write($0, version: card.version)) })
        }
        for (member, name) in [("email", "EMAIL"), ("tel", "TEL"), ("url", "URL")] {
            if let items = values[member] { mergeList(items.array ?? [], name, into: &card) }
        }
        if let addresses = values["adr"] { mergeAddresses(addresses.array ?? [], into: &card) }
        if let categories = values["categories"] {
            let texts = (categories.array ?? []).compactMap(\.scalarText)
            let held = card.all("CATEGORIES").flatMap { VCardText.split($0.value, at: ",").map(VCardText.unescape) }
            if texts != held {
                let first = card.properties.firstIndex { $0.name == "CATEGORIES" }
                card.properties = card.properties.enumerated()
                    .filter { $0.element.name != "CATEGORIES" || $0.offset == first }.map(\.element)
                card.set("CATEGORIES", texts.map(VCardText.escape).joined(separator: ","))
            }
        }
        complete(&card)
    }

    /// FN must be there, and N in version 3.0.
    private static func complete(_ card: inout VCard) {
        let name = card.first("N").map { VCardText.split($0.value, at: ";") } ?? []
        if card.first("FN") == nil {
            let parts = [3, 1, 2, 0, 4].compactMap { $0 < name.count && !name[$0].isEmpty ? name[$0] : nil }
            let others = [card.first("ORG")?.value, card.first("EMAIL")?.value, card.first("TEL")?.value]
            let spoken = parts.isEmpty ? others.compactMap { $0 }.first ?? "-" : parts.joined(separator: " ")
            card.properties.insert(.init(name: "FN", value: spoken), at: 0)
        }
        if card.version == "3.0", card.first("N") == nil { card.set("N", ";;;;") }
    }

    /// The company and its departments: those not spoken of stay.
    private static func mergeUnits(_ units: JSON, into card: inout VCard) {
        let texts = (units.array ?? [units]).map { VCardText.escape($0.scalarText ?? "") }
        let held = card.first("ORG").map { VCardText.split($0.value, at: ";") } ?? []
        let merged = texts + held.dropFirst(texts.count)
        card.set("ORG", units.isNull || merged.allSatisfy(\.isEmpty) ? nil : merged.joined(separator: ";"))
    }

    private static func mergeName(_ name: JSON, into card: inout VCard) {
        guard name.object != nil else { return card.set("N", nil) }
        var parts = card.first("N").map { VCardText.split($0.value, at: ";") } ?? []
        while parts.count < 5 { parts.append("") }
        let held = VCardDocument.read(card)["n"]
        for (place, member) in VCardDocument.nameParts.enumerated() {
            guard let value = name[member], value.scalarText != held?[member]?.scalarText else { continue }
            parts[place] = VCardText.escape(value.scalarText ?? "")
        }
        card.set("N", parts.joined(separator: ";"))
    }

    /// Keeps the property of each value that stays, with its group and parameters; adds and removes others.
    private static func mergeList(_ items: [JSON], _ name: String, into card: inout VCard) {
        var held = card.all(name)
        var wanted: [VCard.Property] = []
        for item in items {
            guard let value = (item["value"] ?? item).scalarText, !value.isEmpty else { continue }
            let type = item["type"]?.scalarText?.lowercased()
            if let place = held.firstIndex(where: { matches($0, value) }) {
                var property = held.remove(at: place)
                if VCardDocument.plainValue(property) != value { property.value = VCardText.escape(value) }
                if let type, VCardDocument.type(of: property, in: card) != type { set(type, on: &property) }
                wanted.append(property)
            } else {
                var property = VCard.Property(name: name, value: VCardText.escape(value))
                if let type { set(type, on: &property) }
                wanted.append(property)
            }
        }
        replace(name, with: wanted, in: &card)
    }

    private static func matches(_ property: VCard.Property, _ value: String) -> Bool {
        let held = VCardDocument.plainValue(property)
        guard property.name == "TEL" else { return held.lowercased() == value.lowercased() }
        return held.filter { $0.isNumber || $0 == "+" } == value.filter { $0.isNumber || $0 == "+" }
    }

    private static func set(_ label: String, on property: inout VCard.Property) {
        // A type is a word of letters, digits and hyphens.
        let isWordByte: (UInt8) -> Bool = { $0 == 0x2D || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }
        let type = String(decoding: label.utf8.filter(isWordByte), as: UTF8.self)
        guard !type.isEmpty else { return }
        let isPreferred = property.types.contains("pref")
        property.parameters.removeAll { $0.name == "TYPE" }
        property.parameters.append(.init(name: "TYPE", values: [type] + (isPreferred ? ["pref"] : [])))
    }

    /// An address is known again by its parts, else by its type: then box and extended part stay.
    private static func mergeAddresses(_ items: [JSON], into card: inout VCard) {
        var held = card.all("ADR")
        var wanted: [VCard.Property] = []
        for item in items {
            let type = item["type"]?.scalarText?.lowercased()
            let asked = VCardDocument.addressParts.map { text(item[$0]) }
            let isSame: (VCard.Property) -> Bool = { parts(of: $0) == asked }
            let place =
                held.firstIndex(where: isSame)
                ?? held.firstIndex { type != nil && VCardDocument.type(of: $0, in: card) == type }
            var property = place.map { held.remove(at: $0) } ?? VCard.Property(name: "ADR", value: ";;")
            if !isSame(property) {
                var values = VCardText.split(property.value, at: ";")
                while values.count < 7 { values.append("") }
                for (offset, part) in asked.enumerated() { values[offset + 2] = VCardText.escape(part) }
                property.value = values.joined(separator: ";")
            }
            if let type, VCardDocument.type(of: property, in: card) != type { set(type, on: &property) }
            wanted.append(property)
        }
        replace("ADR", with: wanted, in: &card)
    }

    private static func text(_ value: JSON?) -> String { value?.scalarText ?? "" }

    private static func parts(of property: VCard.Property) -> [String] {
        let document = VCardDocument.read(VCard(version: "4.0", properties: [property]))["adr"]?[0]
        return VCardDocument.addressParts.map { text(document?[$0]) }
    }

    /// Puts properties in the place of the first of their name; labels of those that go, go too.
    private static func replace(_ name: String, with wanted: [VCard.Property], in card: inout VCard) {
        guard card.all(name) != wanted else { return }
        let place = card.properties.firstIndex { $0.name == name } ?? card.properties.endIndex
        let kept = Set(wanted.compactMap(\.group))
        let gone = Set(card.all(name).compactMap(\.group)).subtracting(kept)
        let before = card.properties[..<place].filter { !isLabel($0, of: gone) }
        let after = card.properties[place...].filter { $0.name != name && !isLabel($0, of: gone) }
        card.properties = Array(before) + wanted + Array(after)
    }

    private static func isLabel(_ property: VCard.Property, of groups: Set<String>) -> Bool {
        property.name == "X-ABLABEL" && property.group.map(groups.contains) == true
    }
}
