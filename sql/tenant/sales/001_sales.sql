-- The sales module: what segments need of orders, products and suppliers. Added to a tenant when it
-- first imports any.

CREATE TABLE {s}.supplier (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.supplier_id) CONSTRAINT supplier_pk PRIMARY KEY,
    name text NOT NULL CONSTRAINT supplier_name UNIQUE,
    version bigint NOT NULL DEFAULT 1
);

CREATE TABLE {s}.product (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.product_id) CONSTRAINT product_pk PRIMARY KEY,
    connector bigint,
    remote_id text,
    sku text,
    name text NOT NULL,
    price numeric(14, 2),
    supplier bigint,
    categories text[] NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    CONSTRAINT product_remote UNIQUE (connector, remote_id)
);

-- "order" is SQL's own word.
CREATE TABLE {s}.sale (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.sale_id) CONSTRAINT sale_pk PRIMARY KEY,
    connector bigint,
    remote_id text,
    contact bigint,
    number text,
    status text NOT NULL,
    currency text,
    total numeric(14, 2) NOT NULL DEFAULT 0,
    placed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    -- who placed it, as the shop says, until the contact is known
    customer_remote_id text,
    email text,
    CONSTRAINT sale_remote UNIQUE (connector, remote_id)
);
CREATE INDEX sale_by_contact ON {s}.sale (contact, placed_at);

CREATE TABLE {s}.sale_line (
    sale bigint NOT NULL CONSTRAINT sale_line_sale REFERENCES {s}.sale ON DELETE CASCADE,
    line int NOT NULL,
    product bigint,
    product_remote_id text,
    name text NOT NULL,
    quantity numeric(14, 3) NOT NULL,
    total numeric(14, 2) NOT NULL,
    CONSTRAINT sale_line_pk PRIMARY KEY (sale, line)
);
CREATE INDEX sale_line_by_product ON {s}.sale_line (product);

-- Row security: nobody sees a row without a signed context of this tenant; connectors see contacts only
-- through contact_shared.
ALTER TABLE {s}.supplier ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.supplier FORCE ROW LEVEL SECURITY;
CREATE POLICY supplier_all ON {s}.supplier USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.supplier TO kontor_app;
ALTER TABLE {s}.product ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.product FORCE ROW LEVEL SECURITY;
CREATE POLICY product_all ON {s}.product USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.product TO kontor_app;
ALTER TABLE {s}.sale ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.sale FORCE ROW LEVEL SECURITY;
CREATE POLICY sale_all ON {s}.sale USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.sale TO kontor_app;
ALTER TABLE {s}.sale_line ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.sale_line FORCE ROW LEVEL SECURITY;
CREATE POLICY sale_line_all ON {s}.sale_line USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.sale_line TO kontor_app;

-- Orders are logged like contacts.
CREATE FUNCTION {s}.log_sales() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me text := auth.me({id});
    source bigint := CASE WHEN me ~ '^(intake|connector):\d+$' THEN split_part(me, ':', 2)::bigint END;
BEGIN
    IF TG_OP = 'INSERT' THEN
        WITH logged AS (
            INSERT INTO {s}.change (entity, record, kind, version, fields, after, origin, actor)
            SELECT 'order', n.id, 'new', n.version, '{status,total}', jsonb_build_object('number', n.number,
                'status', n.status, 'total', n.total, 'currency', n.currency, 'contact', n.contact), source, me
            FROM new_rows n RETURNING id)
        INSERT INTO {s}.outbox (change) SELECT id FROM logged;
    ELSE
        WITH logged AS (
            INSERT INTO {s}.change (entity, record, kind, version, fields, before, after, origin, actor)
            SELECT 'order', n.id, 'edited', n.version, hub.changed_fields(b.v, a.v), b.v, a.v, source, me
            FROM old_rows o JOIN new_rows n USING (id),
                LATERAL (SELECT jsonb_build_object('status', o.status, 'total', o.total, 'contact', o.contact) AS v) b,
                LATERAL (SELECT jsonb_build_object('status', n.status, 'total', n.total, 'contact', n.contact) AS v) a
            WHERE b.v <> a.v RETURNING id)
        INSERT INTO {s}.outbox (change) SELECT id FROM logged;
    END IF;
    IF current_setting('kontor.bell', true) IS DISTINCT FROM 'own' THEN
        PERFORM pg_notify('kontor', '{id}');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER sale_inserted AFTER INSERT ON {s}.sale
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {s}.log_sales();
CREATE TRIGGER sale_updated AFTER UPDATE ON {s}.sale
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {s}.log_sales();

-- So are products and suppliers; the trigger names the entity.
CREATE FUNCTION {s}.log_goods() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me text := auth.me({id});
    source bigint := CASE WHEN me ~ '^(intake|connector):\d+$' THEN split_part(me, ':', 2)::bigint END;
    -- what is no value of the record
    own text[] := '{id,version,updated_at,connector,remote_id}';
BEGIN
    IF TG_OP = 'INSERT' THEN
        WITH logged AS (
            INSERT INTO {s}.change (entity, record, kind, version, fields, after, origin, actor)
            SELECT TG_ARGV[0], n.id, 'new', n.version, ARRAY(SELECT jsonb_object_keys(a.v)), a.v, source, me
            FROM new_rows n, LATERAL (SELECT jsonb_strip_nulls(to_jsonb(n)) - own AS v) a RETURNING id)
        INSERT INTO {s}.outbox (change) SELECT id FROM logged;
    ELSE
        WITH logged AS (
            INSERT INTO {s}.change (entity, record, kind, version, fields, before, after, origin, actor)
            SELECT TG_ARGV[0], n.id, 'edited', n.version, f.names, hub.pick(b.v, f.names), hub.pick(a.v, f.names), source, me
            FROM old_rows o JOIN new_rows n USING (id),
                LATERAL (SELECT to_jsonb(o) - own AS v) b, LATERAL (SELECT to_jsonb(n) - own AS v) a,
                LATERAL (SELECT hub.changed_fields(b.v, a.v) AS names) f
            WHERE cardinality(f.names) > 0 RETURNING id)
        INSERT INTO {s}.outbox (change) SELECT id FROM logged;
    END IF;
    IF current_setting('kontor.bell', true) IS DISTINCT FROM 'own' THEN
        PERFORM pg_notify('kontor', '{id}');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER product_inserted AFTER INSERT ON {s}.product
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {s}.log_goods('product');
CREATE TRIGGER product_updated AFTER UPDATE ON {s}.product
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {s}.log_goods('product');
CREATE TRIGGER supplier_inserted AFTER INSERT ON {s}.supplier
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {s}.log_goods('supplier');
CREATE TRIGGER supplier_updated AFTER UPDATE ON {s}.supplier
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {s}.log_goods('supplier');
