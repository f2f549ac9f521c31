-- SQL logins: a PostgreSQL role for a member of staff or their reporting tool, which sees what the person sees.
-- kontor_sql is the group of all of them, g_N of those of tenant N, u_... each login. kontor_roles, which cannot log in, makes and
-- ends them; nothing else has a right to.

CREATE TABLE auth.login (
    -- numbers of roles are given again: name and number must both fit
    role oid CONSTRAINT login_pk PRIMARY KEY,
    name text NOT NULL CONSTRAINT login_name UNIQUE,
    account bigint NOT NULL CONSTRAINT login_account REFERENCES auth.account ON DELETE CASCADE,
    label text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_by_account ON auth.login (account);

-- The actor of this transaction in this tenant; null when there is none. Of a SQL login that is the person it belongs to,
-- found by the login itself and no setting, while their role has the right. Of everybody else the setting tells, which holds
-- tenant|actor|expiry (epoch seconds)|backend pid|HMAC-SHA256 in hex, set locally by the service.
CREATE OR REPLACE FUNCTION auth.me(tenant bigint) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    context text := current_setting('kontor.context', true);
    part text[];
    k auth.key;
BEGIN
    IF left(session_user, 2) = 'u_' THEN
        RETURN (SELECT 'staff:' || a.id FROM auth.login l JOIN auth.account a ON a.id = l.account
            JOIN kontor.tenant n ON n.id = a.tenant
            WHERE l.name = session_user AND l.role = to_regrole(session_user) AND a.tenant = me.tenant
                AND a.disabled_at IS NULL AND 'sql' = ANY (a.scopes) AND n.state = 'open');
    END IF;
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

-- Roles are made by these alone, whatever they are asked. They belong to kontor_roles.
SET LOCAL ROLE none;
CREATE FUNCTION auth.make_group(for_tenant bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regrole('g_' || for_tenant) IS NULL THEN EXECUTE format('CREATE ROLE %I NOLOGIN', 'g_' || for_tenant); END IF;
END
$$;
CREATE FUNCTION auth.drop_group(for_tenant bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN EXECUTE format('DROP ROLE IF EXISTS %I', 'g_' || for_tenant); END $$;
-- Limits that a login can lift for itself are the watchdog's to hold.
CREATE FUNCTION auth.make_role(login text, for_tenant bigint, verifier text) RETURNS oid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF login !~ '^u_[0-9a-f]{16}$' OR verifier !~ '^SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'no name or verifier of a SQL login';
    END IF;
    EXECUTE format('CREATE ROLE %I LOGIN CONNECTION LIMIT 5 PASSWORD %L IN ROLE kontor_sql, %I', login, verifier,
        'g_' || for_tenant);
    EXECUTE format('ALTER ROLE %I SET search_path = %I', login, 't_' || for_tenant || '_rep');
    EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', login);
    EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', login, '60s');
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', login, '60s');
    EXECUTE format('ALTER ROLE %I SET lock_timeout = %L', login, '5s');
    EXECUTE format('ALTER ROLE %I SET work_mem = %L', login, '16MB');
    EXECUTE format('ALTER ROLE %I SET max_parallel_workers_per_gather = 0', login);
    EXECUTE format('ALTER ROLE %I SET temp_file_limit = %L', login, '1GB');
    RETURN to_regrole(login);
END
$$;
CREATE FUNCTION auth.settle_role(login text, is_open boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF login !~ '^u_[0-9a-f]{16}$' THEN RAISE invalid_parameter_value USING MESSAGE = 'no name of a SQL login'; END IF;
    EXECUTE format('ALTER ROLE %I %s', login, CASE WHEN is_open THEN 'LOGIN' ELSE 'NOLOGIN' END);
END
$$;
CREATE FUNCTION auth.drop_role(login text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF login !~ '^u_[0-9a-f]{16}$' THEN RAISE invalid_parameter_value USING MESSAGE = 'no name of a SQL login'; END IF;
    EXECUTE format('DROP ROLE IF EXISTS %I', login);
END
$$;
REVOKE EXECUTE ON FUNCTION auth.make_group(bigint), auth.drop_group(bigint), auth.make_role(text, bigint, text),
    auth.settle_role(text, boolean), auth.drop_role(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.make_group(bigint), auth.drop_group(bigint), auth.make_role(text, bigint, text),
    auth.settle_role(text, boolean), auth.drop_role(text) TO kontor_owner;
ALTER FUNCTION auth.make_group(bigint) OWNER TO kontor_roles;
ALTER FUNCTION auth.drop_group(bigint) OWNER TO kontor_roles;
ALTER FUNCTION auth.make_role(text, bigint, text) OWNER TO kontor_roles;
ALTER FUNCTION auth.settle_role(text, boolean) OWNER TO kontor_roles;
ALTER FUNCTION auth.drop_role(text) OWNER TO kontor_roles;
SET LOCAL ROLE kontor_owner;

-- A login goes with its account, whatever removes that.
CREATE FUNCTION auth.end_login() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM auth.drop_role(OLD.name);
    RETURN NULL;
END
$$;
CREATE TRIGGER login_ended AFTER DELETE ON auth.login FOR EACH ROW EXECUTE FUNCTION auth.end_login();
-- While the account is disabled or its role has not the right, nobody gets in.
CREATE FUNCTION auth.settle_logins() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM auth.settle_role(l.name, NEW.disabled_at IS NULL AND 'sql' = ANY (NEW.scopes))
    FROM auth.login l WHERE l.account = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER account_settled AFTER UPDATE OF disabled_at, scopes ON auth.account FOR EACH ROW
    WHEN (OLD.disabled_at IS DISTINCT FROM NEW.disabled_at OR ('sql' = ANY (OLD.scopes)) <> ('sql' = ANY (NEW.scopes)))
    EXECUTE FUNCTION auth.settle_logins();

-- Whether the actor may keep the SQL logins of a person: who manages staff everybody's, a person with the right their own.
CREATE FUNCTION auth.may_keep_logins(for_tenant bigint, person bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(auth.me(for_tenant) = 'system' OR EXISTS (SELECT FROM auth.account a
        WHERE 'staff:' || a.id = auth.me(for_tenant) AND a.tenant = for_tenant AND a.disabled_at IS NULL
            AND ('staff' = ANY (a.scopes) OR 'sql' = ANY (a.scopes) AND a.id = person)), false)
$$;
-- Makes a login: "done", "missing" when there is no such person, "no_right" when their role has not the right, "too_many".
CREATE FUNCTION auth.add_login(for_tenant bigint, person bigint, login_label text, login text, verifier text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    a auth.account;
BEGIN
    IF left(session_user, 2) = 'u_' OR NOT auth.may_keep_logins(for_tenant, person) THEN RETURN 'forbidden'; END IF;
    SELECT * INTO a FROM auth.account x WHERE x.id = person AND x.tenant = for_tenant AND x.disabled_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN RETURN 'missing'; END IF;
    IF NOT 'sql' = ANY (a.scopes) THEN RETURN 'no_right'; END IF;
    IF (SELECT count(*) FROM auth.login l WHERE l.account = person) >= 5 THEN RETURN 'too_many'; END IF;
    INSERT INTO auth.login (role, name, account, label)
    VALUES (auth.make_role(login, for_tenant, verifier), login, person, login_label);
    RETURN 'done';
END
$$;
CREATE FUNCTION auth.logins(for_tenant bigint)
RETURNS TABLE (name text, label text, person bigint, email text, open boolean, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT l.name, l.label, a.id, a.email, a.disabled_at IS NULL AND 'sql' = ANY (a.scopes), l.created_at
    FROM auth.login l JOIN auth.account a ON a.id = l.account
    WHERE a.tenant = for_tenant AND auth.may_keep_logins(for_tenant, a.id) ORDER BY l.created_at, l.name
$$;
CREATE FUNCTION auth.remove_login(for_tenant bigint, login text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    DELETE FROM auth.login l USING auth.account a
    WHERE l.name = login AND a.id = l.account AND a.tenant = for_tenant AND auth.may_keep_logins(for_tenant, a.id)
    RETURNING true
$$;
-- Whether there are any: then the reporting server has to run.
CREATE FUNCTION auth.has_logins() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT auth.me(0) = 'system' AND EXISTS (SELECT FROM auth.login) $$;

GRANT EXECUTE ON FUNCTION auth.add_login(bigint, bigint, text, text, text), auth.logins(bigint),
    auth.remove_login(bigint, text), auth.has_logins() TO kontor_app;
-- what the views ask
GRANT USAGE ON SCHEMA auth, hub TO kontor_sql;
GRANT EXECUTE ON FUNCTION auth.me(bigint) TO kontor_sql;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA hub TO kontor_sql;
UPDATE kontor.instance SET version = 4;
