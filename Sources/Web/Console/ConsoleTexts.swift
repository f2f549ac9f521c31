import Foundation
import Hub

/// The console's texts in one language.
struct ConsoleTexts: Sendable {
    let language: String
    let keys: Set<String>
    private let texts: [String: String]
    /// The texts as templates take them.
    let members: Members
    /// Words for counts by CLDR's plural category.
    private let counts: [String: [String: String]]

    /// - Parameter file: texts by key; an object of plural categories for what is counted.
    init(_ language: String, _ file: JSON) {
        self.language = language
        var members = file.object ?? [:]
        if language == "en" { members.merge(Self.english) { own, _ in own } }
        texts = members.compactMapValues(\.string)
        self.members = Members(texts.mapValues(JSON.string))
        counts = members.compactMapValues { $0.object?.compactMapValues(\.string) }
        keys = Set(members.keys)
    }

    /// The text of a key, where there is one.
    func known(_ key: String) -> String? { texts[key] }

    /// The text of a key; the key itself where there is none, which no test lets through.
    subscript(key: String) -> String { texts[key] ?? key }

    /// A field's name; its key for one of the shop's own.
    func field(_ key: String) -> String { texts["field_\(key)"] ?? key }

    /// Of the ways to write English, the one that is read without doubt in Europe.
    var locale: Locale { Locale(identifier: language == "en" ? "en_GB" : language) }

    /// A number with its thousands apart.
    func grouped(_ number: Int64) -> String { number.formatted(.number.locale(locale)) }

    /// A month's name.
    /// - Parameter number: 1 for January.
    func month(_ number: Int64) -> String {
        let formatter = DateFormatter()
        formatter.locale = locale
        let names = formatter.standaloneMonthSymbols ?? []
        return 1...Int64(names.count) ~= number ? names[Int(number) - 1] : String(number)
    }

    /// A text with values in place of {names}.
    func filled(_ key: String, _ values: [String: String]) -> String { Placeholders.fill(self[key], values) }

    /// Words for so many: "3 contacts".
    func count(_ key: String, _ number: Int, _ values: [String: String] = [:]) -> String {
        let forms = counts[key] ?? [:]
        return Placeholders.fill(
            forms[category(number)] ?? forms["other"] ?? key, values.merging(["n": String(number)]) { $1 })
    }

    /// The hub's own phrases, which stand in no file in English.
    static let english: [String: JSON] = {
        let texts = EnglishPhrases.texts.mapValues(JSON.string)
        let counts = EnglishPhrases.counts.mapValues { JSON.object($0.mapValues(JSON.string)) }
        return Dictionary(uniqueKeysWithValues: texts.merging(counts) { $1 }.map { ("says_\($0.key)", $0.value) })
    }()

    /// Plural categories of whole numbers (Unicode CLDR 44, Language Plural Rules).
    func category(_ number: Int) -> String {
        let (ten, hundred) = (number % 10, number % 100)
        switch language {
        case "pl":
            if number == 1 { return "one" }
            return 2...4 ~= ten && !(12...14 ~= hundred) ? "few" : "many"
        case "lt":
            if ten == 1 && !(11...19 ~= hundred) { return "one" }
            return 2...9 ~= ten && !(11...19 ~= hundred) ? "few" : "other"
        default: return number == 1 ? "one" : "other"
        }
    }

    /// The categories a language has for whole numbers.
    static func categories(_ language: String) -> Set<String> {
        switch language {
        case "pl": ["one", "few", "many"]
        case "lt": ["one", "few", "other"]
        default: ["one", "other"]
        }
    }

    /// The language of these that somebody not known yet prefers (RFC 9110, 12.5.4).
    static func preferred(_ header: String?) -> String {
        let wanted = (header ?? "").lowercased().split(separator: ",").map { part -> (String, Double) in
            let halves = part.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            let weight = halves.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            let tag = halves.first?.split(separator: "-").first.map(String.init) ?? ""
            return (["no", "nn"].contains(tag) ? "nb" : tag, weight)
        }
        let known = wanted.filter { Schemas.languages.contains($0.0) && $0.1 > 0 }
        return known.max { $0.1 < $1.1 }?.0 ?? "en"
    }
}
