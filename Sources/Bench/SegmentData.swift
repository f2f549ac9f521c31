import Hub
import Postgres
import Store

/// Contacts with three orders each, generated in SQL into a tenant's own tables; indexes are built at the end.
struct SegmentData {
    let tenant: Tenant
    let cluster: BenchCluster
    let contacts: Int
    let suppliers: Int
    /// Members of staff whose clients they are, in turn.
    var owners: [Int64] = []

    /// The supplier, 1 to `suppliers`, whose product order `n` (0 to 2) of contact `i` is of.
    private var supplier: String {
        "((hashint8extended(i, n) & 1048575) % \(suppliers) + 1)"
    }

    func make() async throws {
        try await cluster.script(
            """
            INSERT INTO {s}.field (key, label, type, choices) VALUES ('industry', 'Industry', 'choice', '{}');
            INSERT INTO {s}.supplier (name)
            SELECT CASE i WHEN 17 THEN 'Oak & Pine' ELSE 'Supplier ' || i END FROM generate_series(1, \(suppliers)) i;
            INSERT INTO {s}.product (sku, name, supplier, categories)
            SELECT 'P' || i, 'Product ' || i, (i - 1) % \(suppliers) + 1, ARRAY['Category ' || i % 40]
            FROM generate_series(1, \(suppliers * 20)) i;
            ALTER TABLE {s}.contact DISABLE TRIGGER USER;
            ALTER TABLE {s}.sale DISABLE TRIGGER USER;
            ALTER TABLE {s}.sale_line DISABLE TRIGGER ALL;
            CREATE TABLE public.bench_index AS SELECT indexdef FROM pg_indexes WHERE schemaname = '{s}'
                AND indexname IN ('contact_facets', 'contact_search', 'sale_by_contact', 'sale_line_by_product');
            DROP INDEX {s}.contact_facets, {s}.contact_search, {s}.sale_by_contact, {s}.sale_line_by_product;
            """, in: tenant)
        // the contacts in halves, one for each core
        let half = contacts / 2
        async let first: Void = makeContacts(1...half)
        async let second: Void = makeContacts(half + 1...contacts)
        _ = try await (first, second)
        try await makeOrders()
        try await cluster.script(
            """
            DO $$ DECLARE one text; BEGIN
                SET LOCAL maintenance_work_mem = '512MB';
                FOR one IN SELECT indexdef FROM public.bench_index LOOP EXECUTE one; END LOOP;
            END $$;
            DROP TABLE public.bench_index;
            CREATE INDEX bench_by_hand ON {s}.contact ((data ->> 'industry'), ((data ->> 'birth_month')::int))
                WHERE deleted_at IS NULL;
            ALTER TABLE {s}.contact ENABLE TRIGGER USER;
            ALTER TABLE {s}.sale ENABLE TRIGGER USER;
            ALTER TABLE {s}.sale_line ENABLE TRIGGER ALL;
            """, in: tenant)
        for table in ["contact", "sale", "sale_line", "product", "supplier"] {
            try await cluster.script("VACUUM ANALYZE {s}.\(table)", in: tenant)
        }
    }

    private func makeContacts(_ range: ClosedRange<Int>) async throws {
        try await cluster.script(
            """
            INSERT INTO {s}.contact (id, owner, data, sales) OVERRIDING SYSTEM VALUE
            SELECT i, ('{\(owners.map(String.init).joined(separator: ","))}'::bigint[])[(hashint8extended(i, 5) & 1048575) % \(max(1, owners.count)) + 1],
                jsonb_build_object('given_name', 'Anna' || i % 300, 'family_name', 'Kowalska' || i % 7001,
                'emails', jsonb_build_array(jsonb_build_object('value', 'a' || i || '@example.org')),
                'tags', CASE WHEN i % 10 < 7 THEN '["client"]'::jsonb ELSE '["supplier"]' END,
                'industry', (ARRAY['carpentry', 'glass', 'paint', 'roofs', 'gardens', 'floors', 'stairs', 'doors', 'windows',
                    'tiles'])[(hashint8extended(i, 7) & 1048575) % 10 + 1],
                'birth_month', (hashint8extended(i, 9) & 1048575) % 12 + 1),
                (SELECT array_agg(DISTINCT 'supplier:' || \(supplier)) FROM generate_series(0, 2) n)
            FROM generate_series(\(range.lowerBound)::bigint, \(range.upperBound)) i
            """, in: tenant)
    }

    private func makeOrders() async throws {
        try await cluster.script(
            """
            INSERT INTO {s}.sale (id, contact, number, status, currency, total, placed_at) OVERRIDING SYSTEM VALUE
            SELECT i * 3 + n, i, 'N' || i * 3 + n, 'completed', 'PLN', 10 + i % 500, now() - make_interval(days => (i % 1000)::int)
            FROM generate_series(1::bigint, \(contacts)) i, generate_series(0, 2) n;
            INSERT INTO {s}.sale_line (sale, line, product, name, quantity, total)
            SELECT i * 3 + n, 1, \(supplier) + \(suppliers) * (i % 20), 'Product', 1, 10 + i % 500
            FROM generate_series(1::bigint, \(contacts)) i, generate_series(0, 2) n;
            """, in: tenant)
    }
}
