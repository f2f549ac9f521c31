-- What orders say of contacts, and that it is shared. {s} is the tenant's schema, {id} its number.
-- Brings the facets that come from orders up to date: "supplier:17", "category:Garden".
CREATE FUNCTION {s}.refresh_sales(contacts bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE {s}.contact c SET sales = f.facets, version = c.version + 1, updated_at = now()
    FROM (
        SELECT w.contact, coalesce(array_agg(DISTINCT x.facet ORDER BY x.facet) FILTER (WHERE x.facet IS NOT NULL), '{}')
            AS facets
        FROM (SELECT DISTINCT contact FROM unnest(contacts) y (contact) WHERE contact IS NOT NULL) w
        LEFT JOIN {s}.sale s ON s.contact = w.contact AND s.status NOT IN ('deleted', 'cancelled', 'failed', 'refunded')
        LEFT JOIN {s}.sale_line l ON l.sale = s.id
        LEFT JOIN {s}.product p ON p.id = l.product
        LEFT JOIN LATERAL (SELECT 'supplier:' || p.supplier AS facet
            UNION ALL SELECT 'category:' || n FROM unnest(p.categories) n) x ON true
        GROUP BY w.contact) f
    WHERE c.id = f.contact AND c.sales <> f.facets;
END
$$;
REVOKE ALL ON FUNCTION {s}.refresh_sales(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {s}.refresh_sales(bigint[]) TO kontor_app;
