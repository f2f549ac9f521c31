extension Condition {
    /// Reads a condition from its JSON form (docs/conditions.md).
    /// - Throws: `ConditionError` with the place of the first mistake.
    public init(_ json: JSON) throws(ConditionError) {
        var reader = ConditionReader()
        self = try reader.condition(json, "$", depth: 1)
    }

    /// The JSON form; reading it gives this condition again.
    public var json: JSON {
        switch self {
        case .all(let parts): ["all": .array(parts.map(\.json))]
        case .any(let parts): ["any": .array(parts.map(\.json))]
        case .not(let part): ["not": part.json]
        case .leaf(let leaf): leaf.json
        }
    }
}

extension Leaf {
    /// The JSON form of a condition that is this leaf alone.
    public var json: JSON {
        switch self {
        case .tag(let tag): ["tag": .string(tag)]
        case .field(let path, let comparison): ["field": .string(path), comparison.key: comparison.operand]
        case .consent(let purpose): ["consent": .string(purpose)]
        case .origin(let origin): ["origin": .string(origin)]
        case .change(let kinds):
            ["change": .array(ChangeKind.allCases.filter(kinds.contains).map { .string($0.rawValue) })]
        case .changed(let fields): ["changed": .array(fields.map(JSON.string))]
        case .birthMonth(.this): ["birth_month": "this"]
        case .birthMonth(.month(let month)): ["birth_month": .int(Int64(month))]
        case .owner(let people): ["owner": people.isEmpty ? .null : .array(people.map(JSON.int))]
        case .bought(let purchase): ["bought": purchase.json]
        case .noOrderInDays(let days): ["no_order_in_days": .int(Int64(days))]
        case .unchangedInDays(let days): ["unchanged_in_days": .int(Int64(days))]
        case .orders(let comparison): ["orders": [comparison.key: comparison.operand]]
        case .spent(let comparison): ["spent": [comparison.key: comparison.operand]]
        }
    }
}

extension Purchase {
    /// Only what is set; "at_least" is left out when it is 1.
    public var json: JSON {
        var json: JSON = .object([:])
        json["supplier"] = supplier.map(JSON.string)
        json["product"] = product.map(JSON.string)
        json["category"] = category.map(JSON.string)
        json["within_days"] = withinDays.map { .int(Int64($0)) }
        if atLeast != 1 { json["at_least"] = .int(Int64(atLeast)) }
        return json
    }
}

extension Comparison {
    /// What stands behind `key` in JSON.
    public var operand: JSON {
        switch self {
        case .is(let value), .isNot(let value), .below(let value), .above(let value), .atMost(let value),
            .atLeast(let value):
            value
        case .oneOf(let values): .array(values)
        case .contains(let text), .startsWith(let text): .string(text)
        case .before(.day(let day)), .after(.day(let day)): .string(day.iso)
        case .before(.daysAgo(let days)), .after(.daysAgo(let days)): ["days_ago": .int(Int64(days))]
        case .exists(let flag): .bool(flag)
        }
    }
}
