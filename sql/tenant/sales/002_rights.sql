-- Orders and goods by role. {s} is the tenant's schema, {id} its number. Only programs write them.
DROP POLICY supplier_all ON {s}.supplier;
CREATE POLICY supplier_in_functions ON {s}.supplier TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY supplier_read ON {s}.supplier FOR SELECT TO kontor_app
    USING ((SELECT {s}.is_program()) OR (SELECT r.products FROM {s}.mine() r));
CREATE POLICY supplier_add ON {s}.supplier FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.is_program()));
CREATE POLICY supplier_edit ON {s}.supplier FOR UPDATE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY supplier_drop ON {s}.supplier FOR DELETE TO kontor_app USING ((SELECT {s}.is_program()));
DROP POLICY product_all ON {s}.product;
CREATE POLICY product_in_functions ON {s}.product TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY product_read ON {s}.product FOR SELECT TO kontor_app
    USING ((SELECT {s}.is_program()) OR (SELECT r.products FROM {s}.mine() r));
CREATE POLICY product_add ON {s}.product FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.is_program()));
CREATE POLICY product_edit ON {s}.product FOR UPDATE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY product_drop ON {s}.product FOR DELETE TO kontor_app USING ((SELECT {s}.is_program()));
DROP POLICY sale_all ON {s}.sale;
CREATE POLICY sale_in_functions ON {s}.sale TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY sale_read ON {s}.sale FOR SELECT TO kontor_app
    USING ((SELECT {s}.is_program()) OR (SELECT r.orders = 'all' FROM {s}.mine() r)
        OR (SELECT r.orders = 'contacts' FROM {s}.mine() r)
            AND EXISTS (SELECT FROM {s}.contact_seen c WHERE c.id = contact));
CREATE POLICY sale_add ON {s}.sale FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.is_program()));
CREATE POLICY sale_edit ON {s}.sale FOR UPDATE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY sale_drop ON {s}.sale FOR DELETE TO kontor_app USING ((SELECT {s}.is_program()));
DROP POLICY sale_line_all ON {s}.sale_line;
CREATE POLICY sale_line_in_functions ON {s}.sale_line TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY sale_line_read ON {s}.sale_line FOR SELECT TO kontor_app
    USING ((SELECT {s}.is_program()) OR (SELECT r.orders = 'all' FROM {s}.mine() r)
        OR (SELECT r.orders = 'contacts' FROM {s}.mine() r) AND EXISTS (SELECT FROM {s}.sale s WHERE s.id = sale));
CREATE POLICY sale_line_add ON {s}.sale_line FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.is_program()));
CREATE POLICY sale_line_edit ON {s}.sale_line FOR UPDATE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY sale_line_drop ON {s}.sale_line FOR DELETE TO kontor_app USING ((SELECT {s}.is_program()));
