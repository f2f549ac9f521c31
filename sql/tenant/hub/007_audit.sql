-- The audit log: who read contacts, exported, changed rights, credentials, settings, accounts. Rows are only added; each is
-- sealed into a chain of hashes by the one before it. It names records by number and fields by name, and holds no values of
-- contacts. {s} is the tenant's schema, {id} its number.
CREATE TABLE {s}.audit (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.audit_id) CONSTRAINT audit_pk PRIMARY KEY,
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    entity text,
    record bigint,
    details jsonb NOT NULL DEFAULT '{}',
    -- in the chain, once sealed
    place bigint CONSTRAINT audit_place UNIQUE,
    hash bytea
);
CREATE INDEX audit_by_record ON {s}.audit (entity, record, id);
CREATE INDEX audit_open ON {s}.audit (tx, id) WHERE place IS NULL;

-- The end of the chain.
CREATE TABLE {s}.audit_head (
    only_row boolean CONSTRAINT audit_head_pk PRIMARY KEY DEFAULT true CONSTRAINT audit_head_one CHECK (only_row),
    place bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO {s}.audit_head (place, hash) VALUES (0, '');

-- What a link of the chain is made of: SHA-256 of the hash before and the row as text.
CREATE FUNCTION {s}.link(before bytea, r {s}.audit, at_place bigint) RETURNS bytea
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
    SELECT sha256(before || convert_to(jsonb_build_object('place', at_place, 'id', r.id, 'at', r.at, 'actor', r.actor,
        'action', r.action, 'entity', r.entity, 'record', r.record, 'details', r.details)::text, 'UTF8'))
$$;

ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT EXECUTE ON FUNCTIONS TO kontor_app;

-- Seals what was added by transactions that have ended, before which none is running.
CREATE FUNCTION {s}.seal_audit(OUT place bigint, OUT hash bytea)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    r {s}.audit;
    h {s}.audit_head;
BEGIN
    IF auth.me({id}) IS NULL THEN RETURN; END IF;
    SELECT * INTO h FROM {s}.audit_head FOR UPDATE;
    FOR r IN SELECT * FROM {s}.audit a WHERE a.place IS NULL AND a.tx < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY a.tx, a.id LIMIT 10000 LOOP
        h.place := h.place + 1;
        h.hash := {s}.link(h.hash, r, h.place);
        UPDATE {s}.audit a SET place = h.place, hash = h.hash WHERE a.id = r.id;
    END LOOP;
    UPDATE {s}.audit_head a SET place = h.place, hash = h.hash WHERE a.place <> h.place;
    place := h.place;
    hash := h.hash;
END
$$;

-- Goes along the chain. Nulls in broken_at when every link fits; else the place of the first that does not.
CREATE FUNCTION {s}.verify_audit(OUT sealed bigint, OUT broken_at bigint, OUT head bytea, OUT open bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.audit;
    h {s}.audit_head;
    last bytea := '';
BEGIN
    IF NOT {s}.may('audit') THEN RAISE insufficient_privilege USING MESSAGE = 'the audit log is not for everybody'; END IF;
    sealed := 0;
    FOR r IN SELECT * FROM {s}.audit a WHERE a.place IS NOT NULL ORDER BY a.place LOOP
        sealed := sealed + 1;
        last := {s}.link(last, r, sealed);
        IF r.place <> sealed OR r.hash IS DISTINCT FROM last THEN
            broken_at := sealed;
            RETURN;
        END IF;
    END LOOP;
    SELECT * INTO h FROM {s}.audit_head;
    head := last;
    IF h.place <> sealed OR h.hash <> last THEN broken_at := sealed + 1; END IF;
    open := (SELECT count(*) FROM {s}.audit a WHERE a.place IS NULL);
END
$$;

-- Adds what the service knows of.
CREATE FUNCTION {s}.note(what text, of_entity text, of_record bigint, more jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO {s}.audit (actor, action, entity, record, details)
    SELECT auth.me({id}), what, of_entity, of_record, more WHERE auth.me({id}) IS NOT NULL
$$;

ALTER DEFAULT PRIVILEGES IN SCHEMA {s} REVOKE EXECUTE ON FUNCTIONS FROM kontor_app;

-- Adds what was changed of how the shop is set up: which fields, and of rights what they were and are. The argument names
-- what changes by itself.
CREATE FUNCTION {s}.note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    o jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
    n jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
    fields text[] := ARRAY(SELECT k FROM jsonb_object_keys(o || n) k WHERE o -> k IS DISTINCT FROM n -> k
        AND k <> ALL (string_to_array(TG_ARGV[0], ',')) ORDER BY 1);
BEGIN
    IF TG_OP = 'UPDATE' AND fields = '{}' THEN RETURN NULL; END IF;
    INSERT INTO {s}.audit (actor, action, entity, record, details)
    VALUES (coalesce(auth.me({id}), 'operator'),
        CASE TG_OP WHEN 'INSERT' THEN 'added' WHEN 'UPDATE' THEN 'changed' ELSE 'removed' END, TG_TABLE_NAME,
        coalesce(n ->> 'id', o ->> 'id', n ->> 'account', o ->> 'account')::bigint,
        CASE WHEN TG_TABLE_NAME IN ('role', 'team_member', 'field')
            THEN jsonb_build_object('before', o - 'title', 'after', n - 'title')
            ELSE jsonb_build_object('fields', fields) END);
    RETURN NULL;
END
$$;
CREATE TRIGGER role_noted AFTER INSERT OR UPDATE OR DELETE ON {s}.role FOR EACH ROW EXECUTE FUNCTION {s}.note_change('version');
CREATE TRIGGER staff_noted AFTER INSERT OR UPDATE OR DELETE ON {s}.staff FOR EACH ROW EXECUTE FUNCTION {s}.note_change('');
CREATE TRIGGER team_noted AFTER INSERT OR UPDATE OR DELETE ON {s}.team FOR EACH ROW EXECUTE FUNCTION {s}.note_change('');
CREATE TRIGGER team_member_noted AFTER INSERT OR UPDATE OR DELETE ON {s}.team_member
    FOR EACH ROW EXECUTE FUNCTION {s}.note_change('');
CREATE TRIGGER connector_noted AFTER INSERT OR UPDATE OR DELETE ON {s}.connector
    FOR EACH ROW EXECUTE FUNCTION {s}.note_change('state_reason');
CREATE TRIGGER plugin_noted AFTER INSERT OR UPDATE OR DELETE ON {s}.plugin
    FOR EACH ROW EXECUTE FUNCTION {s}.note_change('cursor,listing,next_at');
CREATE TRIGGER field_noted AFTER INSERT OR UPDATE OR DELETE ON {s}.field FOR EACH ROW EXECUTE FUNCTION {s}.note_change('');
CREATE TRIGGER segment_noted AFTER INSERT OR UPDATE OR DELETE ON {s}.segment
    FOR EACH ROW EXECUTE FUNCTION {s}.note_change('version');
CREATE TRIGGER segment_push_noted AFTER INSERT OR UPDATE OR DELETE ON {s}.segment_push
    FOR EACH ROW EXECUTE FUNCTION {s}.note_change('next_at,last_run,remote_id');

ALTER TABLE {s}.audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.audit FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_in_functions ON {s}.audit TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL) WITH CHECK (true);
CREATE POLICY audit_read ON {s}.audit FOR SELECT TO kontor_app USING ((SELECT {s}.sees_all() AND {s}.may('audit')));
ALTER TABLE {s}.audit_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.audit_head FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_head_in_functions ON {s}.audit_head TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
-- an export has them, too
CREATE POLICY audit_head_read ON {s}.audit_head FOR SELECT TO kontor_app USING ((SELECT {s}.sees_all() AND {s}.may('audit')));
GRANT SELECT ON {s}.audit, {s}.audit_head TO kontor_app;
