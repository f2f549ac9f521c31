-- What staff with limits see, and how everybody writes contacts. {s} is the tenant's schema, {id} its number.
-- The views belong to kontor_view, whom row security shows what it shows the person who asks; fields they may not see are
-- taken out here. Rows that a person may not see look in every view as if they were not there.

-- What connectors see is no staff's.
CREATE OR REPLACE VIEW {s}.contact_shared WITH (security_barrier) AS
SELECT id, version, data - (SELECT {s}.hidden_fields()) AS data,
    CASE WHEN NOT 'name' = ANY ((SELECT {s}.hidden_fields())::text[]) THEN name END AS name,
    facets, consents, deleted_at
FROM {s}.contact WHERE (SELECT {s}.is_program());

CREATE VIEW {s}.contact_seen WITH (security_barrier) AS
SELECT c.id, c.version, x.data, CASE WHEN x.is_whole THEN c.name ELSE hub.display_name(x.data) END AS name,
    CASE WHEN x.is_whole THEN c.sales WHEN x.has_orders THEN c.sales ELSE '{}' END AS sales, c.consents,
    CASE WHEN x.is_whole THEN c.facets
        ELSE hub.facets(x.data - x.masked, CASE WHEN x.has_orders THEN c.sales ELSE '{}' END, c.consents) END AS facets,
    CASE WHEN x.is_whole THEN c.search ELSE hub.search_text(x.data) END AS search,
    CASE WHEN x.is_whole THEN c.birthday ELSE hub.as_date(x.data ->> 'birthday') END AS birthday,
    CASE WHEN x.is_whole THEN c.locks ELSE ARRAY(SELECT l FROM unnest(c.locks) l WHERE l <> ALL (x.hidden)) END AS locks,
    c.origins - x.hidden AS origins, c.owner, c.created_at, c.updated_at, c.deleted_at, c.merged_into
FROM {s}.contact c, LATERAL (
    SELECT (SELECT r.plain FROM {s}.mine() r) AS is_whole, (SELECT r.orders <> 'none' AND r.products FROM {s}.mine() r) AS has_orders,
        (SELECT r.hidden FROM {s}.mine() r) AS hidden, (SELECT r.masked FROM {s}.mine() r) AS masked,
        CASE WHEN (SELECT r.plain FROM {s}.mine() r) THEN c.data
            ELSE hub.shown(c.data, (SELECT r.hidden FROM {s}.mine() r), (SELECT r.masked FROM {s}.mine() r)) END AS data) x;

-- Contacts in whose values, as the actor sees them, a pattern in small letters is found. The index looks at whole
-- records; what is hidden from the actor finds nothing.
CREATE FUNCTION {s}.find(pattern text) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective := {s}.mine();
BEGIN
    RETURN QUERY SELECT c.id FROM {s}.contact c
    WHERE c.search OPERATOR(extension.#~~) pattern AND {s}.within(c, r, r.reads)
        AND (r.plain OR hub.search_text(hub.shown(c.data, r.hidden, r.masked)) OPERATOR(extension.#~~) pattern);
END
$$;
GRANT EXECUTE ON FUNCTION {s}.find(text) TO kontor_app;

-- Changes of contacts that may be read, and of orders and goods.
CREATE POLICY change_in_views ON {s}.change FOR SELECT TO kontor_view
    USING ((SELECT {s}.sees_all()) OR CASE entity
        -- an edit of hidden fields alone is none
        WHEN 'contact' THEN (kind <> 'edited' OR NOT fields <@ (SELECT r.hidden FROM {s}.mine() r)::text[])
            AND EXISTS (SELECT FROM {s}.contact c WHERE c.id = record)
        WHEN 'order' THEN (SELECT r.orders = 'all' FROM {s}.mine() r) OR (SELECT r.orders = 'contacts' FROM {s}.mine() r)
            AND EXISTS (SELECT FROM {s}.contact c
                WHERE c.id IN ((before ->> 'contact')::bigint, (after ->> 'contact')::bigint))
        ELSE (SELECT r.products FROM {s}.mine() r) END);
CREATE VIEW {s}.change_seen WITH (security_barrier) AS
SELECT h.id, h.tx, h.at, h.entity, h.record, h.kind, h.version,
    CASE WHEN x.is_whole THEN h.fields ELSE ARRAY(SELECT f FROM unnest(h.fields) f WHERE f <> ALL (x.hidden)) END AS fields,
    CASE WHEN x.is_whole THEN h.before ELSE hub.shown(h.before, x.hidden, x.masked) END AS before,
    CASE WHEN x.is_whole THEN h.after ELSE hub.shown(h.after, x.hidden, x.masked) END AS after,
    h.origin, h.actor, h.run
FROM {s}.change h, LATERAL (
    SELECT h.entity <> 'contact' OR (SELECT r.plain FROM {s}.mine() r) AS is_whole,
        (SELECT r.hidden FROM {s}.mine() r) AS hidden, (SELECT r.masked FROM {s}.mine() r) AS masked) x;

CREATE POLICY decision_in_views ON {s}.decision FOR SELECT TO kontor_view
    USING ((SELECT {s}.sees_all()) OR EXISTS (SELECT FROM {s}.change h WHERE h.id = change));
CREATE VIEW {s}.decision_seen WITH (security_barrier) AS
-- a verdict tells of the fields it was found by
SELECT d.change, d.at, d.plugin, CASE WHEN (SELECT r.plain FROM {s}.mine() r) THEN d.verdict
    ELSE array_fill('not_shown'::text, ARRAY[cardinality(d.verdict)]) END AS verdict, d.rule
FROM {s}.decision d;

-- Names and states of connectors and their plugins, without settings and credentials.
CREATE VIEW {s}.connector_seen WITH (security_barrier) AS
SELECT k.id, k.kind, k.name, k.state, k.rank FROM {s}.connector k;
CREATE VIEW {s}.plugin_seen WITH (security_barrier) AS
SELECT p.id, p.connector, p.name, p.capability, p.entity, p.state, p.rule FROM {s}.plugin p;

CREATE POLICY binding_in_views ON {s}.binding FOR SELECT TO kontor_view
    USING ((SELECT {s}.sees_all()) OR entity = 'contact' AND EXISTS (SELECT FROM {s}.contact c WHERE c.id = record));
CREATE VIEW {s}.binding_seen WITH (security_barrier) AS
SELECT b.connector, b.entity, b.record, b.remote_id, b.remote_version, b.remote_at,
    CASE WHEN (SELECT r.plain FROM {s}.mine() r) THEN b.agreed
        ELSE hub.shown(b.agreed, (SELECT r.hidden FROM {s}.mine() r), (SELECT r.masked FROM {s}.mine() r)) END AS agreed,
    b.bound_at, b.gone_at
FROM {s}.binding b;

-- What a remote said may repeat values: whoever does not see all fields is told the code alone.
CREATE POLICY delivery_in_views ON {s}.delivery FOR SELECT TO kontor_view
    USING ((SELECT {s}.sees_all()) OR EXISTS (SELECT FROM {s}.contact c WHERE c.id = record));
CREATE VIEW {s}.delivery_seen WITH (security_barrier) AS
SELECT d.plugin, d.record, d.state, d.attempts, d.due_at, d.backfill, d.unsure, d.wanted, d.delivered, d.code,
    CASE WHEN (SELECT r.plain FROM {s}.mine() r) THEN d.message END AS message, d.changed_at
FROM {s}.delivery d;
CREATE POLICY attempt_in_views ON {s}.attempt FOR SELECT TO kontor_view
    USING ((SELECT {s}.sees_all()) OR EXISTS (SELECT FROM {s}.contact c WHERE c.id = record));
CREATE VIEW {s}.attempt_seen WITH (security_barrier) AS
SELECT a.id, a.plugin, a.record, a.change, a.started_at, a.ended_at, a.outcome, a.code,
    CASE WHEN (SELECT r.plain FROM {s}.mine() r) THEN a.message END AS message
FROM {s}.attempt a;

CREATE POLICY conflict_in_views ON {s}.conflict FOR SELECT TO kontor_view
    USING ((SELECT {s}.sees_all()) OR EXISTS (SELECT FROM {s}.contact c WHERE c.id = conflict.contact)
        AND field <> ALL ((SELECT r.hidden || r.masked FROM {s}.mine() r)::text[]));
CREATE VIEW {s}.conflict_seen WITH (security_barrier) AS
SELECT x.id, x.contact, x.connector, x.run, x.field, x.base, x.hub, x.remote, x.kept, x.reason, x.at, x.settled_at
FROM {s}.conflict x;
-- That two share an address or a number is no news for who sees neither.
CREATE POLICY duplicate_in_views ON {s}.duplicate FOR SELECT TO kontor_view
    USING ((SELECT {s}.sees_all()) OR (SELECT r.plain FROM {s}.mine() r)
        AND EXISTS (SELECT FROM {s}.contact c WHERE c.id = a) AND EXISTS (SELECT FROM {s}.contact c WHERE c.id = b));
CREATE VIEW {s}.duplicate_seen WITH (security_barrier) AS
SELECT d.a, d.b, d.evidence, d.at, d.state FROM {s}.duplicate d;

GRANT USAGE ON SCHEMA {s} TO kontor_view;
GRANT SELECT ON {s}.contact, {s}.change, {s}.decision, {s}.connector, {s}.plugin, {s}.binding, {s}.delivery, {s}.attempt,
    {s}.conflict, {s}.duplicate TO kontor_view;
GRANT SELECT ON {s}.contact_seen, {s}.change_seen, {s}.decision_seen, {s}.connector_seen, {s}.plugin_seen, {s}.binding_seen,
    {s}.delivery_seen, {s}.attempt_seen, {s}.conflict_seen, {s}.duplicate_seen TO kontor_app;
-- a view is handed over only to who could have made it
GRANT CREATE ON SCHEMA {s} TO kontor_view;
ALTER VIEW {s}.contact_seen OWNER TO kontor_view;
ALTER VIEW {s}.change_seen OWNER TO kontor_view;
ALTER VIEW {s}.decision_seen OWNER TO kontor_view;
ALTER VIEW {s}.connector_seen OWNER TO kontor_view;
ALTER VIEW {s}.plugin_seen OWNER TO kontor_view;
ALTER VIEW {s}.binding_seen OWNER TO kontor_view;
ALTER VIEW {s}.delivery_seen OWNER TO kontor_view;
ALTER VIEW {s}.attempt_seen OWNER TO kontor_view;
ALTER VIEW {s}.conflict_seen OWNER TO kontor_view;
ALTER VIEW {s}.duplicate_seen OWNER TO kontor_view;
REVOKE CREATE ON SCHEMA {s} FROM kontor_view;

-- The feed shows each reader what they may see.
CREATE OR REPLACE FUNCTION {s}.feed(after_tx xid8, after_id bigint, max_rows int)
RETURNS TABLE (tx xid8, id bigint, at timestamptz, entity text, record bigint, kind text, version bigint,
    fields text[], before jsonb, after jsonb, origin bigint, actor text)
LANGUAGE sql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.tx, c.id, c.at, c.entity, c.record, c.kind, c.version, c.fields, c.before, c.after, c.origin, c.actor
    FROM {s}.change_seen c
    WHERE (c.tx, c.id) > (after_tx, after_id) AND c.tx < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY c.tx, c.id LIMIT least(max_rows, 10000)
$$;
