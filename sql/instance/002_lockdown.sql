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

-- Under row security PostgreSQL uses an index only for leakproof operators. These tell nothing of
-- their arguments but the answer, and raise no errors that depend on them.
ALTER FUNCTION pg_catalog.arraycontains(anyarray, anyarray) LEAKPROOF;
ALTER FUNCTION pg_catalog.arrayoverlap(anyarray, anyarray) LEAKPROOF;
ALTER FUNCTION pg_catalog.textlike(text, text) LEAKPROOF;
