/// How a caller sees contacts, so that the service asks for what PostgreSQL would give. It grants nothing: who says more
/// of himself than his role allows gets no rows.
public struct Sight: Sendable, Hashable {
    /// Fields are hidden or masked: contacts are read through the view.
    let isMasked: Bool
    /// Contacts are limited by their owner: said in the query, too, the index by owner serves.
    let isByOwner: Bool

    /// Of programs, and of staff without limits.
    public static let whole = Sight(isMasked: false, isByOwner: false)
}
