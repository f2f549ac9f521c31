-- Orders and goods by role. {s} is the tenant's schema, {id} its number. Only programs write them. Staff with limits read the
-- views: an order's e-mail address and the names of goods are not everybody's.
DROP POLICY supplier_all ON {s}.supplier;
CREATE POLICY supplier_in_functions ON {s}.supplier TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY supplier_read ON {s}.supplier FOR SELECT TO kontor_app
    USING ((SELECT {s}.is_program()) OR (SELECT r.products FROM {s}.mine() r));
DROP POLICY product_all ON {s}.product;
CREATE POLICY product_in_functions ON {s}.product TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY product_read ON {s}.product FOR SELECT TO kontor_app
    USING ((SELECT {s}.is_program()) OR (SELECT r.products FROM {s}.mine() r));
DROP POLICY sale_all ON {s}.sale;
CREATE POLICY sale_in_functions ON {s}.sale TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY sale_read ON {s}.sale FOR SELECT TO kontor_app
    USING ((SELECT {s}.is_program()) OR (SELECT r.plain AND r.orders = 'all' FROM {s}.mine() r)
        OR (SELECT r.plain AND r.orders = 'contacts' FROM {s}.mine() r)
            AND EXISTS (SELECT FROM {s}.contact c WHERE c.id = contact));
CREATE POLICY sale_read_in_views ON {s}.sale FOR SELECT TO kontor_view
    USING ((SELECT {s}.is_program()) OR (SELECT r.orders = 'all' FROM {s}.mine() r)
        OR (SELECT r.orders = 'contacts' FROM {s}.mine() r) AND EXISTS (SELECT FROM {s}.contact c WHERE c.id = contact));
DROP POLICY sale_line_all ON {s}.sale_line;
CREATE POLICY sale_line_in_functions ON {s}.sale_line TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY sale_line_read ON {s}.sale_line FOR SELECT TO kontor_app
    USING ((SELECT {s}.is_program()) OR (SELECT r.plain AND r.orders = 'all' FROM {s}.mine() r)
        OR (SELECT r.plain AND r.orders = 'contacts' FROM {s}.mine() r)
            AND EXISTS (SELECT FROM {s}.sale s WHERE s.id = sale));
CREATE POLICY sale_line_read_in_views ON {s}.sale_line FOR SELECT TO kontor_view
    USING ((SELECT {s}.is_program()) OR (SELECT r.orders = 'all' FROM {s}.mine() r)
        OR (SELECT r.orders = 'contacts' FROM {s}.mine() r) AND EXISTS (SELECT FROM {s}.sale s WHERE s.id = sale));
CREATE POLICY supplier_add ON {s}.supplier FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.is_program()));
CREATE POLICY supplier_edit ON {s}.supplier FOR UPDATE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY supplier_drop ON {s}.supplier FOR DELETE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY product_add ON {s}.product FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.is_program()));
CREATE POLICY product_edit ON {s}.product FOR UPDATE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY product_drop ON {s}.product FOR DELETE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY sale_add ON {s}.sale FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.is_program()));
CREATE POLICY sale_edit ON {s}.sale FOR UPDATE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY sale_drop ON {s}.sale FOR DELETE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY sale_line_add ON {s}.sale_line FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.is_program()));
CREATE POLICY sale_line_edit ON {s}.sale_line FOR UPDATE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY sale_line_drop ON {s}.sale_line FOR DELETE TO kontor_app USING ((SELECT {s}.is_program()));

CREATE VIEW {s}.sale_seen WITH (security_barrier) AS
SELECT s.id, s.connector, s.remote_id, s.contact, s.number, s.status, s.currency, s.total, s.placed_at, s.updated_at, s.version
FROM {s}.sale s;
CREATE VIEW {s}.sale_line_seen WITH (security_barrier) AS
SELECT l.sale, l.line, CASE WHEN (SELECT r.products FROM {s}.mine() r) THEN l.product END AS product,
    CASE WHEN (SELECT r.products FROM {s}.mine() r) THEN l.name END AS name, l.quantity, l.total
FROM {s}.sale_line l;
GRANT SELECT ON {s}.sale, {s}.sale_line TO kontor_view;
GRANT SELECT ON {s}.sale_seen, {s}.sale_line_seen TO kontor_app;
GRANT CREATE ON SCHEMA {s} TO kontor_view;
ALTER VIEW {s}.sale_seen OWNER TO kontor_view;
ALTER VIEW {s}.sale_line_seen OWNER TO kontor_view;
REVOKE CREATE ON SCHEMA {s} FROM kontor_view;
