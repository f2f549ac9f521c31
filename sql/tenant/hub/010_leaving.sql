-- Who left a group, as the relay alone may say. {s} is the tenant's schema, {id} its number.
-- Members who were in a group and are no longer there have left: that is newer evidence than what put them in, so their
-- consent to its purpose is withdrawn; of one who was merged with another, the other's. Whose address has changed meanwhile has
-- not left by that. How many withdrew.
CREATE OR REPLACE FUNCTION {s}.left_group(push_id bigint, present text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    withdrawn bigint;
BEGIN
    IF auth.me({id}) IS DISTINCT FROM 'system' THEN
        RAISE insufficient_privilege USING MESSAGE = 'only a push tells who has left';
    END IF;
    WITH gone AS (
        DELETE FROM {s}.group_member m WHERE m.push = push_id AND m.state = 'in' AND m.email <> ALL (present)
        RETURNING m.contact, m.email)
    INSERT INTO {s}.consent (contact, purpose, granted, evidence_at, source, proof, actor)
    SELECT DISTINCT c.id, p.purpose, false, now(), 'group', p.group_name, 'system'
    FROM gone g JOIN {s}.contact was ON was.id = g.contact
    JOIN {s}.contact c ON c.id = coalesce(was.merged_into, was.id) AND c.deleted_at IS NULL
    JOIN {s}.segment_push p ON p.id = push_id
    WHERE 'consent:' || p.purpose = ANY (c.consents)
        AND EXISTS (SELECT FROM jsonb_array_elements(c.data -> 'emails') e WHERE e ->> 'value' = g.email)
        AND NOT EXISTS (SELECT FROM jsonb_array_elements(c.data -> 'emails') e WHERE e ->> 'value' = ANY (present));
    GET DIAGNOSTICS withdrawn = ROW_COUNT;
    RETURN withdrawn;
END
$$;
