-- Privacy: who is in which group, purposes and texts, what was erased. {s} is the tenant's schema, {id} its number.

-- Who was put into a group at a remote. One who is in it here and no longer there has left by themselves.
CREATE TABLE {s}.group_member (
    push bigint NOT NULL CONSTRAINT group_member_push REFERENCES {s}.segment_push ON DELETE CASCADE,
    email text NOT NULL,
    contact bigint NOT NULL,
    -- adding: put in, but whether that reached the remote is not known
    state text NOT NULL CONSTRAINT group_member_state CHECK (state IN ('adding', 'in')),
    CONSTRAINT group_member_pk PRIMARY KEY (push, email)
);
CREATE INDEX group_member_by_contact ON {s}.group_member (contact);

-- What people are asked to consent to, with its title by language and the channel it is for.
CREATE TABLE {s}.purpose (
    key text NOT NULL CONSTRAINT purpose_pk PRIMARY KEY,
    title jsonb NOT NULL,
    channel text NOT NULL DEFAULT 'email'
);
-- The privacy policy, and what consents say: every version there was, by language. Of the policy the purpose is ''.
CREATE TABLE {s}.wording (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.wording_id) CONSTRAINT wording_pk PRIMARY KEY,
    purpose text NOT NULL,
    language text NOT NULL,
    version int NOT NULL,
    body text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT wording_version UNIQUE (purpose, language, version)
);
-- which wording the person saw
ALTER TABLE {s}.consent ADD COLUMN wording bigint;

-- Certificates of erasure: no values, only that it was done.
CREATE TABLE {s}.erasure (
    contact bigint NOT NULL CONSTRAINT erasure_pk PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    -- rows that held values, by kind
    erased jsonb NOT NULL
);

-- As before, with the wording.
DROP FUNCTION {s}.add_consent(bigint, text, boolean, timestamptz, text, text);
CREATE FUNCTION {s}.add_consent(subject bigint, purpose text, granted boolean, evidence_at timestamptz, source text,
    proof text, wording bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    x record;
BEGIN
    SELECT * INTO x FROM {s}.refusal(subject, NULL, '{}', false);
    IF x.outcome IS NOT NULL THEN RETURN x.outcome; END IF;
    IF add_consent.wording IS NOT NULL
        AND NOT EXISTS (SELECT FROM {s}.wording w WHERE w.id = add_consent.wording AND w.purpose = add_consent.purpose) THEN
        RETURN 'no_such_wording';
    END IF;
    INSERT INTO {s}.consent (contact, purpose, granted, evidence_at, source, proof, actor, wording)
    VALUES (subject, add_consent.purpose, add_consent.granted, least(add_consent.evidence_at, now()), add_consent.source,
        add_consent.proof, auth.me({id}), add_consent.wording);
    RETURN 'done';
END
$$;

-- Members who were in a group and are no longer there have left: that is newer evidence than what put them in, so their
-- consent to its purpose is withdrawn. How many.
CREATE FUNCTION {s}.left_group(push_id bigint, present text[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM {s}.group_member m WHERE m.push = push_id AND m.state = 'in' AND m.email <> ALL (present)
        RETURNING m.contact)
    , withdrawn AS (
        INSERT INTO {s}.consent (contact, purpose, granted, evidence_at, source, proof, actor)
        SELECT DISTINCT c.id, p.purpose, false, now(), 'group', p.group_name, auth.me({id})
        FROM gone g JOIN {s}.contact c ON c.id = g.contact AND c.deleted_at IS NULL JOIN {s}.segment_push p ON p.id = push_id
        WHERE 'consent:' || p.purpose = ANY (c.consents)
        RETURNING id)
    SELECT count(*) FROM withdrawn
$$;

-- As before, and: groups the person is in are pushed again, a certificate is made, and it is in the audit log.
CREATE OR REPLACE FUNCTION {s}.erase_contact(subject bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective := {s}.mine();
    me text := auth.me({id});
    counts jsonb;
BEGIN
    IF NOT {s}.sees_all() OR r.deletes IS NOT NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'only who sees and may delete every contact erases';
    END IF;
    -- of a module that not every tenant has
    IF to_regclass('{s}.sale') IS NOT NULL THEN
        EXECUTE 'UPDATE {s}.sale SET email = NULL WHERE contact = $1' USING subject;
    END IF;
    counts := {s}.erase_unasked(subject);
    INSERT INTO {s}.run (kind, plugin, connector, params, actor)
    SELECT DISTINCT 'segment', p.id, p.connector, jsonb_build_object('push', s.id), me
    FROM {s}.group_member m JOIN {s}.segment_push s ON s.id = m.push JOIN {s}.plugin p ON p.id = s.plugin
    WHERE m.contact = subject;
    DELETE FROM {s}.group_member m WHERE m.contact = subject;
    INSERT INTO {s}.erasure AS e (contact, actor, erased) VALUES (subject, me, counts)
    ON CONFLICT (contact) DO UPDATE SET at = now(), actor = excluded.actor;
    PERFORM {s}.note('erased', 'contact', subject, counts);
    RETURN counts;
END
$$;

-- Policies: programs and who sees everything; settings for who may set the shop up.
ALTER TABLE {s}.group_member ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.group_member FORCE ROW LEVEL SECURITY;
CREATE POLICY group_member_in_functions ON {s}.group_member TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY group_member_all ON {s}.group_member TO kontor_app USING ((SELECT {s}.sees_all() AND {s}.is_program()));
ALTER TABLE {s}.purpose ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.purpose FORCE ROW LEVEL SECURITY;
CREATE POLICY purpose_in_functions ON {s}.purpose TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY purpose_read ON {s}.purpose FOR SELECT TO kontor_app USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY purpose_add ON {s}.purpose FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.may('settings')));
CREATE POLICY purpose_edit ON {s}.purpose FOR UPDATE TO kontor_app USING ((SELECT {s}.may('settings')));
ALTER TABLE {s}.wording ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.wording FORCE ROW LEVEL SECURITY;
CREATE POLICY wording_in_functions ON {s}.wording TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY wording_read ON {s}.wording FOR SELECT TO kontor_app USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY wording_add ON {s}.wording FOR INSERT TO kontor_app WITH CHECK ((SELECT {s}.may('settings')));
ALTER TABLE {s}.erasure ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.erasure FORCE ROW LEVEL SECURITY;
CREATE POLICY erasure_in_functions ON {s}.erasure TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY erasure_read ON {s}.erasure FOR SELECT TO kontor_app USING ((SELECT {s}.sees_all()));
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.group_member TO kontor_app;
GRANT SELECT, INSERT, UPDATE ON {s}.purpose TO kontor_app;
GRANT SELECT, INSERT ON {s}.wording TO kontor_app;
GRANT SELECT ON {s}.erasure TO kontor_app;
GRANT EXECUTE ON FUNCTION {s}.add_consent(bigint, text, boolean, timestamptz, text, text, bigint),
    {s}.left_group(bigint, text[]) TO kontor_app;
CREATE TRIGGER purpose_noted AFTER INSERT OR UPDATE ON {s}.purpose FOR EACH ROW EXECUTE FUNCTION {s}.note_change('');
CREATE TRIGGER wording_noted AFTER INSERT ON {s}.wording FOR EACH ROW EXECUTE FUNCTION {s}.note_change('');
