/// The phrases of the API, the command line and the console's English.
public struct EnglishPhrases: Phrasebook {
    public init() {}

    public func phrase(_ key: String, _ values: [String: String]) -> String {
        Placeholders.fill(Self.texts[key] ?? key, values)
    }

    public func phrase(_ key: String, count: Int, _ values: [String: String]) -> String {
        let forms = Self.counts[key] ?? [:]
        return Placeholders.fill(
            (count == 1 ? forms["one"] : forms["other"]) ?? key, values.merging(["n": String(count)]) { $1 })
    }

    public func fieldName(_ path: String) -> String { String(path.map { $0 == "_" || $0 == "." ? " " : $0 }) }
    public func staffName(_ number: Int64) -> String { String(number) }
    public func monthName(_ month: Int) -> String { Day.name(ofMonth: month) }

    /// By key.
    public static let texts = [
        "quoted": "“{it}”", "and": "and", "or": "or", "nor": "or", "not": "not ({it})", "anyone": "is any contact",
        "nobody": "is no contact", "everybody": "any contact",
        "tag": "has the tag {it}", "tag_not": "does not have the tag {it}",
        "consent": "has consented to {it}", "consent_not": "has not consented to {it}",
        "origin": "was changed by {it}", "origin_not": "was not changed by {it}",
        "kind": "is {it}", "kind_not": "is not {it}",
        "kind_new": "new", "kind_edited": "edited", "kind_deleted": "deleted", "kind_merged": "merged",
        "changed": "had a change of {it}", "changed_not": "had no change of {it}",
        "born": "was born in {it}", "born_not": "was not born in {it}",
        "born_now": "was born in this month", "born_now_not": "was not born in this month",
        "client": "is a client of member of staff {it}", "client_not": "is not a client of member of staff {it}",
        "unowned": "is nobody's client", "unowned_not": "is not nobody's client",
        "bought": "has bought {it}", "bought_not": "has not bought {it}", "something": "something",
        "of_category": "{it} of the category {name}", "from_supplier": "{it} from {name}",
        "orders": "a number of orders", "spent": "a total spent",
        "orders_is": "has {it} orders", "orders_other": "has not just {it} orders",
        "orders_below": "has fewer than {it} orders",
        "orders_at_least": "has at least {it} orders", "orders_above": "has more than {it} orders",
        "orders_at_most": "has at most {it} orders", "spent_is": "has spent {it}",
        "spent_other": "has not spent just {it}",
        "spent_below": "has spent less than {it}", "spent_at_least": "has spent at least {it}",
        "spent_above": "has spent more than {it}", "spent_at_most": "has spent at most {it}",
        "is": "has {field} equal to {it}", "other": "has {field} other than {it}",
        "one_of": "has {field} one of {it}", "one_of_not": "has {field} not one of {it}",
        "contains": "has {field} containing {it}", "contains_not": "has {field} not containing {it}",
        "starts": "has {field} starting with {it}", "starts_not": "has {field} not starting with {it}",
        "below": "has {field} below {it}", "below_not": "has {field} not below {it}",
        "above": "has {field} above {it}", "above_not": "has {field} not above {it}",
        "at_most": "has {field} of at most {it}", "at_most_not": "has {field} not of at most {it}",
        "at_least": "has {field} of at least {it}", "at_least_not": "has {field} not of at least {it}",
        "before": "has {field} before {it}", "before_not": "has {field} not before {it}",
        "after": "has {field} after {it}", "after_not": "has {field} not after {it}",
        "set": "has {field} set", "unset": "has no {field}", "today": "today",
        "turn_tag": "add the tag {it}", "turn_tag_not": "remove the tag {it}",
        "turn_consent": "record consent to {it}", "turn_consent_not": "withdraw consent to {it}",
        "turn_field": "change it so that it {it}", "turn_other": "a contact that {it}",
        "turn_own_change": "a change of the contact that comes from elsewhere",
        "turn_nothing_mapped": "a change of one of these fields: {it}",
        "turn_not_permitted": "a wider policy for the connector", "turn_paused": "resume the plugin",
        "verdict_accepted": "{system} wants this change.",
        "verdict_own_change": "The change came from {system} itself.",
        "verdict_missing_tag": "The contact lacks a tag that the filter asks for.",
        "verdict_no_consent": "The contact has not given a consent that the filter asks for.",
        "verdict_not_this_change": "The filter does not ask for changes of this kind.",
        "verdict_filter_not_met": "The contact does not meet the filter.",
        "verdict_nothing_mapped": "No field that is mapped to {system} changed.",
        "verdict_not_permitted": "The policy of {system} does not let it see this contact.",
        "verdict_paused": "{system} is paused: the change waits until it goes on.",
        "verdict_not_bound": "{system} never had this contact.",
        "verdict_deleted_since": "The contact was deleted before the change was decided.",
        "verdict_deleted_there": "The contact was deleted in {system}; Kontor does not bring it back by itself.",
        "verdict_other_entity": "{system} takes contacts only.",
        "verdict_undecided": "No change of this contact has been decided for this plugin yet.",
        "verdict_not_shown": "Your role does not see all fields, and the reasons would tell of them.",
        "right_nobodys": "The contact is nobody's, and the role {role} reads contacts of certain people only.",
        "right_others": "The contact is member of staff {it}'s, whose contacts this person does not read.",
        "right_tag": "The role reads contacts with certain tags only, and this one has none of them.",
        "right_source": "The role reads contacts with certain sources only, and this one has none of them.",
        "right_country": "The role reads contacts with certain countries only, and this one has none of them.",
        "right_consent": "The role reads contacts with certain consents only, and this one has none of them.",
        "right_read": "The role {role} reads this contact.",
        "right_change": "The role does not let this person change it.",
        "right_delete": "The role does not let this person delete it.",
        "right_hidden": "Hidden: {it}.", "right_masked": "Masked: {it}.",
    ]

    /// By key and plural category.
    public static let counts = [
        "times": ["one": "{it} at least once", "other": "{it} at least {n} times"],
        "within": ["one": "{it} in the last day", "other": "{it} in the last {n} days"],
        "quiet": ["one": "has no order in the last day", "other": "has no order in the last {n} days"],
        "quiet_not": ["one": "ordered in the last day", "other": "ordered in the last {n} days"],
        "unchanged": [
            "one": "has neither changed nor ordered in the last day",
            "other": "has neither changed nor ordered in the last {n} days",
        ],
        "unchanged_not": [
            "one": "changed or ordered in the last day", "other": "changed or ordered in the last {n} days",
        ],
        "days_ago": ["one": "yesterday", "other": "{n} days ago"],
        "days_ahead": ["one": "tomorrow", "other": "{n} days from now"],
    ]
}
