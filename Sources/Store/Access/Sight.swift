/// How a caller sees contacts, so that the service asks for what PostgreSQL would give. It grants nothing: who says more
/// of himself than his role allows gets no rows.
public struct Sight: Sendable, Hashable {
    /// Less than whole records: contacts and orders are read through the views.
    let isMasked: Bool
    /// Members of staff whose contacts these are, nil for everybody's: said in the query, too, the index by owner serves.
    let owners: [Int64]?

    /// Of programs, and of staff without limits.
    public static let whole = Sight(isMasked: false, owners: nil)
}
