public import Hub
internal import Postgres

/// What tenants use and pay, for the operator: counts alone.
extension Provisioner {
    /// Usage of every tenant in a month.
    /// - Parameters:
    ///   - month: its first day in UTC, such as 2026-11-01; nil for the present one.
    ///   - name: of the only tenant to be told of.
    ///   - part: of a tenant's name or title; nil for all.
    ///   - last: number of the last tenant of the page before.
    ///   - limit: the most tenants to be told of.
    /// - Returns: for each tenant `orders` and `deliveries` of the month, `calls`, and, as of now, `contacts`, `storage` in bytes, and how
    ///   it is: `waiting` changes, `dead` deliveries, `stopped` connectors, `limits` and those that are `reached`.
    public func usage(
        month: String?, of name: String? = nil, matching part: String? = nil, after last: Int64 = 0, limit: Int? = nil
    )
        async throws
        -> (items: JSON, next: Int64?)
    {
        let words = part.map { $0.lowercased() }
        let tenants = try await asOwner { session in
            try await session.query(
                """
                SELECT t.id, t.name, t.title, t.country, t.state, t.tariff, t.limits::text, to_jsonb(t.reached)::text AS reached, m.month::text, coalesce(c.calls, 0) AS calls,
                    EXISTS (SELECT FROM kontor.module o WHERE o.tenant = t.id AND o.name = 'sales') AS sells
                FROM kontor.tenant t
                CROSS JOIN (SELECT coalesce(\(month)::date, date_trunc('month', now() AT TIME ZONE 'UTC')::date) AS month) m
                LEFT JOIN kontor.calls c ON c.tenant = t.id AND c.month = m.month
                WHERE t.state IN ('open', 'suspended') AND t.id > \(last)
                    AND (\(name)::text IS NULL OR t.name = \(name))
                    AND (\(words)::text IS NULL OR strpos(t.name, \(words)) > 0 OR strpos(lower(t.title), \(words)) > 0)
                ORDER BY t.id LIMIT \(limit.map { $0 + 1 })
                """)
        }
        let shown = limit.map { tenants.prefix($0) } ?? tenants[...]
        var all: [JSON] = []
        for row in shown {
            let tenant = Tenant(id: try row.get("id"), country: try row.get("country"))
            var usage = try await counts(of: tenant, month: row.get("month"), sells: row.get("sells"))
            for name in ["name", "title", "state", "month"] { usage[name] = .string(try row.get(name)) }
            usage["calls"] = .int(try row.get("calls"))
            for name in ["limits", "reached"] { usage[name] = try JSON(text: row.get(name)) }
            usage["tariff"] = try row.get("tariff", as: String?.self).map(JSON.string) ?? .null
            all.append(usage)
        }
        return (.array(all), tenants.count > shown.count ? try shown.last?.get("id") : nil)
    }

    private func counts(of tenant: Tenant, month: String, sells: Bool) async throws -> JSON {
        @Sendable func table(_ name: String) -> SQL { "\(table: tenant.schema, name)" }
        let period: SQL = "(\(month)::date)::timestamp AT TIME ZONE 'UTC'"
        let end: SQL = "(\(month)::date + interval '1 month')::timestamp AT TIME ZONE 'UTC'"
        let orders: SQL =
            sells ? "(SELECT count(*) FROM \(table("sale")) WHERE placed_at >= \(period) AND placed_at < \(end))" : "0"
        return try await asOwner(of: tenant) { session in
            let found = try await session.query(
                """
                SELECT \(orders) AS orders, (SELECT count(*) FROM \(table("contact")) WHERE deleted_at IS NULL) AS contacts,
                    (SELECT count(*) FROM \(table("attempt")) WHERE started_at >= \(period) AND started_at < \(end)
                        AND outcome = 'done') AS deliveries,
                    (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
                        WHERE c.relnamespace = \(tenant.schema)::regnamespace AND c.relkind = 'r') AS storage,
                    (SELECT count(*) FROM \(table("outbox"))) AS waiting,
                    (SELECT count(*) FROM \(table("delivery")) WHERE state = 'dead') AS dead,
                    (SELECT count(*) FROM \(table("connector")) WHERE state <> 'on') AS stopped
                """)
            return try JSON(parsing: found.json(row: 0))
        }
    }

    /// All tariffs, as a JSON array.
    public func tariffs() async throws -> [UInt8] {
        try await asOwner {
            try await $0.query("SELECT name, currency, base, steps FROM kontor.tariff ORDER BY name").json()
        }
    }

    /// Makes a tariff, or changes it.
    /// - Throws: `Failure` `tariff.invalid`.
    public func saveTariff(_ name: String, currency: String, base: Double, steps: JSON) async throws {
        _ = try Tariff(base: base, steps: steps)
        try await asOwner { session in
            _ = try await session.query(
                """
                INSERT INTO kontor.tariff (name, currency, base, steps)
                VALUES (\(name), \(currency), \(String(base))::numeric, \(steps.text)::jsonb)
                ON CONFLICT (name) DO UPDATE SET currency = excluded.currency, base = excluded.base, steps = excluded.steps
                """)
        }
    }

    /// - Parameter tariff: nil for none.
    /// - Throws: `Failure` `not_found` when there is no such tariff.
    public func setTariff(_ tariff: String?, of tenant: Tenant) async throws {
        do {
            try await asOwner { session in
                _ = try await session.query("UPDATE kontor.tenant SET tariff = \(tariff) WHERE id = \(tenant.id)")
            }
        } catch let error as PostgresError where error.sqlState == "23503" {
            throw Failure.notFound("tariff")
        }
    }

    static let limitBounds: [String: ClosedRange<Int64>] = [
        "contacts": 0...1_000_000_000, "staff": 1...1_000_000, "storage": 1...1_000_000_000, "calls": 1...1_000_000,
    ]

    /// Sets what a tenant may have at most, whole; it holds within a second, and what is counted is counted at once.
    /// - Parameter limits: `contacts`, `staff`, `storage` in megabytes, `calls` by programs in a minute; what is not named has no limit.
    /// - Throws: `Failure` `limits.invalid`.
    public func setLimits(_ limits: JSON, of tenant: Tenant) async throws {
        for (name, value) in limits.object ?? [:] {
            guard let bounds = Self.limitBounds[name], let number = value.int, bounds.contains(number) else {
                let names = Self.limitBounds.keys.sorted().joined(separator: ", ")
                throw Failure(
                    .invalid, "limits.invalid", "A limit is one of \(names), and a number that makes sense of it.")
            }
        }
        try await asOwner(of: tenant) { session in
            _ = try await session.query(
                "UPDATE kontor.tenant SET limits = \(limits.text)::jsonb WHERE id = \(tenant.id)")
            _ = try await session.query("SELECT \(table: tenant.schema, "measure")()")
        }
    }

    /// What a tenant owes for a month by its tariff.
    /// - Returns: lines of an invoice with quantities and amounts as text, and the `total`.
    /// - Throws: `Failure` `tariff.none`.
    public func invoice(of tenant: Tenant, month: String) async throws -> JSON {
        let rows = try await asOwner { session in
            try await session.query(
                """
                SELECT f.name, f.currency, f.base::float8 AS base, f.steps,
                    EXISTS (SELECT FROM kontor.module o WHERE o.tenant = t.id AND o.name = 'sales') AS sells
                FROM kontor.tenant t JOIN kontor.tariff f ON f.name = t.tariff WHERE t.id = \(tenant.id)
                """)
        }
        guard let row = rows.first else {
            throw Failure(.conflict, "tariff.none", "The tenant has no tariff: give it one first.")
        }
        let tariff = try Tariff(base: row.get("base"), steps: JSON(text: row.get("steps")))
        let orders = try await counts(of: tenant, month: month, sells: row.get("sells"))["orders"]?.int ?? 0
        var lines: [JSON] = [
            [
                "text": "base", "quantity": 1, "price": .string(Tariff.text(tariff.base)),
                "amount": .string(Tariff.text(tariff.base)),
            ]
        ]
        for line in tariff.lines(orders: orders) {
            lines.append([
                "text": .string("orders from \(line.from)"), "quantity": .int(line.quantity),
                "price": .string(Tariff.text(line.price)), "amount": .string(Tariff.text(line.amount)),
            ])
        }
        return [
            "month": .string(month), "tariff": .string(try row.get("name")), "orders": .int(orders),
            "lines": .array(lines),
            "total": .string(Tariff.text(tariff.total(orders: orders) * 100)),
            "currency": .string(try row.get("currency")),
        ]
    }
}
