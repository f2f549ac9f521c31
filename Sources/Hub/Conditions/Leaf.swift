/// One question a condition asks.
public enum Leaf: Sendable, Hashable {
    /// The contact has this tag.
    case tag(String)
    /// The field at this path (see `FieldCatalogue.target`) compares so. On a list: any of its values does.
    case field(String, Comparison)
    /// The contact's latest word on this purpose is yes.
    case consent(purpose: String)
    /// Who made the change: a connector's name, or "staff", "api", "sql".
    case origin(String)
    /// The change is of one of these kinds.
    case change(Set<ChangeKind>)
    /// The change touched at least one of these fields.
    case changed(fields: [String])
    case birthMonth(MonthChoice)
    /// The contact is the client of one of these members of staff, by number; with none, nobody's.
    case owner([Int64])
    case bought(Purchase)
    /// The contact has no order in this many days, which includes never.
    case noOrderInDays(Int)
    /// Nothing about the contact changed in this many days, and it ordered nothing.
    case unchangedInDays(Int)
    /// How many orders the contact has.
    case orders(Comparison)
    /// What the contact has spent, in the tenant's currency.
    case spent(Comparison)
}

extension Leaf {
    /// Key of the field of a contact that it asks about; nil for what is no field.
    public var fieldKey: String? {
        switch self {
        case .tag: "tags"
        case .field(let path, _): path.split(separator: ".").first.map(String.init)
        case .birthMonth: "birth_month"
        default: nil
        }
    }
}

/// What happened to a contact.
public enum ChangeKind: String, Sendable, Hashable, CaseIterable {
    case new, edited, deleted, merged
}

/// A month of birth to look for.
public enum MonthChoice: Sendable, Hashable {
    /// The month it is when the condition is asked.
    case this
    /// 1 to 12.
    case month(Int)
}

/// Orders to look for: those with a product that answers to every name given.
public struct Purchase: Sendable, Hashable {
    public let supplier: String?
    public let product: String?
    public let category: String?
    /// Only orders of the last this many days.
    public let withinDays: Int?
    /// How many such orders there must be, at least 1.
    public let atLeast: Int

    public init(
        supplier: String? = nil, product: String? = nil, category: String? = nil, withinDays: Int? = nil,
        atLeast: Int = 1
    ) {
        (self.supplier, self.product, self.category) = (supplier, product, category)
        (self.withinDays, self.atLeast) = (withinDays, atLeast)
    }
}
