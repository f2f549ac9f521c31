/// How a value is compared.
public enum Comparison: Sendable, Hashable {
    /// Equal; on a list: one of its values is equal.
    case `is`(JSON)
    /// Not equal, which a missing value is too; on a list: none of its values is equal.
    case isNot(JSON)
    case oneOf([JSON])
    /// Text has this part, letters of either case; on a list: one of its values does.
    case contains(String)
    /// Text begins so, letters of either case.
    case startsWith(String)
    case below(JSON)
    case above(JSON)
    case atMost(JSON)
    case atLeast(JSON)
    /// A date earlier than this.
    case before(Moment)
    /// A date later than this.
    case after(Moment)
    /// True: there is a value, and it is not empty. False: there is none.
    case exists(Bool)

    /// A date to compare with.
    public enum Moment: Sendable, Hashable {
        case day(Day)
        /// This many days before the day the condition is asked on; negative for days to come.
        case daysAgo(Int)
    }

    /// Its key in JSON.
    public var key: String {
        switch self {
        case .is: "is"
        case .isNot: "is_not"
        case .oneOf: "one_of"
        case .contains: "contains"
        case .startsWith: "starts_with"
        case .below: "below"
        case .above: "above"
        case .atMost: "at_most"
        case .atLeast: "at_least"
        case .before: "before"
        case .after: "after"
        case .exists: "exists"
        }
    }

    static let keys = [
        "is", "is_not", "one_of", "contains", "starts_with", "below", "above", "at_most", "at_least", "before",
        "after", "exists",
    ]
}
