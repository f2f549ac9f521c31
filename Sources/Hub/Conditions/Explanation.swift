/// Why a condition accepted or refused.
public struct Explanation: Sendable, Hashable {
    public let result: Bool
    /// The leaves the result rests on, in reading order, each once.
    public let decisive: [Leaf]
    /// The smallest sets of leaves whose other answer would turn the result, each of which suffices alone; at most ten. Empty when
    /// nothing would.
    public let turns: [[Turn]]

    /// A leaf that would have to be answered so.
    public struct Turn: Sendable, Hashable {
        public let leaf: Leaf
        public let goal: Bool
    }

    /// `turns` as sentences: "add the tag “supplier”".
    public func whatWouldChange(in book: some Phrasebook) -> [String] {
        turns.map { turns in
            turns.map { $0.leaf.turn(to: $0.goal, in: book) }.joined(separator: " \(book.phrase("and")) ")
        }
    }
}
