-- API tokens with a role of their tenant: programs that see and may what such a person does, within the token's scopes. They act
-- as agent:NUMBER; a token without a role is a program of the whole shop, and acts as token:NUMBER.

ALTER TABLE auth.token
    ADD COLUMN role bigint,
    -- worked out of the role as for accounts: what its holder could ask for, whether that is less than whole records, and whose
    -- contacts. Until then nothing.
    ADD COLUMN allowed text[] NOT NULL DEFAULT '{}',
    ADD COLUMN masked boolean NOT NULL DEFAULT true,
    ADD COLUMN reads bigint[];

-- Whether a program with a role still comes in by its token.
CREATE FUNCTION auth.token_lives(actor text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM auth.token t WHERE t.id = substr(actor, 7)::bigint AND t.revoked_at IS NULL
        AND (t.expires_at IS NULL OR t.expires_at > now()))
$$;

-- A role is the tenant's: the function of its schema looks whether it is there.
DROP FUNCTION auth.add_token(bigint, bytea, text, text, text[], timestamptz);
CREATE FUNCTION auth.add_token(for_tenant bigint, token_hash bytea, token_prefix text, token_label text, token_scopes text[],
    expiry timestamptz, token_role bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made bigint;
BEGIN
    IF NOT auth.may_keep_tokens(for_tenant, token_scopes) THEN
        RAISE insufficient_privilege USING MESSAGE = 'no right to make such a token';
    END IF;
    INSERT INTO auth.token (tenant, hash, prefix, label, scopes, expires_at, role)
    VALUES (for_tenant, token_hash, token_prefix, token_label, token_scopes, expiry, token_role) RETURNING id INTO made;
    RETURN made;
END
$$;
DROP FUNCTION auth.tokens(bigint);
CREATE FUNCTION auth.tokens(for_tenant bigint)
RETURNS TABLE (id bigint, prefix text, label text, scopes text[], role bigint, created_at timestamptz, expires_at timestamptz,
    revoked_at timestamptz, used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.id, t.prefix, t.label, t.scopes, t.role, t.created_at, t.expires_at, t.revoked_at, t.used_at
    FROM auth.token t WHERE t.tenant = for_tenant AND auth.may_keep_tokens(for_tenant, '{}') ORDER BY t.id
$$;
-- As before, with the role.
CREATE OR REPLACE FUNCTION auth.note_token() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM auth.note(NEW.tenant, coalesce(auth.me(NEW.tenant), 'operator'),
        CASE WHEN TG_OP = 'INSERT' THEN 'token.made' ELSE 'token.revoked' END,
        jsonb_strip_nulls(jsonb_build_object('token', NEW.id, 'scopes', NEW.scopes, 'role', NEW.role)));
    RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION auth.tokens(bigint) TO kontor_app;
UPDATE kontor.instance SET version = 11;
