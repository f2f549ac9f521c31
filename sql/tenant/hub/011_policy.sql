-- What the shop demands of its people's passwords, beyond the floor. {s} is the tenant's schema, {id} its number.

ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT EXECUTE ON FUNCTIONS TO kontor_app;

-- Sets the policy whole, for who manages staff.
CREATE FUNCTION {s}.set_password_policy(characters int, score int, blocked text[], kept int, days int, roles bigint[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM {s}.demand_staff_right();
    IF EXISTS (SELECT FROM unnest(roles) x WHERE NOT EXISTS (SELECT FROM {s}.role r WHERE r.id = x)) THEN
        RAISE foreign_key_violation;
    END IF;
    INSERT INTO auth.policy (tenant, length, strength, words, history, expires_days, factor_roles)
    SELECT n.id, characters, score, blocked, kept, days, roles FROM kontor.tenant n WHERE n.id = {id}
    ON CONFLICT (tenant) DO UPDATE SET (length, strength, words, history, expires_days, factor_roles)
        = (excluded.length, excluded.strength, excluded.words, excluded.history, excluded.expires_days, excluded.factor_roles);
    DELETE FROM auth.old_password o USING auth.account a
    WHERE a.id = o.account AND a.tenant = {id} AND o.until NOT IN (SELECT k.until FROM auth.old_password k
        WHERE k.account = o.account ORDER BY k.until DESC LIMIT greatest(0, kept - 1));
    UPDATE auth.account a SET factor_due = s.role = ANY (roles) FROM {s}.staff s WHERE s.account = a.id AND a.tenant = {id};
    PERFORM {s}.note('policy.set', 'policy', NULL, jsonb_build_object('length', characters, 'strength', score,
        'words', cardinality(blocked), 'history', kept, 'expires_days', days, 'factor_roles', roles));
END
$$;
CREATE FUNCTION {s}.password_policy()
RETURNS TABLE (length int, strength int, words text[], history int, expires_days int, factor_roles bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM {s}.demand_staff_right();
    RETURN QUERY SELECT coalesce(p.length, 15), coalesce(p.strength, 3), coalesce(p.words, '{}'), coalesce(p.history, 0),
        p.expires_days, coalesce(p.factor_roles, '{}')
    FROM (SELECT) one LEFT JOIN auth.policy p ON p.tenant = {id};
END
$$;

-- A newer link ends older ones, also those that were not sent yet.
CREATE OR REPLACE FUNCTION {s}.invite(person bigint, link_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM {s}.demand_staff_right();
    DELETE FROM auth.invitation i WHERE i.account = person;
    UPDATE auth.mail m SET failed_at = now(), error = 'a newer link was made'
    WHERE m.account = person AND m.tenant = {id} AND m.kind IN ('invitation', 'reset') AND m.sent_at IS NULL
        AND m.failed_at IS NULL;
    INSERT INTO auth.invitation (hash, account, expires_at)
    SELECT link_hash, s.account, now() + interval '2 days' FROM {s}.staff s
    WHERE s.account = person AND s.disabled_at IS NULL;
    IF NOT FOUND THEN RAISE no_data_found; END IF;
END
$$;

-- The language one works in is one's own affair.
CREATE FUNCTION {s}.set_my_language(tongue text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ UPDATE {s}.staff s SET language = tongue WHERE s.account = auth.my_account({id}) $$;
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} REVOKE EXECUTE ON FUNCTIONS FROM kontor_app;

-- Whoever comes to a role that needs a second factor needs one.
CREATE FUNCTION {s}.demand_factor() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE auth.account a SET factor_due = x.due
    FROM (SELECT coalesce(NEW.role = ANY (p.factor_roles), false) AS due
        FROM (SELECT) one LEFT JOIN auth.policy p ON p.tenant = {id}) x
    WHERE a.id = NEW.account AND a.tenant = {id} AND a.factor_due <> x.due;
    RETURN NULL;
END
$$;
CREATE TRIGGER staff_factor AFTER INSERT OR UPDATE OF role ON {s}.staff FOR EACH ROW EXECUTE FUNCTION {s}.demand_factor();
