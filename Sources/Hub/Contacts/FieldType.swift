/// What a field of a contact holds.
public enum FieldType: String, Sendable, Hashable, CaseIterable {
    case text
    case number
    /// An amount in the tenant's currency, as text in plain notation ("100.00"), so that no cent is lost.
    case money
    /// "YYYY-MM-DD".
    case date
    /// 1 to 12.
    case month
    case choice
    case multiChoice = "multi_choice"
    case flag
    case link
    /// A list of {value, label}; standard fields only.
    case entries
    /// A list of postal addresses; standard fields only.
    case addresses
    /// A list of words; standard fields only.
    case words

    /// Types a tenant may give to a field of its own.
    public static let custom: [FieldType] = [
        .text, .number, .money, .date, .month, .choice, .multiChoice, .flag, .link,
    ]

    /// Members of one entry of a list of this type.
    public var members: [String] {
        switch self {
        case .entries: ["value", "label"]
        case .addresses: ["label", "street", "city", "postal_code", "region", "country"]
        default: []
        }
    }

    /// Whether values can be less or more than one another.
    var isOrdered: Bool { [.number, .money, .month].contains(self) }

    /// Whether values are text that may begin with or contain other text.
    var isTextual: Bool { [.text, .choice, .link].contains(self) }
}
