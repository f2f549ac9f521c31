-- What becomes of two contacts that are made one: for each field its two values, which of them is taken, and the result.
--   mine     the contact that stays
--   theirs   the one that goes into it
--   choices  field -> "keep", "other", or, for lists and notes, "both"; what is not named: both of lists and notes, else what
--            the contact that stays has, or the other's where it has none. The month of a birthday goes with the birthday.
CREATE FUNCTION hub.choose(mine jsonb, theirs jsonb, choices jsonb)
RETURNS TABLE (field text, keep jsonb, other jsonb, choice text, result jsonb, is_allowed boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT f.key, f.m, f.t, c.choice,
        CASE WHEN c.choice = 'keep' OR f.t IS NULL AND c.choice = 'both' THEN f.m
            WHEN c.choice = 'other' OR f.m IS NULL THEN f.t
            WHEN jsonb_typeof(f.m) = 'array' THEN hub.merge_list('null', f.m, f.t)
            ELSE to_jsonb(CASE WHEN f.m = f.t THEN f.m #>> '{}' ELSE concat_ws(E'\n\n', f.m #>> '{}', f.t #>> '{}') END) END,
        c.choice IN ('keep', 'other') OR c.choice = 'both' AND f.is_list
    FROM (
        SELECT k.key, v.m, v.t, l.lead, l.lead_m, l.lead_t,
            'array' IN (jsonb_typeof(v.m), jsonb_typeof(v.t)) OR k.key = 'notes' AS is_list
        FROM (SELECT jsonb_object_keys(mine) UNION SELECT jsonb_object_keys(theirs)) k (key)
        CROSS JOIN LATERAL (SELECT nullif(nullif(mine -> k.key, 'null'), '[]') AS m, nullif(nullif(theirs -> k.key, 'null'), '[]') AS t) v
        CROSS JOIN LATERAL (
            SELECT CASE WHEN k.key = 'birth_month' AND (mine ? 'birthday' OR theirs ? 'birthday') THEN 'birthday' ELSE k.key END AS lead,
                CASE WHEN k.key = 'birth_month' THEN coalesce(mine -> 'birthday', v.m) ELSE v.m END AS lead_m,
                CASE WHEN k.key = 'birth_month' THEN coalesce(theirs -> 'birthday', v.t) ELSE v.t END AS lead_t) l
    ) f
    CROSS JOIN LATERAL (
        SELECT coalesce(choices ->> f.lead, CASE WHEN f.is_list THEN 'both'
            -- a whole birthday says more than a month
            WHEN f.key = 'birth_month' AND theirs ? 'birthday' AND NOT mine ? 'birthday' THEN 'other'
            WHEN f.lead_m IS NULL AND f.lead_t IS NOT NULL THEN 'other' ELSE 'keep' END) AS choice) c
    WHERE f.m IS NOT NULL OR f.t IS NOT NULL
$$;
GRANT EXECUTE ON FUNCTION hub.choose(jsonb, jsonb, jsonb) TO kontor_app;
UPDATE kontor.instance SET version = 10;
