/// Which way a rule carries values.
public enum MappingDirection: String, Sendable, Hashable, CaseIterable {
    case both
    /// From the remote system into the hub.
    case `in`
    /// From the hub to the remote system.
    case out

    func includes(_ way: MappingDirection) -> Bool { self == .both || way == .both || self == way }
}

/// One rule of a mapping, both ways.
struct MappingRule: Sendable, Hashable {
    enum Shape: Sendable, Hashable {
        /// One value for one value.
        case value(ValueConverter)
        case constant(JSON)
        /// One text on one side, several on the other.
        case parts(split: String, join: String, ValueConverter)
        /// A list of objects for a list of objects.
        case entries([Entry])
        /// A list of scalars on at least one side.
        case each(Each, ValueConverter)
    }

    /// One member of the objects of a list.
    struct Entry: Sendable, Hashable {
        let hub: String
        let remote: ValuePath
        let converter: ValueConverter
    }

    struct Each: Sendable, Hashable {
        /// Member that holds the scalar in the hub's objects; nil when the hub's list is of scalars.
        let hub: String?
        /// The same on the remote side.
        let remote: ValuePath?
        /// Between the values when the remote side has them in one text.
        let separator: String?
    }

    /// Empty for a constant that goes out.
    let hub: [ValuePath]
    /// Empty for a constant that comes in.
    let remote: [ValuePath]
    let direction: MappingDirection
    let shape: Shape

    /// A birthday in parts may be without its year: then only the month is known.
    var readsBirthMonth: Bool {
        if case .value(let converter) = shape {
            converter.format == .dateParts && hub.map(\.description) == ["birthday"]
        } else {
            false
        }
    }

    /// Paths of the hub document it writes when it carries values in.
    var hubTargets: [ValuePath] { readsBirthMonth ? hub + [ValuePath(member: "birth_month")] : hub }
}

extension MappingRule {
    /// Values to put at paths; a path that is not among them stays untouched.
    struct Outcome {
        var values: [(path: ValuePath, value: JSON)] = []
        var problems: [FieldProblem] = []

        fileprivate mutating func fail(_ field: String, _ reason: Unfit) {
            problems.append(FieldProblem(field: field, code: "not_mapped", message: reason.message))
        }
    }

    /// What this rule makes of a remote document; paths are the hub's.
    func inward(_ document: JSON) -> Outcome {
        var outcome = Outcome()
        do throws(Unfit) {
            switch shape {
            case .constant(let value): outcome.values = [(hub[0], value)]
            case .value(let converter):
                let value = remote[0].read(document)
                outcome.values = [(hub[0], try birthday(converter, value, &outcome))]
            case .parts(let split, let join, let converter):
                outcome.values = try spread(from: remote, of: document, to: hub, split, join) { (text) throws(Unfit) in
                    try converter.inward(text)
                }
            case .entries(let entries): outcome.values = [(hub[0], inward(entries, document, &outcome))]
            case .each(let each, let converter):
                outcome.values = [(hub[0], inward(each, converter, document, &outcome))]
            }
        } catch {
            outcome.values = []
            outcome.fail(hub[0].description, error)
        }
        if readsBirthMonth { outcome.values.append(birthMonth(document)) }
        return outcome
    }

    private func birthday(
        _ converter: ValueConverter, _ value: JSON?, _ outcome: inout Outcome
    ) throws(Unfit) -> JSON {
        if readsBirthMonth, let value, value["year"]?.int ?? 0 == 0, value["month"]?.int != nil { return .null }
        return try converter.inward(value)
    }

    private func birthMonth(_ document: JSON) -> (path: ValuePath, value: JSON) {
        let path = ValuePath(member: "birth_month")
        guard let month = remote[0].read(document)?["month"]?.int, (1...12).contains(month) else {
            return (path, .null)
        }
        return (path, .int(month))
    }

    private func inward(_ entries: [Entry], _ document: JSON, _ outcome: inout Outcome) -> JSON {
        var result: [JSON] = []
        for (index, item) in items(at: remote[0], of: document).enumerated() {
            var made: JSON = .object([:])
            for entry in entries {
                do throws(Unfit) {
                    let value = try entry.converter.inward(entry.remote.read(item))
                    if !value.isNull { made[entry.hub] = value }
                } catch {
                    outcome.fail("\(hub[0])[\(index)].\(entry.hub)", error)
                }
            }
            if !made.isEmpty { result.append(made) }
        }
        return result.isEmpty ? .null : .array(result)
    }

    private func inward(
        _ each: Each, _ converter: ValueConverter, _ document: JSON, _ outcome: inout Outcome
    ) -> JSON {
        var items = items(at: remote[0], of: document)
        if let separator = each.separator {
            items = items.flatMap { item in
                item.scalarText.map { Text.split($0, by: separator, into: .max).map(JSON.string) } ?? [item]
            }
        }
        var result: [JSON] = []
        for (index, item) in items.enumerated() {
            do throws(Unfit) {
                let value = try converter.inward(each.remote.map { $0.read(item) } ?? item)
                if !value.isNull { result.append(each.hub.map { [$0: value] } ?? value) }
            } catch {
                outcome.fail("\(hub[0])[\(index)]", error)
            }
        }
        return result.isEmpty ? .null : .array(result)
    }
}

extension MappingRule {
    /// What this rule makes of a hub document; paths are the remote system's.
    func outward(_ document: JSON) -> Outcome {
        var outcome = Outcome()
        do throws(Unfit) {
            switch shape {
            case .constant(let value): outcome.values = [(remote[0], value)]
            case .value(let converter):
                // A month alone is no birthday; writing none would take away a day the remote system has.
                if readsBirthMonth, document["birthday"].isMissing, !document["birth_month"].isMissing { break }
                outcome.values = [(remote[0], try converter.outward(hub[0].read(document)))]
            case .parts(let split, let join, let converter):
                outcome.values = try spread(from: hub, of: document, to: remote, split, join) { (text) throws(Unfit) in
                    try converter.outward(text)
                }
            case .entries(let entries): outcome.values = [(remote[0], outward(entries, document, &outcome))]
            case .each(let each, let converter):
                outcome.values = [(remote[0], outward(each, converter, document, &outcome))]
            }
        } catch {
            outcome.values = []
            outcome.fail(hub.first?.description ?? remote[0].description, error)
        }
        return outcome
    }

    private func outward(_ entries: [Entry], _ document: JSON, _ outcome: inout Outcome) -> JSON {
        var result: [JSON] = []
        for (index, item) in items(at: hub[0], of: document).enumerated() {
            var made: JSON = .object([:])
            for entry in entries {
                do throws(Unfit) {
                    let value = try entry.converter.outward(item[entry.hub])
                    if !value.isNull { entry.remote.write(value, into: &made) }
                } catch {
                    outcome.fail("\(hub[0])[\(index)].\(entry.hub)", error)
                }
            }
            if !made.isEmpty { result.append(made) }
        }
        return result.isEmpty ? .null : .array(result)
    }

    private func outward(
        _ each: Each, _ converter: ValueConverter, _ document: JSON, _ outcome: inout Outcome
    ) -> JSON {
        var result: [JSON] = []
        for (index, item) in items(at: hub[0], of: document).enumerated() {
            do throws(Unfit) {
                let value = try converter.outward(each.hub.map { item[$0] ?? .null } ?? item)
                if value.isNull { continue }
                if let separator = each.separator, let text = value.scalarText, Text.contains(text, separator) {
                    throw Unfit("has the separator \"\(separator)\" in it: \(value.brief)")
                }
                var made = value
                if let path = each.remote {
                    made = .object([:])
                    path.write(value, into: &made)
                }
                result.append(made)
            } catch {
                outcome.fail("\(hub[0])[\(index)]", error)
            }
        }
        if result.isEmpty { return .null }
        guard let separator = each.separator else { return .array(result) }
        return .string(result.compactMap(\.scalarText).joined(separator: separator))
    }
}

extension MappingRule {
    /// The values of a list; a single value counts as a list of one.
    private func items(at path: ValuePath, of document: JSON) -> [JSON] {
        guard let value = path.read(document), !value.isEmpty else { return [] }
        return value.array ?? [value]
    }

    /// Carries text from one or several places to several or one.
    private func spread(
        from sources: [ValuePath], of document: JSON, to targets: [ValuePath], _ split: String, _ join: String,
        _ convert: (JSON) throws(Unfit) -> JSON
    ) throws(Unfit) -> [(path: ValuePath, value: JSON)] {
        var texts: [String] = []
        for source in sources {
            let value = source.read(document) ?? .null
            if value.isEmpty { continue }
            guard let text = value.scalarText else { throw Unfit("is not a single value: \(value.brief)") }
            texts.append(Text.trimmed(text))
        }
        let whole = try convert(texts.isEmpty ? .null : .string(texts.joined(separator: join)))
        guard let text = whole.scalarText else { return targets.map { ($0, .null) } }
        let parts = targets.count == 1 ? [text] : Text.split(text, by: split, into: targets.count)
        return targets.enumerated().map { index, target in
            (target, index < parts.count && !parts[index].isEmpty ? .string(parts[index]) : .null)
        }
    }
}

extension JSON? {
    fileprivate var isMissing: Bool { self?.isEmpty ?? true }
}
