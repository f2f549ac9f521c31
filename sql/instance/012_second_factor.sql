-- Second factor: one-time codes by time (TOTP, RFC 6238), and recovery codes for who lost the device.
ALTER TABLE auth.account
    -- sealed under a key of the tenant; in force once a first code was right
    ADD COLUMN factor bytea,
    ADD COLUMN factor_at timestamptz,
    -- the last step of time whose code was used: none is used twice
    ADD COLUMN factor_step bigint NOT NULL DEFAULT 0,
    -- SHA-256 of recovery codes that are left
    ADD COLUMN recovery bytea[] NOT NULL DEFAULT '{}';

-- The present password was given: that attempt was none to guess it.
CREATE FUNCTION auth.password_known(for_tenant bigint) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE auth.guard g SET failures = greatest(0, g.failures - 1)
    WHERE g.key = auth.guard_key('password', auth.my_account(for_tenant)::text)
$$;

-- The factor in force of an account whose password was right; null when it has none.
CREATE FUNCTION auth.factor(account_id bigint, checked text)
RETURNS TABLE (tenant bigint, factor bytea, last_step bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.tenant, CASE WHEN a.factor_at IS NOT NULL THEN a.factor END, a.factor_step FROM auth.account a
    WHERE auth.me(0) = 'system' AND a.id = account_id AND a.password = checked AND a.disabled_at IS NULL
$$;
-- Uses a code: that of a step later than the last, or a recovery code, which is then gone.
CREATE FUNCTION auth.use_code(account_id bigint, step bigint, recovery_hash bytea) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF auth.me(0) IS DISTINCT FROM 'system' THEN RETURN false; END IF;
    IF step IS NOT NULL THEN
        UPDATE auth.account a SET factor_step = step WHERE a.id = account_id AND a.factor_step < step;
        RETURN FOUND;
    END IF;
    UPDATE auth.account a SET recovery = array_remove(a.recovery, recovery_hash)
    WHERE a.id = account_id AND recovery_hash = ANY (a.recovery);
    IF FOUND THEN
        PERFORM auth.note(a.tenant, 'staff:' || a.id, 'factor.recovery', jsonb_build_object('account', a.id,
            'left', cardinality(a.recovery))) FROM auth.account a WHERE a.id = account_id;
        RETURN true;
    END IF;
    RETURN false;
END
$$;

-- Of the account that acts: a factor that waits for its first code; nothing while one is in force.
CREATE FUNCTION auth.propose_factor(for_tenant bigint, sealed bytea) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE auth.account a SET factor = sealed, factor_step = 0
    WHERE a.id = auth.my_account(for_tenant) AND a.factor_at IS NULL RETURNING true
$$;
CREATE FUNCTION auth.my_factor(for_tenant bigint)
RETURNS TABLE (account bigint, email text, factor bytea, last_step bigint, in_force boolean, codes_left int)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.id, a.email, a.factor, a.factor_step, a.factor_at IS NOT NULL, cardinality(a.recovery)
    FROM auth.account a WHERE a.id = auth.my_account(for_tenant)
$$;
-- Its first code was right: in force, with recovery codes; the account's other sessions end.
CREATE FUNCTION auth.confirm_factor(for_tenant bigint, sealed bytea, step bigint, codes bytea[], in_session bigint)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me bigint := auth.my_account(for_tenant);
BEGIN
    UPDATE auth.account a SET factor_at = now(), factor_step = step, recovery = codes
    WHERE a.id = me AND a.factor = sealed AND a.factor_at IS NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    UPDATE auth.session s SET ended_at = now() WHERE s.account = me AND s.id <> in_session AND s.ended_at IS NULL;
    PERFORM auth.note(for_tenant, 'staff:' || me, 'factor.set', jsonb_build_object('account', me));
    RETURN true;
END
$$;
-- Takes an account's factor away: one's own, or anybody's for who manages staff.
CREATE FUNCTION auth.remove_factor(for_tenant bigint, person bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me bigint := auth.my_account(for_tenant);
BEGIN
    IF me IS NULL OR me <> person
        AND NOT EXISTS (SELECT FROM auth.account a WHERE a.id = me AND 'staff' = ANY (a.scopes)) THEN
        RETURN false;
    END IF;
    UPDATE auth.account a SET factor = NULL, factor_at = NULL, factor_step = 0, recovery = '{}'
    WHERE a.id = person AND a.tenant = for_tenant AND a.factor_at IS NOT NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM auth.note(for_tenant, 'staff:' || me, 'factor.removed', jsonb_build_object('account', person));
    RETURN true;
END
$$;
GRANT EXECUTE ON FUNCTION auth.password_known(bigint), auth.factor(bigint, text), auth.use_code(bigint, bigint, bytea), auth.propose_factor(bigint, bytea),
    auth.my_factor(bigint), auth.confirm_factor(bigint, bytea, bigint, bytea[], bigint), auth.remove_factor(bigint, bigint)
    TO kontor_app;
UPDATE kontor.instance SET version = 8;
