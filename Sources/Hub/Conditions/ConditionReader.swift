/// Reads conditions from JSON; counts their leaves.
struct ConditionReader {
    private var leafCount = 0
    private static let maxText = 1000
    private static let maxDays: Int64 = 36_600
    private static let heads = [
        "all", "any", "not", "tag", "field", "consent", "origin", "change", "changed", "birth_month", "owner", "bought",
        "no_order_in_days", "unchanged_in_days", "orders", "spent",
    ]

    init() {}

    mutating func condition(_ json: JSON, _ path: String, depth: Int) throws(ConditionError) -> Condition {
        guard depth <= Condition.maxDepth else {
            throw ConditionError(path, "nested deeper than \(Condition.maxDepth) levels")
        }
        guard let members = json.object else { throw ConditionError(path, "expected an object") }
        let known = Self.heads.filter { members[$0] != nil }
        guard let head = known.first, let value = members[head] else {
            let stray = members.keys.min().map { "unknown condition \"\($0)\"" }
            throw ConditionError(path, stray ?? "expected a condition, found an empty object")
        }
        guard known.count == 1 else {
            throw ConditionError(path, "both \"\(head)\" and \"\(known[1])\"; put them into \"all\" or \"any\"")
        }
        if head != "field", let stray = members.keys.filter({ $0 != head }).min() {
            throw ConditionError(path, "unexpected \"\(stray)\" beside \"\(head)\"")
        }
        let here = "\(path).\(head)"
        switch head {
        case "all": return .all(try list(value, here, depth: depth))
        case "any":
            let parts = try list(value, here, depth: depth)
            if parts.isEmpty { throw ConditionError(here, "expected at least one condition") }
            return .any(parts)
        case "not": return .not(try condition(value, here, depth: depth + 1))
        default:
            leafCount += 1
            guard leafCount <= Condition.maxLeaves else {
                throw ConditionError(path, "more than \(Condition.maxLeaves) conditions")
            }
            return .leaf(try leaf(head, value, members, here))
        }
    }

    private mutating func list(_ json: JSON, _ path: String, depth: Int) throws(ConditionError) -> [Condition] {
        guard let items = json.array else { throw ConditionError(path, "expected a list of conditions") }
        var parts: [Condition] = []
        for (index, item) in items.enumerated() {
            parts.append(try condition(item, "\(path)[\(index)]", depth: depth + 1))
        }
        return parts
    }

    private func leaf(
        _ head: String, _ value: JSON, _ members: [String: JSON], _ path: String
    ) throws(ConditionError) -> Leaf {
        switch head {
        case "tag": return .tag(try text(value, path))
        case "field":
            return .field(try text(value, path), try comparison(members.filter { $0.key != "field" }, path))
        case "consent": return .consent(purpose: try text(value, path))
        case "origin": return .origin(try text(value, path))
        case "change": return .change(Set(try kinds(value, path)))
        case "changed": return .changed(fields: try texts(value, path))
        case "birth_month": return .birthMonth(try month(value, path))
        case "owner": return .owner(try people(value, path))
        case "bought": return .bought(try purchase(value, path))
        case "no_order_in_days": return .noOrderInDays(try whole(value, path, 1...Self.maxDays))
        case "unchanged_in_days": return .unchangedInDays(try whole(value, path, 1...Self.maxDays))
        case "orders": return .orders(try quantity(value, path))
        default: return .spent(try quantity(value, path))
        }
    }

    private func text(_ json: JSON, _ path: String) throws(ConditionError) -> String {
        guard let text = json.string else { throw ConditionError(path, "expected text") }
        guard !text.isEmpty else { throw ConditionError(path, "must not be empty") }
        guard text.unicodeScalars.count <= Self.maxText else {
            throw ConditionError(path, "longer than \(Self.maxText) characters")
        }
        return text
    }

    /// Numbers of members of staff; null for nobody.
    private func people(_ json: JSON, _ path: String) throws(ConditionError) -> [Int64] {
        if json.isNull { return [] }
        guard let items = json.array, (1...Condition.maxLeaves).contains(items.count) else {
            throw ConditionError(path, "expected null or a list of 1 to \(Condition.maxLeaves) numbers of staff")
        }
        var result: [Int64] = []
        for (index, item) in items.enumerated() {
            guard let number = item.int, number > 0 else {
                throw ConditionError("\(path)[\(index)]", "expected the number of a member of staff")
            }
            result.append(number)
        }
        return result
    }

    private func texts(_ json: JSON, _ path: String) throws(ConditionError) -> [String] {
        guard let items = json.array, (1...Condition.maxLeaves).contains(items.count) else {
            throw ConditionError(path, "expected a list of 1 to \(Condition.maxLeaves) texts")
        }
        var result: [String] = []
        for (index, item) in items.enumerated() { result.append(try text(item, "\(path)[\(index)]")) }
        return result
    }

    private func kinds(_ json: JSON, _ path: String) throws(ConditionError) -> [ChangeKind] {
        var result: [ChangeKind] = []
        for (index, name) in try texts(json, path).enumerated() {
            guard let kind = ChangeKind(rawValue: name) else {
                throw ConditionError(
                    "\(path)[\(index)]", "unknown change \"\(name)\"; expected new, edited, deleted or merged")
            }
            result.append(kind)
        }
        return result
    }

    private func whole(_ json: JSON, _ path: String, _ range: ClosedRange<Int64>) throws(ConditionError) -> Int {
        guard let number = json.int, range.contains(number) else {
            throw ConditionError(path, "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(number)
    }

    private func month(_ json: JSON, _ path: String) throws(ConditionError) -> MonthChoice {
        if json == "this" { return .this }
        guard let month = json.int, (1...12).contains(month) else {
            throw ConditionError(path, "expected \"this\" or a month from 1 to 12")
        }
        return .month(Int(month))
    }

    private func purchase(_ json: JSON, _ path: String) throws(ConditionError) -> Purchase {
        guard let members = json.object else { throw ConditionError(path, "expected an object") }
        let known: Set = ["supplier", "product", "category", "within_days", "at_least"]
        if let stray = members.keys.filter({ !known.contains($0) }).min() {
            throw ConditionError(path, "unknown member \"\(stray)\"")
        }
        var names: [String: String] = [:]
        for key in ["supplier", "product", "category"] {
            if let value = members[key] { names[key] = try text(value, "\(path).\(key)") }
        }
        var days: Int?
        if let value = members["within_days"] { days = try whole(value, "\(path).within_days", 1...Self.maxDays) }
        var count = 1
        if let value = members["at_least"] { count = try whole(value, "\(path).at_least", 1...1_000_000) }
        return Purchase(
            supplier: names["supplier"], product: names["product"], category: names["category"], withinDays: days,
            atLeast: count)
    }
}

extension ConditionReader {
    private func comparison(_ members: [String: JSON], _ path: String) throws(ConditionError) -> Comparison {
        if let stray = members.keys.filter({ !Comparison.keys.contains($0) }).min() {
            throw ConditionError(path, "unknown comparison \"\(stray)\"")
        }
        guard members.count == 1, let (key, value) = members.first else {
            throw ConditionError(path, members.isEmpty ? "expected a comparison" : "more than one comparison")
        }
        let here = "\(path).\(key)"
        switch key {
        case "is": return .is(try scalar(value, here))
        case "is_not": return .isNot(try scalar(value, here))
        case "one_of": return .oneOf(try scalars(value, here))
        case "contains": return .contains(try text(value, here))
        case "starts_with": return .startsWith(try text(value, here))
        case "below": return .below(try amount(value, here))
        case "above": return .above(try amount(value, here))
        case "at_most": return .atMost(try amount(value, here))
        case "at_least": return .atLeast(try amount(value, here))
        case "before": return .before(try moment(value, here))
        case "after": return .after(try moment(value, here))
        default:
            guard let flag = value.bool else { throw ConditionError(here, "expected true or false") }
            return .exists(flag)
        }
    }

    /// A comparison of numbers, as "orders" and "spent" have.
    private func quantity(_ json: JSON, _ path: String) throws(ConditionError) -> Comparison {
        guard let members = json.object else { throw ConditionError(path, "expected an object") }
        let comparison = try comparison(members, path)
        switch comparison {
        case .is(let value), .isNot(let value): _ = try amount(value, "\(path).\(comparison.key)")
        case .below, .above, .atMost, .atLeast: break
        default: throw ConditionError(path, "numbers cannot be compared with \"\(comparison.key)\"")
        }
        return comparison
    }

    private func scalar(_ json: JSON, _ path: String) throws(ConditionError) -> JSON {
        switch json {
        case .string: return .string(try text(json, path))
        case .int, .double, .bool: return json
        case .null, .array, .object: throw ConditionError(path, "expected text, a number, true or false")
        }
    }

    private func scalars(_ json: JSON, _ path: String) throws(ConditionError) -> [JSON] {
        guard let items = json.array, (1...1000).contains(items.count) else {
            throw ConditionError(path, "expected a list of 1 to 1000 values")
        }
        var result: [JSON] = []
        for (index, item) in items.enumerated() { result.append(try scalar(item, "\(path)[\(index)]")) }
        return result
    }

    /// A number, or one as text in plain notation.
    private func amount(_ json: JSON, _ path: String) throws(ConditionError) -> JSON {
        switch json {
        case .int, .double: return json
        case .string(let text) where Digits.isAmount(text): return json
        default: throw ConditionError(path, "expected a number, or text such as \"100.00\"")
        }
    }

    private func moment(_ json: JSON, _ path: String) throws(ConditionError) -> Comparison.Moment {
        if let text = json.string {
            guard let day = Day(iso: text) else { throw ConditionError(path, "expected a date YYYY-MM-DD") }
            return .day(day)
        }
        guard let members = json.object, members.count == 1, let days = members["days_ago"] else {
            throw ConditionError(path, "expected a date YYYY-MM-DD or {\"days_ago\": n}")
        }
        return .daysAgo(try whole(days, "\(path).days_ago", -Self.maxDays...Self.maxDays))
    }
}
