-- Mail to staff: a queue that survives restarts, requests for a new password, and what a tenant demands of passwords.
-- Nothing secret waits in the queue: the links in mails are made when they are sent.
CREATE TABLE auth.mail (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME auth.mail_id) CONSTRAINT mail_pk PRIMARY KEY,
    -- null when a new password was asked for and there is no such account: it goes nowhere, and took as long
    tenant bigint CONSTRAINT mail_tenant REFERENCES kontor.tenant ON DELETE CASCADE,
    account bigint CONSTRAINT mail_account REFERENCES auth.account ON DELETE CASCADE,
    kind text NOT NULL CONSTRAINT mail_kind CHECK (kind IN ('invitation', 'reset', 'password')),
    made_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    attempts int NOT NULL DEFAULT 0,
    sent_at timestamptz,
    failed_at timestamptz,
    -- the mail server's words at the last attempt
    error text
);
CREATE INDEX mail_due ON auth.mail (due_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX mail_by_account ON auth.mail (account);
CREATE INDEX mail_by_tenant ON auth.mail (tenant);

-- Whether this instance has a mail server; said by the service when it starts.
ALTER TABLE kontor.instance ADD COLUMN mails boolean NOT NULL DEFAULT false;
CREATE FUNCTION auth.set_mails(has_server boolean) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ UPDATE kontor.instance SET mails = has_server WHERE auth.me(0) = 'system' AND mails <> has_server $$;
CREATE FUNCTION auth.mails() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT mails FROM kontor.instance $$;

-- Puts an invitation in the queue, for who manages staff. False where there is no mail server.
CREATE FUNCTION auth.post_invitation(for_tenant bigint, person bigint) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    WITH posted AS (
        INSERT INTO auth.mail (tenant, account, kind)
        SELECT a.tenant, a.id, 'invitation' FROM auth.account a
        WHERE auth.mails() AND a.id = person AND a.tenant = for_tenant AND a.disabled_at IS NULL
            AND EXISTS (SELECT FROM auth.account m WHERE m.id = auth.my_account(for_tenant) AND 'staff' = ANY (m.scopes))
        RETURNING 1)
    SELECT EXISTS (SELECT FROM posted)
$$;

-- Mails of a tenant's staff, the newest first, for who manages them.
CREATE FUNCTION auth.mails_of(for_tenant bigint)
RETURNS TABLE (id bigint, account bigint, email text, kind text, state text, attempts int, error text, made_at timestamptz,
    sent_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.id, m.account, a.email, m.kind,
        CASE WHEN m.sent_at IS NOT NULL THEN 'sent' WHEN m.failed_at IS NOT NULL THEN 'failed' ELSE 'waiting' END,
        m.attempts, m.error, m.made_at, m.sent_at
    FROM auth.mail m JOIN auth.account a ON a.id = m.account
    WHERE m.tenant = for_tenant
        AND EXISTS (SELECT FROM auth.account x WHERE x.id = auth.my_account(for_tenant) AND 'staff' = ANY (x.scopes))
    ORDER BY m.id DESC LIMIT 200
$$;

-- Somebody asks for a new password: seconds to wait for one whose address asked too often, else 0. For an account, known or
-- not, a mail goes at most three times at once, then ever less often; nothing of that shows.
CREATE FUNCTION auth.ask_reset(shop text, mail text, from_address text) RETURNS int
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place text := auth.place(from_address);
    address_key bytea := auth.guard_key('reset-address', place);
    account_key bytea := auth.guard_key('reset', lower(shop) || '|' || lower(mail));
    is_shared boolean := place IN ('127.0.0.1', '::1');
    found record;
    seconds int := 0;
BEGIN
    IF auth.me(0) IS DISTINCT FROM 'system' THEN RETURN 0; END IF;
    IF NOT is_shared THEN
        seconds := auth.guard_wait(address_key, 20, 600);
        IF seconds > 0 THEN RETURN seconds; END IF;
        PERFORM auth.guard_count(address_key);
    END IF;
    seconds := auth.guard_wait(account_key, 3, 3600);
    IF seconds = 0 THEN PERFORM auth.guard_count(account_key); END IF;
    SELECT a.id, a.tenant INTO found
    FROM kontor.tenant n JOIN auth.account a ON a.tenant = n.id
    WHERE n.name = shop AND n.state = 'open' AND a.email = lower(mail) AND a.disabled_at IS NULL AND seconds = 0;
    INSERT INTO auth.mail (tenant, account, kind) VALUES (found.tenant, found.id, 'reset');
    RETURN 0;
END
$$;

-- Takes mails to send, for so many seconds: when they are not done by then, somebody else may. What came too late for its
-- link, or is for somebody who is gone, is given up.
CREATE FUNCTION auth.claim_mails(most int, seconds int)
RETURNS TABLE (id bigint, tenant bigint, shop text, country text, account bigint, email text, name text, kind text, attempt int,
    made_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF auth.me(0) IS DISTINCT FROM 'system' THEN RETURN; END IF;
    DELETE FROM auth.mail m WHERE m.account IS NULL OR m.made_at < now() - interval '30 days';
    UPDATE auth.mail m SET failed_at = now(), error = coalesce(m.error, 'it could not be sent in time')
    WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.due_at <= now()
        AND m.made_at < now() - CASE m.kind WHEN 'reset' THEN interval '1 hour' ELSE interval '2 days' END;
    RETURN QUERY
    WITH due AS (
        SELECT m.id FROM auth.mail m JOIN auth.account a ON a.id = m.account JOIN kontor.tenant n ON n.id = m.tenant
        WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.due_at <= now() AND a.disabled_at IS NULL AND n.state = 'open'
        ORDER BY m.due_at LIMIT most FOR UPDATE OF m SKIP LOCKED)
    UPDATE auth.mail m SET attempts = m.attempts + 1, due_at = clock_timestamp() + make_interval(secs => seconds)
    FROM due, auth.account a, kontor.tenant n
    WHERE m.id = due.id AND a.id = m.account AND n.id = m.tenant
    RETURNING m.id, m.tenant, n.name, n.country, a.id, a.email, a.name, m.kind, m.attempts, m.made_at;
END
$$;

-- The link a mail carries, before it goes. An attempt whose end is not known may have reached its reader: the links of a
-- mail's attempts all work, until one is used.
CREATE FUNCTION auth.add_mail_link(mail_id bigint, attempt int, link_hash bytea) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO auth.invitation (hash, account, expires_at)
    SELECT link_hash, m.account, now() + CASE m.kind WHEN 'reset' THEN interval '1 hour' ELSE interval '2 days' END
    FROM auth.mail m JOIN auth.account a ON a.id = m.account
    WHERE auth.me(0) = 'system' AND m.id = mail_id AND m.attempts = attempt AND m.sent_at IS NULL AND m.failed_at IS NULL
        AND m.kind IN ('invitation', 'reset') AND a.disabled_at IS NULL
    RETURNING true
$$;

-- How an attempt ended: sent, to be tried again after some seconds, or given up (null seconds). False when somebody else
-- has taken the mail over.
CREATE FUNCTION auth.mail_done(mail_id bigint, attempt int, problem text, again_after int) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE auth.mail m SET error = left(problem, 500),
        sent_at = CASE WHEN problem IS NULL THEN clock_timestamp() END,
        failed_at = CASE WHEN problem IS NOT NULL AND again_after IS NULL THEN clock_timestamp() END,
        due_at = CASE WHEN again_after IS NULL THEN m.due_at ELSE clock_timestamp() + make_interval(secs => again_after) END
    WHERE auth.me(0) = 'system' AND m.id = mail_id AND m.attempts = attempt AND m.sent_at IS NULL
    RETURNING true
$$;

-- What a tenant demands of passwords beyond the floor, which every part holds above.
CREATE TABLE auth.policy (
    tenant bigint CONSTRAINT policy_pk PRIMARY KEY CONSTRAINT policy_tenant REFERENCES kontor.tenant ON DELETE CASCADE,
    -- characters
    length int NOT NULL DEFAULT 15 CONSTRAINT policy_length CHECK (length BETWEEN 15 AND 64),
    -- zxcvbn's score
    strength int NOT NULL DEFAULT 3 CONSTRAINT policy_strength CHECK (strength BETWEEN 3 AND 4),
    -- no password may hold one of these
    words text[] NOT NULL DEFAULT '{}',
    -- how many of a person's last passwords, the present one among them, may not come again
    history int NOT NULL DEFAULT 0 CONSTRAINT policy_history CHECK (history BETWEEN 0 AND 5),
    -- days after which a password is to be changed
    expires_days int CONSTRAINT policy_expiry CHECK (expires_days BETWEEN 30 AND 3650),
    -- roles whose people need a second factor
    factor_roles bigint[] NOT NULL DEFAULT '{}'
);
CREATE TABLE auth.old_password (
    account bigint NOT NULL CONSTRAINT old_password_account REFERENCES auth.account ON DELETE CASCADE,
    password text NOT NULL,
    until timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT old_password_pk PRIMARY KEY (account, until)
);
-- whether the policy asks this account for a second factor
ALTER TABLE auth.account ADD COLUMN factor_due boolean NOT NULL DEFAULT false;

-- An old password is kept as long as the policy may ask for it; its owner is told of the new one. Links to set one end with
-- the password they were to replace, also those that were not sent yet.
CREATE FUNCTION auth.keep_password() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM auth.invitation i WHERE i.account = NEW.id;
    UPDATE auth.mail m SET failed_at = now(), error = 'a password was set meanwhile'
    WHERE m.account = NEW.id AND m.kind IN ('invitation', 'reset') AND m.sent_at IS NULL AND m.failed_at IS NULL;
    IF OLD.password IS NULL THEN RETURN NULL; END IF;
    INSERT INTO auth.old_password (account, password)
    SELECT NEW.id, OLD.password FROM auth.policy p WHERE p.tenant = NEW.tenant AND p.history > 1;
    DELETE FROM auth.old_password o WHERE o.account = NEW.id AND o.until NOT IN (
        SELECT k.until FROM auth.old_password k WHERE k.account = NEW.id ORDER BY k.until DESC
        LIMIT coalesce((SELECT p.history FROM auth.policy p WHERE p.tenant = NEW.tenant), 1) - 1);
    INSERT INTO auth.mail (tenant, account, kind) SELECT NEW.tenant, NEW.id, 'password' WHERE auth.mails();
    RETURN NULL;
END
$$;
CREATE TRIGGER account_password_kept AFTER UPDATE OF password ON auth.account FOR EACH ROW
    WHEN (OLD.password_at IS DISTINCT FROM NEW.password_at) EXECUTE FUNCTION auth.keep_password();

-- What a new password of an account is held against: the policy, the person's name and shop, and passwords they had.
CREATE FUNCTION auth.password_rules(account_id bigint)
RETURNS TABLE (email text, name text, shop text, length int, strength int, words text[], old text[])
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.email, a.name, n.name, coalesce(p.length, 15), coalesce(p.strength, 3), coalesce(p.words, '{}'),
        CASE WHEN p.history > 0 THEN array_remove(a.password || ARRAY(
            SELECT o.password FROM auth.old_password o WHERE o.account = a.id ORDER BY o.until DESC LIMIT p.history - 1), NULL)
        ELSE '{}' END
    FROM auth.account a JOIN kontor.tenant n ON n.id = a.tenant LEFT JOIN auth.policy p ON p.tenant = a.tenant
    WHERE a.id = account_id
$$;
CREATE FUNCTION auth.my_password_rules(for_tenant bigint)
RETURNS TABLE (email text, name text, shop text, length int, strength int, words text[], old text[])
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$ SELECT r.* FROM auth.password_rules(auth.my_account(for_tenant)) r $$;
-- In place of what told shop and address alone.
DROP FUNCTION auth.invited(bytea);
CREATE FUNCTION auth.invited_rules(link_hash bytea)
RETURNS TABLE (email text, name text, shop text, length int, strength int, words text[], old text[])
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.* FROM auth.invitation i JOIN auth.account a ON a.id = i.account JOIN kontor.tenant n ON n.id = a.tenant,
        auth.password_rules(a.id) r
    WHERE i.hash = link_hash AND i.expires_at > now() AND a.disabled_at IS NULL AND n.state = 'open'
$$;

-- What an account is to be given before it is good for anything else: a second factor, or a new password.
CREATE FUNCTION auth.confined(account_id bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN a.password_at < now() - make_interval(days => p.expires_days) THEN 'password'
        WHEN a.factor_due AND a.factor_at IS NULL THEN 'factor' END
    FROM auth.account a LEFT JOIN auth.policy p ON p.tenant = a.tenant WHERE a.id = account_id
$$;
-- As before, but SQL logins of such an account see nothing.
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
                AND a.disabled_at IS NULL AND 'sql' = ANY (a.scopes) AND n.state = 'open'
                AND auth.confined(a.id) IS NULL);
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

-- As before, and what a session is confined to.
DROP FUNCTION auth.open_session(bytea);
CREATE FUNCTION auth.open_session(token_hash bytea)
RETURNS TABLE (id bigint, account bigint, tenant bigint, country text, scopes text[], masked boolean, reads bigint[],
    confined text)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.id, a.id, a.tenant, n.country, a.scopes, a.masked, a.reads,
        auth.confined(a.id)
    FROM auth.session s JOIN auth.account a ON a.id = s.account JOIN kontor.tenant n ON n.id = a.tenant
    WHERE s.hash = token_hash AND auth.is_live(s) AND a.disabled_at IS NULL AND n.state = 'open'
$$;

-- Who acts, and in which shop, for the head of a page.
CREATE FUNCTION auth.my_frame(for_tenant bigint) RETURNS TABLE (account bigint, email text, name text, shop text)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.id, a.email, a.name, n.name FROM auth.account a JOIN kontor.tenant n ON n.id = a.tenant
    WHERE a.id = auth.my_account(for_tenant)
$$;

REVOKE ALL ON TABLE auth.mail, auth.policy, auth.old_password FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.open_session(bytea), auth.set_mails(boolean), auth.mails(),
    auth.post_invitation(bigint, bigint), auth.mails_of(bigint), auth.ask_reset(text, text, text),
    auth.claim_mails(int, int), auth.add_mail_link(bigint, int, bytea), auth.mail_done(bigint, int, text, int),
    auth.my_password_rules(bigint), auth.invited_rules(bytea), auth.my_frame(bigint) TO kontor_app;
UPDATE kontor.instance SET version = 9;
