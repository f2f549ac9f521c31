-- Key figures by day: how many contacts there were, and how many contacts and orders came, changed or went. {s} is the tenant's
-- schema, {id} its number.
CREATE TABLE {s}.figure (
    -- in UTC
    day date NOT NULL,
    what text NOT NULL CONSTRAINT figure_what CHECK (what IN ('contacts', 'new', 'edited', 'deleted', 'orders')),
    count bigint NOT NULL,
    CONSTRAINT figure_pk PRIMARY KEY (day, what)
);
-- How far has been counted: transactions below this one; and whether all contacts are to be counted again, and when they were.
CREATE TABLE {s}.tallied (
    only_row boolean CONSTRAINT tallied_pk PRIMARY KEY DEFAULT true CONSTRAINT tallied_one CHECK (only_row),
    tx xid8 NOT NULL DEFAULT '0',
    at timestamptz NOT NULL DEFAULT '-infinity',
    is_due boolean NOT NULL DEFAULT true,
    counted_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO {s}.tallied DEFAULT VALUES;

-- Counts what the change log has of new since the last time, at most four weeks back; and all contacts, where there are many of
-- them once a minute. Whether figures are others now; false when it was looked at less than `pause` ago, or is just now.
CREATE FUNCTION {s}.tally(pause interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t {s}.tallied;
    -- what is below it has ended; nothing below it can still appear
    horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
    today date := (now() AT TIME ZONE 'UTC')::date;
    last record;
BEGIN
    IF auth.me({id}) IS DISTINCT FROM 'system' THEN
        RAISE insufficient_privilege USING MESSAGE = 'only the service counts';
    END IF;
    SELECT * INTO t FROM {s}.tallied x WHERE x.at <= now() - pause;
    SELECT f.day, f.count INTO last FROM {s}.figure f WHERE f.what = 'contacts' ORDER BY f.day DESC LIMIT 1;
    -- a tenant at rest costs no write
    IF t IS NULL OR NOT t.is_due AND last.day IS NOT DISTINCT FROM today
        AND NOT EXISTS (SELECT FROM {s}.change h WHERE h.tx >= t.tx AND h.tx < horizon) THEN
        RETURN false;
    END IF;
    SELECT * INTO t FROM {s}.tallied x WHERE x.at <= now() - pause FOR UPDATE SKIP LOCKED;
    IF t IS NULL THEN RETURN false; END IF;
    UPDATE {s}.tallied SET tx = horizon, at = now();
    INSERT INTO {s}.figure AS f (day, what, count)
    SELECT (h.at AT TIME ZONE 'UTC')::date, CASE WHEN h.entity = 'order' THEN 'orders' WHEN h.kind = 'merged' THEN 'edited' ELSE h.kind END,
        count(*)
    FROM {s}.change h
    WHERE h.tx >= t.tx AND h.tx < horizon AND h.at > now() - interval '28 days'
        AND (h.entity = 'contact' AND h.kind IN ('new', 'edited', 'deleted', 'merged') OR h.entity = 'order' AND h.kind = 'new')
    GROUP BY 1, 2
    ON CONFLICT (day, what) DO UPDATE SET count = f.count + excluded.count;
    t.is_due := t.is_due OR FOUND;
    IF (t.is_due OR last.day IS DISTINCT FROM today)
        AND (coalesce(last.count, 0) < 20000 OR t.counted_at <= now() - interval '1 minute') THEN
        INSERT INTO {s}.figure AS f (day, what, count)
        SELECT today, 'contacts', count(*) FROM {s}.contact c WHERE c.deleted_at IS NULL
        ON CONFLICT (day, what) DO UPDATE SET count = excluded.count;
        UPDATE {s}.tallied SET is_due = false, counted_at = now();
        RETURN true;
    END IF;
    UPDATE {s}.tallied SET is_due = t.is_due;
    RETURN false;
END
$$;
GRANT EXECUTE ON FUNCTION {s}.tally(interval) TO kontor_app;

-- They are of every contact: for who sees every one.
ALTER TABLE {s}.figure ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.figure FORCE ROW LEVEL SECURITY;
CREATE POLICY figure_in_functions ON {s}.figure TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY figure_read ON {s}.figure FOR SELECT TO kontor_app USING ((SELECT {s}.sees_all()));
ALTER TABLE {s}.tallied ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.tallied FORCE ROW LEVEL SECURITY;
CREATE POLICY tallied_in_functions ON {s}.tallied TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
-- read by the service alone, to move the tenant
CREATE POLICY tallied_read ON {s}.tallied FOR SELECT TO kontor_app USING ((SELECT auth.me({id})) = 'system');
GRANT SELECT ON {s}.figure, {s}.tallied TO kontor_app;
