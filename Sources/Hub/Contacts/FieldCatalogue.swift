/// The fields a tenant's contacts have: the standard ones and the tenant's own.
public struct FieldCatalogue: Sendable, Hashable {
    /// One field: what it is called and what it holds.
    public struct Field: Sendable, Hashable {
        public let key: String
        public let label: String
        public let type: FieldType
        /// Allowed values of a choice or multi_choice; any value when empty.
        public let choices: [String]
        /// Whether contacts with the same value are the same person.
        public let isKey: Bool

        public init(key: String, label: String, type: FieldType, choices: [String] = [], isKey: Bool = false) {
            (self.key, self.label, self.type, self.choices) = (key, label, type, choices)
            self.isKey = isKey
        }
    }

    /// What a field path leads to.
    public struct Target: Sendable, Hashable {
        public let field: Field
        /// Type of one value.
        public let type: FieldType
        /// True when a contact may have several.
        public let isList: Bool
    }

    private let byKey: [String: Field]
    /// Standard fields in their usual order, then the custom ones in the order given.
    public let fields: [Field]

    /// - Parameter custom: the tenant's fields; those with a key that `isCustomKey` refuses, or that a
    ///   standard or an earlier field has, are left out.
    public init(custom: [Field] = []) {
        var fields = FieldCatalogue.standard
        var byKey = Dictionary(fields.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        for field in custom where FieldCatalogue.isCustomKey(field.key) && byKey[field.key] == nil {
            byKey[field.key] = field
            fields.append(field)
        }
        (self.fields, self.byKey) = (fields, byKey)
    }

    public subscript(key: String) -> Field? { byKey[key] }

    /// What `path` leads to: a field ("industry", "emails": any e-mail address), or a member of the entries of
    /// a list field ("addresses.city": the city of any address). Nil when there is no such field.
    public func target(_ path: String) -> Target? {
        let parts = path.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let field = byKey[parts[0]] else { return nil }
        if parts.count == 1 {
            switch field.type {
            case .entries, .words: return Target(field: field, type: .text, isList: true)
            case .multiChoice: return Target(field: field, type: .choice, isList: true)
            case .addresses: return Target(field: field, type: .addresses, isList: true)
            default: return Target(field: field, type: field.type, isList: false)
            }
        }
        guard field.type.members.contains(parts[1]) else { return nil }
        return Target(field: field, type: .text, isList: true)
    }

    /// `[a-z][a-z0-9_]{0,39}`, and neither the key of a standard field nor what the change log calls something else of a
    /// contact.
    public static func isCustomKey(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        guard (1...40).contains(bytes.count), (0x61...0x7A).contains(bytes[0]) else { return false }
        let allowed = bytes.allSatisfy { (0x61...0x7A).contains($0) || Digits.range.contains($0) || $0 == 0x5F }
        return allowed && !isStandard(key) && !["owner", "sales", "consents", "country"].contains(key)
    }

    /// Whether it is the key of a standard field.
    public static func isStandard(_ key: String) -> Bool { standardKeys.contains(key) }

    private static let standardKeys = Set(standard.map(\.key))

    public static let standard: [Field] = [
        Field(key: "kind", label: "Kind", type: .choice, choices: ["person", "company"]),
        Field(key: "name", label: "Name", type: .text),
        Field(key: "given_name", label: "Given name", type: .text),
        Field(key: "family_name", label: "Family name", type: .text),
        Field(key: "company", label: "Company", type: .text),
        Field(key: "job_title", label: "Job title", type: .text),
        Field(key: "emails", label: "E-mail addresses", type: .entries),
        Field(key: "phones", label: "Phones", type: .entries),
        Field(key: "addresses", label: "Addresses", type: .addresses),
        Field(key: "language", label: "Language", type: .text),
        Field(key: "birthday", label: "Birthday", type: .date),
        Field(key: "birth_month", label: "Birth month", type: .month),
        Field(key: "profiles", label: "Profiles", type: .entries),
        Field(key: "source", label: "Source", type: .text),
        Field(key: "type", label: "Type", type: .text),
        Field(key: "notes", label: "Notes", type: .text),
        Field(key: "tags", label: "Tags", type: .words),
    ]
}
