extension Mapping {
    /// Checks that the hub fields exist and hold what the rules make of them.
    /// - Throws: `MappingError` with the place of the first mistake.
    public func validate(against catalogue: FieldCatalogue) throws(MappingError) {
        for (index, rule) in rules.enumerated() {
            for path in rule.hub {
                if let reason = rule.mismatch(path, catalogue) {
                    throw MappingError("$.rules[\(index)].hub", "\"\(path)\" \(reason)")
                }
            }
        }
    }
}

extension MappingRule {
    /// Why this rule cannot write or read that hub path; nil when it can.
    fileprivate func mismatch(_ path: ValuePath, _ catalogue: FieldCatalogue) -> String? {
        guard let field = catalogue[path.root] else { return "is no field" }
        let members = field.type.members
        let isList = !members.isEmpty || field.type == .words || field.type == .multiChoice
        switch shape {
        case .constant(.array): return isList ? nil : "holds a single value"
        case .entries(let entries):
            if members.isEmpty { return "is no list of entries" }
            return entries.first { !members.contains($0.hub) }.map { "has no member \"\($0.hub)\"" }
        case .each(let each, _):
            guard isList else { return "is no list" }
            guard let member = each.hub else {
                return members.isEmpty ? nil : "needs the member to be named in \"each\""
            }
            return members.contains(member) ? nil : "has no member \"\(member)\""
        case .constant, .value, .parts:
            if path.steps.count == 1 { return isList ? "is a list" : nil }
            guard isList else { return "is no list" }
            guard path.steps.count == 3, case .member(let member) = path.steps[2] else {
                return members.isEmpty ? nil : "needs a member, such as \"\(path).\(members[0])\""
            }
            return members.contains(member) ? nil : "has no member \"\(member)\""
        }
    }
}
