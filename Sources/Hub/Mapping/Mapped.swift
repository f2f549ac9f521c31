/// A document as the other side has it, and what could not be carried over.
public struct Mapped: Sendable, Hashable {
    public let document: JSON
    /// One for each value that was left out; the field is the hub's.
    public let problems: [FieldProblem]
}
