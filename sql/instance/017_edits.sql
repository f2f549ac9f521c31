-- Many contacts changed by one request.

-- What a change of many comes to for one record: the fields that it changes with their new values, null to take one away.
-- {"set": {field: value}, "add_tags": [...], "remove_tags": [...]}; tags are either set or added and removed.
CREATE FUNCTION hub.bulk_set(data jsonb, edit jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(x.key, x.value), '{}') FROM (
        SELECT s.key, s.value FROM jsonb_each(coalesce(edit -> 'set', '{}')) s
        WHERE coalesce(data -> s.key, 'null') <> s.value
        UNION ALL
        SELECT 'tags', t.value FROM (
            SELECT coalesce(jsonb_agg(o.tag ORDER BY o.place), 'null') AS value FROM (
                SELECT a.tag, min(a.place) AS place FROM (
                    SELECT h.tag, h.place FROM jsonb_array_elements_text(coalesce(data -> 'tags', '[]')) WITH ORDINALITY h (tag, place)
                    UNION ALL
                    SELECT n.tag, 1000000 + n.place
                    FROM jsonb_array_elements_text(coalesce(edit -> 'add_tags', '[]')) WITH ORDINALITY n (tag, place)) a
                WHERE NOT coalesce(edit -> 'remove_tags', '[]') ? a.tag GROUP BY a.tag
                -- as many as a contact may have
                ORDER BY min(a.place) LIMIT 100) o) t
        WHERE edit ?| '{add_tags,remove_tags}' AND t.value <> coalesce(data -> 'tags', 'null')) x
$$;
GRANT EXECUTE ON FUNCTION hub.bulk_set(jsonb, jsonb) TO kontor_app;
UPDATE kontor.instance SET version = 13;
