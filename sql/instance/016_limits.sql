-- What the operator lets a tenant have at most, and who is at work just now.

-- "contacts" and "staff" there may be, "storage" in megabytes, "calls" of the API in a minute. What is not named has no limit.
ALTER TABLE kontor.tenant
    ADD COLUMN limits jsonb NOT NULL DEFAULT '{}',
    -- limits that are reached, as far as they are counted now and then: contacts, storage
    ADD COLUMN reached text[] NOT NULL DEFAULT '{}';

-- As before, with the role of the token, and how many calls a minute the tenant may make.
DROP FUNCTION auth.open(bytea);
CREATE FUNCTION auth.open(token_hash bytea)
RETURNS TABLE (id bigint, tenant bigint, country text, scopes text[], role bigint, masked boolean, reads bigint[], calls bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.id, t.tenant, n.country,
        CASE WHEN t.role IS NULL THEN t.scopes ELSE ARRAY(SELECT s FROM unnest(t.scopes) s WHERE s = ANY (t.allowed)) END,
        t.role, t.role IS NOT NULL AND t.masked, CASE WHEN t.role IS NOT NULL THEN t.reads END, (n.limits ->> 'calls')::bigint
    FROM auth.token t LEFT JOIN kontor.tenant n ON n.id = t.tenant
    WHERE t.hash = token_hash AND t.revoked_at IS NULL
        AND (t.expires_at IS NULL OR t.expires_at > now())
        AND (t.tenant IS NULL OR n.state = 'open')
$$;
GRANT EXECUTE ON FUNCTION auth.open(bytea) TO kontor_app;

-- People of a tenant who used a session within the last five minutes.
CREATE FUNCTION auth.online(for_tenant bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.id FROM auth.account a
    WHERE a.tenant = for_tenant AND auth.me(for_tenant) IS NOT NULL AND a.disabled_at IS NULL
        AND EXISTS (SELECT FROM auth.session s
            WHERE s.account = a.id AND s.used_at > now() - interval '5 minutes' AND auth.is_live(s))
$$;
GRANT EXECUTE ON FUNCTION auth.online(bigint) TO kontor_app;
UPDATE kontor.instance SET version = 12;
