/// What a contact, or a change of one, must satisfy: the filter of a plugin or a segment. The tree is
/// a value; the store compiles it to SQL.
public indirect enum Condition: Sendable, Hashable {
    /// Every one holds; with none it accepts everything.
    case all([Condition])
    /// At least one holds; with none it accepts nothing.
    case any([Condition])
    case not(Condition)
    case leaf(Leaf)

    /// Accepts everything.
    public static let everything = Condition.all([])

    /// Most levels a tree may have.
    public static let maxDepth = 16
    /// Most leaves a tree may have.
    public static let maxLeaves = 200

    /// The leaves in reading order. Results given to `verdict` and `rejectionCode` are in this order.
    public var leaves: [Leaf] {
        switch self {
        case .all(let parts), .any(let parts): parts.flatMap(\.leaves)
        case .not(let part): part.leaves
        case .leaf(let leaf): [leaf]
        }
    }
}
