/// A snapshot of the connections of a `Database`.
public struct PoolStatistics: Sendable, Equatable {
    public var sharedConnections: Int
    /// Single shots sent and not yet answered.
    public var sharedInFlight: Int
    /// Places taken in the lease pool: idle, lent or connecting.
    public var leasedConnections: Int
    public var leasedInUse: Int
    /// Tasks waiting for a lease.
    public var waiting: Int
    /// Since the start: connections made.
    public var connectionsMade: Int
    /// Since the start: waits that ended in `.busy`.
    public var leasesRefused: Int
}
