-- Roles for programs, and roles that reach only those who agreed to something. {s} is the tenant's schema, {id} its number.

-- Facets of consents of which a contact must have one; null: any.
ALTER TABLE {s}.effective ADD COLUMN consents text[];

-- The rights of the actor of this transaction when that is a member of staff or a program with a role; no row for a connector
-- or nobody.
CREATE OR REPLACE FUNCTION {s}.mine() RETURNS {s}.effective
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me text := auth.me({id});
    found {s}.effective;
BEGIN
    IF left(me, 6) IN ('staff:', 'agent:') THEN
        SELECT * INTO found FROM {s}.effective e WHERE e.actor = me AND (me LIKE 'staff:%' OR auth.token_lives(me));
    ELSIF me NOT LIKE 'connector:%' THEN
        -- programs: the service, and tokens without a role, which their scopes limit
        found := ROW(me, 'program', true, true, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', 'all', true,
            '{contact.create}', NULL);
    END IF;
    RETURN found;
END
$$;

-- Whether the actor sees every contact and order, and everything of them: programs, and who has a role without limits.
CREATE OR REPLACE FUNCTION {s}.sees_all() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE me text := auth.me({id});
BEGIN
    IF me IS NULL OR me LIKE 'connector:%' THEN RETURN false; END IF;
    IF left(me, 6) NOT IN ('staff:', 'agent:') THEN RETURN true; END IF;
    RETURN coalesce((SELECT e.sees_all FROM {s}.effective e
        WHERE e.actor = me AND (me LIKE 'staff:%' OR auth.token_lives(me))), false);
END
$$;

-- Whether the actor may use a function. Programs without a role may, connectors among them: their scopes and settings limit them.
CREATE OR REPLACE FUNCTION {s}.may(what text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE me text := auth.me({id});
BEGIN
    IF me IS NULL THEN RETURN false; END IF;
    IF left(me, 6) NOT IN ('staff:', 'agent:') THEN RETURN true; END IF;
    RETURN coalesce((SELECT what = ANY (e.may) FROM {s}.effective e
        WHERE e.actor = me AND (me LIKE 'staff:%' OR auth.token_lives(me))), false);
END
$$;

-- Whether the actor is a program that no role limits.
CREATE OR REPLACE FUNCTION {s}.is_program() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN coalesce(left(auth.me({id}), 6) NOT IN ('staff:', 'agent:'), false); END $$;

CREATE OR REPLACE FUNCTION {s}.within(c {s}.contact, r {s}.effective, owners bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.actor IS NOT NULL AND (owners IS NULL OR coalesce(c.owner = ANY (owners), false))
        AND (r.tags IS NULL OR c.facets && r.tags) AND (r.sources IS NULL OR c.facets && r.sources)
        AND (r.countries IS NULL OR c.facets && r.countries) AND (r.consents IS NULL OR c.facets && r.consents)
$$;

-- People whose contacts a person reaches; null for everybody's. A program (null) has none of its own.
CREATE OR REPLACE FUNCTION {s}.reach(scope text, person bigint) RETURNS bigint[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN scope = 'all' THEN NULL
        WHEN person IS NULL THEN '{}'
        WHEN scope = 'own' THEN ARRAY[person]
        WHEN scope = 'team' THEN ARRAY(SELECT person UNION SELECT o.account FROM {s}.team_member m
            JOIN {s}.team_member o ON o.team = m.team WHERE m.account = person)
        WHEN scope = 'subordinates' THEN ARRAY(
            WITH RECURSIVE below (account) AS (
                SELECT person UNION SELECT s.account FROM below b JOIN {s}.staff s ON s.superior = b.account)
            SELECT account FROM below)
        ELSE '{}' END
$$;

-- Works the effective rights out anew, for everybody: what one person may depends on teams and superiors.
CREATE FUNCTION {s}.work_out_rights() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- one at a time, and each by what those before it left
    LOCK TABLE {s}.effective IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM {s}.effective;
    INSERT INTO {s}.effective
    SELECT x.actor, x.name,
        x.plain AND x.reads IS NULL AND coalesce(x.tags, x.sources, x.countries, x.consents) IS NULL AND x.orders = 'all',
        x.plain, x.reads, x.changes, x.deletes, x.tags, x.sources, x.countries, x.hidden, x.masked, x.orders, x.products,
        x.may, x.consents
    FROM (
        SELECT w.actor, r.name,
            coalesce(r.rights #>> '{order,read}', 'none') <> 'none' AND r.rights #> '{product,read}' IS NOT DISTINCT FROM '"all"'
                AND h.hidden || h.masked = '{}' AS plain,
            {s}.reach(r.rights #>> '{contact,read}', w.account) AS reads,
            {s}.reach(r.rights #>> '{contact,change}', w.account) AS changes,
            {s}.reach(r.rights #>> '{contact,delete}', w.account) AS deletes,
            {s}.facets_of(r.rights, 'tag') AS tags, {s}.facets_of(r.rights, 'source') AS sources,
            {s}.facets_of(r.rights, 'country') AS countries, {s}.facets_of(r.rights, 'consent') AS consents,
            h.hidden, h.masked, coalesce(r.rights #>> '{order,read}', 'none') AS orders,
            coalesce(r.rights #>> '{product,read}' = 'all', false) AS products,
            ARRAY(SELECT f FROM jsonb_array_elements_text(r.rights -> 'functions') f
                -- people alone manage people, make tokens and have SQL logins
                WHERE w.account IS NOT NULL OR f NOT IN ('staff', 'sql', 'tokens'))
                || CASE WHEN r.rights #> '{contact,create}' = 'true' THEN '{contact.create}' ELSE '{}' END::text[] AS may
        FROM (SELECT 'staff:' || s.account AS actor, s.account, s.role FROM {s}.staff s WHERE s.disabled_at IS NULL
                UNION ALL
                SELECT 'agent:' || t.id, NULL, t.role FROM auth.token t
                WHERE t.tenant = {id} AND t.role IS NOT NULL AND t.revoked_at IS NULL) w
            JOIN {s}.role r ON r.id = w.role,
            LATERAL (SELECT ARRAY(SELECT jsonb_array_elements_text(r.rights #> '{contact,hidden}')) AS hidden,
                ARRAY(SELECT jsonb_array_elements_text(r.rights #> '{contact,masked}')) AS masked) h
    ) x;
    -- what the interface lets each ask for at all; the rows below decide what they get
    UPDATE auth.account a SET scopes = n.scopes, masked = n.masked, reads = n.reads
    FROM (SELECT substr(e.actor, 7)::bigint AS account, NOT e.plain AS masked, e.reads, {s}.scopes(e) AS scopes
        FROM {s}.effective e WHERE e.actor LIKE 'staff:%') n
    WHERE a.id = n.account AND a.tenant = {id}
        AND (a.scopes, a.masked, a.reads) IS DISTINCT FROM (n.scopes, n.masked, n.reads);
    UPDATE auth.token t SET allowed = n.scopes, masked = n.masked, reads = n.reads
    FROM (SELECT substr(e.actor, 7)::bigint AS token, NOT e.plain AS masked, e.reads, {s}.scopes(e) AS scopes
        FROM {s}.effective e WHERE e.actor LIKE 'agent:%') n
    WHERE t.id = n.token AND t.tenant = {id}
        AND (t.allowed, t.masked, t.reads) IS DISTINCT FROM (n.scopes, n.masked, n.reads);
END
$$;
-- Facets that a role's contacts are limited to; null for no limit of this kind.
CREATE FUNCTION {s}.facets_of(rights jsonb, kind text) RETURNS text[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT array_agg(kind || ':' || t) FROM jsonb_array_elements_text(rights #> ARRAY['contact', 'only', kind]) t $$;
CREATE OR REPLACE FUNCTION {s}.refresh_rights() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM {s}.work_out_rights();
    RETURN NULL;
END
$$;

-- The same with fewer questions, each of which costs a statement time even where it is not asked: what a role does not limit is
-- null, and so is the comparison with it. Nobody has the number 0.
ALTER POLICY contact_read ON {s}.contact
    USING ((SELECT {s}.sees_all()) OR ((SELECT ({s}.mine()).plain)
        AND coalesce(coalesce(owner, 0) = ANY ((SELECT ({s}.mine()).reads)::bigint[]), true)
        AND coalesce(facets && (SELECT ({s}.mine()).tags)::text[], true)
        AND coalesce(facets && (SELECT ({s}.mine()).sources)::text[], true)
        AND coalesce(facets && (SELECT ({s}.mine()).countries)::text[], true)
        AND coalesce(facets && (SELECT ({s}.mine()).consents)::text[], true)));
ALTER POLICY contact_read_in_views ON {s}.contact
    USING ((SELECT {s}.sees_all()) OR ((SELECT ({s}.mine()).actor) IS NOT NULL
        AND coalesce(coalesce(owner, 0) = ANY ((SELECT ({s}.mine()).reads)::bigint[]), true)
        AND coalesce(facets && (SELECT ({s}.mine()).tags)::text[], true)
        AND coalesce(facets && (SELECT ({s}.mine()).sources)::text[], true)
        AND coalesce(facets && (SELECT ({s}.mine()).countries)::text[], true)
        AND coalesce(facets && (SELECT ({s}.mine()).consents)::text[], true)));

-- As before, with consents.
CREATE OR REPLACE FUNCTION {s}.explain_rights(person bigint, subject bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective;
    c {s}.contact;
    mine {s}.effective := {s}.mine();
BEGIN
    PERFORM {s}.demand_staff_right();
    SELECT * INTO r FROM {s}.effective e WHERE e.actor = 'staff:' || person;
    SELECT * INTO c FROM {s}.contact x WHERE x.id = subject;
    IF r.actor IS NULL OR c.id IS NULL OR NOT {s}.within(c, mine, mine.reads) THEN RETURN NULL; END IF;
    RETURN jsonb_build_object('role', r.role, 'owner', c.owner,
        'may', jsonb_build_object('read', {s}.within(c, r, r.reads), 'change', {s}.within(c, r, r.reads) AND {s}.within(c, r, r.changes),
            'delete', {s}.within(c, r, r.reads) AND {s}.within(c, r, r.deletes)),
        'owners', jsonb_build_object('read', r.reads, 'change', r.changes, 'delete', r.deletes),
        'owner_fits', r.reads IS NULL OR coalesce(c.owner = ANY (r.reads), false),
        'tag_fits', r.tags IS NULL OR c.facets && r.tags, 'source_fits', r.sources IS NULL OR c.facets && r.sources,
        'country_fits', r.countries IS NULL OR c.facets && r.countries,
        'consent_fits', r.consents IS NULL OR c.facets && r.consents, 'hidden', r.hidden, 'masked', r.masked);
END
$$;

-- Makes a token; with a role, one for a program that sees and may what such a person does.
CREATE FUNCTION {s}.add_token(token_hash bytea, token_prefix text, token_label text, token_scopes text[], expiry timestamptz,
    token_role bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made bigint;
BEGIN
    IF token_role IS NOT NULL THEN
        -- stays until the token is there
        PERFORM FROM {s}.role r WHERE r.id = token_role FOR KEY SHARE;
        IF NOT FOUND THEN RAISE foreign_key_violation USING MESSAGE = 'no such role'; END IF;
    END IF;
    made := auth.add_token({id}, token_hash, token_prefix, token_label, token_scopes, expiry, token_role);
    IF token_role IS NOT NULL THEN PERFORM {s}.work_out_rights(); END IF;
    RETURN made;
END
$$;
-- As before, and a role that a program has stays.
CREATE OR REPLACE FUNCTION {s}.drop_role(role_id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_gone boolean;
BEGIN
    PERFORM {s}.demand_staff_right();
    DELETE FROM {s}.role r WHERE r.id = role_id AND r.name <> 'owner';
    is_gone := FOUND;
    IF is_gone AND EXISTS (SELECT FROM auth.token t WHERE t.tenant = {id} AND t.role = role_id AND t.revoked_at IS NULL
        AND (t.expires_at IS NULL OR t.expires_at > now())) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a token has this role';
    END IF;
    -- nobody can have it any more
    UPDATE auth.policy p SET factor_roles = array_remove(p.factor_roles, role_id)
    WHERE is_gone AND p.tenant = {id} AND role_id = ANY (p.factor_roles);
    RETURN is_gone;
END
$$;
-- Whether the actor may have the address of a contact's preference page, at which one decides for that person: who may change the
-- contact, and sees it whatever the person decides.
CREATE FUNCTION {s}.may_ask_consent(subject bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective := {s}.mine();
    c {s}.contact;
BEGIN
    SELECT * INTO c FROM {s}.contact x WHERE x.id = subject;
    RETURN coalesce({s}.within(c, r, r.reads) AND {s}.within(c, r, r.changes) AND r.consents IS NULL, false);
END
$$;
GRANT EXECUTE ON FUNCTION {s}.add_token(bytea, text, text, text[], timestamptz, bigint),
    {s}.may_ask_consent(bigint) TO kontor_app;
