/// A shop owner's place in this instance.
public struct Tenant: Sendable, Hashable {
    public let id: Int64
    /// ISO 3166 alpha-2: how national telephone numbers are read.
    public let country: String

    public init(id: Int64, country: String) {
        self.id = id
        self.country = country
    }

    /// Made of the number alone: tenants never name database objects.
    public var schema: String { "t_\(id)" }
}
