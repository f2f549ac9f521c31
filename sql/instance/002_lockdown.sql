-- What only a superuser can settle, inside Kontor's own database; on an external server the login that
-- `kontor migrate` is given must be one. Safe to run again.

CREATE SCHEMA IF NOT EXISTS extension AUTHORIZATION kontor_owner;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA extension;
GRANT USAGE ON SCHEMA extension TO kontor_app;

-- Nothing is anybody's by default.
ALTER DEFAULT PRIVILEGES FOR ROLE kontor_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE USAGE ON LANGUAGE plpgsql, sql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql, sql TO kontor_owner;
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION pg_catalog.lo_from_bytea(oid, bytea), pg_catalog.lo_creat(int),
    pg_catalog.lo_create(oid), pg_catalog.lo_put(oid, bigint, bytea), pg_catalog.lowrite(int, bytea),
    pg_catalog.pg_stat_get_activity(int), pg_catalog.pg_stat_get_live_tuples(oid),
    pg_catalog.pg_relation_size(regclass, text), pg_catalog.pg_relation_size(regclass),
    pg_catalog.pg_total_relation_size(regclass), pg_catalog.pg_get_functiondef(oid) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION
    pg_catalog.pg_advisory_lock(bigint), pg_catalog.pg_advisory_lock(int, int),
    pg_catalog.pg_advisory_lock_shared(bigint), pg_catalog.pg_advisory_lock_shared(int, int),
    pg_catalog.pg_advisory_unlock(bigint), pg_catalog.pg_advisory_unlock(int, int),
    pg_catalog.pg_advisory_unlock_shared(bigint), pg_catalog.pg_advisory_unlock_shared(int, int),
    pg_catalog.pg_advisory_unlock_all(),
    pg_catalog.pg_advisory_xact_lock(bigint), pg_catalog.pg_advisory_xact_lock(int, int),
    pg_catalog.pg_advisory_xact_lock_shared(bigint), pg_catalog.pg_advisory_xact_lock_shared(int, int),
    pg_catalog.pg_try_advisory_lock(bigint), pg_catalog.pg_try_advisory_lock(int, int),
    pg_catalog.pg_try_advisory_lock_shared(bigint), pg_catalog.pg_try_advisory_lock_shared(int, int),
    pg_catalog.pg_try_advisory_xact_lock(bigint), pg_catalog.pg_try_advisory_xact_lock(int, int),
    pg_catalog.pg_try_advisory_xact_lock_shared(bigint), pg_catalog.pg_try_advisory_xact_lock_shared(int, int)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_advisory_xact_lock(bigint), pg_catalog.pg_total_relation_size(regclass),
    pg_catalog.pg_relation_size(regclass, text) TO kontor_owner, kontor_migrate;
-- lets go of what the session itself holds: the client asks for it before it lends a connection anew
GRANT EXECUTE ON FUNCTION pg_catalog.pg_advisory_unlock_all() TO kontor_app, kontor_migrate;

-- Under row security PostgreSQL uses an index only for leakproof operators. These tell nothing of
-- their arguments but the answer, and raise no errors that depend on them.
ALTER FUNCTION pg_catalog.arraycontains(anyarray, anyarray) LEAKPROOF;
ALTER FUNCTION pg_catalog.arrayoverlap(anyarray, anyarray) LEAKPROOF;
-- LIKE is none of them: it fails on a pattern that ends in an escape character, and only where the text before it
-- matched. What stands for it takes no such pattern, and has trigrams for an index just as pg_trgm has for LIKE.
ALTER FUNCTION pg_catalog.textlike(text, text) NOT LEAKPROOF;
CREATE OR REPLACE FUNCTION extension.holds(value text, pattern text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 5
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN right(pattern, 1) <> '\' AND value LIKE pattern; END $$;
DO $$
BEGIN
    IF to_regoperator('extension.#~~(text,text)') IS NULL THEN
        CREATE OPERATOR extension.#~~ (FUNCTION = extension.holds, LEFTARG = text, RIGHTARG = text,
            RESTRICT = pg_catalog.likesel, JOIN = pg_catalog.likejoinsel);
        CREATE OPERATOR CLASS extension.part_ops FOR TYPE text USING gin AS
            OPERATOR 3 extension.#~~ (text, text),
            FUNCTION 1 pg_catalog.btint4cmp(int, int),
            FUNCTION 2 extension.gin_extract_value_trgm(text, internal),
            FUNCTION 3 extension.gin_extract_query_trgm(text, internal, smallint, internal, internal, internal, internal),
            FUNCTION 4 extension.gin_trgm_consistent(internal, smallint, text, int, internal, internal, internal, internal),
            FUNCTION 6 extension.gin_trgm_triconsistent(internal, smallint, text, int, internal, internal, internal),
            STORAGE int;
    END IF;
END
$$;
