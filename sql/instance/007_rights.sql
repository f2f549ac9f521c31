-- Rights of staff: what a person with hidden or masked fields is shown of a record, and accounts that were invited.

-- A value in place of which a person is shown that there is one: of an e-mail address the first letter and the domain,
-- of a telephone number the last three digits, of any other text the first letter.
CREATE FUNCTION hub.mask_text(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN length(value) < 3 THEN '•••'
    WHEN value ~ '^[^@]+@[^@]+$' THEN left(value, 1) || '•••@' || split_part(value, '@', 2)
    WHEN value ~ '^\+?[0-9 ]{7,}$' THEN '•••' || right(value, 3)
    ELSE left(value, 1) || '•••' END;

-- The same for any value: every text and number in it is masked, labels are kept.
CREATE FUNCTION hub.mask_value(value jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE jsonb_typeof(value)
        WHEN 'array' THEN (SELECT coalesce(jsonb_agg(hub.mask_value(i) ORDER BY n), '[]')
            FROM jsonb_array_elements(value) WITH ORDINALITY x (i, n))
        WHEN 'object' THEN (SELECT coalesce(jsonb_object_agg(m.key,
                CASE WHEN m.key = 'label' THEN m.value ELSE hub.mask_value(m.value) END), '{}')
            FROM jsonb_each(value) m)
        WHEN 'string' THEN to_jsonb(hub.mask_text(value #>> '{}'))
        WHEN 'null' THEN value
        ELSE '"•••"' END;
END
$$;

-- A record, or part of one, as somebody sees it.
CREATE FUNCTION hub.shown(data jsonb, hidden text[], masked text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN data IS NULL THEN NULL WHEN NOT data ?| masked THEN data - hidden
        ELSE (data - hidden) || coalesce((SELECT jsonb_object_agg(m.key, hub.mask_value(m.value))
            FROM jsonb_each(data - hidden) m WHERE m.key = ANY (masked)), '{}') END
$$;

-- As before, and the countries of postal addresses.
CREATE OR REPLACE FUNCTION hub.facets(data jsonb, sales text[], consents text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found text[] := sales || consents;
    member record;
BEGIN
    -- a field of the tenant's own never passes for a tag, a consent, an order or a country
    FOR member IN SELECT key, value FROM jsonb_each(data)
        WHERE key NOT IN ('tag', 'consent', 'supplier', 'category', 'country') LOOP
        CASE jsonb_typeof(member.value)
        WHEN 'array' THEN
            IF member.key = 'tags' THEN
                found := found || (SELECT array_agg('tag:' || item) FROM jsonb_array_elements_text(member.value) item);
            ELSIF member.key = 'addresses' THEN
                found := found || (SELECT array_agg('country:' || (item ->> 'country'))
                    FROM jsonb_array_elements(member.value) item WHERE item ->> 'country' IS NOT NULL);
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

-- Who was invited has no password yet.
ALTER TABLE auth.account ALTER COLUMN password DROP NOT NULL;

-- Worked out of the tenant's roles with the scopes: whether this person sees less than whole records, and whose contacts
-- (null: everybody's). It only tells the service what to ask; PostgreSQL decides what comes.
ALTER TABLE auth.account
    ADD COLUMN masked boolean NOT NULL DEFAULT false,
    ADD COLUMN reads bigint[];
DROP FUNCTION auth.open_session(bytea);
CREATE FUNCTION auth.open_session(token_hash bytea)
RETURNS TABLE (id bigint, account bigint, tenant bigint, country text, scopes text[], masked boolean, reads bigint[])
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id, a.id, a.tenant, n.country, a.scopes, a.masked, a.reads
    FROM auth.session s JOIN auth.account a ON a.id = s.account JOIN kontor.tenant n ON n.id = a.tenant
    WHERE s.hash = token_hash AND auth.is_live(s) AND a.disabled_at IS NULL AND n.state = 'open'
$$;

-- Whether the actor may make tokens of these scopes: whoever may keep tokens makes none that allows more than himself, and
-- none that manages staff or tenants.
CREATE FUNCTION auth.may_keep_tokens(for_tenant bigint, wanted text[]) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me text := auth.me(for_tenant);
    held text[];
BEGIN
    IF me = 'system' THEN RETURN true; END IF;
    IF me ~ '^staff:\d+$' THEN
        SELECT a.scopes INTO held FROM auth.account a
        WHERE a.id = substr(me, 7)::bigint AND a.tenant = for_tenant AND a.disabled_at IS NULL;
    ELSIF me ~ '^token:\d+$' THEN
        SELECT t.scopes INTO held FROM auth.token t
        WHERE t.id = substr(me, 7)::bigint AND t.tenant = for_tenant AND t.revoked_at IS NULL
            AND (t.expires_at IS NULL OR t.expires_at > now());
    END IF;
    RETURN coalesce('tokens' = ANY (held) AND wanted <@ held AND NOT wanted && '{staff,operator}', false);
END
$$;
CREATE OR REPLACE FUNCTION auth.add_token(for_tenant bigint, token_hash bytea, token_prefix text, token_label text,
    token_scopes text[], expiry timestamptz) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made bigint;
BEGIN
    IF NOT auth.may_keep_tokens(for_tenant, token_scopes) THEN
        RAISE insufficient_privilege USING MESSAGE = 'no right to make such a token';
    END IF;
    INSERT INTO auth.token (tenant, hash, prefix, label, scopes, expires_at)
    VALUES (for_tenant, token_hash, token_prefix, token_label, token_scopes, expiry) RETURNING id INTO made;
    RETURN made;
END
$$;
CREATE OR REPLACE FUNCTION auth.tokens(for_tenant bigint)
RETURNS TABLE (id bigint, prefix text, label text, scopes text[], created_at timestamptz, expires_at timestamptz,
    revoked_at timestamptz, used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.id, t.prefix, t.label, t.scopes, t.created_at, t.expires_at, t.revoked_at, t.used_at
    FROM auth.token t WHERE t.tenant = for_tenant AND auth.may_keep_tokens(for_tenant, '{}') ORDER BY t.id
$$;
CREATE OR REPLACE FUNCTION auth.revoke_token(for_tenant bigint, token_id bigint) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE auth.token t SET revoked_at = coalesce(t.revoked_at, now())
    WHERE t.tenant = for_tenant AND t.id = token_id AND auth.may_keep_tokens(for_tenant, '{}')
    RETURNING true
$$;

-- Links by which somebody sets the password of an account: an invitation, or help after a lost one. Each works once.
CREATE TABLE auth.invitation (
    hash bytea CONSTRAINT invitation_pk PRIMARY KEY,
    account bigint NOT NULL CONSTRAINT invitation_account REFERENCES auth.account ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX invitation_by_account ON auth.invitation (account);

-- Shop and address of the account a link is for; nothing for one that is unknown, used or too old.
CREATE FUNCTION auth.invited(link_hash bytea) RETURNS TABLE (shop text, email text)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT n.name, a.email FROM auth.invitation i JOIN auth.account a ON a.id = i.account
    JOIN kontor.tenant n ON n.id = a.tenant
    WHERE i.hash = link_hash AND i.expires_at > now() AND a.disabled_at IS NULL AND n.state = 'open'
$$;

-- Sets the password by a link. All links of the account and all its sessions end.
CREATE FUNCTION auth.accept(link_hash bytea, changed text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    who bigint;
BEGIN
    IF auth.me(0) IS DISTINCT FROM 'system' THEN RETURN false; END IF;
    SELECT i.account INTO who FROM auth.invitation i JOIN auth.account a ON a.id = i.account
    WHERE i.hash = link_hash AND i.expires_at > now() AND a.disabled_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN RETURN false; END IF;
    DELETE FROM auth.invitation i WHERE i.account = who;
    UPDATE auth.account a SET password = changed, password_at = now() WHERE a.id = who;
    UPDATE auth.session s SET ended_at = now() WHERE s.account = who AND s.ended_at IS NULL;
    RETURN true;
END
$$;

GRANT USAGE ON SCHEMA auth, hub TO kontor_view;
GRANT EXECUTE ON FUNCTION auth.me(bigint) TO kontor_view;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA hub TO kontor_app, kontor_view;
GRANT EXECUTE ON FUNCTION auth.open_session(bytea), auth.invited(bytea), auth.accept(bytea, text) TO kontor_app;
UPDATE kontor.instance SET version = 3;
