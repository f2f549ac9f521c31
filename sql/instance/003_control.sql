-- The control schema: which tenants there are, where they live, who may open them.
-- Run by kontor_migrate as kontor_owner.

CREATE SCHEMA auth;
CREATE SCHEMA hub;
CREATE SCHEMA kontor;

-- What this database holds, for start-up checks.
CREATE TABLE kontor.instance (
    only_row boolean CONSTRAINT instance_pk PRIMARY KEY DEFAULT true CONSTRAINT instance_one CHECK (only_row),
    version int NOT NULL,
    node bigint NOT NULL DEFAULT 1
);

CREATE TABLE kontor.tenant (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME kontor.tenant_id) CONSTRAINT tenant_pk PRIMARY KEY,
    name text NOT NULL CONSTRAINT tenant_name UNIQUE
        CONSTRAINT tenant_name_shape CHECK (name ~ '^[a-z][a-z0-9-]{1,39}$'),
    title text NOT NULL,
    country text NOT NULL DEFAULT 'PL',
    -- making -> open <-> suspended -> dropping -> (row gone)
    state text NOT NULL DEFAULT 'making'
        CONSTRAINT tenant_state CHECK (state IN ('making', 'open', 'suspended', 'dropping')),
    node bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- How far each module of each tenant is migrated.
CREATE TABLE kontor.module (
    tenant bigint NOT NULL CONSTRAINT module_tenant REFERENCES kontor.tenant ON DELETE CASCADE,
    name text NOT NULL,
    version int NOT NULL,
    CONSTRAINT module_pk PRIMARY KEY (tenant, name)
);

-- API tokens of all tenants: found by hash before the tenant is known, through auth.open alone.
CREATE TABLE auth.token (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME auth.token_id) CONSTRAINT token_pk PRIMARY KEY,
    hash bytea NOT NULL CONSTRAINT token_hash UNIQUE,
    prefix text NOT NULL,
    -- null: the operator's
    tenant bigint CONSTRAINT token_tenant REFERENCES kontor.tenant ON DELETE CASCADE,
    label text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    used_at timestamptz
);
CREATE INDEX token_by_tenant ON auth.token (tenant);

-- Owner accounts. The password is a memory-hard hash with its parameters inside.
CREATE TABLE auth.account (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME auth.account_id) CONSTRAINT account_pk PRIMARY KEY,
    tenant bigint NOT NULL CONSTRAINT account_tenant REFERENCES kontor.tenant ON DELETE CASCADE,
    email text NOT NULL,
    password text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT account_email UNIQUE (tenant, email)
);

-- The key that signs contexts: the two padded halves of HMAC (RFC 2104), made once, so that a check
-- costs two hashes. Readable by its owner only.
CREATE TABLE auth.key (
    only_row boolean CONSTRAINT key_pk PRIMARY KEY DEFAULT true CONSTRAINT key_one CHECK (only_row),
    inner_pad bytea NOT NULL,
    outer_pad bytea NOT NULL,
    -- Behind a transaction pooler the service cannot know the backend: then contexts carry pid 0.
    pooled boolean NOT NULL DEFAULT false
);

-- The actor of this transaction in this tenant; null when there is none. The setting holds
-- tenant|actor|expiry (epoch seconds)|backend pid|HMAC-SHA256 in hex, set locally by the service.
CREATE FUNCTION auth.me(tenant bigint) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    context text := current_setting('kontor.context', true);
    part text[];
    k auth.key;
BEGIN
    IF context IS NULL OR context = '' THEN
        RETURN NULL;
    END IF;
    part := string_to_array(context, '|');
    IF cardinality(part) <> 5 OR part[1] <> tenant::text THEN
        RETURN NULL;
    END IF;
    SELECT * INTO k FROM auth.key;
    IF encode(sha256(k.outer_pad || sha256(k.inner_pad
            || convert_to(left(context, -65), 'UTF8'))), 'hex') <> part[5] THEN
        RETURN NULL;
    END IF;
    IF part[3]::bigint < extract(epoch FROM transaction_timestamp())
        OR (part[4] <> pg_backend_pid()::text AND NOT (k.pooled AND part[4] = '0')) THEN
        RETURN NULL;
    END IF;
    RETURN part[2];
END
$$;

-- Who holds a token: nothing for an unknown, revoked or expired one, or a tenant that is not open.
CREATE FUNCTION auth.open(token_hash bytea)
RETURNS TABLE (id bigint, tenant bigint, tenant_name text, country text, scopes text[])
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.id, t.tenant, n.name, n.country, t.scopes
    FROM auth.token t LEFT JOIN kontor.tenant n ON n.id = t.tenant
    WHERE t.hash = token_hash AND t.revoked_at IS NULL
        AND (t.expires_at IS NULL OR t.expires_at > now())
        AND (t.tenant IS NULL OR n.state = 'open')
$$;

CREATE FUNCTION auth.token_used(token_id bigint) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ UPDATE auth.token SET used_at = now() WHERE id = token_id AND (used_at IS NULL OR used_at < now() - interval '1 minute') $$;

-- A tenant's own tokens: made, listed and revoked only under that tenant's context.
CREATE FUNCTION auth.add_token(for_tenant bigint, token_hash bytea, token_prefix text, token_label text,
    token_scopes text[], expiry timestamptz) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO auth.token (tenant, hash, prefix, label, scopes, expires_at)
    SELECT for_tenant, token_hash, token_prefix, token_label, token_scopes, expiry
    WHERE auth.me(for_tenant) IS NOT NULL
    RETURNING id
$$;

CREATE FUNCTION auth.tokens(for_tenant bigint)
RETURNS TABLE (id bigint, prefix text, label text, scopes text[], created_at timestamptz, expires_at timestamptz,
    revoked_at timestamptz, used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT t.id, t.prefix, t.label, t.scopes, t.created_at, t.expires_at, t.revoked_at, t.used_at
    FROM auth.token t WHERE t.tenant = for_tenant AND auth.me(for_tenant) IS NOT NULL ORDER BY t.id
$$;

CREATE FUNCTION auth.revoke_token(for_tenant bigint, token_id bigint) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE auth.token t SET revoked_at = coalesce(t.revoked_at, now())
    WHERE t.tenant = for_tenant AND t.id = token_id AND auth.me(for_tenant) IS NOT NULL
    RETURNING true
$$;

-- Tenants whose loops run here. Numbers and regions only: names stay with the operator.
CREATE FUNCTION kontor.open_tenants() RETURNS TABLE (id bigint, country text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT t.id, t.country FROM kontor.tenant t WHERE t.state = 'open' ORDER BY t.id $$;
