-- Roles. Run by a superuser, or a login that may create roles; safe to run again.
-- kontor_owner owns every object and cannot log in; kontor_migrate makes and changes them;
-- kontor_app is the service: it owns nothing and is subject to row security everywhere. kontor_view owns the views that
-- staff see records through: it cannot log in either, and row security shows it what it shows the person who asks.
-- kontor_sql is the group of staff's SQL logins; kontor_roles, which cannot log in, owns the functions that make and end those.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['kontor_owner', 'kontor_migrate', 'kontor_app', 'kontor_view', 'kontor_sql', 'kontor_roles'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOINHERIT', name);
        END IF;
    END LOOP;
END
$$;
ALTER ROLE kontor_migrate LOGIN;
ALTER ROLE kontor_app LOGIN;
GRANT kontor_owner TO kontor_migrate;
-- to hand views over to it; neither inherits anything
GRANT kontor_view TO kontor_owner;
ALTER ROLE kontor_roles CREATEROLE;
GRANT kontor_sql TO kontor_roles WITH ADMIN OPTION;
GRANT SET ON PARAMETER temp_file_limit TO kontor_roles;
