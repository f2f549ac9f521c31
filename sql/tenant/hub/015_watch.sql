-- Anomaly watch: what each actor and connector does in an hour, held against its own past. {s} is the tenant's schema, {id} its
-- number.
CREATE TABLE {s}.activity (
    who text NOT NULL,
    what text NOT NULL,
    hour timestamptz NOT NULL,
    count bigint NOT NULL,
    CONSTRAINT activity_pk PRIMARY KEY (who, what, hour)
);
-- How far has been counted: transactions below this one, and attempts that began before.
CREATE TABLE {s}.watched (
    only_row boolean CONSTRAINT watched_pk PRIMARY KEY DEFAULT true CONSTRAINT watched_one CHECK (only_row),
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    attempts timestamptz NOT NULL DEFAULT now(),
    at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO {s}.watched DEFAULT VALUES;
CREATE INDEX audit_by_tx ON {s}.audit (tx);
CREATE TABLE {s}.alert (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.alert_id) CONSTRAINT alert_pk PRIMARY KEY,
    who text NOT NULL,
    what text NOT NULL,
    hour timestamptz NOT NULL,
    -- in that hour; and the most of any hour of the four weeks before
    count bigint NOT NULL,
    usual bigint NOT NULL,
    -- whether the connector was paused
    paused boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz,
    CONSTRAINT alert_once UNIQUE (who, what, hour)
);

-- Counts what is new since the last time, and tells what is out of proportion: at least five times what that actor ever did in
-- an hour of the last four weeks, and more than anybody does by the way. A connector that edits or deletes so much is paused,
-- once there is a week to know it by.
-- What was asked for with an approval of its own, such as imports, is not counted. How many alerts there are anew; null when
-- it was looked at less than `pause` ago, or is just now.
CREATE FUNCTION {s}.watch(pause interval) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    w {s}.watched;
    -- what is below it has ended; nothing below it can still appear
    horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
    -- attempts have ended by then
    settled timestamptz := now() - interval '5 minutes';
    told bigint;
BEGIN
    IF auth.me({id}) IS DISTINCT FROM 'system' THEN
        RAISE insufficient_privilege USING MESSAGE = 'only the service watches';
    END IF;
    SELECT * INTO w FROM {s}.watched x WHERE x.at <= now() - pause FOR UPDATE SKIP LOCKED;
    IF w IS NULL THEN RETURN NULL; END IF;
    UPDATE {s}.watched SET tx = horizon, attempts = settled, at = now();
    INSERT INTO {s}.activity AS a
    SELECT x.who, x.what, x.hour, sum(x.count) FROM (
        SELECT coalesce('connector:' || h.origin, h.actor) AS who, h.kind AS what, date_trunc('hour', h.at) AS hour,
            count(*) AS count
        FROM {s}.change h LEFT JOIN {s}.run r ON r.id = h.run
        WHERE h.tx >= w.tx AND h.tx < horizon AND h.kind <> 'merged' AND h.actor <> 'system'
            AND (r.id IS NULL OR r.kind IN ('hook', 'poll') AND NOT r.params @> '{"first": true}'
                AND NOT r.params @> '{"approved": true}')
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT h.actor, CASE WHEN h.action = 'read' THEN 'read' ELSE 'exported' END, date_trunc('hour', h.at),
            sum(CASE jsonb_typeof(h.details -> 'contacts') WHEN 'array' THEN jsonb_array_length(h.details -> 'contacts')
                WHEN 'number' THEN (h.details ->> 'contacts')::numeric ELSE 1 END)
        FROM {s}.audit h
        WHERE h.tx >= w.tx AND h.tx < horizon AND h.actor <> 'system'
            AND (h.action = 'read' OR h.action LIKE 'export%' AND h.action <> 'export.begun')
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT 'connector:' || p.connector, 'failed', date_trunc('hour', h.started_at), count(*)
        FROM {s}.attempt h JOIN {s}.plugin p ON p.id = h.plugin
        WHERE h.started_at >= w.attempts AND h.started_at < settled AND h.outcome IN ('retry', 'refused', 'unsure', 'locked')
        GROUP BY 1, 2, 3) x
    GROUP BY 1, 2, 3
    ON CONFLICT (who, what, hour) DO UPDATE SET count = a.count + excluded.count;
    DELETE FROM {s}.activity a WHERE a.hour < now() - interval '28 days';
    WITH recent AS (
        SELECT n.who, n.what, n.hour, n.count, coalesce(p.usual, 0) AS usual
        FROM {s}.activity n CROSS JOIN LATERAL (
            SELECT max(a.count) AS usual FROM {s}.activity a WHERE a.who = n.who AND a.what = n.what AND a.hour < n.hour) p
        WHERE n.hour >= date_trunc('hour', now()) - interval '1 hour'),
    anew AS (
        INSERT INTO {s}.alert AS t (who, what, hour, count, usual, paused)
        SELECT r.who, r.what, r.hour, r.count, r.usual, r.who LIKE 'connector:%' AND r.what IN ('edited', 'deleted')
            AND EXISTS (SELECT FROM {s}.activity a WHERE a.who = r.who AND a.what IN ('new', 'edited', 'deleted')
                AND a.hour < now() - interval '7 days')
        FROM recent r
        WHERE r.count >= 5 * r.usual
            AND r.count >= CASE r.what WHEN 'deleted' THEN 50 WHEN 'failed' THEN 100 WHEN 'read' THEN 2000 ELSE 500 END
        -- an hour is told of once; how much it came to is kept
        ON CONFLICT (who, what, hour) DO UPDATE SET count = excluded.count
        RETURNING *, xmax = 0 AS is_new),
    stopped AS (
        UPDATE {s}.connector k SET state = 'paused', state_reason = format(
            'paused by the watch: %s contacts %s within an hour, where the most before was %s', n.count, n.what, n.usual)
        FROM anew n WHERE n.is_new AND n.paused AND n.who = 'connector:' || k.id AND k.state = 'on')
    SELECT count(*) INTO told FROM anew n WHERE n.is_new;
    RETURN told;
END
$$;
GRANT EXECUTE ON FUNCTION {s}.watch(interval) TO kontor_app;

-- Alerts are for who may read the audit log.
ALTER TABLE {s}.activity ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.activity FORCE ROW LEVEL SECURITY;
CREATE POLICY activity_in_functions ON {s}.activity TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
ALTER TABLE {s}.watched ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.watched FORCE ROW LEVEL SECURITY;
CREATE POLICY watched_in_functions ON {s}.watched TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
ALTER TABLE {s}.alert ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.alert FORCE ROW LEVEL SECURITY;
CREATE POLICY alert_in_functions ON {s}.alert TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
CREATE POLICY alert_read ON {s}.alert FOR SELECT TO kontor_app USING ((SELECT {s}.sees_all() AND {s}.may('audit')));
CREATE POLICY alert_edit ON {s}.alert FOR UPDATE TO kontor_app USING ((SELECT {s}.sees_all() AND {s}.may('audit')));
-- read by the service alone, to move the tenant
CREATE POLICY activity_read ON {s}.activity FOR SELECT TO kontor_app USING ((SELECT auth.me({id})) = 'system');
CREATE POLICY watched_read ON {s}.watched FOR SELECT TO kontor_app USING ((SELECT auth.me({id})) = 'system');
GRANT SELECT ON {s}.activity, {s}.watched, {s}.alert TO kontor_app;
GRANT UPDATE (seen_at) ON {s}.alert TO kontor_app;
-- who saw to it is in the audit log
CREATE TRIGGER alert_noted AFTER UPDATE OF seen_at ON {s}.alert FOR EACH ROW EXECUTE FUNCTION {s}.note_change('count');
