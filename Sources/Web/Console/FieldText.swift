import Foundation
import Hub

/// Values of fields as people read them.
enum FieldText {
    /// Pieces of a value: one for each entry of a list, with its label.
    static func pieces(_ value: JSON) -> [JSON] {
        switch value {
        case .array(let items): items.flatMap(pieces)
        case .object(let members):
            if let text = members["value"]?.scalarText {
                [["text": .string(text), "kind": members["label"] ?? .null]]
            } else if members["amount"] != nil {
                [["text": .string("\(members["amount"]?.scalarText ?? "") \(members["currency"]?.string ?? "")")]]
            } else {
                [["text": .string(address(members)), "kind": members["label"] ?? .null]]
            }
        default: value.scalarText.map { [["text": .string($0)]] } ?? []
        }
    }

    private static func address(_ members: [String: JSON]) -> String {
        ["street", "postal_code", "city", "region", "country"].compactMap { members[$0]?.scalarText }
            .filter { !$0.isEmpty }.joined(separator: ", ")
    }

    /// The first entry of a list of values.
    static func first(_ value: JSON?) -> String? {
        value?[0]?["value"]?.string
    }

    /// Two letters that stand for somebody.
    static func initials(_ name: String) -> String {
        plainInitials(name) ?? anyInitials(name)
    }

    /// Of a name of plain letters and spaces, as most are: without a look into Unicode's tables.
    private static func plainInitials(_ name: String) -> String? {
        var (first, last): (UInt8?, UInt8?) = (nil, nil)
        var isWithin = false
        for byte in name.utf8 {
            switch byte {
            case 0x41...0x5A, 0x61...0x7A, 0x30...0x39:
                if !isWithin { (first, last) = (first ?? byte, first == nil ? nil : byte) }
                isWithin = true
            case 0x20: isWithin = false
            default: return nil
            }
        }
        guard let first else { return nil }
        let letters = [first, last].compactMap(\.self)
        return String(decoding: letters.map { 0x61...0x7A ~= $0 ? $0 - 0x20 : $0 }, as: UTF8.self)
    }

    private static func anyInitials(_ name: String) -> String {
        let words = name.split { !$0.isLetter && !$0.isNumber }
        let letters = [words.first, words.count > 1 ? words.last : nil].compactMap { $0?.first }
        return letters.isEmpty ? "?" : String(letters).uppercased()
    }
}

extension ConsoleTexts {
    /// Pieces of a field's value, with days, months, countries and languages as the reader calls them.
    /// - Parameters:
    ///   - key: the field's.
    ///   - known: fields as the interface lists them.
    func pieces(_ value: JSON, of key: String, _ known: [JSON]) -> [JSON] {
        let field = known.first { $0["key"]?.string == key }
        func one(_ text: String?) -> [JSON] { text.map { [["text": .string($0)]] } ?? FieldText.pieces(value) }
        switch field?["type"]?.string {
        case "date": return one(value.string.flatMap { Day(iso: $0) }.map(said))
        case "month": return one(value.int.map(month))
        case "flag": return one(value.bool.map { self["flag_\($0)"] })
        case "addresses":
            return FieldText.pieces(.array((value.array ?? []).map(withCountryName)))
        default:
            let isLanguage = key == "language" && field?["is_standard"] == true
            return one(isLanguage ? value.string.flatMap { locale.localizedString(forIdentifier: $0) } : nil)
        }
    }

    private func withCountryName(_ address: JSON) -> JSON {
        var address = address
        if let name = address["country"]?.string.flatMap({ locale.localizedString(forRegionCode: $0) }) {
            address["country"] = .string(name)
        }
        return address
    }

    private func said(_ day: Day) -> String {
        Date(timeIntervalSince1970: Double(day.daysSinceEpoch) * 86_400).formatted(
            Date.FormatStyle(date: .long, time: .omitted, locale: locale, timeZone: .gmt))
    }
}
