extension Condition {
    /// Judges from the answers to the leaves.
    /// - Parameter leafResults: one answer for each of `leaves`, in that order.
    public func verdict(leafResults: [Bool]) -> Explanation {
        let answers = leafAnswers(leafResults)
        let outcome = judge(answers)
        let turns = flips(to: !outcome.result, answers).prefix(Self.maxTurns)
        return Explanation(
            result: outcome.result, decisive: outcome.decisive,
            turns: turns.map { leaves in leaves.map { .init(leaf: $0, goal: !(answers[$0] ?? false)) } })
    }

    /// Code of the reason for a refusal, as kept with it; the first that applies to a decisive leaf:
    /// "not_this_change", "no_consent", "missing_tag", else "filter_not_met". Nil when it accepts.
    /// - Parameter leafResults: one answer for each of `leaves`, in that order.
    public func rejectionCode(leafResults: [Bool]) -> String? {
        let outcome = judge(leafAnswers(leafResults))
        if outcome.result { return nil }
        let codes = Set(outcome.decisive.map(\.rejectionCode))
        return ["not_this_change", "no_consent", "missing_tag"].first(where: codes.contains) ?? "filter_not_met"
    }

    private static let maxTurns = 10

    private func leafAnswers(_ results: [Bool]) -> [Leaf: Bool] {
        let leaves = leaves
        precondition(leaves.count == results.count, "\(results.count) answers for \(leaves.count) leaves")
        return Dictionary(zip(leaves, results), uniquingKeysWith: { first, _ in first })
    }

    private func judge(_ answers: [Leaf: Bool]) -> (result: Bool, decisive: [Leaf]) {
        switch self {
        case .leaf(let leaf): return (answers[leaf] ?? false, [leaf])
        case .not(let part):
            let inner = part.judge(answers)
            return (!inner.result, inner.decisive)
        case .all(let parts):
            let inner = parts.map { $0.judge(answers) }
            let result = inner.allSatisfy(\.result)
            return (result, inner.filter { $0.result == result }.flatMap(\.decisive).uniqued())
        case .any(let parts):
            let inner = parts.map { $0.judge(answers) }
            let result = inner.contains(where: \.result)
            return (result, inner.filter { $0.result == result }.flatMap(\.decisive).uniqued())
        }
    }

    /// Smallest sets of leaves whose answers must be turned for this to become `goal`. Found part by part,
    /// then tried on the whole, as one leaf may stand in several places.
    private func flips(to goal: Bool, _ answers: [Leaf: Bool]) -> [[Leaf]] {
        let tried = candidates(for: goal, answers).filter { leaves in
            var turned = answers
            for leaf in leaves { turned[leaf]?.toggle() }
            return judge(turned).result == goal
        }
        guard let least = tried.map(\.count).min() else { return [] }
        return tried.filter { $0.count == least }
    }

    private func candidates(for goal: Bool, _ answers: [Leaf: Bool]) -> [[Leaf]] {
        if judge(answers).result == goal { return [[]] }
        switch self {
        case .leaf(let leaf): return [[leaf]]
        case .not(let part): return part.candidates(for: !goal, answers)
        case .all(let parts):
            return goal ? Self.together(parts, goal, answers) : Self.either(parts, goal, answers)
        case .any(let parts):
            return goal ? Self.either(parts, goal, answers) : Self.together(parts, goal, answers)
        }
    }

    private static func either(_ parts: [Condition], _ goal: Bool, _ answers: [Leaf: Bool]) -> [[Leaf]] {
        let found = parts.flatMap { $0.candidates(for: goal, answers) }.uniqued()
        return Array(found.sorted { $0.count < $1.count }.prefix(4 * maxTurns))
    }

    private static func together(_ parts: [Condition], _ goal: Bool, _ answers: [Leaf: Bool]) -> [[Leaf]] {
        var sets: [[Leaf]] = [[]]
        for part in parts {
            let more = part.candidates(for: goal, answers)
            let joined = sets.flatMap { set in more.map { (set + $0).uniqued() } }.uniqued()
            sets = Array(joined.sorted { $0.count < $1.count }.prefix(4 * maxTurns))
        }
        return sets
    }
}

extension Leaf {
    /// Code of the reason when this leaf decides a refusal.
    public var rejectionCode: String {
        switch self {
        case .tag: "missing_tag"
        case .consent: "no_consent"
        case .change, .changed: "not_this_change"
        default: "filter_not_met"
        }
    }
}

extension Sequence where Element: Hashable {
    /// The elements in their order, each once.
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
