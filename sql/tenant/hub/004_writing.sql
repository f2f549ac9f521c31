-- How everybody writes contacts, and who manages staff. {s} is the tenant's schema, {id} its number.
-- These functions apply the change and the rights together: a person with limits has no way to the table itself. Each tells
-- how it ended: "done", "unchanged", "missing" (also for what the actor may not see), "stale", "forbidden", or "field" for a
-- field the actor does not see as it is, and so may not write.

-- Finds a contact for a change, and locks it: null when it may be changed, else how the change ended.
CREATE FUNCTION {s}.refusal(subject bigint, seen_version bigint, fields text[], is_deleting boolean, OUT outcome text,
    OUT held {s}.contact)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective := {s}.mine();
BEGIN
    SELECT * INTO held FROM {s}.contact c WHERE c.id = subject;
    -- no lock on what the actor may not see
    IF held.id IS NULL OR NOT {s}.within(held, r, r.reads) THEN
        outcome := 'missing';
        RETURN;
    END IF;
    SELECT * INTO held FROM {s}.contact c WHERE c.id = subject FOR UPDATE;
    outcome := CASE
        WHEN held.id IS NULL OR NOT {s}.within(held, r, r.reads) THEN 'missing'
        WHEN NOT {s}.within(held, r, CASE WHEN is_deleting THEN r.deletes ELSE r.changes END) THEN 'forbidden'
        WHEN fields && (r.hidden || r.masked) THEN 'field'
        WHEN held.version <> seen_version THEN 'stale' END;
END
$$;

-- People who manage staff may give anybody any right, themselves too.
CREATE FUNCTION {s}.demand_staff_right() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT {s}.may('staff') OR auth.me({id}) LIKE 'connector:%' THEN
        RAISE insufficient_privilege USING MESSAGE = 'only who may manage staff does that';
    END IF;
END
$$;

-- Somebody in the role owner who can sign in must be left.
CREATE FUNCTION {s}.demand_owner() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM {s}.staff s JOIN {s}.role r ON r.id = s.role AND r.name = 'owner'
        JOIN auth.account a ON a.id = s.account AND a.disabled_at IS NULL AND a.password IS NOT NULL
        WHERE s.disabled_at IS NULL) THEN
        RAISE check_violation USING MESSAGE = 'an owner must be left', CONSTRAINT = 'staff_owner_left';
    END IF;
END
$$;

ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT EXECUTE ON FUNCTIONS TO kontor_app;

CREATE FUNCTION {s}.add_contact(document jsonb, origin jsonb, key text, OUT outcome text, OUT id bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective := {s}.mine();
    c {s}.contact;
BEGIN
    outcome := 'forbidden';
    PERFORM set_config('kontor.made', '', true);
    IF r.actor IS NULL OR NOT 'contact.create' = ANY (r.may) THEN RETURN; END IF;
    IF document ?| (r.hidden || r.masked) THEN
        outcome := 'field';
        RETURN;
    END IF;
    INSERT INTO {s}.contact (data, origins, owner)
    VALUES (document, jsonb_build_object('*', origin), CASE WHEN r.actor LIKE 'staff:%' THEN substr(r.actor, 7)::bigint END) RETURNING * INTO c;
    -- what one may not read one does not make
    IF NOT {s}.within(c, r, r.reads) THEN RAISE insufficient_privilege USING MESSAGE = 'outside of what the role may read'; END IF;
    UPDATE {s}.idempotency i SET effect = c.id WHERE i.key = add_contact.key AND i.actor = r.actor;
    -- for the statement that reads it
    PERFORM set_config('kontor.made', c.id::text, true);
    outcome := 'done';
    id := c.id;
END
$$;

CREATE FUNCTION {s}.edit_contact(subject bigint, seen_version bigint, changes jsonb, origin jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    touched text[] := ARRAY(SELECT jsonb_object_keys(changes));
    r {s}.effective := {s}.mine();
    changed {s}.contact;
    x record;
BEGIN
    SELECT * INTO x FROM {s}.refusal(subject, seen_version, touched, false);
    IF x.outcome IS NOT NULL AND x.outcome <> 'stale' THEN RETURN x.outcome; END IF;
    IF (x.held).deleted_at IS NOT NULL THEN RETURN 'missing'; END IF;
    IF x.outcome IS NOT NULL THEN RETURN x.outcome; END IF;
    IF hub.apply((x.held).data, changes) = (x.held).data THEN RETURN 'unchanged'; END IF;
    UPDATE {s}.contact c SET data = hub.apply(c.data, changes), version = c.version + 1, updated_at = now(),
        origins = c.origins || (SELECT coalesce(jsonb_object_agg(k, origin), '{}') FROM unnest(touched) k)
    WHERE c.id = subject RETURNING * INTO changed;
    IF NOT {s}.within(changed, r, r.reads) THEN
        RAISE insufficient_privilege USING MESSAGE = 'outside of what the role may read';
    END IF;
    RETURN 'done';
END
$$;

CREATE FUNCTION {s}.set_deleted(subject bigint, seen_version bigint, is_deleted boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    x record;
BEGIN
    SELECT * INTO x FROM {s}.refusal(subject, seen_version, '{}', true);
    IF x.outcome IN ('missing', 'forbidden') THEN RETURN x.outcome; END IF;
    IF (x.held).merged_into IS NOT NULL OR ((x.held).deleted_at IS NOT NULL) = is_deleted THEN RETURN 'unchanged'; END IF;
    IF x.outcome IS NOT NULL THEN RETURN x.outcome; END IF;
    UPDATE {s}.contact c SET deleted_at = CASE WHEN is_deleted THEN now() END, version = c.version + 1, updated_at = now()
    WHERE c.id = subject;
    RETURN 'done';
END
$$;

CREATE FUNCTION {s}.set_locks(subject bigint, fields text[]) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    x record;
    r {s}.effective := {s}.mine();
BEGIN
    SELECT * INTO x FROM {s}.refusal(subject, NULL, '{}', false);
    IF x.outcome IS NOT NULL THEN RETURN x.outcome; END IF;
    IF (x.held).deleted_at IS NOT NULL THEN RETURN 'missing'; END IF;
    IF EXISTS (SELECT FROM unnest(fields) f WHERE f = ANY (r.hidden || r.masked) AND f <> ALL ((x.held).locks)) THEN
        RETURN 'field';
    END IF;
    -- locks on fields the actor does not see stay
    UPDATE {s}.contact c SET version = c.version + 1, updated_at = now(),
        locks = ARRAY(SELECT f FROM unnest(fields) f UNION
            SELECT l FROM unnest(c.locks) l WHERE l = ANY (r.hidden || r.masked) ORDER BY 1)
    WHERE c.id = subject;
    RETURN 'done';
END
$$;

-- Makes a contact somebody's client, or nobody's.
CREATE FUNCTION {s}.set_owner(subject bigint, seen_version bigint, new_owner bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    x record;
BEGIN
    SELECT * INTO x FROM {s}.refusal(subject, seen_version, '{}', false);
    IF x.outcome IS NOT NULL THEN RETURN x.outcome; END IF;
    IF (x.held).deleted_at IS NOT NULL THEN RETURN 'missing'; END IF;
    IF new_owner IS NOT NULL
        AND NOT EXISTS (SELECT FROM {s}.staff s WHERE s.account = new_owner AND s.disabled_at IS NULL) THEN
        RETURN 'no_such_person';
    END IF;
    IF (x.held).owner IS NOT DISTINCT FROM new_owner THEN RETURN 'unchanged'; END IF;
    UPDATE {s}.contact c SET owner = new_owner, version = c.version + 1, updated_at = now() WHERE c.id = subject;
    RETURN 'done';
END
$$;

CREATE FUNCTION {s}.add_consent(subject bigint, purpose text, granted boolean, evidence_at timestamptz, source text,
    proof text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    x record;
BEGIN
    SELECT * INTO x FROM {s}.refusal(subject, NULL, '{}', false);
    IF x.outcome IS NOT NULL THEN RETURN x.outcome; END IF;
    INSERT INTO {s}.consent (contact, purpose, granted, evidence_at, source, proof, actor)
    VALUES (subject, add_consent.purpose, add_consent.granted, least(add_consent.evidence_at, now()), add_consent.source,
        add_consent.proof, auth.me({id}));
    RETURN 'done';
END
$$;

-- A conflict was settled by who may change that field of that contact.
CREATE FUNCTION {s}.settle_conflict(conflict_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    f {s}.conflict;
    x record;
BEGIN
    SELECT * INTO f FROM {s}.conflict c WHERE c.id = conflict_id;
    SELECT * INTO x FROM {s}.refusal(f.contact, NULL, ARRAY[f.field], false);
    IF x.outcome IS NOT NULL THEN RETURN x.outcome; END IF;
    UPDATE {s}.conflict c SET settled_at = now() WHERE c.id = conflict_id AND c.settled_at IS NULL;
    RETURN 'done';
END
$$;

-- Erasing reaches what nobody with limits sees.
ALTER FUNCTION {s}.erase_contact(bigint) RENAME TO erase_unasked;
REVOKE EXECUTE ON FUNCTION {s}.erase_unasked(bigint) FROM kontor_app;
CREATE FUNCTION {s}.erase_contact(subject bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective := {s}.mine();
BEGIN
    IF NOT {s}.sees_all() OR r.deletes IS NOT NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'only who sees and may delete every contact erases';
    END IF;
    -- of a module that not every tenant has
    IF to_regclass('{s}.sale') IS NOT NULL THEN
        EXECUTE 'UPDATE {s}.sale SET email = NULL WHERE contact = $1' USING subject;
    END IF;
    RETURN {s}.erase_unasked(subject);
END
$$;
ALTER FUNCTION {s}.set_key(text, boolean) RENAME TO set_key_unasked;
REVOKE EXECUTE ON FUNCTION {s}.set_key_unasked(text, boolean) FROM kontor_app;
CREATE FUNCTION {s}.set_key(field_key text, wanted boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT {s}.may('settings') THEN
        RAISE insufficient_privilege USING MESSAGE = 'keys are a setting';
    END IF;
    PERFORM {s}.set_key_unasked(field_key, wanted);
END
$$;
-- Removes a field that no contact has a value in, whoever sees it.
CREATE FUNCTION {s}.drop_field(field_key text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT {s}.may('settings') THEN
        RAISE insufficient_privilege USING MESSAGE = 'fields are a setting';
    END IF;
    -- contacts that are written meanwhile wait
    LOCK TABLE {s}.contact IN SHARE MODE;
    IF EXISTS (SELECT FROM {s}.contact c WHERE c.data ? field_key) THEN RETURN 'in_use'; END IF;
    DELETE FROM {s}.field f WHERE f.key = field_key;
    RETURN CASE WHEN FOUND THEN 'done' ELSE 'missing' END;
END
$$;
-- What is sent again after a merge is the merge's business.
ALTER FUNCTION {s}.reassert(bigint, jsonb) RENAME TO reassert_unasked;
REVOKE EXECUTE ON FUNCTION {s}.reassert_unasked(bigint, jsonb) FROM kontor_app;
CREATE FUNCTION {s}.reassert(contact bigint, behind jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT ({s}.is_program() OR {s}.sees_all() AND {s}.may('mass_change')) THEN
        RAISE insufficient_privilege USING MESSAGE = 'only a merge sends again';
    END IF;
    PERFORM {s}.reassert_unasked(contact, behind);
END
$$;

-- Invites a person, or sends somebody a new link to set a password by. The link ends in two days.
CREATE FUNCTION {s}.invite(person bigint, link_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM {s}.demand_staff_right();
    DELETE FROM auth.invitation i WHERE i.account = person;
    INSERT INTO auth.invitation (hash, account, expires_at)
    SELECT link_hash, s.account, now() + interval '2 days' FROM {s}.staff s
    WHERE s.account = person AND s.disabled_at IS NULL;
    IF NOT FOUND THEN RAISE no_data_found; END IF;
END
$$;

CREATE FUNCTION {s}.add_staff(mail text, full_name text, role_id bigint, superior_id bigint, tongue text, teams bigint[],
    link_hash bytea) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM {s}.demand_staff_right();
    INSERT INTO auth.account (tenant, email, name, scopes)
    SELECT n.id, lower(mail), full_name, '{}' FROM kontor.tenant n WHERE n.id = {id} RETURNING id INTO made;
    INSERT INTO {s}.staff (account, email, name, role, superior, language)
    VALUES (made, lower(mail), full_name, role_id, superior_id, tongue);
    INSERT INTO {s}.team_member (team, account) SELECT t, made FROM unnest(teams) t ON CONFLICT DO NOTHING;
    PERFORM {s}.invite(made, link_hash);
    RETURN made;
END
$$;

-- Changes a person; what is null stays, but for the superior, who is taken as given when that is asked for.
CREATE FUNCTION {s}.edit_staff(person bigint, full_name text, role_id bigint, sets_superior boolean, superior_id bigint,
    tongue text, teams bigint[], is_disabled boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM {s}.demand_staff_right();
    UPDATE {s}.staff s SET name = coalesce(full_name, s.name), role = coalesce(role_id, s.role),
        superior = CASE WHEN sets_superior THEN superior_id ELSE s.superior END, language = coalesce(tongue, s.language),
        disabled_at = CASE is_disabled WHEN true THEN coalesce(s.disabled_at, now()) WHEN false THEN NULL ELSE s.disabled_at END
    WHERE s.account = person;
    IF NOT FOUND THEN RETURN false; END IF;
    IF teams IS NOT NULL THEN
        DELETE FROM {s}.team_member m WHERE m.account = person AND m.team <> ALL (teams);
        INSERT INTO {s}.team_member (team, account) SELECT t, person FROM unnest(teams) t ON CONFLICT DO NOTHING;
    END IF;
    UPDATE auth.account a SET name = s.name, disabled_at = s.disabled_at FROM {s}.staff s
    WHERE s.account = person AND a.id = person AND a.tenant = {id};
    IF is_disabled THEN
        UPDATE auth.session x SET ended_at = now() WHERE x.account = person AND x.ended_at IS NULL;
        DELETE FROM auth.invitation i WHERE i.account = person;
    END IF;
    PERFORM {s}.demand_owner();
    RETURN true;
END
$$;

-- Makes all of one person's contacts another's.
CREATE FUNCTION {s}.hand_over(from_person bigint, to_person bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    moved bigint;
BEGIN
    PERFORM {s}.demand_staff_right();
    IF NOT EXISTS (SELECT FROM {s}.staff s WHERE s.account = to_person AND s.disabled_at IS NULL) THEN RAISE no_data_found; END IF;
    UPDATE {s}.contact c SET owner = to_person, version = c.version + 1, updated_at = now() WHERE c.owner = from_person;
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END
$$;

-- Removes a person whose contacts were handed over; their account goes with them.
CREATE FUNCTION {s}.remove_staff(person bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM {s}.demand_staff_right();
    IF EXISTS (SELECT FROM {s}.contact c WHERE c.owner = person) THEN RETURN 'has_contacts'; END IF;
    UPDATE {s}.staff s SET superior = NULL WHERE s.superior = person;
    DELETE FROM {s}.staff s WHERE s.account = person;
    IF NOT FOUND THEN RETURN 'missing'; END IF;
    DELETE FROM auth.account a WHERE a.id = person AND a.tenant = {id};
    PERFORM {s}.demand_owner();
    RETURN 'done';
END
$$;

-- Makes a role (no number) or changes one: nulls stay. The role owner stays as it is, so that nobody is locked out.
CREATE FUNCTION {s}.save_role(role_id bigint, seen_version bigint, role_name text, role_title text, role_rights jsonb)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    saved bigint;
BEGIN
    PERFORM {s}.demand_staff_right();
    IF role_id IS NULL THEN
        INSERT INTO {s}.role (name, title, rights) VALUES (role_name, role_title, role_rights) RETURNING id INTO saved;
    ELSE
        UPDATE {s}.role r SET title = coalesce(role_title, r.title), rights = coalesce(role_rights, r.rights),
            version = r.version + 1
        WHERE r.id = role_id AND r.name <> 'owner' AND (seen_version IS NULL OR r.version = seen_version)
        RETURNING id INTO saved;
    END IF;
    RETURN saved;
END
$$;

CREATE FUNCTION {s}.drop_role(role_id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM {s}.demand_staff_right();
    DELETE FROM {s}.role r WHERE r.id = role_id AND r.name <> 'owner';
    RETURN FOUND;
END
$$;

CREATE FUNCTION {s}.save_team(team_id bigint, team_name text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    saved bigint;
BEGIN
    PERFORM {s}.demand_staff_right();
    IF team_id IS NULL THEN
        INSERT INTO {s}.team (name) VALUES (team_name) RETURNING id INTO saved;
    ELSE
        UPDATE {s}.team t SET name = team_name WHERE t.id = team_id RETURNING id INTO saved;
    END IF;
    RETURN saved;
END
$$;

CREATE FUNCTION {s}.drop_team(team_id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM {s}.demand_staff_right();
    DELETE FROM {s}.team t WHERE t.id = team_id;
    RETURN FOUND;
END
$$;

-- What lets a person see, change and delete a contact, part by part; null when there is no such person or contact. Only
-- for who manages staff and sees the contact.
CREATE FUNCTION {s}.explain_rights(person bigint, subject bigint) RETURNS jsonb
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
        'country_fits', r.countries IS NULL OR c.facets && r.countries, 'hidden', r.hidden, 'masked', r.masked);
END
$$;

ALTER DEFAULT PRIVILEGES IN SCHEMA {s} REVOKE EXECUTE ON FUNCTIONS FROM kontor_app;
-- The second file grants these as it makes them; it did not in programs before, and a tenant may be half made by one.
DO $$
BEGIN
    IF NOT has_function_privilege('kontor_app', '{s}.may(text)', 'EXECUTE') THEN
        GRANT EXECUTE ON FUNCTION {s}.mine(), {s}.sees_all(), {s}.may(text), {s}.is_program() TO kontor_app, kontor_view;
    END IF;
END
$$;
