extension Condition {
    /// This condition as part of a plain English sentence about a contact: `has the tag “supplier” and was
    /// born in September`.
    public var words: String { words(in: EnglishPhrases()) }

    /// This condition as part of a sentence about a contact, in the book's language.
    public func words(in book: some Phrasebook) -> String { words(within: .top, book) }

    /// The same as what is wanted: `a contact that has the tag “supplier”`.
    public func contact(in book: some Phrasebook) -> String {
        self == .everything ? book.phrase("everybody") : book.phrase("turn_other", it: words(in: book))
    }

    private enum Place { case top, all, any, not }

    private func words(within place: Place, _ book: some Phrasebook) -> String {
        switch self {
        case .all(let parts):
            if parts.isEmpty { return book.phrase("anyone") }
            return join(parts, with: "and", as: .all, within: place, book)
        case .any(let parts):
            if parts.isEmpty { return book.phrase("nobody") }
            return join(parts, with: "or", as: .any, within: place, book)
        case .not(.leaf(let leaf)): return leaf.words(negated: true, in: book)
        case .not(.not(let part)): return part.words(within: place, book)
        case .not(let part): return book.phrase("not", it: part.words(within: .not, book))
        case .leaf(let leaf): return leaf.words(negated: false, in: book)
        }
    }

    private func join(
        _ parts: [Condition], with word: String, as own: Place, within place: Place, _ book: some Phrasebook
    ) -> String {
        if parts.count == 1 { return parts[0].words(within: place, book) }
        let joined = parts.map { $0.words(within: own, book) }.joined(separator: " \(book.phrase(word)) ")
        return place == .top || place == .not || place == own ? joined : "(\(joined))"
    }
}

extension Leaf {
    /// This leaf, or its opposite, as part of a sentence about a contact.
    public func words(negated: Bool, in book: some Phrasebook) -> String {
        let not = negated ? "_not" : ""
        switch self {
        case .tag(let tag): return book.phrase("tag" + not, it: book.quoted(tag))
        case .field(let path, let comparison):
            return comparison.words(of: book.fieldName(path), negated: negated, in: book)
        case .consent(let purpose): return book.phrase("consent" + not, it: book.quoted(purpose))
        case .origin(let origin): return book.phrase("origin" + not, it: book.quoted(origin))
        case .change(let kinds):
            let names = ChangeKind.allCases.filter(kinds.contains).map { book.phrase("kind_\($0.rawValue)") }
            return book.phrase("kind" + not, it: book.choice(names, negated: negated))
        case .changed(let fields):
            return book.phrase("changed" + not, it: book.choice(fields.map(book.fieldName), negated: negated))
        case .birthMonth(.this): return book.phrase("born_now" + not)
        case .birthMonth(.month(let month)): return book.phrase("born" + not, it: book.monthName(month))
        case .owner(let people) where people.isEmpty: return book.phrase("unowned" + not)
        case .owner(let people):
            return book.phrase("client" + not, it: book.choice(people.map(book.staffName), negated: negated))
        case .bought(let purchase): return book.phrase("bought" + not, it: purchase.words(in: book))
        case .noOrderInDays(let days): return book.phrase("quiet" + not, count: days, [:])
        case .unchangedInDays(let days): return book.phrase("unchanged" + not, count: days, [:])
        case .orders(let comparison): return comparison.words(ofTotal: "orders", negated: negated, in: book)
        case .spent(let comparison): return comparison.words(ofTotal: "spent", negated: negated, in: book)
        }
    }

    /// What to do so that this leaf is answered so: `add the tag “supplier”`.
    func turn(to goal: Bool, in book: some Phrasebook) -> String {
        let not = goal ? "" : "_not"
        switch self {
        case .tag(let tag): return book.phrase("turn_tag" + not, it: book.quoted(tag))
        case .consent(let purpose): return book.phrase("turn_consent" + not, it: book.quoted(purpose))
        case .field, .owner: return book.phrase("turn_field", it: words(negated: !goal, in: book))
        default: return book.phrase("turn_other", it: words(negated: !goal, in: book))
        }
    }
}

extension Purchase {
    func words(in book: some Phrasebook) -> String {
        var words = product.map(book.quoted) ?? book.phrase("something")
        if let category { words = book.phrase("of_category", ["it": words, "name": book.quoted(category)]) }
        if let supplier { words = book.phrase("from_supplier", ["it": words, "name": book.quoted(supplier)]) }
        if atLeast > 1 { words = book.phrase("times", count: atLeast, ["it": words]) }
        if let withinDays { words = book.phrase("within", count: withinDays, ["it": words]) }
        return words
    }
}

extension Comparison {
    /// `has a total spent of at least 100.00`.
    func words(of field: String, negated: Bool, in book: some Phrasebook) -> String {
        let (key, value) = piece(negated: negated, in: book)
        return book.phrase(key, ["field": field, "it": value])
    }

    /// `has at least 3 orders`: a total is never missing, so each opposite has a form without "not".
    func words(ofTotal total: String, negated: Bool, in book: some Phrasebook) -> String {
        let (form, opposite, value): (String, String, JSON)
        switch self {
        case .is(let one): (form, opposite, value) = ("is", "other", one)
        case .isNot(let one): (form, opposite, value) = ("other", "is", one)
        case .below(let one): (form, opposite, value) = ("below", "at_least", one)
        case .atLeast(let one): (form, opposite, value) = ("at_least", "below", one)
        case .above(let one): (form, opposite, value) = ("above", "at_most", one)
        case .atMost(let one): (form, opposite, value) = ("at_most", "above", one)
        default: return words(of: book.phrase(total), negated: negated, in: book)
        }
        return book.phrase("\(total)_\(negated ? opposite : form)", it: value.plain)
    }

    private func piece(negated: Bool, in book: some Phrasebook) -> (key: String, value: String) {
        let not = negated ? "_not" : ""
        switch self {
        case .is(let value): return (negated ? "other" : "is", value.words(in: book))
        case .isNot(let value): return (negated ? "is" : "other", value.words(in: book))
        case .oneOf(let values): return ("one_of" + not, values.map { $0.words(in: book) }.joined(separator: ", "))
        case .contains(let text): return ("contains" + not, book.quoted(text))
        case .startsWith(let text): return ("starts" + not, book.quoted(text))
        case .below(let value): return ("below" + not, value.plain)
        case .above(let value): return ("above" + not, value.plain)
        case .atMost(let value): return ("at_most" + not, value.plain)
        case .atLeast(let value): return ("at_least" + not, value.plain)
        case .before(let moment): return ("before" + not, moment.words(in: book))
        case .after(let moment): return ("after" + not, moment.words(in: book))
        case .exists(let flag): return (flag != negated ? "set" : "unset", "")
        }
    }
}

extension Comparison.Moment {
    func words(in book: some Phrasebook) -> String {
        switch self {
        case .day(let day): day.iso
        case .daysAgo(0): book.phrase("today")
        case .daysAgo(let days) where days < 0: book.phrase("days_ahead", count: -days, [:])
        case .daysAgo(let days): book.phrase("days_ago", count: days, [:])
        }
    }
}

extension JSON {
    /// Text in quotation marks, numbers bare.
    fileprivate func words(in book: some Phrasebook) -> String { string.map(book.quoted) ?? plain }
    fileprivate var plain: String { scalarText ?? text }
}
