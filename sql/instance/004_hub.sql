-- Pure functions shared by all tenants: they read arguments, never tables.

-- A calendar day, or null for text that is none: a generated column must not fail on old data.
CREATE FUNCTION hub.as_date(value text) RETURNS date
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF value !~ '^\d{4}-\d{2}-\d{2}$' THEN RETURN NULL; END IF;
    RETURN make_date(substr(value, 1, 4)::int, substr(value, 6, 2)::int, substr(value, 9, 2)::int);
EXCEPTION WHEN datetime_field_overflow THEN RETURN NULL;
END
$$;

-- The name to show: what was given, else first and family name, company, first e-mail.
CREATE FUNCTION hub.display_name(data jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(data ->> 'name',
    nullif(concat_ws(' ', data ->> 'given_name', data ->> 'family_name'), ''),
    data ->> 'company', data #>> '{emails,0,value}', data #>> '{phones,0,value}');

-- What segments and filters ask by equality, as one array under one index: "tag:client",
-- "industry:carpentry", "birth_month:9", and from orders "supplier:17".
CREATE FUNCTION hub.facets(data jsonb, sales text[], consents text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found text[] := sales || consents;
    member record;
BEGIN
    -- a field of the tenant's own never passes for a tag, a consent or an order
    FOR member IN SELECT key, value FROM jsonb_each(data) WHERE key NOT IN ('tag', 'consent', 'supplier', 'category') LOOP
        CASE jsonb_typeof(member.value)
        WHEN 'array' THEN
            IF member.key = 'tags' THEN
                found := found || (SELECT array_agg('tag:' || item) FROM jsonb_array_elements_text(member.value) item);
            ELSIF jsonb_typeof(member.value -> 0) = 'string' THEN
                found := found
                    || (SELECT array_agg(member.key || ':' || item) FROM jsonb_array_elements_text(member.value) item);
            END IF;
        WHEN 'object' THEN NULL;
        WHEN 'null' THEN NULL;
        ELSE
            IF member.key NOT IN ('name', 'given_name', 'family_name', 'job_title', 'birthday', 'notes', 'company')
                AND octet_length(member.value::text) <= 42 THEN
                found := found || (member.key || ':' || (member.value #>> '{}'));
            END IF;
        END CASE;
    END LOOP;
    RETURN found;
END
$$;

-- Every value of the record in lower case, for search by any part of it.
CREATE FUNCTION hub.search_text(data jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(concat_ws(' ', data ->> 'given_name', data ->> 'family_name')
    || ' ' || regexp_replace(data::text, '"[a-z][a-z0-9_]*": ', '', 'g'));

-- E-mail addresses, telephone numbers and values of the tenant's key fields by which a record is recognised.
CREATE FUNCTION hub.match_keys(data jsonb, fields text[] DEFAULT '{}') RETURNS TABLE (kind text, value text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
-- a body whose names are bound now becomes part of the statement that asks, and is not planned each time
BEGIN ATOMIC
    SELECT 'email', e ->> 'value' FROM jsonb_array_elements(CASE jsonb_typeof(data -> 'emails') WHEN 'array' THEN data -> 'emails' END) e
    WHERE e ->> 'value' IS NOT NULL
    UNION
    SELECT 'phone', p ->> 'value' FROM jsonb_array_elements(CASE jsonb_typeof(data -> 'phones') WHEN 'array' THEN data -> 'phones' END) p
    WHERE p ->> 'value' LIKE '+%'
    UNION
    SELECT 'field:' || f, lower(btrim(data ->> f)) FROM unnest(fields) f
    WHERE btrim(data ->> f) <> '' AND length(data ->> f) <= 200;
END;

-- Three-way merge of a list: what the remote added is added, what it took away is taken away, and
-- what the hub changed meanwhile stays. Objects are the same entry when their "value" is.
CREATE FUNCTION hub.merge_list(base jsonb, mine jsonb, theirs jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH b AS (SELECT coalesce(i ->> 'value', i::text) AS k
            FROM jsonb_array_elements(CASE jsonb_typeof(base) WHEN 'array' THEN base ELSE '[]' END) i),
        m AS (SELECT coalesce(i ->> 'value', i::text) AS k, i, n
            FROM jsonb_array_elements(CASE jsonb_typeof(mine) WHEN 'array' THEN mine ELSE '[]' END)
                WITH ORDINALITY x (i, n)),
        t AS (SELECT coalesce(i ->> 'value', i::text) AS k, i, n
            FROM jsonb_array_elements(CASE jsonb_typeof(theirs) WHEN 'array' THEN theirs ELSE '[]' END)
                WITH ORDINALITY x (i, n)),
        kept AS (
            -- an entry both have takes the remote's other members (labels) over the hub's
            SELECT m.k, CASE WHEN t.k IS NULL OR jsonb_typeof(m.i) <> 'object' THEN m.i ELSE m.i || t.i END AS i, m.n
            FROM m LEFT JOIN t USING (k)
            WHERE t.k IS NOT NULL OR m.k NOT IN (SELECT k FROM b)
            UNION ALL
            SELECT t.k, t.i, t.n + 100000 FROM t
            WHERE t.k NOT IN (SELECT k FROM m) AND t.k NOT IN (SELECT k FROM b))
    SELECT coalesce(jsonb_agg(i ORDER BY n), '[]') FROM kept
$$;

-- Three-way merge of one record, field by field.
--   base    what hub and remote last agreed on; null when they never met
--   mine    the golden record
--   theirs  what the remote sends: only mapped fields, null for one it holds empty
--   locks   fields set by hand and held
--   origins who set each field: {"field": {"by", "at", "rank"}, "*": ...}
--   at      when the remote changed it (null: not known); rank: precedence of the source, 1 first
-- Gives {"set": {field: value}, "conflicts": [{"field", "base", "hub", "remote", "kept", "reason"}],
-- "behind": {field: value}}: the last holds what the remote does not have as the hub now has it.
CREATE FUNCTION hub.merge_record(base jsonb, mine jsonb, theirs jsonb, locks text[], origins jsonb,
    at timestamptz, rank int) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed jsonb := '{}';
    conflicts jsonb := '[]';
    behind jsonb := '{}';
    f text;
    r jsonb;
    c jsonb;
    b jsonb;
    merged jsonb;
    origin jsonb;
    takes boolean;
    why text;
BEGIN
    FOR f, r IN SELECT key, value FROM jsonb_each(theirs) LOOP
        c := coalesce(mine -> f, 'null');
        b := coalesce(base -> f, 'null');
        IF r = '[]' THEN r := 'null'; END IF;
        IF c = '[]' THEN c := 'null'; END IF;
        IF b = '[]' THEN b := 'null'; END IF;
        CONTINUE WHEN r = c OR (base IS NOT NULL AND r = b);
        IF base IS NULL AND r = 'null' THEN
            behind := behind || jsonb_build_object(f, c);
            CONTINUE;
        END IF;
        IF f = ANY (locks) THEN
            conflicts := conflicts || jsonb_build_object('field', f, 'base', b, 'hub', c, 'remote', r,
                'kept', 'hub', 'reason', 'locked');
            behind := behind || jsonb_build_object(f, c);
            CONTINUE;
        END IF;
        IF jsonb_typeof(r) = 'array' OR (r = 'null' AND jsonb_typeof(c) = 'array') THEN
            merged := hub.merge_list(b, c, r);
            IF merged = '[]' THEN merged := 'null'; END IF;
            IF merged <> c THEN changed := changed || jsonb_build_object(f, merged); END IF;
            IF merged <> r THEN behind := behind || jsonb_build_object(f, merged); END IF;
            CONTINUE;
        END IF;
        IF c = 'null' OR (base IS NOT NULL AND c = b) THEN
            changed := changed || jsonb_build_object(f, r);
            CONTINUE;
        END IF;
        -- both sides have a value of their own: precedence decides, then event time
        origin := coalesce(origins -> f, origins -> '*', '{}');
        IF rank <> coalesce((origin ->> 'rank')::int, rank) THEN
            takes := rank < (origin ->> 'rank')::int;
            why := 'precedence';
        ELSE
            takes := at IS NOT NULL AND at > coalesce((origin ->> 'at')::timestamptz, '-infinity');
            why := CASE WHEN at IS NULL THEN 'time_unknown' ELSE 'newer' END;
        END IF;
        IF takes THEN
            changed := changed || jsonb_build_object(f, r);
        ELSE
            behind := behind || jsonb_build_object(f, c);
        END IF;
        conflicts := conflicts || jsonb_build_object('field', f, 'base', b, 'hub', c, 'remote', r,
            'kept', CASE WHEN takes THEN 'remote' ELSE 'hub' END, 'reason', why);
    END LOOP;
    RETURN jsonb_build_object('set', changed, 'conflicts', conflicts, 'behind', behind);
END
$$;

-- The record with some fields set; null takes a field away.
CREATE FUNCTION hub.apply(data jsonb, changed jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_strip_nulls(data || changed);

-- Fields whose values differ between two records.
CREATE FUNCTION hub.changed_fields(before jsonb, after jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(key ORDER BY key), '{}') FROM (
        SELECT key FROM jsonb_each(before) b FULL JOIN jsonb_each(after) a USING (key)
        WHERE b.value IS DISTINCT FROM a.value) d
$$;

-- What a record held in the fields that are about to change, null for none.
CREATE FUNCTION hub.former(before jsonb, after jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(jsonb_object_agg(f, coalesce(before -> f, 'null')), '{}')
    FROM unnest(hub.changed_fields(before, after)) f);

-- A list with an item in front, unless it is there already; the last ones fall off.
CREATE FUNCTION hub.remember(item jsonb, list jsonb, at_most int) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN item = '{}' OR item = list -> 0 THEN list ELSE (
        SELECT jsonb_agg(i ORDER BY n) FROM (
            SELECT item AS i, 0 AS n UNION ALL
            SELECT x.i, x.n FROM jsonb_array_elements(list) WITH ORDINALITY x (i, n) WHERE x.n < at_most) y) END
$$;

-- The base of a three-way merge: what hub and remote agreed on (null when they never met), with the remote's value
-- where that is one it is known to have had. known: records or parts of records, newest first.
CREATE FUNCTION hub.merge_base(agreed jsonb, known jsonb, theirs jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN known IS NULL OR known = '[]' THEN agreed ELSE coalesce(agreed, known -> 0) || coalesce((
        SELECT jsonb_object_agg(t.key, t.value) FROM jsonb_each(theirs) t
        WHERE EXISTS (SELECT FROM jsonb_array_elements(known) k WHERE k -> t.key = t.value
            OR t.value = '[]' AND k -> t.key = 'null')), '{}') END
$$;

-- Just these members of an object.
CREATE FUNCTION hub.pick(data jsonb, keys text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(data) WHERE key = ANY (keys) $$;

-- Records sent, with nothing but their e-mail addresses.
CREATE FUNCTION hub.just_emails(sent jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(jsonb_agg(hub.pick(i, '{emails}')), '[]') FROM jsonb_array_elements(sent) i $$;

-- A number, or null for text that is none.
CREATE FUNCTION hub.as_number(value text) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN value ~ '^-?\d{1,30}(\.\d{1,15})?$' THEN value::numeric END;
