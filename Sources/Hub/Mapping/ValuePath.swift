/// A path into a JSON document: `name.first`, `mails[0].value`, `fields[?key=industry].value`,
/// `"odd key".x`.
public struct ValuePath: Sendable, Hashable, CustomStringConvertible {
    enum Step: Sendable, Hashable {
        case member(String)
        case index(Int)
        /// The first element whose member of this name has this text.
        case find(String, String)
    }

    let steps: [Step]
    /// The text it was read from.
    public let description: String

    /// Its first member's name.
    public var root: String { if case .member(let name) = steps[0] { name } else { "" } }

    /// - Throws: `MappingError` at `place` when the text is no path.
    init(_ text: String, at place: String) throws(MappingError) {
        var reader = ValuePathReader(scalars: Array(text.unicodeScalars))
        guard let steps = reader.steps() else {
            throw MappingError(place, "cannot read the path \"\(text)\"")
        }
        self.steps = steps
        self.description = text
    }

    /// The path of a top-level member.
    init(member: String) { (steps, description) = ([.member(member)], member) }

    /// Whether writing to one of them would write over the other.
    func overlaps(_ other: ValuePath) -> Bool { zip(steps, other.steps).allSatisfy { $0 == $1 } }

    /// The value there; nil when there is none.
    public func read(_ document: JSON) -> JSON? {
        var value = document
        for step in steps {
            guard let next = step.read(value) else { return nil }
            value = next
        }
        return value
    }

    /// Puts a value there, making the objects and arrays on the way. An empty value (null) makes nothing
    /// within arrays: there it only replaces what is already there.
    public func write(_ value: JSON, into document: inout JSON) {
        if value.isNull, steps.contains(where: \.isInArray), read(document) == nil { return }
        ValuePath.write(value, steps[...], into: &document)
    }

    private static func write(_ value: JSON, _ steps: ArraySlice<Step>, into target: inout JSON) {
        guard let step = steps.first else {
            target = value
            return
        }
        var inner = step.read(target) ?? .null
        write(value, steps.dropFirst(), into: &inner)
        step.put(inner, into: &target)
    }
}

extension ValuePath.Step {
    var isInArray: Bool { if case .member = self { false } else { true } }

    func read(_ value: JSON) -> JSON? {
        switch self {
        case .member(let name): value[name]
        case .index(let index): value[index]
        case .find(let key, let text): value.array?.first { $0[key]?.scalarText == text }
        }
    }

    func put(_ inner: JSON, into target: inout JSON) {
        switch self {
        case .member(let name): target[name] = inner
        case .index(let index):
            var items = target.array ?? []
            while items.count <= index { items.append(.null) }
            items[index] = inner
            target = .array(items)
        case .find(let key, let text):
            var items = target.array ?? []
            var element = inner
            if element[key] == nil { element[key] = .string(text) }
            if let index = items.firstIndex(where: { $0[key]?.scalarText == text }) {
                items[index] = element
            } else {
                items.append(element)
            }
            target = .array(items)
        }
    }
}

/// Reads the text of a `ValuePath`.
private struct ValuePathReader {
    let scalars: [Unicode.Scalar]
    var at = 0
    /// Largest index; one more digit in a path must not make a document of a million nulls.
    static let maxIndex = 99

    mutating func steps() -> [ValuePath.Step]? {
        guard let first = name() else { return nil }
        var steps: [ValuePath.Step] = [.member(first)]
        while at < scalars.count {
            guard steps.count < 16, let step = next() else { return nil }
            steps.append(step)
        }
        return steps
    }

    private mutating func next() -> ValuePath.Step? {
        if take(".") { return name().map { .member($0) } }
        guard take("[") else { return nil }
        if take("?") {
            guard let key = name(), take("="), let text = name(upTo: ["]"]), take("]") else { return nil }
            return .find(key, text)
        }
        guard let digits = name(), let index = Digits.number(digits.utf8), index <= Self.maxIndex, take("]") else {
            return nil
        }
        return .index(index)
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard at < scalars.count, scalars[at] == scalar else { return false }
        at += 1
        return true
    }

    private mutating func name(upTo ends: Set<Unicode.Scalar> = [".", "[", "]", "=", "\""]) -> String? {
        if take("\"") { return quoted() }
        var name = String.UnicodeScalarView()
        while at < scalars.count, !ends.contains(scalars[at]) {
            name.append(scalars[at])
            at += 1
        }
        return name.isEmpty ? nil : String(name)
    }

    private mutating func quoted() -> String? {
        var name = String.UnicodeScalarView()
        while at < scalars.count {
            if take("\"") { return name.isEmpty ? nil : String(name) }
            _ = take("\\")
            guard at < scalars.count else { return nil }
            name.append(scalars[at])
            at += 1
        }
        return nil
    }
}
