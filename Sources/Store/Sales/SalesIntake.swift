public import Hub
internal import Postgres

extension TenantDatabase {
    /// Takes a page of products in: suppliers are made by name, products kept by the shop's number.
    /// - Parameter records: the shop's id and {"sku", "name", "price", "supplier", "categories"}.
    public func takeProducts(
        _ records: [IncomingRecord], plugin: PullPlugin, cursor: String?
    ) async throws {
        let list = Self.list(records.filter { !$0.isDeleted })
        try await transaction(as: .intake(plugin.connector)) { session in
            _ = try await session.query(
                """
                INSERT INTO \(table("supplier")) (name)
                SELECT DISTINCT trim(x.v ->> 'supplier') FROM jsonb_array_elements(\(list)::jsonb) AS x (v)
                WHERE nullif(trim(x.v ->> 'supplier'), '') IS NOT NULL ON CONFLICT (name) DO NOTHING
                """)
            _ = try await session.query(
                """
                INSERT INTO \(table("product")) AS p (connector, remote_id, sku, name, price, supplier, categories)
                SELECT DISTINCT ON (x.v ->> 'id') \(plugin.connector), x.v ->> 'id', x.v ->> 'sku',
                    coalesce(x.v ->> 'name', '?'), hub.as_number(x.v ->> 'price'),
                    (SELECT s.id FROM \(table("supplier")) s WHERE s.name = trim(x.v ->> 'supplier')),
                    ARRAY(SELECT jsonb_array_elements_text(CASE jsonb_typeof(x.v -> 'categories') WHEN 'array'
                        THEN x.v -> 'categories' ELSE '[]' END))
                FROM jsonb_array_elements(\(list)::jsonb) AS x (v) ORDER BY x.v ->> 'id'
                ON CONFLICT (connector, remote_id) DO UPDATE SET sku = excluded.sku, name = excluded.name,
                    price = excluded.price, supplier = excluded.supplier, categories = excluded.categories, updated_at = now(),
                    version = p.version + 1
                WHERE (p.sku, p.name, p.price, p.supplier, p.categories) IS DISTINCT FROM
                    (excluded.sku, excluded.name, excluded.price, excluded.supplier, excluded.categories)
                """)
            // lines of orders that came before their product
            _ = try await session.query(
                """
                UPDATE \(table("sale_line")) l SET product = p.id FROM \(table("product")) p, \(table("sale")) s
                WHERE l.product IS NULL AND s.id = l.sale AND s.connector = \(plugin.connector)
                    AND p.connector = s.connector AND p.remote_id = l.product_remote_id
                """)
            try await refreshFacets(
                """
                SELECT s.contact FROM \(table("sale")) s JOIN \(table("sale_line")) l ON l.sale = s.id
                JOIN \(table("product")) p ON p.id = l.product
                WHERE p.connector = \(plugin.connector) AND p.remote_id = ANY (\(records.map(\.id)))
                """, session)
            try await save(cursor: cursor, plugin, session)
        }
    }

    /// Takes a page of orders in and links them to their contacts, by the shop's customer or by e-mail.
    /// - Parameter records: the shop's id and {"number", "status", "currency", "total", "placed_at",
    ///   "customer_remote_id", "email", "lines": [{"product_remote_id", "name", "quantity", "total"}]}.
    public func takeOrders(
        _ records: [IncomingRecord], plugin: PullPlugin, cursor: String?
    ) async throws {
        let list = Self.list(records.filter { !$0.isDeleted })
        let ids = records.map(\.id)
        try await transaction(as: .intake(plugin.connector)) { session in
            _ = try await session.query(
                """
                INSERT INTO \(table("sale")) AS s (connector, remote_id, number, status, currency, total, placed_at,
                    customer_remote_id, email)
                SELECT DISTINCT ON (x.v ->> 'id') \(plugin.connector), x.v ->> 'id', x.v ->> 'number',
                    coalesce(x.v ->> 'status', 'unknown'), x.v ->> 'currency', coalesce(hub.as_number(x.v ->> 'total'), 0),
                    coalesce((x.v ->> 'placed_at')::timestamptz, now()), nullif(x.v ->> 'customer_remote_id', '0'),
                    lower(x.v ->> 'email')
                FROM jsonb_array_elements(\(list)::jsonb) AS x (v) ORDER BY x.v ->> 'id'
                ON CONFLICT (connector, remote_id) DO UPDATE SET number = excluded.number, status = excluded.status,
                    currency = excluded.currency, total = excluded.total, placed_at = excluded.placed_at,
                    customer_remote_id = excluded.customer_remote_id, email = excluded.email, updated_at = now(),
                    version = s.version + 1
                WHERE (s.status, s.total, s.placed_at, s.number, s.customer_remote_id) IS DISTINCT FROM
                    (excluded.status, excluded.total, excluded.placed_at, excluded.number, excluded.customer_remote_id)
                    OR s.contact IS NULL AND s.email IS DISTINCT FROM excluded.email
                """)
            _ = try await session.query(
                """
                UPDATE \(table("sale")) s SET status = 'deleted', version = s.version + 1
                WHERE s.connector = \(plugin.connector) AND s.status <> 'deleted'
                    AND s.remote_id = ANY (\(records.filter(\.isDeleted).map(\.id)))
                """)
            _ = try await session.query(
                """
                DELETE FROM \(table("sale_line")) l USING \(table("sale")) s
                WHERE s.id = l.sale AND s.connector = \(plugin.connector) AND s.remote_id = ANY (\(ids))
                """)
            _ = try await session.query(
                """
                INSERT INTO \(table("sale_line")) (sale, line, product, product_remote_id, name, quantity, total)
                SELECT s.id, l.n, p.id, l.v ->> 'product_remote_id', coalesce(l.v ->> 'name', '?'),
                    coalesce(hub.as_number(l.v ->> 'quantity'), 1), coalesce(hub.as_number(l.v ->> 'total'), 0)
                FROM jsonb_array_elements(\(list)::jsonb) AS x (v)
                JOIN \(table("sale")) s ON s.connector = \(plugin.connector) AND s.remote_id = x.v ->> 'id'
                CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(x.v -> 'lines') WHEN 'array'
                    THEN x.v -> 'lines' ELSE '[]' END) WITH ORDINALITY AS l (v, n)
                LEFT JOIN \(table("product")) p ON p.connector = s.connector AND p.remote_id = l.v ->> 'product_remote_id'
                ON CONFLICT DO NOTHING
                """)
            let linked = try await linkSales(
                "s.connector = \(plugin.connector) AND s.remote_id = ANY (\(ids))", session)
            // the address has done its work: an order of somebody who was erased is not to bring it back
            _ = try await session.query(
                """
                UPDATE \(table("sale")) s SET email = NULL WHERE s.connector = \(plugin.connector)
                    AND s.remote_id = ANY (\(ids)) AND s.contact IS NOT NULL AND s.email IS NOT NULL
                """)
            try await refreshFacets(
                """
                SELECT contact FROM \(table("sale")) WHERE connector = \(plugin.connector) AND remote_id = ANY (\(ids))
                UNION ALL SELECT unnest(\(linked.contacts)::bigint[])
                """, session)
            try await save(cursor: cursor, plugin, session)
        }
    }

    /// Links orders that came before their customer. Called after customers were taken in.
    /// - Returns: how many were linked.
    public func linkWaitingSales(connector: Int64) async throws -> Int {
        guard try await compiler(as: .system).hasSales else { return 0 }
        return try await transaction(as: .intake(connector)) { session in
            let linked = try await linkSales("s.connector = \(connector) AND s.contact IS NULL", session)
            if linked.count > 0 { try await refreshFacets("SELECT unnest(\(linked.contacts)::bigint[])", session) }
            return linked.count
        }
    }

    /// - Returns: how many were linked, and the contacts they went to and came from.
    private func linkSales(_ which: SQL, _ session: Session) async throws -> (count: Int, contacts: [Int64]) {
        let rows = try await session.query(
            """
            UPDATE \(table("sale")) s SET contact = m.contact, email = NULL FROM (
                SELECT s.id, s.contact AS was, coalesce(
                    (SELECT coalesce(c.merged_into, c.id) FROM \(table("binding")) b JOIN \(table("contact")) c ON c.id = b.record
                        WHERE b.connector = s.connector AND b.entity = 'contact' AND b.remote_id = s.customer_remote_id),
                    (SELECT min(k.contact) FROM \(table("contact_key")) k WHERE k.kind = 'email' AND k.value = s.email)) AS contact
                FROM \(table("sale")) s WHERE \(which)) m
            WHERE s.id = m.id AND m.contact IS NOT NULL AND s.contact IS DISTINCT FROM m.contact
            RETURNING s.contact, m.was
            """)
        return (
            rows.count,
            try rows.flatMap { [try $0.get("contact", as: Int64?.self), try $0.get("was")].compactMap(\.self) }
        )
    }

    /// Brings the facets that come from orders up to date: "supplier:17", "category:Garden".
    private func refreshFacets(_ contacts: SQL, _ session: Session) async throws {
        _ = try await session.query("SELECT \(table("refresh_sales"))(ARRAY(\(contacts)))")
    }

    private func save(cursor: String?, _ plugin: PullPlugin, _ session: Session) async throws {
        _ = try await session.query(
            "UPDATE \(table("plugin")) SET cursor = coalesce(\(cursor), cursor) WHERE id = \(plugin.id)")
    }

    /// The records as one array, the last of those with the same id.
    private static func list(_ records: [IncomingRecord]) -> String {
        let last = Dictionary(records.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
        return JSON.array(
            last.values.map { record in
                var values = record.values
                values["id"] = .string(record.id)
                return values
            }
        ).text
    }
}
