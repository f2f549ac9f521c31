import Hub
internal import Postgres

/// When and how records came to be known: a reading that began before a push may show what the push replaced.
public struct Reading: Sendable {
    /// Before the records were asked for, on the database's clock, as it writes it; nil when nothing was pushed since.
    public var began: String?
    /// The remote told of them by itself. Such reports come late, twice and in any order; records of the same moment
    /// as the known one are then unclear and not merged.
    public var isReport = false

    public init(began: String? = nil, isReport: Bool = false) { (self.began, self.isReport) = (began, isReport) }
}

/// Which part of a listing of everything a page is.
public struct ListingPart: Sendable {
    public var isFirst = false
    /// Bound records that no page since the first one showed are gone.
    public var isLast = false

    public init(isFirst: Bool = false, isLast: Bool = false) { (self.isFirst, self.isLast) = (isFirst, isLast) }
}

extension TenantDatabase {
    /// A reading that begins now.
    public func reading() async throws -> Reading {
        Reading(
            began: try await run(as: .system, ("SELECT clock_timestamp()::text AS now" as SQL).prepared())[0][0]
                .get("now"))
    }
}
