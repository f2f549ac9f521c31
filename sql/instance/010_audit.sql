-- What happens to accounts, sessions, tokens and SQL logins is in the audit log of the tenant, whoever does it.
CREATE FUNCTION auth.note(for_tenant bigint, who text, action text, details jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- a tenant that is being made or dropped has none
    IF to_regclass(format('t_%s.audit', for_tenant)) IS NOT NULL THEN
        EXECUTE format('INSERT INTO t_%s.audit (actor, action, details) VALUES ($1, $2, $3)', for_tenant)
        USING who, action, details;
    END IF;
END
$$;
CREATE FUNCTION auth.note_account() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM auth.note(NEW.tenant, coalesce(auth.me(NEW.tenant), 'staff:' || NEW.id), 'password.set',
        jsonb_build_object('account', NEW.id));
    RETURN NULL;
END
$$;
CREATE TRIGGER account_noted AFTER UPDATE OF password ON auth.account FOR EACH ROW
    WHEN (OLD.password_at IS DISTINCT FROM NEW.password_at) EXECUTE FUNCTION auth.note_account();
CREATE FUNCTION auth.note_session() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shop bigint := (SELECT a.tenant FROM auth.account a WHERE a.id = NEW.account);
BEGIN
    PERFORM auth.note(shop, coalesce(auth.me(shop), 'staff:' || NEW.account),
        CASE WHEN TG_OP = 'INSERT' THEN 'session.begun' ELSE 'session.ended' END,
        jsonb_build_object('account', NEW.account, 'session', NEW.id, 'address', NEW.address));
    RETURN NULL;
END
$$;
CREATE TRIGGER session_begun AFTER INSERT ON auth.session FOR EACH ROW EXECUTE FUNCTION auth.note_session();
CREATE TRIGGER session_ended AFTER UPDATE OF ended_at ON auth.session FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION auth.note_session();
CREATE FUNCTION auth.note_token() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM auth.note(NEW.tenant, coalesce(auth.me(NEW.tenant), 'operator'),
        CASE WHEN TG_OP = 'INSERT' THEN 'token.made' ELSE 'token.revoked' END,
        jsonb_build_object('token', NEW.id, 'scopes', NEW.scopes));
    RETURN NULL;
END
$$;
CREATE TRIGGER token_made AFTER INSERT ON auth.token FOR EACH ROW
    WHEN (NEW.tenant IS NOT NULL) EXECUTE FUNCTION auth.note_token();
CREATE TRIGGER token_revoked AFTER UPDATE OF revoked_at ON auth.token FOR EACH ROW
    WHEN (NEW.tenant IS NOT NULL AND OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION auth.note_token();
CREATE FUNCTION auth.note_login() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    l auth.login := CASE WHEN TG_OP = 'INSERT' THEN NEW ELSE OLD END;
    shop bigint := (SELECT a.tenant FROM auth.account a WHERE a.id = l.account);
BEGIN
    -- one that goes with its account is told of by that
    IF shop IS NOT NULL THEN
        PERFORM auth.note(shop, coalesce(auth.me(shop), 'operator'),
            CASE WHEN TG_OP = 'INSERT' THEN 'sql_login.made' ELSE 'sql_login.removed' END,
            jsonb_build_object('login', l.name, 'account', l.account));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER login_noted AFTER INSERT OR DELETE ON auth.login FOR EACH ROW EXECUTE FUNCTION auth.note_login();
UPDATE kontor.instance SET version = 6;
