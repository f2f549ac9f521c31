-- What SQL logins of staff read: views of a schema of their own, with names that stay. They belong to kontor_view and stand
-- on the views that the service reads, so that rows and fields are the same there and here. {s} is the tenant's schema, {id}
-- its number.
SELECT auth.make_group({id});
CREATE SCHEMA {s}_rep;

-- Of what the service reads as tables, kontor_view reads the same rows.
CREATE POLICY supplier_in_views ON {s}.supplier FOR SELECT TO kontor_view
    USING ((SELECT {s}.is_program()) OR (SELECT r.products FROM {s}.mine() r));
CREATE POLICY product_in_views ON {s}.product FOR SELECT TO kontor_view
    USING ((SELECT {s}.is_program()) OR (SELECT r.products FROM {s}.mine() r));
CREATE POLICY segment_in_views ON {s}.segment FOR SELECT TO kontor_view USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY segment_push_in_views ON {s}.segment_push FOR SELECT TO kontor_view USING ((SELECT {s}.may('segments')));
CREATE POLICY run_in_views ON {s}.run FOR SELECT TO kontor_view USING (kind = 'segment' AND (SELECT {s}.sees_all()));
GRANT SELECT ON {s}.supplier, {s}.product, {s}.segment, {s}.segment_push, {s}.run, {s}.field, {s}.staff, {s}.role, {s}.team,
    {s}.team_member TO kontor_view;

CREATE VIEW {s}_rep.contact WITH (security_barrier) AS
SELECT c.id, c.name, c.data ->> 'given_name' AS given_name, c.data ->> 'family_name' AS family_name,
    c.data ->> 'company' AS company, c.data ->> 'type' AS type, c.data #>> '{emails,0,value}' AS email,
    c.data #>> '{phones,0,value}' AS phone, c.data ->> 'language' AS language, c.birthday,
    CASE WHEN jsonb_typeof(c.data -> 'birth_month') = 'number' THEN (c.data ->> 'birth_month')::int END AS birth_month,
    c.data ->> 'source' AS source, c.data #>> '{addresses,0,country}' AS country, c.data #>> '{addresses,0,city}' AS city,
    c.owner, c.data AS fields, c.version, c.created_at, c.updated_at
FROM {s}.contact_seen c WHERE c.deleted_at IS NULL;
COMMENT ON VIEW {s}_rep.contact IS 'Contacts that are not deleted, one row each.';
COMMENT ON COLUMN {s}_rep.contact.id IS 'Number of the contact.';
COMMENT ON COLUMN {s}_rep.contact.name IS 'Name to show.';
COMMENT ON COLUMN {s}_rep.contact.given_name IS 'Given name.';
COMMENT ON COLUMN {s}_rep.contact.family_name IS 'Family name.';
COMMENT ON COLUMN {s}_rep.contact.company IS 'Company.';
COMMENT ON COLUMN {s}_rep.contact.type IS 'Person or company.';
COMMENT ON COLUMN {s}_rep.contact.email IS 'First e-mail address; all of them are in fields.';
COMMENT ON COLUMN {s}_rep.contact.phone IS 'First telephone number, as in E.164; all of them are in fields.';
COMMENT ON COLUMN {s}_rep.contact.language IS 'Language, ISO 639.';
COMMENT ON COLUMN {s}_rep.contact.birthday IS 'Day of birth.';
COMMENT ON COLUMN {s}_rep.contact.birth_month IS 'Month of birth, 1 to 12.';
COMMENT ON COLUMN {s}_rep.contact.source IS 'Where the contact came from.';
COMMENT ON COLUMN {s}_rep.contact.country IS 'Country of the first postal address, ISO 3166.';
COMMENT ON COLUMN {s}_rep.contact.city IS 'City of the first postal address.';
COMMENT ON COLUMN {s}_rep.contact.owner IS 'Number of the member of staff whose client it is.';
COMMENT ON COLUMN {s}_rep.contact.fields IS 'Every field, also the shops own, as JSON.';
COMMENT ON COLUMN {s}_rep.contact.version IS 'Counts the changes.';
COMMENT ON COLUMN {s}_rep.contact.created_at IS 'When it was made.';
COMMENT ON COLUMN {s}_rep.contact.updated_at IS 'When it was changed last.';

CREATE VIEW {s}_rep.contact_tag WITH (security_barrier) AS
SELECT c.id AS contact, t.tag
FROM {s}.contact_seen c, jsonb_array_elements_text(c.data -> 'tags') t (tag) WHERE c.deleted_at IS NULL;
COMMENT ON VIEW {s}_rep.contact_tag IS 'Tags of contacts, one row each.';
COMMENT ON COLUMN {s}_rep.contact_tag.contact IS 'Number of the contact.';
COMMENT ON COLUMN {s}_rep.contact_tag.tag IS 'Tag.';

CREATE VIEW {s}_rep.contact_field WITH (security_barrier) AS
SELECT c.id AS contact, f.key AS field, f.label, f.type, c.data ->> f.key AS value
FROM {s}.contact_seen c, {s}.field f WHERE c.deleted_at IS NULL AND c.data ? f.key;
COMMENT ON VIEW {s}_rep.contact_field IS 'Values of the shop''s own fields, one row each.';
COMMENT ON COLUMN {s}_rep.contact_field.contact IS 'Number of the contact.';
COMMENT ON COLUMN {s}_rep.contact_field.field IS 'Key of the field.';
COMMENT ON COLUMN {s}_rep.contact_field.label IS 'What people call the field.';
COMMENT ON COLUMN {s}_rep.contact_field.type IS 'Type of the field.';
COMMENT ON COLUMN {s}_rep.contact_field.value IS 'Value as text; of a field with several values, a JSON list.';

CREATE VIEW {s}_rep.consent WITH (security_barrier) AS
SELECT c.id AS contact, substr(p.purpose, 9) AS purpose
FROM {s}.contact_seen c, unnest(c.consents) p (purpose) WHERE c.deleted_at IS NULL;
COMMENT ON VIEW {s}_rep.consent IS 'Purposes that contacts consent to now, one row each.';
COMMENT ON COLUMN {s}_rep.consent.contact IS 'Number of the contact.';
COMMENT ON COLUMN {s}_rep.consent.purpose IS 'What they consent to.';

CREATE VIEW {s}_rep.sale WITH (security_barrier) AS
SELECT s.id, s.number, s.status, s.contact, s.currency, s.total, s.placed_at, s.updated_at, k.name AS connector
FROM {s}.sale_seen s LEFT JOIN {s}.connector_seen k ON k.id = s.connector;
COMMENT ON VIEW {s}_rep.sale IS 'Orders.';
COMMENT ON COLUMN {s}_rep.sale.id IS 'Number of the order in Kontor.';
COMMENT ON COLUMN {s}_rep.sale.number IS 'Number in the shop.';
COMMENT ON COLUMN {s}_rep.sale.status IS 'Status in the shop.';
COMMENT ON COLUMN {s}_rep.sale.contact IS 'Number of the contact who placed it; null when not known.';
COMMENT ON COLUMN {s}_rep.sale.currency IS 'Currency, ISO 4217.';
COMMENT ON COLUMN {s}_rep.sale.total IS 'Sum of the order.';
COMMENT ON COLUMN {s}_rep.sale.placed_at IS 'When it was placed.';
COMMENT ON COLUMN {s}_rep.sale.updated_at IS 'When it was changed last.';
COMMENT ON COLUMN {s}_rep.sale.connector IS 'Name of the connector it came by.';

CREATE VIEW {s}_rep.sale_line WITH (security_barrier) AS
SELECT l.sale, l.line, l.product, l.name, l.quantity, l.total FROM {s}.sale_line_seen l;
COMMENT ON VIEW {s}_rep.sale_line IS 'Lines of orders.';
COMMENT ON COLUMN {s}_rep.sale_line.sale IS 'Number of the order in Kontor.';
COMMENT ON COLUMN {s}_rep.sale_line.line IS 'Number of the line.';
COMMENT ON COLUMN {s}_rep.sale_line.product IS 'Number of the product in Kontor.';
COMMENT ON COLUMN {s}_rep.sale_line.name IS 'What was sold, as the shop says.';
COMMENT ON COLUMN {s}_rep.sale_line.quantity IS 'How many.';
COMMENT ON COLUMN {s}_rep.sale_line.total IS 'Sum of the line.';

CREATE VIEW {s}_rep.product WITH (security_barrier) AS
SELECT p.id, p.sku, p.name, p.price, p.supplier, u.name AS supplier_name, p.categories, p.updated_at
FROM {s}.product p LEFT JOIN {s}.supplier u ON u.id = p.supplier;
COMMENT ON VIEW {s}_rep.product IS 'Products.';
COMMENT ON COLUMN {s}_rep.product.id IS 'Number of the product in Kontor.';
COMMENT ON COLUMN {s}_rep.product.sku IS 'Stock keeping unit.';
COMMENT ON COLUMN {s}_rep.product.name IS 'Name.';
COMMENT ON COLUMN {s}_rep.product.price IS 'Price.';
COMMENT ON COLUMN {s}_rep.product.supplier IS 'Number of the supplier.';
COMMENT ON COLUMN {s}_rep.product.supplier_name IS 'Name of the supplier.';
COMMENT ON COLUMN {s}_rep.product.categories IS 'Categories.';
COMMENT ON COLUMN {s}_rep.product.updated_at IS 'When it was changed last.';

CREATE VIEW {s}_rep.supplier WITH (security_barrier) AS
SELECT u.id, u.name FROM {s}.supplier u;
COMMENT ON VIEW {s}_rep.supplier IS 'Suppliers.';
COMMENT ON COLUMN {s}_rep.supplier.id IS 'Number of the supplier.';
COMMENT ON COLUMN {s}_rep.supplier.name IS 'Name.';

CREATE VIEW {s}_rep.delivery WITH (security_barrier) AS
SELECT k.name AS connector, p.name AS plugin, p.entity, d.record, d.state, d.attempts, d.due_at, d.code, d.message, d.changed_at
FROM {s}.delivery_seen d JOIN {s}.plugin_seen p ON p.id = d.plugin JOIN {s}.connector_seen k ON k.id = p.connector;
COMMENT ON VIEW {s}_rep.delivery IS 'What is to be, or was, delivered to connected systems: one row for each plugin and record.';
COMMENT ON COLUMN {s}_rep.delivery.connector IS 'Name of the connector.';
COMMENT ON COLUMN {s}_rep.delivery.plugin IS 'Name of its plugin.';
COMMENT ON COLUMN {s}_rep.delivery.entity IS 'What kind of record it is.';
COMMENT ON COLUMN {s}_rep.delivery.record IS 'Number of the contact or other record.';
COMMENT ON COLUMN {s}_rep.delivery.state IS 'due, leased, done or dead.';
COMMENT ON COLUMN {s}_rep.delivery.attempts IS 'Attempts since the last success.';
COMMENT ON COLUMN {s}_rep.delivery.due_at IS 'When it is to be tried next.';
COMMENT ON COLUMN {s}_rep.delivery.code IS 'Code of the last failure.';
COMMENT ON COLUMN {s}_rep.delivery.message IS 'What the other system said of it.';
COMMENT ON COLUMN {s}_rep.delivery.changed_at IS 'When the state changed last.';

CREATE VIEW {s}_rep.change WITH (security_barrier) AS
SELECT h.id, h.at, h.entity, h.record, h.kind, h.version, h.fields, h.before, h.after, h.actor, k.name AS connector
FROM {s}.change_seen h LEFT JOIN {s}.connector_seen k ON k.id = h.origin;
COMMENT ON VIEW {s}_rep.change IS 'The change log.';
COMMENT ON COLUMN {s}_rep.change.id IS 'Number of the change.';
COMMENT ON COLUMN {s}_rep.change.at IS 'When.';
COMMENT ON COLUMN {s}_rep.change.entity IS 'contact, order, product or supplier.';
COMMENT ON COLUMN {s}_rep.change.record IS 'Number of the record.';
COMMENT ON COLUMN {s}_rep.change.kind IS 'new, edited, deleted or merged.';
COMMENT ON COLUMN {s}_rep.change.version IS 'Version of the record after it.';
COMMENT ON COLUMN {s}_rep.change.fields IS 'Fields that changed.';
COMMENT ON COLUMN {s}_rep.change.before IS 'Their values before.';
COMMENT ON COLUMN {s}_rep.change.after IS 'Their values after.';
COMMENT ON COLUMN {s}_rep.change.actor IS 'Who did it.';
COMMENT ON COLUMN {s}_rep.change.connector IS 'Name of the connector it came from; null for a change made in Kontor.';

CREATE VIEW {s}_rep.decision WITH (security_barrier) AS
SELECT d.change, d.at, h.entity, h.record, h.kind, k.name AS connector, p.name AS plugin, v.verdict
FROM {s}.decision_seen d JOIN {s}.change_seen h ON h.id = d.change, unnest(d.plugin, d.verdict) v (plugin, verdict)
JOIN {s}.plugin_seen p ON p.id = v.plugin JOIN {s}.connector_seen k ON k.id = p.connector;
COMMENT ON VIEW {s}_rep.decision IS 'What each plugin decided about each change.';
COMMENT ON COLUMN {s}_rep.decision.change IS 'Number of the change.';
COMMENT ON COLUMN {s}_rep.decision.at IS 'When it was decided.';
COMMENT ON COLUMN {s}_rep.decision.entity IS 'What kind of record changed.';
COMMENT ON COLUMN {s}_rep.decision.record IS 'Number of the record.';
COMMENT ON COLUMN {s}_rep.decision.kind IS 'new, edited, deleted or merged.';
COMMENT ON COLUMN {s}_rep.decision.connector IS 'Name of the connector.';
COMMENT ON COLUMN {s}_rep.decision.plugin IS 'Name of its plugin.';
COMMENT ON COLUMN {s}_rep.decision.verdict IS 'accepted, or why not.';

CREATE VIEW {s}_rep.segment WITH (security_barrier) AS
SELECT g.id, g.name, g.condition, g.created_at FROM {s}.segment g;
COMMENT ON VIEW {s}_rep.segment IS 'Segments.';
COMMENT ON COLUMN {s}_rep.segment.id IS 'Number of the segment.';
COMMENT ON COLUMN {s}_rep.segment.name IS 'Name.';
COMMENT ON COLUMN {s}_rep.segment.condition IS 'Its condition, as in docs/conditions.md.';
COMMENT ON COLUMN {s}_rep.segment.created_at IS 'When it was made.';

CREATE VIEW {s}_rep.segment_push WITH (security_barrier) AS
SELECT x.id, g.name AS segment, k.name AS connector, x.group_name, x.purpose, (r.counts ->> 'members')::bigint AS members,
    r.ended_at AS pushed_at
FROM {s}.segment_push x JOIN {s}.segment g ON g.id = x.segment JOIN {s}.plugin_seen p ON p.id = x.plugin
JOIN {s}.connector_seen k ON k.id = p.connector LEFT JOIN {s}.run r ON r.id = x.last_run AND r.state = 'done';
COMMENT ON VIEW {s}_rep.segment_push IS 'Segments kept as groups in other systems, and how many were in each last time.';
COMMENT ON COLUMN {s}_rep.segment_push.id IS 'Number of the push.';
COMMENT ON COLUMN {s}_rep.segment_push.segment IS 'Name of the segment.';
COMMENT ON COLUMN {s}_rep.segment_push.connector IS 'Name of the connector.';
COMMENT ON COLUMN {s}_rep.segment_push.group_name IS 'Name of the group there.';
COMMENT ON COLUMN {s}_rep.segment_push.purpose IS 'Purpose that members have consented to.';
COMMENT ON COLUMN {s}_rep.segment_push.members IS 'Members when it was pushed last; null for who does not see every contact.';
COMMENT ON COLUMN {s}_rep.segment_push.pushed_at IS 'When it was pushed last.';

CREATE VIEW {s}_rep.staff WITH (security_barrier) AS
SELECT s.account AS id, s.name, r.name AS role,
    ARRAY(SELECT t.name FROM {s}.team_member m JOIN {s}.team t ON t.id = m.team WHERE m.account = s.account ORDER BY 1) AS teams,
    s.superior, s.disabled_at IS NOT NULL AS disabled
FROM {s}.staff s JOIN {s}.role r ON r.id = s.role;
COMMENT ON VIEW {s}_rep.staff IS 'Members of staff.';
COMMENT ON COLUMN {s}_rep.staff.id IS 'Number of the person.';
COMMENT ON COLUMN {s}_rep.staff.name IS 'Name.';
COMMENT ON COLUMN {s}_rep.staff.role IS 'Name of the role.';
COMMENT ON COLUMN {s}_rep.staff.teams IS 'Names of the teams.';
COMMENT ON COLUMN {s}_rep.staff.superior IS 'Number of the superior.';
COMMENT ON COLUMN {s}_rep.staff.disabled IS 'Whether they can no longer sign in.';

GRANT USAGE, CREATE ON SCHEMA {s}_rep TO kontor_view;
ALTER VIEW {s}_rep.contact OWNER TO kontor_view;
ALTER VIEW {s}_rep.contact_tag OWNER TO kontor_view;
ALTER VIEW {s}_rep.contact_field OWNER TO kontor_view;
ALTER VIEW {s}_rep.consent OWNER TO kontor_view;
ALTER VIEW {s}_rep.sale OWNER TO kontor_view;
ALTER VIEW {s}_rep.sale_line OWNER TO kontor_view;
ALTER VIEW {s}_rep.product OWNER TO kontor_view;
ALTER VIEW {s}_rep.supplier OWNER TO kontor_view;
ALTER VIEW {s}_rep.delivery OWNER TO kontor_view;
ALTER VIEW {s}_rep.change OWNER TO kontor_view;
ALTER VIEW {s}_rep.decision OWNER TO kontor_view;
ALTER VIEW {s}_rep.segment OWNER TO kontor_view;
ALTER VIEW {s}_rep.segment_push OWNER TO kontor_view;
ALTER VIEW {s}_rep.staff OWNER TO kontor_view;
REVOKE CREATE ON SCHEMA {s}_rep FROM kontor_view;

-- kontor_view's views are its own to grant
SET LOCAL ROLE kontor_view;
GRANT SELECT ON {s}_rep.contact, {s}_rep.contact_tag, {s}_rep.contact_field, {s}_rep.consent, {s}_rep.sale,
    {s}_rep.sale_line, {s}_rep.product, {s}_rep.supplier, {s}_rep.delivery, {s}_rep.change,
    {s}_rep.decision, {s}_rep.segment, {s}_rep.segment_push, {s}_rep.staff
    TO g_{id};
SET LOCAL ROLE kontor_owner;
GRANT USAGE ON SCHEMA {s}_rep TO g_{id};
-- asked by the views on behalf of who reads them; they tell everybody of themselves alone
GRANT EXECUTE ON FUNCTION {s}.mine(), {s}.sees_all(), {s}.may(text), {s}.is_program() TO g_{id};
