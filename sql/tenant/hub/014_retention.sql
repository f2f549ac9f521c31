-- How long contacts are kept: rules that delete or erase those that meet a condition, once a day. {s} is the tenant's schema,
-- {id} its number.
CREATE TABLE {s}.retention (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.retention_id) CONSTRAINT retention_pk PRIMARY KEY,
    name text NOT NULL CONSTRAINT retention_name UNIQUE,
    -- which contacts it is about: those in use, or those in the bin
    subject text NOT NULL CONSTRAINT retention_subject CHECK (subject IN ('living', 'deleted')),
    condition jsonb NOT NULL,
    action text NOT NULL CONSTRAINT retention_action CHECK (action IN ('delete', 'erase')),
    state text NOT NULL DEFAULT 'off' CONSTRAINT retention_state CHECK (state IN ('on', 'off')),
    -- contacts of one day that need no approval
    most int NOT NULL DEFAULT 100 CONSTRAINT retention_most CHECK (most >= 0),
    next_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- what is in the bin is deleted already
    CONSTRAINT retention_bin CHECK (subject = 'living' OR action = 'erase')
);

-- Whether the caller may have any contact erased.
CREATE FUNCTION {s}.may_erase() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r {s}.effective := {s}.mine();
BEGIN
    RETURN {s}.sees_all() AND r.deletes IS NULL;
END
$$;
GRANT EXECUTE ON FUNCTION {s}.may_erase() TO kontor_app;

-- For who sets the shop up; what erases, for who may erase.
ALTER TABLE {s}.retention ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.retention FORCE ROW LEVEL SECURITY;
CREATE POLICY retention_in_functions ON {s}.retention TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY retention_read ON {s}.retention FOR SELECT TO kontor_app
    USING ((SELECT {s}.may('settings') AND {s}.sees_all()));
CREATE POLICY retention_add ON {s}.retention FOR INSERT TO kontor_app
    WITH CHECK ((SELECT {s}.may('settings') AND {s}.may_erase()));
CREATE POLICY retention_edit ON {s}.retention FOR UPDATE TO kontor_app
    USING ((SELECT {s}.may('settings') AND {s}.may_erase()));
CREATE POLICY retention_drop ON {s}.retention FOR DELETE TO kontor_app
    USING ((SELECT {s}.may('settings') AND {s}.may_erase()));
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.retention TO kontor_app;
-- Its runs are asked for by the service, and let go on by who may erase.
CREATE POLICY run_of_retention_add ON {s}.run AS RESTRICTIVE FOR INSERT TO kontor_app
    WITH CHECK (kind <> 'retention' OR (SELECT auth.me({id})) = 'system');
CREATE POLICY run_of_retention_edit ON {s}.run AS RESTRICTIVE FOR UPDATE TO kontor_app
    USING (kind <> 'retention' OR (SELECT {s}.may_erase()));
CREATE TRIGGER retention_noted AFTER INSERT OR UPDATE OR DELETE ON {s}.retention
    FOR EACH ROW EXECUTE FUNCTION {s}.note_change('next_at');
