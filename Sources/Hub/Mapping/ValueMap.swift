/// Words of the hub and the remote values they stand for.
struct ValueMap: Sendable, Hashable {
    private let toRemote: [String: JSON]
    private let toHub: [String: String]
    /// Taken when a value is in no pair.
    let otherwise: Sided

    /// - Parameter json: an object of hub text to remote scalar, or to a list of them when only coming in.
    /// - Throws: `MappingError` unless the map can be used in this direction.
    init(_ json: JSON, otherwise: Sided, _ direction: MappingDirection, _ path: String) throws(MappingError) {
        guard let members = json.object, !members.isEmpty else {
            throw MappingError(path, "expected an object of hub value to remote value")
        }
        var toHub: [String: String] = [:]
        for (hub, remote) in members.sorted(by: { $0.key < $1.key }) {
            if case .array = remote, direction != .in {
                throw MappingError("\(path).\(hub)", "several remote values are possible only with direction \"in\"")
            }
            for value in remote.array ?? [remote] {
                guard let text = value.scalarText else {
                    throw MappingError("\(path).\(hub)", "expected text, a number, true or false")
                }
                if let other = toHub.updateValue(hub, forKey: text), direction != .out {
                    throw MappingError(path, "\"\(other)\" and \"\(hub)\" both stand for \(value.text)")
                }
            }
        }
        (self.toRemote, self.toHub, self.otherwise) = (members, toHub, otherwise)
    }

    func inward(_ value: JSON) throws(Unfit) -> JSON {
        if let text = value.scalarText, let hub = toHub[text] { return .string(hub) }
        guard let other = otherwise.inward else { throw Unfit("has no counterpart for \(value.brief)") }
        return other
    }

    func outward(_ value: JSON) throws(Unfit) -> JSON {
        if let text = value.scalarText, let remote = toRemote[text] { return remote }
        guard let other = otherwise.outward else { throw Unfit("has no counterpart for \(value.brief)") }
        return other
    }
}

/// A value for each way of travel, in the form of the side that receives it.
struct Sided: Sendable, Hashable {
    let inward: JSON?
    let outward: JSON?

    static let none = Sided(inward: nil, outward: nil)

    init(inward: JSON?, outward: JSON?) { (self.inward, self.outward) = (inward, outward) }

    /// - Parameter json: {"in": .., "out": ..}, or one value for both ways; nil for none.
    init(_ json: JSON?) {
        if let members = json?.object, !members.isEmpty, members.keys.allSatisfy({ $0 == "in" || $0 == "out" }) {
            self.init(inward: members["in"], outward: members["out"])
        } else {
            self.init(inward: json, outward: json)
        }
    }
}
