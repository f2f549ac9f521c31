public import Hub
internal import Postgres

extension TenantDatabase {
    /// Counts what came, changed and went by day; see the function `tally` in SQL.
    /// - Parameter pause: seconds since the last time, before which nothing is counted.
    /// - Returns: whether figures are others now.
    @discardableResult
    public func tally(pause: Double = 5) async throws -> Bool {
        let isNew: Bool = try await run(
            as: .system, "SELECT \(table("tally"))(make_interval(secs => \(pause))) AS is_new")[0][0].get("is_new")
        if isNew { show() }
        return isNew
    }

    /// Key figures of the last days, as a JSON array, the oldest day first: `day` in UTC, `contacts` there were when they were
    /// counted last that day, and how many contacts were `new`, `edited` and `deleted`, and how many `orders` came. Nothing for
    /// who does not see every contact.
    public func figures(days: Int, as actor: Actor) async throws -> [UInt8] {
        try await run(
            as: actor,
            """
            SELECT f.day, max(f.count) FILTER (WHERE f.what = 'contacts') AS contacts,
                coalesce(max(f.count) FILTER (WHERE f.what = 'new'), 0) AS new,
                coalesce(max(f.count) FILTER (WHERE f.what = 'edited'), 0) AS edited,
                coalesce(max(f.count) FILTER (WHERE f.what = 'deleted'), 0) AS deleted,
                coalesce(max(f.count) FILTER (WHERE f.what = 'orders'), 0) AS orders
            FROM \(table("figure")) f WHERE f.day > (now() AT TIME ZONE 'UTC')::date - \(days)::int
            GROUP BY f.day ORDER BY f.day
            """)[0].json()
    }
}
