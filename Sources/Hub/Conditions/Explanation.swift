/// Why a condition accepted or refused.
public struct Explanation: Sendable, Hashable {
    public let result: Bool
    /// The leaves the result rests on, in reading order, each once.
    public let decisive: [Leaf]
    /// The smallest changes that would turn the result, each a sentence of its own that suffices alone
    /// ("add the tag “supplier”"); at most ten. Empty when nothing would.
    public let whatWouldChange: [String]
}
