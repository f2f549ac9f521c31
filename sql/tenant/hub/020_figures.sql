-- Key figures by day: how many contacts there were, and how many contacts and orders came, changed or went. {s} is the tenant's
-- schema, {id} its number.
CREATE TABLE {s}.figure (
    -- in UTC
    day date NOT NULL,
    what text NOT NULL CONSTRAINT figure_what CHECK (what IN ('contacts', 'new', 'edited', 'deleted', 'orders')),
    count bigint NOT NULL,
    CONSTRAINT figure_pk PRIMARY KEY (day, what)
);
-- How far has been counted: transactions below this one.
CREATE TABLE {s}.tallied (
    only_row boolean CONSTRAINT tallied_pk PRIMARY KEY DEFAULT true CONSTRAINT tallied_one CHECK (only_row),
    tx xid8 NOT NULL DEFAULT '0',
    at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO {s}.tallied DEFAULT VALUES;

-- Counts what the change log has of new since the last time, at most four weeks back. Whether figures are others now; false when
-- it was looked at less than `pause` ago, or is just now.
CREATE FUNCTION {s}.tally(pause interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t {s}.tallied;
    -- what is below it has ended; nothing below it can still appear
    horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
    today date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
    IF auth.me({id}) IS DISTINCT FROM 'system' THEN
        RAISE insufficient_privilege USING MESSAGE = 'only the service counts';
    END IF;
    SELECT * INTO t FROM {s}.tallied x WHERE x.at <= now() - pause FOR UPDATE SKIP LOCKED;
    IF t IS NULL THEN RETURN false; END IF;
    UPDATE {s}.tallied SET tx = horizon, at = now();
    INSERT INTO {s}.figure AS f (day, what, count)
    SELECT (h.at AT TIME ZONE 'UTC')::date, CASE h.entity WHEN 'order' THEN 'orders' ELSE h.kind END, count(*)
    FROM {s}.change h
    WHERE h.tx >= t.tx AND h.tx < horizon AND h.at > now() - interval '28 days'
        AND (h.entity = 'contact' AND h.kind IN ('new', 'edited', 'deleted') OR h.entity = 'order' AND h.kind = 'new')
    GROUP BY 1, 2
    ON CONFLICT (day, what) DO UPDATE SET count = f.count + excluded.count;
    IF NOT FOUND AND EXISTS (SELECT FROM {s}.figure f WHERE f.day = today AND f.what = 'contacts') THEN RETURN false; END IF;
    INSERT INTO {s}.figure AS f (day, what, count)
    SELECT today, 'contacts', count(*) FROM {s}.contact c WHERE c.deleted_at IS NULL
    ON CONFLICT (day, what) DO UPDATE SET count = excluded.count;
    RETURN true;
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
