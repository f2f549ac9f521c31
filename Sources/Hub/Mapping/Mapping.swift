/// How the fields of a remote system and the hub's stand for one another: data, not code
/// (docs/mapping.md).
public struct Mapping: Sendable, Hashable {
    let rules: [MappingRule]
    /// What it was read from.
    public let json: JSON

    /// Reads a mapping.
    /// - Parameter json: {"rules": [..]}.
    /// - Throws: `MappingError` with the place of the first mistake.
    public init(_ json: JSON) throws(MappingError) {
        self.rules = try MappingReader.rules(json)
        self.json = json
    }

    /// The hub's fields of a remote document. A mapped field whose remote value is empty or missing comes in as
    /// null, so that deletions travel; a field that is not mapped, or whose value cannot be carried over, is absent.
    public func inward(_ remote: JSON) -> Mapped {
        var document: JSON = .object([:])
        var problems: [FieldProblem] = []
        var listRoots: Set<String> = []
        for rule in rules where rule.direction.includes(.in) {
            let outcome = rule.inward(remote)
            problems += outcome.problems
            for (path, value) in outcome.values {
                path.write(value, into: &document)
                if document[path.root] == nil { document[path.root] = .null }
                if path.steps.count > 1 { listRoots.insert(path.root) }
            }
        }
        for root in listRoots { document[root] = document[root]?.withoutGaps }
        return Mapped(document: document, problems: problems)
    }

    /// The remote system's form of a hub document: only paths that are mapped.
    ///
    /// A field that is null in the document goes out as null, one that is absent not at all. Connectors merge it into
    /// what the remote has: what stands beside a mapped path there is theirs to keep.
    public func outward(_ document: JSON) -> Mapped {
        var remote: JSON = .object([:])
        var problems: [FieldProblem] = []
        for rule in rules where rule.direction.includes(.out) {
            let outcome = rule.outward(document)
            problems += outcome.problems
            let isGiven = rule.hub.isEmpty || rule.hub.contains { document[$0.root] != nil }
            for (path, value) in outcome.values {
                if value.isNull && !isGiven { continue }
                path.write(value, into: &remote)
            }
        }
        return Mapped(document: remote, problems: problems)
    }

    /// Top-level hub fields it writes (`in`), reads (`out`), or either.
    public func hubFields(_ direction: MappingDirection = .both) -> Set<String> {
        var fields: Set<String> = []
        for rule in rules where rule.direction.includes(direction) {
            fields.formUnion(rule.hub.map(\.root))
            let writes = rule.direction.includes(.in) && direction != .out
            if writes && rule.readsBirthMonth { fields.insert("birth_month") }
        }
        return fields
    }

    /// Top-level members of the remote document it reads (`in`), writes (`out`), or either.
    public func remoteFields(_ direction: MappingDirection = .both) -> Set<String> {
        Set(rules.filter { $0.direction.includes(direction) }.flatMap { $0.remote.map(\.root) })
    }
}

extension JSON {
    /// A list without its empty entries, and these without their empty members; null when nothing is left.
    fileprivate var withoutGaps: JSON {
        switch self {
        case .array(let items):
            let kept = items.map(\.withoutGaps).filter { !$0.isEmpty }
            return kept.isEmpty ? .null : .array(kept)
        case .object(let members):
            return .object(members.filter { !$0.value.isEmpty })
        default: return self
        }
    }
}
