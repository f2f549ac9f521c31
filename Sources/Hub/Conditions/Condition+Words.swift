extension Condition {
    /// This condition as part of a plain English sentence about a contact: `has the tag “supplier” and was
    /// born in September`.
    public var words: String { words(within: .top) }

    private enum Place { case top, all, any, not }

    private func words(within place: Place) -> String {
        switch self {
        case .all(let parts):
            if parts.isEmpty { return "is any contact" }
            return join(parts, with: " and ", as: .all, within: place)
        case .any(let parts):
            if parts.isEmpty { return "is no contact" }
            return join(parts, with: " or ", as: .any, within: place)
        case .not(.leaf(let leaf)): return leaf.words(negated: true)
        case .not(.not(let part)): return part.words(within: place)
        case .not(let part): return "not (\(part.words(within: .not)))"
        case .leaf(let leaf): return leaf.words(negated: false)
        }
    }

    private func join(_ parts: [Condition], with word: String, as own: Place, within place: Place) -> String {
        if parts.count == 1 { return parts[0].words(within: place) }
        let joined = parts.map { $0.words(within: own) }.joined(separator: word)
        return place == .top || place == .not || place == own ? joined : "(\(joined))"
    }
}

extension Leaf {
    /// This leaf, or its opposite, as part of a sentence about a contact.
    public func words(negated: Bool) -> String {
        switch self {
        case .tag(let tag): negated ? "does not have the tag “\(tag)”" : "has the tag “\(tag)”"
        case .field(let path, let comparison): "has \(comparison.words(of: Leaf.spoken(path), negated: negated))"
        case .consent(let purpose):
            negated ? "has not consented to “\(purpose)”" : "has consented to “\(purpose)”"
        case .origin(let origin): "was\(negated ? " not" : "") changed by “\(origin)”"
        case .change(let kinds): "is \(negated ? "not " : "")\(Leaf.choice(kinds))"
        case .changed(let fields):
            "had \(negated ? "no change of" : "a change of") \(Leaf.choice(fields.map(Leaf.spoken)))"
        case .birthMonth(let month): "was \(negated ? "not " : "")born in \(month.words)"
        case .owner(let people): "is \(negated ? "not " : "")\(Leaf.client(of: people))"
        case .bought(let purchase): "has \(negated ? "not " : "")bought \(purchase.words)"
        case .noOrderInDays(let days): negated ? "ordered in \(Leaf.last(days))" : "has no order in \(Leaf.last(days))"
        case .unchangedInDays(let days):
            negated ? "changed in \(Leaf.last(days))" : "has not changed in \(Leaf.last(days))"
        case .orders(let comparison): "has \(comparison.words(of: "a number of orders", negated: negated))"
        case .spent(let comparison): "has \(comparison.words(of: "a total spent", negated: negated))"
        }
    }

    /// What to do so that this leaf is answered so: `add the tag “supplier”`.
    public func turn(to goal: Bool) -> String {
        switch self {
        case .tag(let tag): goal ? "add the tag “\(tag)”" : "remove the tag “\(tag)”"
        case .field(let path, let comparison):
            "make it have \(comparison.words(of: Leaf.spoken(path), negated: !goal))"
        case .consent(let purpose):
            goal ? "record consent to “\(purpose)”" : "withdraw consent to “\(purpose)”"
        case .origin(let origin): goal ? "a change by “\(origin)”" : "a change not by “\(origin)”"
        case .change(let kinds):
            goal ? "a contact that is \(Leaf.choice(kinds))" : "a contact that is not \(Leaf.choice(kinds))"
        case .changed(let fields):
            "a change \(goal ? "that touches" : "without") \(Leaf.choice(fields.map(Leaf.spoken)))"
        case .birthMonth(let month): "a birth month \(goal ? "of" : "other than") \(month.words)"
        case .owner(let people): goal ? "make it \(Leaf.client(of: people))" : "make it not \(Leaf.client(of: people))"
        case .bought(let purchase): goal ? "buying \(purchase.words)" : "not having bought \(purchase.words)"
        case .noOrderInDays(let days):
            goal ? "no order in \(Leaf.last(days))" : "an order in \(Leaf.last(days))"
        case .unchangedInDays(let days): goal ? "no change in \(Leaf.last(days))" : "a change in \(Leaf.last(days))"
        case .orders(let comparison): comparison.words(of: "a number of orders", negated: !goal)
        case .spent(let comparison): comparison.words(of: "a total spent", negated: !goal)
        }
    }

    private static func spoken(_ path: String) -> String {
        String(path.map { $0 == "_" || $0 == "." ? " " : $0 })
    }

    private static func client(of people: [Int64]) -> String {
        people.isEmpty ? "nobody's client" : "a client of member of staff \(choice(people.map(String.init)))"
    }

    private static func last(_ days: Int) -> String { days == 1 ? "the last day" : "the last \(days) days" }

    private static func choice(_ kinds: Set<ChangeKind>) -> String {
        choice(ChangeKind.allCases.filter(kinds.contains).map(\.rawValue))
    }

    private static func choice(_ items: [String]) -> String { items.joined(separator: " or ") }
}

extension MonthChoice {
    var words: String {
        switch self {
        case .this: "this month"
        case .month(let month): Day.name(ofMonth: month)
        }
    }
}

extension Purchase {
    var words: String {
        var words = product.map { "“\($0)”" } ?? "something"
        if let category { words += " of the category “\(category)”" }
        if let supplier { words += " from “\(supplier)”" }
        if atLeast > 1 { words += " at least \(atLeast) times" }
        if let withinDays { words += withinDays == 1 ? " in the last day" : " in the last \(withinDays) days" }
        return words
    }
}

extension Comparison {
    /// `a total spent of at least “100.00”`, without "has".
    func words(of name: String, negated: Bool) -> String {
        if case .exists(let flag) = self { return flag != negated ? "\(name) set" : "no \(name)" }
        return "\(name) \(phrase(negated: negated))"
    }

    private func phrase(negated: Bool) -> String {
        let no = negated ? "not " : ""
        switch self {
        case .is(let value): return negated ? "other than \(value.quoted)" : "equal to \(value.quoted)"
        case .isNot(let value): return negated ? "equal to \(value.quoted)" : "other than \(value.quoted)"
        case .oneOf(let values): return "\(no)one of \(values.map(\.quoted).joined(separator: ", "))"
        case .contains(let text): return "\(no)containing “\(text)”"
        case .startsWith(let text): return "\(no)starting with “\(text)”"
        case .below(let value): return "\(no)below \(value.plain)"
        case .above(let value): return "\(no)above \(value.plain)"
        case .atMost(let value): return "\(no)of at most \(value.plain)"
        case .atLeast(let value): return "\(no)of at least \(value.plain)"
        case .before(let moment): return "\(no)before \(moment.words)"
        case .after(let moment): return "\(no)after \(moment.words)"
        case .exists: return ""
        }
    }
}

extension Comparison.Moment {
    var words: String {
        switch self {
        case .day(let day): day.iso
        case .daysAgo(0): "today"
        case .daysAgo(let days) where days < 0: "\(-days) days from now"
        case .daysAgo(let days): "\(days) days ago"
        }
    }
}

extension JSON {
    /// Text in quotation marks, numbers bare.
    fileprivate var quoted: String { string.map { "“\($0)”" } ?? plain }
    fileprivate var plain: String { scalarText ?? text }
}
