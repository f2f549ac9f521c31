/// What happens to one value on its way.
struct ValueConverter: Sendable, Hashable {
    enum LetterCase: String, Sendable, CaseIterable { case upper, lower, title }

    var trims = false
    var letterCase: LetterCase?
    var values: ValueMap?
    var format: ValueFormat?
    /// Country of phone numbers that come in without a country code.
    var country: String?
    /// Taken when there is no value.
    var fallback = Sided.none

    /// The hub's form of a remote value, null when there is none.
    /// - Throws: `Unfit`.
    func inward(_ value: JSON?) throws(Unfit) -> JSON {
        let value = tidied(value)
        if value.isEmpty { return fallback.inward ?? .null }
        if let values { return try values.inward(value) }
        if let format { return try format.inward(value) }
        if value.scalarText == nil { throw Unfit("is not a single value: \(value.brief)") }
        let result = cased(value)
        if let country, let text = result.string, case .number(let number) = Phone.read(text, region: country) {
            return .string(number)
        }
        return result
    }

    /// The remote form of a hub value, null when there is none.
    /// - Throws: `Unfit`.
    func outward(_ value: JSON?) throws(Unfit) -> JSON {
        let value = tidied(value)
        if value.isEmpty { return fallback.outward ?? .null }
        if let values { return try values.outward(value) }
        if let format { return try format.outward(value) }
        if value.scalarText == nil { throw Unfit("is not a single value: \(value.brief)") }
        return cased(value)
    }

    private func tidied(_ value: JSON?) -> JSON {
        guard let value else { return .null }
        guard trims, let text = value.string else { return value }
        return .string(Text.trimmed(text))
    }

    private func cased(_ value: JSON) -> JSON {
        guard let letterCase, let text = value.string else { return value }
        switch letterCase {
        case .upper: return .string(text.uppercased())
        case .lower: return .string(text.lowercased())
        case .title: return .string(Text.titled(text))
        }
    }
}

extension JSON {
    /// Whether there is nothing in it: null, blank text, an empty list or object.
    var isEmpty: Bool {
        switch self {
        case .null: true
        case .string(let text): text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
        case .array(let items): items.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}
