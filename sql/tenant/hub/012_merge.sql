-- Merging two contacts into one, and taking that back. {s} is the tenant's schema, {id} its number.

CREATE TABLE {s}.merge (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.merge_id) CONSTRAINT merge_pk PRIMARY KEY,
    kept bigint NOT NULL,
    lost bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    -- of the contact that stays: {"fields": {field: {"was", "became", "origin"}}, "locks": {"was", "became"},
    -- "owner": {"was", "became"}}
    changed jsonb NOT NULL,
    -- what went over: {"bindings": [{"connector", "remote_id"}], "parked": [binding], "twins": [connector], "sales": [id],
    -- "merged": [contact], "conflicts": [id], "pairs": [contact], "consents": [id]}
    moved jsonb NOT NULL,
    undone_at timestamptz,
    undone_by text
);
CREATE INDEX merge_by_kept ON {s}.merge (kept);
CREATE INDEX merge_by_lost ON {s}.merge (lost);
CREATE INDEX contact_by_merged ON {s}.contact (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX duplicate_by_b ON {s}.duplicate (b);
ALTER TABLE {s}.merge ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.merge FORCE ROW LEVEL SECURITY;
CREATE POLICY merge_in_functions ON {s}.merge TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY merge_read ON {s}.merge FOR SELECT TO kontor_app USING ((SELECT {s}.sees_all()));
GRANT SELECT ON {s}.merge TO kontor_app;

-- Numbers in a list of JSON.
CREATE FUNCTION {s}.numbers(list jsonb) RETURNS bigint[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(array_agg(x::bigint), '{}') FROM jsonb_array_elements_text(list) x $$;

-- Whether a contact is being written at a remote just now, or may have been.
CREATE FUNCTION {s}.is_on_its_way(subject bigint) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT EXISTS (SELECT FROM {s}.delivery d WHERE d.record = subject AND (d.state = 'leased' OR d.state = 'due' AND d.unsure)) $$;

-- Locks what is known of two contacts at remotes, in the order in which deliveries end and the intake locks.
CREATE FUNCTION {s}.hold_systems(one bigint, other bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM {s}.delivery d WHERE d.record IN (one, other) ORDER BY d.record, d.plugin FOR UPDATE;
    PERFORM FROM {s}.binding t WHERE t.entity = 'contact' AND t.record IN (one, other) ORDER BY t.record FOR UPDATE;
END
$$;

ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT EXECUTE ON FUNCTIONS TO kontor_app;

-- Makes one contact of two, by a person's choices (hub.choose). Orders, consents, bindings and what was merged before go over;
-- where both have a record in one system, the other's there is let go, or deleted when that is asked for. Ends "done" with
-- the number of the merge, "missing", "forbidden", "stale", "field" for who does not see all of them, "choice", or "busy" while
-- something of the one that goes is on its way to a system, or it is not known whether it arrived.
CREATE FUNCTION {s}.merge_contacts(kept_id bigint, lost_id bigint, kept_version bigint, lost_version bigint, choices jsonb,
    drops_twins boolean, OUT outcome text, OUT number bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective := {s}.mine();
    a {s}.contact;
    b {s}.contact;
    after {s}.contact;
    x record;
    changes jsonb;
    sources jsonb;
    touched jsonb;
    moved jsonb := '{}';
    part jsonb;
    systems bigint[];
BEGIN
    outcome := 'missing';
    IF kept_id = lost_id
        OR (SELECT count(*) FROM {s}.contact c WHERE c.id IN (kept_id, lost_id) AND {s}.within(c, r, r.reads)) <> 2 THEN
        RETURN;
    END IF;
    PERFORM {s}.hold_systems(kept_id, lost_id);
    FOR x IN SELECT v.is_kept FROM (VALUES (kept_id, true), (lost_id, false)) v (n, is_kept) ORDER BY v.n LOOP
        IF x.is_kept THEN
            SELECT * INTO x FROM {s}.refusal(kept_id, kept_version, '{}', false);
            a := x.held;
        ELSE
            SELECT * INTO x FROM {s}.refusal(lost_id, lost_version, '{}', true);
            b := x.held;
        END IF;
        outcome := CASE WHEN x.outcome IN ('missing', 'forbidden') THEN x.outcome
            WHEN (x.held).deleted_at IS NOT NULL THEN 'missing' ELSE x.outcome END;
        IF outcome IS NOT NULL THEN RETURN; END IF;
    END LOOP;
    -- who does not see all of two contacts cannot say what becomes of them
    IF r.hidden || r.masked <> '{}' THEN
        outcome := 'field';
        RETURN;
    END IF;
    IF {s}.is_on_its_way(lost_id) THEN
        outcome := 'busy';
        RETURN;
    END IF;
    SELECT coalesce(jsonb_object_agg(c.field, coalesce(c.result, 'null')), '{}'),
        coalesce(jsonb_object_agg(c.field, coalesce(b.origins -> c.field, b.origins -> '*'))
            FILTER (WHERE c.choice = 'other' OR c.keep IS NULL), '{}'),
        coalesce(jsonb_object_agg(c.field,
            jsonb_build_object('was', c.keep, 'became', c.result, 'origin', a.origins -> c.field)), '{}')
    INTO changes, sources, touched FROM hub.choose(a.data, b.data, choices) c WHERE c.result IS DISTINCT FROM c.keep;
    IF EXISTS (SELECT FROM hub.choose(a.data, b.data, choices) c WHERE NOT c.is_allowed) THEN
        outcome := 'choice';
        RETURN;
    END IF;

    -- records at remotes: those of systems that the contact that stays is not in go over
    systems := ARRAY(SELECT t.connector FROM {s}.binding t WHERE t.entity = 'contact' AND t.record = lost_id AND t.gone_at IS NULL
        AND NOT EXISTS (SELECT FROM {s}.binding k WHERE k.entity = 'contact' AND k.record = kept_id AND k.connector = t.connector
            AND k.gone_at IS NULL)
        -- nor is being made there
        AND NOT EXISTS (SELECT FROM {s}.delivery d JOIN {s}.plugin p ON p.id = d.plugin WHERE d.record = kept_id
            AND p.connector = t.connector AND (d.unsure OR d.state = 'leased')));
    WITH parked AS (
        DELETE FROM {s}.binding k WHERE k.entity = 'contact' AND k.record = kept_id AND k.connector = ANY (systems) RETURNING k.*)
    SELECT coalesce(jsonb_agg(to_jsonb(k)), '[]') INTO part FROM parked k;
    moved := moved || jsonb_build_object('parked', part);
    WITH went AS (
        UPDATE {s}.binding t SET record = kept_id WHERE t.entity = 'contact' AND t.record = lost_id AND t.connector = ANY (systems)
        RETURNING t.connector, t.remote_id)
    SELECT coalesce(jsonb_agg(to_jsonb(w)), '[]') INTO part FROM went w;
    moved := moved || jsonb_build_object('bindings', part);
    part := '[]';
    IF NOT drops_twins THEN
        WITH left_there AS (
            UPDATE {s}.binding t SET gone_at = now() WHERE t.entity = 'contact' AND t.record = lost_id AND t.gone_at IS NULL
            RETURNING t.connector)
        SELECT coalesce(jsonb_agg(l.connector), '[]') INTO part FROM left_there l;
    END IF;
    moved := moved || jsonb_build_object('twins', part);
    -- what was given up on there is no reason to delete it
    UPDATE {s}.delivery d SET unsure = false, sent = '[]' FROM {s}.plugin p
    WHERE d.record = lost_id AND p.id = d.plugin AND p.connector = ANY (systems || {s}.numbers(part));

    -- what was merged into the one that goes, and what is open about it
    WITH went AS (UPDATE {s}.contact c SET merged_into = kept_id WHERE c.merged_into = lost_id RETURNING c.id)
    SELECT coalesce(jsonb_agg(w.id), '[]') INTO part FROM went w;
    moved := moved || jsonb_build_object('merged', part);
    WITH went AS (
        UPDATE {s}.conflict f SET settled_at = now() WHERE f.contact = lost_id AND f.settled_at IS NULL RETURNING f.id)
    SELECT coalesce(jsonb_agg(w.id), '[]') INTO part FROM went w;
    moved := moved || jsonb_build_object('conflicts', part);
    INSERT INTO {s}.duplicate AS d (a, b, evidence, state)
    VALUES (least(kept_id, lost_id), greatest(kept_id, lost_id), 'hand', 'merged')
    ON CONFLICT ON CONSTRAINT duplicate_pk DO UPDATE SET state = 'merged';
    WITH went AS (
        UPDATE {s}.duplicate d SET state = 'merged' WHERE lost_id IN (d.a, d.b) AND kept_id NOT IN (d.a, d.b) AND d.state = 'open'
        RETURNING d.a + d.b - lost_id AS third, d.evidence),
    again AS (
        INSERT INTO {s}.duplicate (a, b, evidence)
        SELECT least(kept_id, w.third), greatest(kept_id, w.third), w.evidence FROM went w
        ON CONFLICT DO NOTHING)
    SELECT coalesce(jsonb_agg(w.third), '[]') INTO part FROM went w;
    moved := moved || jsonb_build_object('pairs', part);

    -- the newest evidence of each consent counts for the one person
    WITH newest AS (
        SELECT DISTINCT ON (e.purpose) e.* FROM {s}.consent e WHERE e.contact = lost_id
        ORDER BY e.purpose, e.evidence_at DESC, e.granted),
    went AS (
        INSERT INTO {s}.consent (contact, purpose, granted, evidence_at, source, proof, actor, wording)
        -- newer than what an undone merge left, which is nobody's word
        SELECT kept_id, n.purpose, n.granted, greatest(n.evidence_at, (SELECT max(k.evidence_at) + interval '1 microsecond' FROM {s}.consent k
                WHERE k.contact = kept_id AND k.purpose = n.purpose AND k.source = 'merge undone')),
            'merge', 'contact ' || lost_id, r.actor, n.wording
        FROM newest n
        WHERE NOT EXISTS (SELECT FROM {s}.consent k WHERE k.contact = kept_id AND k.purpose = n.purpose
            AND k.source <> 'merge undone' AND k.evidence_at > n.evidence_at)
        RETURNING id)
    SELECT coalesce(jsonb_agg(w.id), '[]') INTO part FROM went w;
    moved := moved || jsonb_build_object('consents', part);

    UPDATE {s}.contact c SET deleted_at = now(), merged_into = kept_id, version = c.version + 1, updated_at = now()
    WHERE c.id = lost_id;
    UPDATE {s}.contact c SET data = hub.apply(c.data, changes), origins = c.origins || jsonb_strip_nulls(sources),
        locks = ARRAY(SELECT l FROM unnest(a.locks) l UNION SELECT l FROM unnest(b.locks) l WHERE sources ? l ORDER BY 1),
        owner = coalesce(c.owner, b.owner), version = c.version + 1, updated_at = now()
    WHERE c.id = kept_id RETURNING * INTO after;
    IF NOT {s}.within(after, r, r.reads) THEN
        RAISE insufficient_privilege USING MESSAGE = 'outside of what the role may read';
    END IF;
    -- of a module that not every tenant has
    IF to_regclass('{s}.sale') IS NOT NULL THEN
        EXECUTE 'WITH went AS (UPDATE {s}.sale s SET contact = $1 WHERE s.contact = $2 RETURNING s.id)
            SELECT coalesce(jsonb_agg(w.id), ''[]'') FROM went w' USING kept_id, lost_id INTO part;
        moved := moved || jsonb_build_object('sales', part);
        EXECUTE 'SELECT {s}.refresh_sales($1)' USING ARRAY[kept_id, lost_id];
    END IF;
    -- records that went over hold the other's values
    IF systems <> '{}' THEN PERFORM {s}.reassert_unasked(kept_id, after.data); END IF;
    INSERT INTO {s}.merge AS m (kept, lost, actor, changed, moved)
    VALUES (kept_id, lost_id, r.actor, jsonb_build_object('fields', touched,
        'locks', jsonb_build_object('was', a.locks, 'became', after.locks),
        'owner', jsonb_build_object('was', a.owner, 'became', after.owner)), moved) RETURNING m.id INTO number;
    PERFORM {s}.note('contact.merged', 'contact', kept_id, jsonb_build_object('merge', number, 'other', lost_id));
    outcome := 'done';
END
$$;

-- Takes a merge back: the other contact lives again with what went over, and the fields that the merge changed are as they were,
-- but for what was changed since. Ends "done", "unchanged" when that was done before, "missing", "forbidden", "field", or
-- "nested" when the contact that stayed was itself deleted or merged since, or another into it, or "busy" as for a merge.
CREATE FUNCTION {s}.undo_merge(merge_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective := {s}.mine();
    m {s}.merge;
    a {s}.contact;
    b {s}.contact;
    x record;
    changes jsonb;
    sources jsonb;
BEGIN
    SELECT * INTO m FROM {s}.merge t WHERE t.id = merge_id;
    IF m.id IS NULL THEN RETURN 'missing'; END IF;
    PERFORM {s}.hold_systems(m.kept, m.lost);
    FOR x IN SELECT v.n, v.goes FROM (VALUES (m.kept, false), (m.lost, true)) v (n, goes) ORDER BY v.n LOOP
        SELECT * INTO x FROM {s}.refusal(x.n, NULL, '{}', x.goes);
        IF x.outcome IS NOT NULL THEN RETURN x.outcome; END IF;
        IF (x.held).id = m.kept THEN a := x.held; ELSE b := x.held; END IF;
    END LOOP;
    IF r.hidden || r.masked <> '{}' THEN RETURN 'field'; END IF;
    SELECT * INTO m FROM {s}.merge t WHERE t.id = merge_id FOR UPDATE;
    IF m.undone_at IS NOT NULL THEN RETURN 'unchanged'; END IF;
    IF a.deleted_at IS NOT NULL OR b.merged_into IS DISTINCT FROM m.kept
        OR EXISTS (SELECT FROM {s}.merge t WHERE t.kept = m.kept AND t.id > m.id AND t.undone_at IS NULL) THEN
        RETURN 'nested';
    END IF;
    IF {s}.is_on_its_way(m.kept) THEN RETURN 'busy'; END IF;

    SELECT coalesce(jsonb_object_agg(f.key, coalesce(n.value, 'null')), '{}'),
        coalesce(jsonb_object_agg(f.key, f.value -> 'origin') FILTER (WHERE n.is_whole), '{}')
    INTO changes, sources
    FROM jsonb_each(m.changed -> 'fields') f
    CROSS JOIN LATERAL (SELECT nullif(f.value -> 'was', 'null') AS was, nullif(f.value -> 'became', 'null') AS became,
        a.data -> f.key AS is_now) v
    CROSS JOIN LATERAL (SELECT v.is_now IS NOT DISTINCT FROM v.became AS is_whole,
        CASE WHEN v.is_now IS NOT DISTINCT FROM v.became THEN v.was
            WHEN jsonb_typeof(v.is_now) = 'array' THEN nullif(hub.merge_list(v.became, v.is_now, v.was), '[]')
            ELSE v.is_now END AS value) n;
    UPDATE {s}.contact c SET data = hub.apply(c.data, changes),
        origins = (c.origins - ARRAY(SELECT jsonb_object_keys(sources))) || jsonb_strip_nulls(sources),
        locks = CASE WHEN to_jsonb(c.locks) = m.changed #> '{locks,became}'
            THEN ARRAY(SELECT jsonb_array_elements_text(m.changed #> '{locks,was}')) ELSE c.locks END,
        owner = CASE WHEN m.changed ? 'owner' AND to_jsonb(c.owner) IS NOT DISTINCT FROM nullif(m.changed #> '{owner,became}', 'null')
            THEN (m.changed #>> '{owner,was}')::bigint ELSE c.owner END,
        version = c.version + 1, updated_at = now()
    WHERE c.id = m.kept RETURNING * INTO a;
    IF NOT {s}.within(a, r, r.reads) THEN
        RAISE insufficient_privilege USING MESSAGE = 'outside of what the role may read';
    END IF;

    UPDATE {s}.binding t SET record = m.lost FROM jsonb_to_recordset(m.moved -> 'bindings') AS w (connector bigint, remote_id text)
    WHERE t.entity = 'contact' AND t.record = m.kept AND t.connector = w.connector AND t.remote_id = w.remote_id;
    UPDATE {s}.binding t SET gone_at = NULL
    WHERE t.entity = 'contact' AND t.record = m.lost AND t.connector = ANY ({s}.numbers(m.moved -> 'twins'));
    INSERT INTO {s}.binding SELECT k.* FROM jsonb_populate_recordset(NULL::{s}.binding, m.moved -> 'parked') k
    ON CONFLICT DO NOTHING;
    UPDATE {s}.contact c SET merged_into = m.lost
    WHERE c.id = ANY ({s}.numbers(m.moved -> 'merged')) AND c.merged_into = m.kept;
    UPDATE {s}.conflict f SET settled_at = NULL WHERE f.id = ANY ({s}.numbers(m.moved -> 'conflicts')) AND f.contact = m.lost;
    UPDATE {s}.duplicate d SET state = 'open' WHERE d.state = 'merged' AND m.lost IN (d.a, d.b)
        AND d.a + d.b - m.lost = ANY (ARRAY[m.kept] || {s}.numbers(m.moved -> 'pairs'));
    UPDATE {s}.contact c SET deleted_at = NULL, merged_into = NULL, version = c.version + 1, updated_at = now() WHERE c.id = m.lost;

    -- the ledger is only added to. Evidence that came with the other no longer counts; a consent that was withdrawn since
    -- the merge is withdrawn for both, since nobody knows which of them said so
    INSERT INTO {s}.consent (contact, purpose, granted, evidence_at, source, proof, actor)
    SELECT m.kept, n.purpose, coalesce(own.granted, false), n.evidence_at + interval '1 microsecond', 'merge undone',
        'merge ' || m.id, r.actor
    FROM (SELECT DISTINCT ON (e.purpose) e.* FROM {s}.consent e WHERE e.contact = m.kept
        ORDER BY e.purpose, e.evidence_at DESC, e.granted) n
    LEFT JOIN LATERAL (SELECT e.granted FROM {s}.consent e WHERE e.contact = m.kept AND e.purpose = n.purpose
        AND e.id <> ALL ({s}.numbers(m.moved -> 'consents')) ORDER BY e.evidence_at DESC, e.granted LIMIT 1) own ON true
    WHERE n.id = ANY ({s}.numbers(m.moved -> 'consents')) AND n.granted IS DISTINCT FROM coalesce(own.granted, false);
    INSERT INTO {s}.consent (contact, purpose, granted, evidence_at, source, proof, actor, wording)
    SELECT m.lost, n.purpose, false, n.evidence_at, n.source, n.proof, r.actor, n.wording
    FROM (SELECT DISTINCT ON (e.purpose) e.* FROM {s}.consent e WHERE e.contact = m.kept AND e.at > m.at
        AND e.source <> 'merge undone' ORDER BY e.purpose, e.evidence_at DESC, e.granted) n
    WHERE NOT n.granted;

    IF to_regclass('{s}.sale') IS NOT NULL THEN
        EXECUTE 'UPDATE {s}.sale s SET contact = $1 WHERE s.id = ANY ($2) AND s.contact = $3'
        USING m.lost, {s}.numbers(m.moved -> 'sales'), m.kept;
        EXECUTE 'SELECT {s}.refresh_sales($1)' USING ARRAY[m.kept, m.lost];
    END IF;
    -- no values are kept longer than they may be needed
    UPDATE {s}.merge t SET undone_at = now(), undone_by = r.actor, changed = '{}', moved = '{}' WHERE t.id = merge_id;
    PERFORM {s}.note('contact.unmerged', 'contact', m.kept, jsonb_build_object('merge', m.id, 'other', m.lost));
    RETURN 'done';
END
$$;

-- Two that share something and are two all the same. Ends "done", "missing" or "forbidden".
CREATE FUNCTION {s}.set_different(one bigint, other bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective := {s}.mine();
    x record;
BEGIN
    -- the list is for who sees all of both: what they share is in it
    IF r.hidden || r.masked <> '{}' THEN RETURN 'field'; END IF;
    SELECT * INTO x FROM {s}.refusal(least(one, other), NULL, '{}', false);
    IF x.outcome IS NOT NULL THEN RETURN x.outcome; END IF;
    SELECT * INTO x FROM {s}.refusal(greatest(one, other), NULL, '{}', false);
    IF x.outcome IS NOT NULL THEN RETURN x.outcome; END IF;
    UPDATE {s}.duplicate d SET state = 'different'
    WHERE d.a = least(one, other) AND d.b = greatest(one, other) AND d.state <> 'merged';
    RETURN CASE WHEN FOUND THEN 'done' ELSE 'missing' END;
END
$$;

-- As before, and: a person is erased with all that was merged into them, and with those who were merged into somebody else
-- that one.
ALTER FUNCTION {s}.erase_contact(bigint) RENAME TO erase_alone;
REVOKE EXECUTE ON FUNCTION {s}.erase_alone(bigint) FROM kontor_app;
CREATE FUNCTION {s}.erase_contact(subject bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective := {s}.mine();
    me text := auth.me({id});
    person bigint := coalesce((SELECT c.merged_into FROM {s}.contact c WHERE c.id = subject), subject);
    each bigint;
    counts jsonb;
    told jsonb := '{}';
BEGIN
    IF NOT {s}.sees_all() OR r.deletes IS NOT NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'only who sees and may delete every contact erases';
    END IF;
    -- nobody knows who is in a file that waits
    DELETE FROM {s}.upload u;
    -- records at remotes that merges let go are the person's, too
    FOR each IN
        UPDATE {s}.binding t SET gone_at = NULL FROM {s}.merge m
        WHERE m.kept = person AND m.undone_at IS NULL AND t.entity = 'contact' AND t.record = m.lost
            AND t.connector = ANY ({s}.numbers(m.moved -> 'twins')) RETURNING t.record
    LOOP
        WITH logged AS (
            INSERT INTO {s}.change (entity, record, kind, version, fields, actor)
            SELECT 'contact', c.id, 'deleted', c.version, '{}', me FROM {s}.contact c WHERE c.id = each RETURNING id)
        INSERT INTO {s}.outbox (change) SELECT id FROM logged;
    END LOOP;
    -- what one held while the other was merged into it
    UPDATE {s}.change h SET before = NULL, after = NULL FROM {s}.merge m
    WHERE h.entity = 'contact' AND m.undone_at IS NOT NULL AND h.at BETWEEN m.at AND m.undone_at
        AND (m.lost = person AND h.record = m.kept OR m.kept = person AND h.record = m.lost);
    UPDATE {s}.binding t SET past = '[]', pushed = '{}' FROM {s}.merge m
    WHERE t.entity = 'contact' AND m.undone_at IS NOT NULL
        AND (m.lost = person AND t.record = m.kept OR m.kept = person AND t.record = m.lost);
    FOR each IN SELECT c.id FROM {s}.contact c WHERE c.id = person OR c.merged_into = person ORDER BY c.id LOOP
        counts := {s}.erase_alone(each);
        DELETE FROM {s}.merge m WHERE m.kept = each OR m.lost = each;
        told := (SELECT jsonb_object_agg(k.key, coalesce((told ->> k.key)::bigint, 0) + k.value::bigint)
            FROM jsonb_each_text(counts) k);
    END LOOP;
    RETURN told;
END
$$;

ALTER DEFAULT PRIVILEGES IN SCHEMA {s} REVOKE EXECUTE ON FUNCTIONS FROM kontor_app;
