-- Sign-in of staff: what an account may do, its sessions, and what holds up guessing.
-- Functions that are no use without a session's token ask for that; all others ask for a context that the service
-- signed: for tenant 0 before anybody is known, else for the account itself.

-- Asked for no tenant it took the context of any.
ALTER FUNCTION auth.me(bigint) STRICT;

ALTER TABLE auth.account
    ADD COLUMN name text NOT NULL DEFAULT '',
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{contacts:read,contacts:write,config,runs,feed,tokens}',
    ADD COLUMN disabled_at timestamptz,
    ADD COLUMN password_at timestamptz NOT NULL DEFAULT now();

CREATE TABLE auth.session (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME auth.session_id) CONSTRAINT session_pk PRIMARY KEY,
    account bigint NOT NULL CONSTRAINT session_account REFERENCES auth.account ON DELETE CASCADE,
    hash bytea NOT NULL CONSTRAINT session_hash UNIQUE,
    -- where it was begun, and with what program
    address text NOT NULL,
    agent text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX session_by_account ON auth.session (account);

-- Failed sign-ins by the digest of what they are counted for. Nothing in it tells whether there is such an account.
CREATE TABLE auth.guard (
    key bytea CONSTRAINT guard_pk PRIMARY KEY,
    failures int NOT NULL,
    failed_at timestamptz NOT NULL
);
CREATE INDEX guard_old ON auth.guard (failed_at);

-- Seconds from the last failure until the next attempt: none for the first few, then doubled each time.
CREATE FUNCTION auth.delay(failures int, free int, most int) RETURNS int
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN failures < free THEN 0 ELSE least(most, 2 ^ least(failures - free, 20))::int END $$;

-- What guesses from an address are counted for: of IPv6 the network, which one caller has to himself.
CREATE FUNCTION auth.place(from_address text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN a LIKE '::ffff:%.%' THEN substr(a, 8)
        WHEN a LIKE '%:%' AND a <> '::1' THEN host(network(set_masklen(a::inet, 64))) ELSE a END
    FROM (SELECT split_part(from_address, '%', 1)) x (a)
$$;

CREATE FUNCTION auth.guard_key(kind text, name text) RETURNS bytea
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT sha256(convert_to(kind || '|' || name, 'UTF8')) $$;

-- Seconds to wait by what is counted for a key, whose row is locked; 0 when there is none.
CREATE FUNCTION auth.guard_wait(guarded bytea, free int, most int) RETURNS int
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    g auth.guard;
BEGIN
    SELECT * INTO g FROM auth.guard WHERE key = guarded AND failed_at > now() - interval '1 day' FOR UPDATE;
    RETURN coalesce(greatest(0, ceil(extract(epoch FROM g.failed_at - clock_timestamp())
        + auth.delay(g.failures, free, most))), 0);
END
$$;

CREATE FUNCTION auth.guard_count(guarded bytea) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO auth.guard AS g (key, failures, failed_at) VALUES (guarded, 1, clock_timestamp())
    ON CONFLICT (key) DO UPDATE SET failed_at = clock_timestamp(),
        failures = CASE WHEN g.failed_at < now() - interval '1 day' THEN 1 ELSE g.failures + 1 END
$$;

-- An attempt to sign in. Either seconds to wait, or what the password is to be held against, nulls for an unknown
-- account. What may go on is counted as failed at once; auth.begin_session takes it back. What has to wait leaves
-- nothing behind.
--   One who guesses at one account from one address soon waits a quarter of an hour; from many addresses, the account as
-- a whole is slowed to one attempt in five seconds, but not for an address that signed in there in the last 90 days.
-- Where guesser and owner cannot be told apart by address (that address again, or a proxy on this machine), there is
-- one attempt in five seconds for both, and no quarter of an hour.
--   Rows are locked in one order everywhere: address, account, both together.
CREATE FUNCTION auth.begin_sign_in(shop text, mail text, from_address text)
RETURNS TABLE (wait int, account bigint, password text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    place text := auth.place(from_address);
    who text := lower(shop) || '|' || lower(mail);
    address_key bytea := auth.guard_key('address', place);
    account_key bytea := auth.guard_key('account', who);
    pair_key bytea := auth.guard_key('pair', who || '|' || place);
    is_shared boolean := place IN ('127.0.0.1', '::1');
    is_known boolean;
    found record;
    seconds int := 0;
BEGIN
    IF auth.me(0) IS DISTINCT FROM 'system' THEN RETURN; END IF;
    SELECT a.id, a.password INTO found
    FROM kontor.tenant n JOIN auth.account a ON a.tenant = n.id
    WHERE n.name = shop AND n.state = 'open' AND a.email = lower(mail) AND a.disabled_at IS NULL;
    is_known := NOT is_shared AND EXISTS (SELECT FROM auth.session s
        WHERE s.account = found.id AND auth.place(s.address) = place AND s.created_at > now() - interval '90 days');
    IF NOT is_known THEN
        IF NOT is_shared THEN seconds := auth.guard_wait(address_key, 50, 60); END IF;
        IF seconds = 0 THEN seconds := auth.guard_wait(account_key, 30, 5); END IF;
    END IF;
    IF seconds = 0 THEN
        seconds := auth.guard_wait(pair_key, 5, CASE WHEN is_known OR is_shared THEN 5 ELSE 900 END);
    END IF;
    IF seconds > 0 THEN
        RETURN QUERY SELECT seconds, NULL::bigint, NULL::text;
        RETURN;
    END IF;
    IF NOT is_shared THEN PERFORM auth.guard_count(address_key); END IF;
    PERFORM auth.guard_count(account_key), auth.guard_count(pair_key);
    DELETE FROM auth.guard g WHERE g.key IN (SELECT o.key FROM auth.guard o
        WHERE o.failed_at < now() - interval '2 days' LIMIT 100 FOR UPDATE SKIP LOCKED);
    RETURN QUERY SELECT 0, found.id, found.password;
END
$$;

-- The password was right: a session, and the attempt is no failure. Nothing when the password has changed since it
-- was checked, or the account was disabled.
CREATE FUNCTION auth.begin_session(account_id bigint, checked text, rehashed text, token_hash bytea,
    from_address text, user_agent text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place text := auth.place(from_address);
    made bigint;
    who text;
BEGIN
    IF auth.me(0) IS DISTINCT FROM 'system' THEN RETURN NULL; END IF;
    UPDATE auth.account a SET password = coalesce(rehashed, a.password)
    WHERE a.id = account_id AND a.password = checked AND a.disabled_at IS NULL
    RETURNING (SELECT n.name FROM kontor.tenant n WHERE n.id = a.tenant) || '|' || a.email INTO who;
    IF NOT FOUND THEN RETURN NULL; END IF;
    UPDATE auth.guard g SET failures = greatest(0, g.failures - 1) WHERE g.key = auth.guard_key('address', place);
    UPDATE auth.guard g SET failures = greatest(0, g.failures - 1) WHERE g.key = auth.guard_key('account', who);
    DELETE FROM auth.guard g WHERE g.key = auth.guard_key('pair', who || '|' || place);
    DELETE FROM auth.session s WHERE s.account = account_id AND s.created_at < now() - interval '120 days';
    INSERT INTO auth.session (account, hash, address, agent)
    VALUES (account_id, token_hash, from_address, left(user_agent, 200)) RETURNING id INTO made;
    RETURN made;
END
$$;

-- A session that can still be used: it was not ended, was used within 12 hours, and began within 30 days.
CREATE FUNCTION auth.is_live(s auth.session) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.ended_at IS NULL AND s.used_at > now() - interval '12 hours' AND s.created_at > now() - interval '30 days'
$$;

-- Who holds a session: nothing for one that is over, when the account is disabled or its tenant is not open.
CREATE FUNCTION auth.open_session(token_hash bytea)
RETURNS TABLE (id bigint, account bigint, tenant bigint, country text, scopes text[])
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id, a.id, a.tenant, n.country, a.scopes
    FROM auth.session s JOIN auth.account a ON a.id = s.account JOIN kontor.tenant n ON n.id = a.tenant
    WHERE s.hash = token_hash AND auth.is_live(s) AND a.disabled_at IS NULL AND n.state = 'open'
$$;

CREATE FUNCTION auth.session_used(session_id bigint) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE auth.session s SET used_at = now()
    WHERE s.id = session_id AND auth.is_live(s) AND s.used_at < now() - interval '1 minute'
$$;

-- The account that acts; null when somebody else does.
CREATE FUNCTION auth.my_account(for_tenant bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.id FROM auth.account a
    WHERE a.tenant = for_tenant AND 'staff:' || a.id = (SELECT auth.me(for_tenant))
$$;

CREATE FUNCTION auth.account(for_tenant bigint)
RETURNS TABLE (id bigint, email text, name text, scopes text[], password_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.id, a.email, a.name, a.scopes, a.password_at FROM auth.account a WHERE a.id = auth.my_account(for_tenant)
$$;

-- What the present password of the account that acts is to be held against before it is changed, or seconds to wait:
-- a stolen session is no way to guess faster. Counted as failed until auth.change_password.
CREATE FUNCTION auth.begin_password_change(for_tenant bigint)
RETURNS TABLE (wait int, email text, password text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    me bigint := auth.my_account(for_tenant);
    guarded bytea := auth.guard_key('password', me::text);
    seconds int;
BEGIN
    IF me IS NULL THEN RETURN; END IF;
    seconds := auth.guard_wait(guarded, 5, 900);
    IF seconds = 0 THEN PERFORM auth.guard_count(guarded); END IF;
    RETURN QUERY SELECT seconds, a.email, CASE WHEN seconds = 0 THEN a.password END FROM auth.account a WHERE a.id = me;
END
$$;

-- Sessions of the account that acts, those that could still be used.
CREATE FUNCTION auth.sessions(for_tenant bigint)
RETURNS TABLE (id bigint, address text, agent text, created_at timestamptz, used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id, s.address, s.agent, s.created_at, s.used_at FROM auth.session s
    WHERE s.account = auth.my_account(for_tenant) AND auth.is_live(s) ORDER BY s.id
$$;

CREATE FUNCTION auth.end_session(for_tenant bigint, session_id bigint) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE auth.session s SET ended_at = now()
    WHERE s.id = session_id AND s.account = auth.my_account(for_tenant) AND s.ended_at IS NULL
    RETURNING true
$$;

-- A new password ends every session but the one it was changed in.
CREATE FUNCTION auth.change_password(for_tenant bigint, checked text, changed text, in_session bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me bigint := auth.my_account(for_tenant);
BEGIN
    UPDATE auth.account a SET password = changed, password_at = now() WHERE a.id = me AND a.password = checked;
    IF NOT FOUND THEN RETURN false; END IF;
    DELETE FROM auth.guard g WHERE g.key = auth.guard_key('password', me::text);
    UPDATE auth.session s SET ended_at = now() WHERE s.account = me AND s.id <> in_session AND s.ended_at IS NULL;
    RETURN true;
END
$$;

GRANT EXECUTE ON FUNCTION auth.begin_sign_in(text, text, text),
    auth.begin_session(bigint, text, text, bytea, text, text), auth.open_session(bytea), auth.session_used(bigint),
    auth.account(bigint), auth.begin_password_change(bigint), auth.sessions(bigint), auth.end_session(bigint, bigint),
    auth.change_password(bigint, text, text, bigint) TO kontor_app;
UPDATE kontor.instance SET version = 2;
