extension Condition {
    /// Checks that the fields asked for exist and can be compared so.
    /// - Throws: `ConditionError` with the place of the first mistake.
    public func validate(against catalogue: FieldCatalogue) throws(ConditionError) {
        try validate(catalogue, "$")
    }

    private func validate(_ catalogue: FieldCatalogue, _ path: String) throws(ConditionError) {
        switch self {
        case .all(let parts): try Condition.validate(parts, catalogue, "\(path).all")
        case .any(let parts): try Condition.validate(parts, catalogue, "\(path).any")
        case .not(let part): try part.validate(catalogue, "\(path).not")
        case .leaf(.field(let name, let comparison)):
            guard let target = catalogue.target(name) else {
                throw ConditionError("\(path).field", "unknown field \"\(name)\"")
            }
            if let reason = comparison.mismatch(with: target) {
                throw ConditionError("\(path).\(comparison.key)", "\"\(name)\" \(reason)")
            }
        case .leaf(.changed(let fields)):
            for (index, name) in fields.enumerated() where catalogue[name] == nil {
                throw ConditionError("\(path).changed[\(index)]", "unknown field \"\(name)\"")
            }
        case .leaf: break
        }
    }

    private static func validate(
        _ parts: [Condition], _ catalogue: FieldCatalogue, _ path: String
    ) throws(ConditionError) {
        for (index, part) in parts.enumerated() { try part.validate(catalogue, "\(path)[\(index)]") }
    }
}

extension Comparison {
    /// Why a field cannot be compared so; nil when it can.
    fileprivate func mismatch(with target: FieldCatalogue.Target) -> String? {
        if case .exists = self { return nil }
        if target.field.type == .addresses && target.type == .addresses {
            return "is a list of addresses; compare a member, such as \"\(target.field.key).city\""
        }
        switch self {
        case .is(let value), .isNot(let value): return target.mismatch(with: value)
        case .oneOf(let values): return values.lazy.compactMap { target.mismatch(with: $0) }.first
        case .contains, .startsWith: return target.type.isTextual ? nil : "holds \(target.type.words), not text"
        case .below(let value), .above(let value), .atMost(let value), .atLeast(let value):
            if !target.type.isOrdered { return "holds \(target.type.words), which is not compared by size" }
            return target.mismatch(with: value)
        case .before, .after: return target.type == .date ? nil : "holds \(target.type.words), not a date"
        case .exists: return nil
        }
    }
}

extension FieldCatalogue.Target {
    /// Why no value of this field can equal `value`; nil when one can.
    fileprivate func mismatch(with value: JSON) -> String? {
        let fits: Bool
        switch type {
        case .number, .money: fits = value.string.map(Digits.isAmount) ?? (value.double != nil)
        case .month: fits = value.int.map { (1...12).contains($0) } ?? false
        case .date: fits = value.string.flatMap { Day(iso: $0) } != nil
        case .flag: fits = value.bool != nil
        default: fits = value.string != nil
        }
        if !fits { return "holds \(type.words); found \(value.text)" }
        if type == .choice, !field.choices.isEmpty, let text = value.string,
            !field.choices.contains(text)
        {
            return "has no choice \"\(text)\""
        }
        return nil
    }
}

extension FieldType {
    /// "text", "an amount" and so on, for messages.
    var words: String {
        switch self {
        case .text: "text"
        case .number: "a number"
        case .money: "an amount"
        case .date: "a date"
        case .month: "a month from 1 to 12"
        case .choice, .multiChoice: "one of its choices"
        case .flag: "true or false"
        case .link: "a link"
        case .entries: "a list of entries"
        case .addresses: "a list of addresses"
        case .words: "a list of words"
        }
    }
}
