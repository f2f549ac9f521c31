-- Staff, teams and roles of one tenant, and what each person's role means for every row and field. {s} is the
-- tenant's schema, {id} its number.

-- A role is data: {"contact": {"read", "change", "delete": "all" | "own" | "team" | "subordinates" | "none",
-- "create": true, "only": {"tag" | "source" | "country": [...]}, "hidden": [fields], "masked": [fields]},
-- "order": {"read": "all" | "contacts" | "none"}, "product": {"read": "all" | "none"}, "functions": [...]};
-- see docs/roles.md. What is not named is not allowed.
CREATE TABLE {s}.role (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.role_id) CONSTRAINT role_pk PRIMARY KEY,
    name text NOT NULL CONSTRAINT role_name UNIQUE,
    title text NOT NULL,
    rights jsonb NOT NULL,
    version bigint NOT NULL DEFAULT 1
);

CREATE TABLE {s}.team (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.team_id) CONSTRAINT team_pk PRIMARY KEY,
    name text NOT NULL CONSTRAINT team_name UNIQUE
);

-- People, by the number of their account.
CREATE TABLE {s}.staff (
    account bigint NOT NULL CONSTRAINT staff_pk PRIMARY KEY,
    -- as in the account, which is no part of the tenant's data
    email text NOT NULL CONSTRAINT staff_email UNIQUE,
    name text NOT NULL,
    role bigint NOT NULL CONSTRAINT staff_role REFERENCES {s}.role,
    superior bigint CONSTRAINT staff_superior REFERENCES {s}.staff DEFERRABLE,
    language text NOT NULL DEFAULT 'en',
    disabled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT staff_not_own_superior CHECK (superior <> account)
);

CREATE TABLE {s}.team_member (
    team bigint NOT NULL CONSTRAINT team_member_team REFERENCES {s}.team ON DELETE CASCADE,
    account bigint NOT NULL CONSTRAINT team_member_account REFERENCES {s}.staff ON DELETE CASCADE
        DEFERRABLE,
    CONSTRAINT team_member_pk PRIMARY KEY (account, team)
);

-- Effective rights, worked out from the above whenever it changes, so that a statement asks one row.
CREATE TABLE {s}.effective (
    actor text NOT NULL CONSTRAINT effective_pk PRIMARY KEY,
    role text NOT NULL,
    -- every contact and order, everything of them, and all goods
    sees_all boolean NOT NULL,
    -- everything of the contacts that may be read
    plain boolean NOT NULL,
    -- owners whose contacts may be read, changed, deleted; null: everybody's, and those of nobody
    reads bigint[],
    changes bigint[],
    deletes bigint[],
    -- facets of which a contact must have one; null: any
    tags text[],
    sources text[],
    countries text[],
    hidden text[] NOT NULL,
    masked text[] NOT NULL,
    -- "all", "contacts" (of those that may be read), "none"
    orders text NOT NULL,
    products boolean NOT NULL,
    may text[] NOT NULL
);

-- Whose client it is: a member of staff.
ALTER TABLE {s}.contact ADD COLUMN owner bigint;
CREATE INDEX contact_by_owner ON {s}.contact (owner, id);
-- searched by an operator whose errors tell nothing
DROP INDEX {s}.contact_search;
CREATE INDEX contact_search ON {s}.contact USING gin (search extension.part_ops);
-- countries are facets now
ALTER TABLE {s}.contact NO FORCE ROW LEVEL SECURITY;
UPDATE {s}.contact SET data = data WHERE data ? 'addresses';
ALTER TABLE {s}.contact FORCE ROW LEVEL SECURITY;

-- As before, and a change of the owner is logged, too.
CREATE OR REPLACE FUNCTION {s}.log_contacts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me text := auth.me({id});
    -- intake:3 and connector:3 both write on behalf of connector 3
    source bigint := CASE WHEN me ~ '^(intake|connector):\d+$' THEN split_part(me, ':', 2)::bigint END;
    batch bigint := nullif(current_setting('kontor.run', true), '')::bigint;
    keys text[] := ARRAY(SELECT f.key FROM {s}.field f WHERE f.is_key);
BEGIN
    IF TG_OP = 'INSERT' THEN
        WITH logged AS (
            INSERT INTO {s}.change (entity, record, kind, version, fields, after, origin, actor, run)
            SELECT 'contact', n.id, 'new', n.version, ARRAY(SELECT jsonb_object_keys(n.data))
                || CASE WHEN n.owner IS NOT NULL THEN '{owner}'::text[] ELSE '{}' END,
                n.data, source, me, batch
            FROM new_rows n WHERE n.deleted_at IS NULL
            RETURNING id)
        INSERT INTO {s}.outbox (change) SELECT id FROM logged;
        INSERT INTO {s}.contact_key (kind, value, contact)
        SELECT k.kind, k.value, n.id FROM new_rows n, hub.match_keys(n.data, keys) k WHERE n.deleted_at IS NULL
        ON CONFLICT DO NOTHING;
    ELSE
        WITH logged AS (
            INSERT INTO {s}.change (entity, record, kind, version, fields, before, after, origin, actor, run)
            SELECT 'contact', d.id, d.kind, d.version, d.fields,
                CASE WHEN d.kind = 'edited' THEN hub.pick(d.before, d.fields) ELSE d.before END,
                CASE WHEN d.kind = 'edited' THEN hub.pick(d.after, d.fields) ELSE d.after END, source, me, batch
            FROM (
                SELECT n.id, n.version, o.data AS before, n.data AS after,
                    hub.changed_fields(o.data, n.data)
                        || CASE WHEN o.sales IS DISTINCT FROM n.sales THEN '{sales}'::text[] ELSE '{}' END
                        || CASE WHEN o.consents IS DISTINCT FROM n.consents THEN '{consents}'::text[] ELSE '{}' END
                        || CASE WHEN o.owner IS DISTINCT FROM n.owner THEN '{owner}'::text[] ELSE '{}' END AS fields,
                    CASE WHEN n.merged_into IS NOT NULL AND o.merged_into IS NULL THEN 'merged'
                        WHEN n.deleted_at IS NOT NULL AND o.deleted_at IS NULL THEN 'deleted'
                        WHEN n.deleted_at IS NULL AND o.deleted_at IS NOT NULL THEN 'new'
                        ELSE 'edited' END AS kind
                FROM old_rows o JOIN new_rows n USING (id)
                WHERE o.data IS DISTINCT FROM n.data OR o.sales IS DISTINCT FROM n.sales
                    OR o.consents IS DISTINCT FROM n.consents OR o.owner IS DISTINCT FROM n.owner
                    OR o.deleted_at IS DISTINCT FROM n.deleted_at
            ) d
            WHERE cardinality(d.fields) > 0 OR d.kind <> 'edited'
            RETURNING id)
        INSERT INTO {s}.outbox (change) SELECT id FROM logged;
        DELETE FROM {s}.contact_key k USING old_rows o JOIN new_rows n USING (id), hub.match_keys(o.data, keys) x
        WHERE k.kind = x.kind AND k.value = x.value AND k.contact = o.id
            AND (n.deleted_at IS NOT NULL
                OR (x.kind, x.value) NOT IN (SELECT y.kind, y.value FROM hub.match_keys(n.data, keys) y));
        INSERT INTO {s}.contact_key (kind, value, contact)
        SELECT k.kind, k.value, n.id FROM new_rows n JOIN old_rows o USING (id), hub.match_keys(n.data, keys) k
        WHERE n.deleted_at IS NULL
            AND (o.deleted_at IS NOT NULL OR o.data -> 'emails' IS DISTINCT FROM n.data -> 'emails'
                OR o.data -> 'phones' IS DISTINCT FROM n.data -> 'phones'
                OR EXISTS (SELECT FROM unnest(keys) f WHERE o.data -> f IS DISTINCT FROM n.data -> f))
        ON CONFLICT DO NOTHING;
    END IF;
    -- Kontor rings its own bell after commit; other writers ring here
    IF current_setting('kontor.bell', true) IS DISTINCT FROM 'own' THEN
        PERFORM pg_notify('kontor', '{id}');
    END IF;
    RETURN NULL;
END
$$;

ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT EXECUTE ON FUNCTIONS TO kontor_app, kontor_view;

-- The rights of the actor of this transaction when that is a member of staff; no row for a connector or nobody.
CREATE FUNCTION {s}.mine() RETURNS {s}.effective
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me text := auth.me({id});
    found {s}.effective;
BEGIN
    IF me LIKE 'staff:%' THEN
        SELECT * INTO found FROM {s}.effective e WHERE e.actor = me;
    ELSIF me NOT LIKE 'connector:%' THEN
        -- programs: the service, and tokens, which their scopes limit
        found := ROW(me, 'program', true, true, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', 'all', true,
            '{contact.create}');
    END IF;
    RETURN found;
END
$$;

-- Whether the actor sees every contact and order, and everything of them: programs, and staff without limits.
CREATE FUNCTION {s}.sees_all() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE me text := auth.me({id});
BEGIN
    IF me IS NULL OR me LIKE 'connector:%' THEN RETURN false; END IF;
    IF me NOT LIKE 'staff:%' THEN RETURN true; END IF;
    RETURN coalesce((SELECT e.sees_all FROM {s}.effective e WHERE e.actor = me), false);
END
$$;

-- Whether the actor may use a function. Programs may, connectors among them: their scopes and settings limit them.
CREATE FUNCTION {s}.may(what text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE me text := auth.me({id});
BEGIN
    IF me IS NULL THEN RETURN false; END IF;
    IF me NOT LIKE 'staff:%' THEN RETURN true; END IF;
    RETURN coalesce((SELECT what = ANY (e.may) FROM {s}.effective e WHERE e.actor = me), false);
END
$$;

-- Whether the actor is a program, not a person.
CREATE FUNCTION {s}.is_program() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN coalesce(auth.me({id}) NOT LIKE 'staff:%', false); END $$;

ALTER DEFAULT PRIVILEGES IN SCHEMA {s} REVOKE EXECUTE ON FUNCTIONS FROM kontor_app, kontor_view;
-- Whether a contact is among those of some owners that rights allow.
CREATE FUNCTION {s}.within(c {s}.contact, r {s}.effective, owners bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.actor IS NOT NULL AND (owners IS NULL OR coalesce(c.owner = ANY (owners), false))
        AND (r.tags IS NULL OR c.facets && r.tags) AND (r.sources IS NULL OR c.facets && r.sources)
        AND (r.countries IS NULL OR c.facets && r.countries)
$$;

-- People whose contacts a person reaches; null for everybody's.
CREATE FUNCTION {s}.reach(scope text, person bigint) RETURNS bigint[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE scope
        WHEN 'all' THEN NULL
        WHEN 'own' THEN ARRAY[person]
        WHEN 'team' THEN ARRAY(SELECT person UNION SELECT o.account FROM {s}.team_member m
            JOIN {s}.team_member o ON o.team = m.team WHERE m.account = person)
        WHEN 'subordinates' THEN ARRAY(
            WITH RECURSIVE below (account) AS (
                SELECT person UNION SELECT s.account FROM below b JOIN {s}.staff s ON s.superior = b.account)
            SELECT account FROM below)
        ELSE '{}' END
$$;

-- Works the effective rights out anew, for everybody: what one person may depends on teams and superiors.
CREATE FUNCTION {s}.refresh_rights() RETURNS trigger
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
        SELECT substr(e.actor, 7)::bigint AS account, NOT e.plain AS masked, e.reads,
            CASE WHEN e.reads IS NULL OR e.reads <> '{}' THEN '{contacts:read}'::text[] ELSE '{}' END
            || CASE WHEN 'contact.create' = ANY (e.may) OR e.changes IS NULL OR e.changes <> '{}' OR e.deletes IS NULL
                OR e.deletes <> '{}' OR 'mass_change' = ANY (e.may) THEN '{contacts:write}'::text[] ELSE '{}' END
            || CASE WHEN e.may && '{connectors,settings,segments}' THEN '{config}'::text[] ELSE '{}' END
            || CASE WHEN e.may && '{runs,mass_change,connectors,segments}' THEN '{runs}'::text[] ELSE '{}' END
            || CASE WHEN 'export' = ANY (e.may) THEN '{feed}'::text[] ELSE '{}' END
            || CASE WHEN 'tokens' = ANY (e.may) THEN '{tokens}'::text[] ELSE '{}' END
            || CASE WHEN 'staff' = ANY (e.may) THEN '{staff}'::text[] ELSE '{}' END AS scopes
        FROM {s}.effective e) n
    WHERE a.id = n.account AND a.tenant = {id}
        AND (a.scopes, a.masked, a.reads) IS DISTINCT FROM (n.scopes, n.masked, n.reads);
    RETURN NULL;
END
$$;

INSERT INTO {s}.role (name, title, rights) VALUES
    ('owner', 'Owner', '{"contact": {"read": "all", "create": true, "change": "all", "delete": "all"},
        "order": {"read": "all"}, "product": {"read": "all"}, "functions": ["connectors", "export", "mass_change", "runs",
        "segments", "settings", "staff", "tokens"]}'),
    ('manager', 'Manager', '{"contact": {"read": "all", "create": true, "change": "all", "delete": "all"},
        "order": {"read": "all"}, "product": {"read": "all"}, "functions": ["export", "mass_change", "runs", "segments"]}'),
    ('sales', 'Sales', '{"contact": {"read": "own", "create": true, "change": "own", "delete": "none"},
        "order": {"read": "contacts"}, "product": {"read": "all"}, "functions": []}'),
    ('warehouse', 'Warehouse', '{"contact": {"read": "all", "change": "none", "delete": "none", "hidden": ["birthday",
        "birth_month", "profiles", "notes", "source"], "masked": ["emails"]},
        "order": {"read": "all"}, "product": {"read": "all"}, "functions": []}'),
    ('marketing', 'Marketing', '{"contact": {"read": "all", "change": "none", "delete": "none", "hidden": ["notes"],
        "masked": ["phones"]}, "order": {"read": "all"}, "product": {"read": "all"}, "functions": ["segments"]}'),
    ('courier', 'Courier', '{"contact": {"read": "all", "change": "none", "delete": "none", "hidden": ["emails", "birthday",
        "birth_month", "profiles", "notes", "source", "type", "tags", "job_title"]},
        "order": {"read": "all"}, "product": {"read": "none"}, "functions": []}'),
    ('accountant', 'Accountant', '{"contact": {"read": "all", "change": "none", "delete": "none", "hidden": ["birthday",
        "birth_month", "profiles", "notes"]},
        "order": {"read": "all"}, "product": {"read": "all"}, "functions": []}'),
    ('read-only', 'Read only', '{"contact": {"read": "all", "change": "none", "delete": "none"},
        "order": {"read": "all"}, "product": {"read": "all"}, "functions": []}');
-- accounts from before there were roles were their tenant's owners
INSERT INTO {s}.staff (account, email, name, role, disabled_at, created_at)
SELECT a.id, a.email, a.name, 1, a.disabled_at, a.created_at FROM auth.account a WHERE a.tenant = {id};

CREATE TRIGGER role_changed AFTER INSERT OR UPDATE OR DELETE ON {s}.role
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.refresh_rights();
CREATE TRIGGER staff_changed AFTER INSERT OR UPDATE OR DELETE ON {s}.staff
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.refresh_rights();
CREATE TRIGGER team_member_changed AFTER INSERT OR UPDATE OR DELETE ON {s}.team_member
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.refresh_rights();
-- for those accounts
UPDATE {s}.role SET version = version;

-- Row security. Programs and staff without limits read tables; staff with limits read the views below, which row
-- security holds to their rights, and write through functions.
ALTER TABLE {s}.role ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.role FORCE ROW LEVEL SECURITY;
CREATE POLICY role_all ON {s}.role USING ((SELECT auth.me({id})) IS NOT NULL);
ALTER TABLE {s}.team ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.team FORCE ROW LEVEL SECURITY;
CREATE POLICY team_all ON {s}.team USING ((SELECT auth.me({id})) IS NOT NULL);
ALTER TABLE {s}.staff ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.staff FORCE ROW LEVEL SECURITY;
CREATE POLICY staff_all ON {s}.staff USING ((SELECT auth.me({id})) IS NOT NULL);
ALTER TABLE {s}.team_member ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.team_member FORCE ROW LEVEL SECURITY;
CREATE POLICY team_member_all ON {s}.team_member USING ((SELECT auth.me({id})) IS NOT NULL);
ALTER TABLE {s}.effective ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.effective FORCE ROW LEVEL SECURITY;
CREATE POLICY effective_in_functions ON {s}.effective TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
-- everybody their own, and all for who manages staff
CREATE POLICY effective_read ON {s}.effective FOR SELECT TO kontor_app
    USING (actor = (SELECT auth.me({id})) OR (SELECT {s}.may('staff')));
GRANT SELECT ON {s}.role, {s}.team, {s}.staff, {s}.team_member, {s}.effective TO kontor_app;

DROP POLICY contact_people ON {s}.contact;
DROP POLICY contact_through_view ON {s}.contact;
-- connectors through contact_shared, functions on behalf of anybody
CREATE POLICY contact_in_functions ON {s}.contact TO kontor_owner
    USING ((SELECT auth.me({id})) IS NOT NULL AND ((SELECT {s}.visible_facets()) IS NULL
        OR '*' = ANY ((SELECT {s}.visible_facets())::text[]) OR facets && (SELECT {s}.visible_facets())::text[]));
CREATE POLICY contact_read ON {s}.contact FOR SELECT TO kontor_app
    USING ((SELECT {s}.sees_all()) OR ((SELECT r.plain FROM {s}.mine() r)
        AND ((SELECT r.reads IS NULL FROM {s}.mine() r) OR owner = ANY ((SELECT r.reads FROM {s}.mine() r)::bigint[]))
        AND ((SELECT r.tags IS NULL FROM {s}.mine() r) OR facets && (SELECT r.tags FROM {s}.mine() r)::text[])
        AND ((SELECT r.sources IS NULL FROM {s}.mine() r) OR facets && (SELECT r.sources FROM {s}.mine() r)::text[])
        AND ((SELECT r.countries IS NULL FROM {s}.mine() r) OR facets && (SELECT r.countries FROM {s}.mine() r)::text[])));
CREATE POLICY contact_read_in_views ON {s}.contact FOR SELECT TO kontor_view
    USING ((SELECT {s}.sees_all()) OR ((SELECT r.actor FROM {s}.mine() r) IS NOT NULL
        AND ((SELECT r.reads IS NULL FROM {s}.mine() r) OR owner = ANY ((SELECT r.reads FROM {s}.mine() r)::bigint[]))
        AND ((SELECT r.tags IS NULL FROM {s}.mine() r) OR facets && (SELECT r.tags FROM {s}.mine() r)::text[])
        AND ((SELECT r.sources IS NULL FROM {s}.mine() r) OR facets && (SELECT r.sources FROM {s}.mine() r)::text[])
        AND ((SELECT r.countries IS NULL FROM {s}.mine() r) OR facets && (SELECT r.countries FROM {s}.mine() r)::text[])));
-- merging and undoing touch any contact
CREATE POLICY contact_add ON {s}.contact FOR INSERT TO kontor_app
    WITH CHECK ((SELECT {s}.sees_all() AND {s}.may('mass_change')));
CREATE POLICY contact_edit ON {s}.contact FOR UPDATE TO kontor_app
    USING ((SELECT {s}.sees_all() AND {s}.may('mass_change')));
REVOKE DELETE ON {s}.contact FROM kontor_app;
DROP POLICY contact_key_all ON {s}.contact_key;
CREATE POLICY contact_key_all ON {s}.contact_key TO kontor_app USING ((SELECT {s}.sees_all()));
DROP POLICY change_all ON {s}.change;
CREATE POLICY change_all ON {s}.change TO kontor_app USING ((SELECT {s}.sees_all()));
CREATE POLICY change_in_functions ON {s}.change TO kontor_owner USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
DROP POLICY outbox_all ON {s}.outbox;
CREATE POLICY outbox_all ON {s}.outbox TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY outbox_in_functions ON {s}.outbox TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
DROP POLICY decision_all ON {s}.decision;
CREATE POLICY decision_in_functions ON {s}.decision TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY decision_all ON {s}.decision TO kontor_app USING ((SELECT {s}.is_program() OR {s}.sees_all()))
    WITH CHECK ((SELECT {s}.is_program()));
DROP POLICY connector_all ON {s}.connector;
CREATE POLICY connector_all ON {s}.connector TO kontor_app USING ((SELECT {s}.may('connectors')));
CREATE POLICY connector_in_functions ON {s}.connector TO kontor_owner, kontor_view
    USING ((SELECT auth.me({id})) IS NOT NULL);
DROP POLICY budget_all ON {s}.budget;
CREATE POLICY budget_in_functions ON {s}.budget TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY budget_all ON {s}.budget TO kontor_app USING ((SELECT {s}.may('connectors') OR {s}.may('runs')));
DROP POLICY plugin_all ON {s}.plugin;
CREATE POLICY plugin_in_functions ON {s}.plugin TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY plugin_all ON {s}.plugin TO kontor_app USING ((SELECT {s}.may('connectors')));
CREATE POLICY plugin_in_views ON {s}.plugin FOR SELECT TO kontor_view USING ((SELECT auth.me({id})) IS NOT NULL);
DROP POLICY rule_all ON {s}.rule;
CREATE POLICY rule_in_functions ON {s}.rule TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY rule_all ON {s}.rule TO kontor_app USING ((SELECT {s}.may('connectors')));
DROP POLICY binding_all ON {s}.binding;
CREATE POLICY binding_all ON {s}.binding TO kontor_app USING ((SELECT {s}.is_program() OR {s}.sees_all()));
CREATE POLICY binding_in_functions ON {s}.binding TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
DROP POLICY delivery_all ON {s}.delivery;
CREATE POLICY delivery_all ON {s}.delivery TO kontor_app
    USING ((SELECT {s}.is_program() OR {s}.sees_all() AND {s}.may('runs')));
CREATE POLICY delivery_in_functions ON {s}.delivery TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
DROP POLICY attempt_all ON {s}.attempt;
CREATE POLICY attempt_all ON {s}.attempt TO kontor_app USING ((SELECT {s}.is_program() OR {s}.sees_all()));
CREATE POLICY attempt_in_functions ON {s}.attempt TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
DROP POLICY run_all ON {s}.run;
-- with what they were asked for and samples of what came in: for who sees everything, and for who asked
CREATE POLICY run_read ON {s}.run FOR SELECT TO kontor_app
    USING ((SELECT {s}.is_program() OR {s}.sees_all() AND ({s}.may('runs') OR {s}.may('mass_change') OR {s}.may('connectors')))
        OR actor = (SELECT auth.me({id})));
-- each kind of work has its right, and is asked for under one's own name
CREATE POLICY run_add ON {s}.run FOR INSERT TO kontor_app
    WITH CHECK ((SELECT {s}.is_program()) OR actor = (SELECT auth.me({id})) AND CASE
        WHEN kind IN ('poll', 'check', 'try') THEN (SELECT {s}.sees_all() AND {s}.may('connectors'))
        WHEN kind IN ('csv', 'batch', 'undo') THEN (SELECT {s}.sees_all() AND {s}.may('mass_change'))
        ELSE kind = 'segment' AND (SELECT {s}.may('segments')) END);
CREATE POLICY run_edit ON {s}.run FOR UPDATE TO kontor_app
    USING ((SELECT {s}.is_program() OR {s}.sees_all() AND {s}.may('mass_change')));
CREATE POLICY run_drop ON {s}.run FOR DELETE TO kontor_app USING ((SELECT {s}.is_program()));
CREATE POLICY run_in_functions ON {s}.run TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
DROP POLICY stage_all ON {s}.stage;
CREATE POLICY stage_read ON {s}.stage FOR SELECT TO kontor_app
    USING ((SELECT {s}.sees_all() AND ({s}.may('runs') OR {s}.may('mass_change'))));
CREATE POLICY stage_add ON {s}.stage FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.sees_all() AND {s}.may('mass_change')));
CREATE POLICY stage_edit ON {s}.stage FOR UPDATE TO kontor_app USING ((SELECT {s}.sees_all() AND {s}.may('mass_change')));
CREATE POLICY stage_drop ON {s}.stage FOR DELETE TO kontor_app USING ((SELECT {s}.sees_all() AND {s}.may('mass_change')));
CREATE POLICY stage_in_functions ON {s}.stage TO kontor_owner USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
DROP POLICY inbox_all ON {s}.inbox;
CREATE POLICY inbox_all ON {s}.inbox TO kontor_app USING ((SELECT {s}.sees_all() AND {s}.is_program()));
CREATE POLICY inbox_in_functions ON {s}.inbox TO kontor_owner USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
DROP POLICY conflict_all ON {s}.conflict;
CREATE POLICY conflict_all ON {s}.conflict TO kontor_app USING ((SELECT {s}.sees_all()));
CREATE POLICY conflict_in_functions ON {s}.conflict TO kontor_owner USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
DROP POLICY duplicate_all ON {s}.duplicate;
CREATE POLICY duplicate_all ON {s}.duplicate TO kontor_app USING ((SELECT {s}.sees_all()));
CREATE POLICY duplicate_in_functions ON {s}.duplicate TO kontor_owner USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
DROP POLICY consent_all ON {s}.consent;
CREATE POLICY consent_read ON {s}.consent FOR SELECT TO kontor_app USING ((SELECT {s}.sees_all()));
CREATE POLICY consent_add ON {s}.consent FOR INSERT TO kontor_app
    WITH CHECK ((SELECT {s}.sees_all() AND {s}.may('mass_change')));
CREATE POLICY consent_in_functions ON {s}.consent TO kontor_owner USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
DROP POLICY field_all ON {s}.field;
CREATE POLICY field_in_functions ON {s}.field TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY field_read ON {s}.field FOR SELECT USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY field_add ON {s}.field FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.may('settings')));
CREATE POLICY field_edit ON {s}.field FOR UPDATE TO kontor_app USING ((SELECT {s}.may('settings')));
CREATE POLICY field_drop ON {s}.field FOR DELETE TO kontor_app USING ((SELECT {s}.may('settings')));
DROP POLICY segment_all ON {s}.segment;
CREATE POLICY segment_in_functions ON {s}.segment TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY segment_read ON {s}.segment FOR SELECT TO kontor_app USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY segment_add ON {s}.segment FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.may('segments')));
CREATE POLICY segment_edit ON {s}.segment FOR UPDATE TO kontor_app USING ((SELECT {s}.may('segments')));
CREATE POLICY segment_drop ON {s}.segment FOR DELETE TO kontor_app USING ((SELECT {s}.may('segments')));
DROP POLICY segment_push_all ON {s}.segment_push;
CREATE POLICY segment_push_in_functions ON {s}.segment_push TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY segment_push_all ON {s}.segment_push TO kontor_app USING ((SELECT {s}.may('segments')));
-- keys and answers are their caller's own
DROP POLICY idempotency_all ON {s}.idempotency;
CREATE POLICY idempotency_all ON {s}.idempotency TO kontor_app USING (actor = (SELECT auth.me({id})));
CREATE POLICY idempotency_in_functions ON {s}.idempotency TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
