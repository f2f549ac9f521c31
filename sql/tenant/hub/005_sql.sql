-- Rights to a SQL login and to the audit log. {s} is the tenant's schema, {id} its number.

-- What the interface lets a person ask for at all; the rows decide what they get.
CREATE FUNCTION {s}.scopes(e {s}.effective) RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN e.reads IS NULL OR e.reads <> '{}' THEN '{contacts:read}'::text[] ELSE '{}' END
        || CASE WHEN 'contact.create' = ANY (e.may) OR e.changes IS NULL OR e.changes <> '{}' OR e.deletes IS NULL
            OR e.deletes <> '{}' OR 'mass_change' = ANY (e.may) THEN '{contacts:write}'::text[] ELSE '{}' END
        || CASE WHEN e.may && '{connectors,settings,segments}' THEN '{config}'::text[] ELSE '{}' END
        || CASE WHEN e.may && '{runs,mass_change,connectors,segments}' THEN '{runs}'::text[] ELSE '{}' END
        || CASE WHEN 'export' = ANY (e.may) THEN '{feed}'::text[] ELSE '{}' END
        || ARRAY(SELECT f FROM unnest('{tokens,staff,sql,audit}'::text[]) f WHERE f = ANY (e.may))
$$;

-- As before, with the scopes above.
CREATE OR REPLACE FUNCTION {s}.refresh_rights() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- one at a time, and each by what those before it left
    LOCK TABLE {s}.effective IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM {s}.effective;
    INSERT INTO {s}.effective
    SELECT 'staff:' || x.account, x.name,
        x.plain AND x.reads IS NULL AND coalesce(x.tags, x.sources, x.countries) IS NULL AND x.orders = 'all',
        x.plain, x.reads, x.changes, x.deletes, x.tags, x.sources, x.countries, x.hidden, x.masked, x.orders, x.products,
        x.may
    FROM (
        SELECT s.account, r.name,
            coalesce(r.rights #>> '{order,read}', 'none') <> 'none' AND r.rights #> '{product,read}' IS NOT DISTINCT FROM '"all"'
                AND h.hidden || h.masked = '{}' AS plain,
            {s}.reach(r.rights #>> '{contact,read}', s.account) AS reads,
            {s}.reach(r.rights #>> '{contact,change}', s.account) AS changes,
            {s}.reach(r.rights #>> '{contact,delete}', s.account) AS deletes,
            (SELECT array_agg('tag:' || t) FROM jsonb_array_elements_text(r.rights #> '{contact,only,tag}') t) AS tags,
            (SELECT array_agg('source:' || t) FROM jsonb_array_elements_text(r.rights #> '{contact,only,source}') t)
                AS sources,
            (SELECT array_agg('country:' || t) FROM jsonb_array_elements_text(r.rights #> '{contact,only,country}') t)
                AS countries,
            h.hidden, h.masked, coalesce(r.rights #>> '{order,read}', 'none') AS orders,
            coalesce(r.rights #>> '{product,read}' = 'all', false) AS products,
            ARRAY(SELECT jsonb_array_elements_text(r.rights -> 'functions'))
                || CASE WHEN r.rights #> '{contact,create}' = 'true' THEN '{contact.create}' ELSE '{}' END::text[] AS may
        FROM {s}.staff s JOIN {s}.role r ON r.id = s.role,
            LATERAL (SELECT ARRAY(SELECT jsonb_array_elements_text(r.rights #> '{contact,hidden}')) AS hidden,
                ARRAY(SELECT jsonb_array_elements_text(r.rights #> '{contact,masked}')) AS masked) h
        WHERE s.disabled_at IS NULL
    ) x;
    -- what the interface lets each person ask for at all; the rows below decide what they get
    UPDATE auth.account a SET scopes = n.scopes, masked = n.masked, reads = n.reads
    FROM (
        SELECT substr(e.actor, 7)::bigint AS account, NOT e.plain AS masked, e.reads, {s}.scopes(e) AS scopes
        FROM {s}.effective e) n
    WHERE a.id = n.account AND a.tenant = {id}
        AND (a.scopes, a.masked, a.reads) IS DISTINCT FROM (n.scopes, n.masked, n.reads);
    RETURN NULL;
END
$$;

-- The owner has every function, a manager SQL. Migrations act for nobody, whom row security shows nothing.
ALTER TABLE {s}.role NO FORCE ROW LEVEL SECURITY;
ALTER TABLE {s}.team NO FORCE ROW LEVEL SECURITY;
ALTER TABLE {s}.staff NO FORCE ROW LEVEL SECURITY;
ALTER TABLE {s}.team_member NO FORCE ROW LEVEL SECURITY;
ALTER TABLE {s}.effective NO FORCE ROW LEVEL SECURITY;
UPDATE {s}.role SET rights = jsonb_set(rights, '{functions}', (rights -> 'functions') || '["audit", "sql"]')
WHERE name = 'owner';
UPDATE {s}.role SET rights = jsonb_set(rights, '{functions}', (rights -> 'functions') || '["sql"]') WHERE name = 'manager';
ALTER TABLE {s}.role FORCE ROW LEVEL SECURITY;
ALTER TABLE {s}.team FORCE ROW LEVEL SECURITY;
ALTER TABLE {s}.staff FORCE ROW LEVEL SECURITY;
ALTER TABLE {s}.team_member FORCE ROW LEVEL SECURITY;
ALTER TABLE {s}.effective FORCE ROW LEVEL SECURITY;
