-- Limits of the tenant, kept where records are made, and the presence of its people. {s} is the tenant's schema, {id} its number.
-- KL001 is Kontor's own code for a limit that is reached; the constraint's name says which.

-- Contacts and storage are counted by `measure`, so that making a contact costs no count: a limit may be passed by what
-- comes in between.
CREATE FUNCTION {s}.demand_room() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    full_of text := (SELECT t.reached[1] FROM kontor.tenant t WHERE t.id = {id});
BEGIN
    IF full_of IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = 'KL001', CONSTRAINT = 'limit_' || full_of; END IF;
END
$$;
-- for statements that made contacts
CREATE FUNCTION {s}.room_for_new() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows) THEN PERFORM {s}.demand_room(); END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER contact_room AFTER INSERT ON {s}.contact REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.room_for_new();
-- for one that comes back out of the bin; two that were one are parted at any time
CREATE FUNCTION {s}.room_again() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM {s}.demand_room();
    RETURN NEW;
END
$$;
CREATE TRIGGER contact_room_again BEFORE UPDATE OF deleted_at ON {s}.contact FOR EACH ROW
    WHEN (OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL AND OLD.merged_into IS NULL) EXECUTE FUNCTION {s}.room_again();

CREATE FUNCTION {s}.demand_seat() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most bigint;
BEGIN
    -- one after the other
    SELECT (t.limits ->> 'staff')::bigint INTO most FROM kontor.tenant t WHERE t.id = {id} FOR NO KEY UPDATE;
    -- who has a seat keeps it
    IF NOT EXISTS (SELECT FROM {s}.staff s WHERE s.disabled_at IS NULL AND s.account = NEW.account)
        AND (SELECT count(*) FROM {s}.staff s WHERE s.disabled_at IS NULL) >= most THEN
        RAISE EXCEPTION USING ERRCODE = 'KL001', CONSTRAINT = 'limit_staff';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER staff_seat BEFORE INSERT ON {s}.staff FOR EACH ROW WHEN (NEW.disabled_at IS NULL)
    EXECUTE FUNCTION {s}.demand_seat();
CREATE TRIGGER staff_seat_again BEFORE UPDATE OF disabled_at ON {s}.staff FOR EACH ROW
    WHEN (OLD.disabled_at IS NOT NULL AND NEW.disabled_at IS NULL) EXECUTE FUNCTION {s}.demand_seat();

-- Counts what limits are about, and notes which are reached; nothing is counted for a tenant without limits.
CREATE FUNCTION {s}.measure() RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most jsonb := (SELECT t.limits FROM kontor.tenant t WHERE t.id = {id});
    found text[] := '{}';
BEGIN
    IF auth.me({id}) IS DISTINCT FROM 'system' THEN
        RAISE insufficient_privilege USING MESSAGE = 'only the service measures';
    END IF;
    IF most ? 'contacts'
        AND (SELECT count(*) FROM {s}.contact c WHERE c.deleted_at IS NULL) >= (most ->> 'contacts')::bigint THEN
        found := found || 'contacts'::text;
    END IF;
    IF most ? 'storage' AND (SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
            WHERE c.relnamespace = '{s}'::regnamespace AND c.relkind = 'r') >= (most ->> 'storage')::bigint * 1000000 THEN
        found := found || 'storage'::text;
    END IF;
    UPDATE kontor.tenant t SET reached = found WHERE t.id = {id} AND t.reached <> found;
    RETURN found;
END
$$;

-- What somebody says of themselves: at work, not to be disturbed, or away, until some moment.
ALTER TABLE {s}.staff
    ADD COLUMN presence text NOT NULL DEFAULT 'available'
        CONSTRAINT staff_presence CHECK (presence IN ('available', 'busy', 'away')),
    ADD COLUMN presence_until timestamptz;
CREATE FUNCTION {s}.set_my_presence(state text, until timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ UPDATE {s}.staff s SET presence = state, presence_until = until WHERE s.account = auth.my_account({id}) $$;
-- neither presence nor language changes anybody's rights
DROP TRIGGER staff_changed ON {s}.staff;
CREATE TRIGGER staff_changed AFTER INSERT OR DELETE OR UPDATE OF account, role, superior, disabled_at ON {s}.staff
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.refresh_rights();
-- nor is it anybody's business later
DROP TRIGGER staff_noted ON {s}.staff;
CREATE TRIGGER staff_noted AFTER INSERT OR UPDATE OR DELETE ON {s}.staff
    FOR EACH ROW EXECUTE FUNCTION {s}.note_change('presence,presence_until');
GRANT EXECUTE ON FUNCTION {s}.measure(), {s}.set_my_presence(text, timestamptz) TO kontor_app;
