/// A piece of a tenant's work that runs one at a time: while one runs, rings for it are remembered.
enum Lane: Hashable, Sendable {
    /// Changes to verdicts.
    case route
    /// Which plugins have something due, and when next.
    case dispatch
    /// One plugin's deliveries.
    case deliver(plugin: Int64)
    /// Polls, imports, segment pushes.
    case intake
    /// Stored webhooks.
    case hooks
    /// Key figures.
    case tally
}

struct LaneKey: Hashable, Sendable {
    let tenant: Int64
    let lane: Lane
}

/// What a lane wants after a slice of work.
enum LaneNext: Sendable {
    /// Nothing before the next ring.
    case idle
    /// There is more: go to the end of the queue, so that no tenant holds up the others.
    case again
    /// Seconds until it wants to run by itself.
    case after(Double)
}
