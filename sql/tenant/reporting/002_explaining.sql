-- What a plan tells. EXPLAIN says how many rows a condition found or removed, and how many PostgreSQL's statistics expect, of all
-- rows that a table has. So no column of a view that somebody may not see every row of is a column of a table: each is an
-- expression that changes nothing and that PostgreSQL does not know to raise no errors, which it has no statistics of, finds in
-- no index, and asks a condition of only after row security. Numbers of records remain columns: they are given out one after
-- the other, and a list without an index for what follows is no list. {s} is the tenant's schema.
GRANT CREATE ON SCHEMA {s}_rep TO kontor_view;
SET LOCAL ROLE kontor_view;

CREATE OR REPLACE VIEW {s}_rep.contact WITH (security_barrier) AS
SELECT c.id, c.name, c.data ->> 'given_name' AS given_name, c.data ->> 'family_name' AS family_name,
    c.data ->> 'company' AS company, c.data ->> 'type' AS type, c.data #>> '{emails,0,value}' AS email,
    c.data #>> '{phones,0,value}' AS phone, c.data ->> 'language' AS language, c.birthday,
    CASE WHEN jsonb_typeof(c.data -> 'birth_month') = 'number' THEN (c.data ->> 'birth_month')::int END AS birth_month,
    c.data ->> 'source' AS source, c.data #>> '{addresses,0,country}' AS country, c.data #>> '{addresses,0,city}' AS city,
    c.owner + 0 AS owner, c.data AS fields, c.version + 0 AS version, c.created_at + interval '0' AS created_at,
    c.updated_at + interval '0' AS updated_at
FROM {s}.contact_seen c WHERE c.deleted_at IS NULL;

CREATE OR REPLACE VIEW {s}_rep.sale WITH (security_barrier) AS
SELECT s.id, s.number || '' AS number, s.status || '' AS status, s.contact + 0 AS contact, s.currency || '' AS currency,
    (s.total + 0)::numeric(14, 2) AS total, s.placed_at + interval '0' AS placed_at, s.updated_at + interval '0' AS updated_at, k.name AS connector
FROM {s}.sale_seen s LEFT JOIN {s}.connector_seen k ON k.id = s.connector;

CREATE OR REPLACE VIEW {s}_rep.sale_line WITH (security_barrier) AS
SELECT l.sale + 0 AS sale, l.line + 0 AS line, l.product + 0 AS product, l.name || '' AS name, (l.quantity + 0)::numeric(14, 3) AS quantity,
    (l.total + 0)::numeric(14, 2) AS total
FROM {s}.sale_line_seen l;

CREATE OR REPLACE VIEW {s}_rep.product WITH (security_barrier) AS
SELECT p.id, p.sku || '' AS sku, p.name || '' AS name, (p.price + 0)::numeric(14, 2) AS price, p.supplier + 0 AS supplier,
    u.name || '' AS supplier_name, p.categories || '{}'::text[] AS categories, p.updated_at + interval '0' AS updated_at
FROM {s}.product p LEFT JOIN {s}.supplier u ON u.id = p.supplier;

CREATE OR REPLACE VIEW {s}_rep.supplier WITH (security_barrier) AS
SELECT u.id, u.name || '' AS name FROM {s}.supplier u;

CREATE OR REPLACE VIEW {s}_rep.delivery WITH (security_barrier) AS
SELECT k.name AS connector, p.name AS plugin, p.entity, d.record + 0 AS record, d.state || '' AS state, d.attempts + 0 AS attempts,
    d.due_at + interval '0' AS due_at, d.code || '' AS code, d.message || '' AS message, d.changed_at + interval '0' AS changed_at
FROM {s}.delivery_seen d JOIN {s}.plugin_seen p ON p.id = d.plugin JOIN {s}.connector_seen k ON k.id = p.connector;

CREATE OR REPLACE VIEW {s}_rep.change WITH (security_barrier) AS
SELECT h.id, h.at + interval '0' AS at, h.entity || '' AS entity, h.record + 0 AS record, h.kind || '' AS kind,
    h.version + 0 AS version, h.fields || '{}'::text[] AS fields, h.before, h.after, h.actor || '' AS actor, k.name AS connector
FROM {s}.change_seen h LEFT JOIN {s}.connector_seen k ON k.id = h.origin;

CREATE OR REPLACE VIEW {s}_rep.decision WITH (security_barrier) AS
SELECT d.change, d.at + interval '0' AS at, h.entity || '' AS entity, h.record + 0 AS record, h.kind || '' AS kind,
    k.name AS connector, p.name AS plugin, v.verdict || '' AS verdict
FROM {s}.decision_seen d JOIN {s}.change_seen h ON h.id = d.change, unnest(d.plugin, d.verdict) v (plugin, verdict)
JOIN {s}.plugin_seen p ON p.id = v.plugin JOIN {s}.connector_seen k ON k.id = p.connector;

CREATE OR REPLACE VIEW {s}_rep.segment_push WITH (security_barrier) AS
SELECT x.id, g.name AS segment, k.name AS connector, x.group_name || '' AS group_name, x.purpose || '' AS purpose,
    (r.counts ->> 'members')::bigint AS members, r.ended_at + interval '0' AS pushed_at
FROM {s}.segment_push x JOIN {s}.segment g ON g.id = x.segment JOIN {s}.plugin_seen p ON p.id = x.plugin
JOIN {s}.connector_seen k ON k.id = p.connector LEFT JOIN {s}.run r ON r.id = x.last_run AND r.state = 'done';

SET LOCAL ROLE kontor_owner;
REVOKE CREATE ON SCHEMA {s}_rep FROM kontor_view;
