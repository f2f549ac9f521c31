-- Nothing is sealed under a key that is gone: while keys are changed, a writer may hold the old one. {s} is the tenant's
-- schema, {id} its number.
CREATE FUNCTION {s}.check_secrets() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT auth.has_keys({id}, NEW.secrets) THEN
        RAISE serialization_failure USING MESSAGE = 'the key was changed meanwhile', CONSTRAINT = 'connector_key';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER connector_sealed BEFORE INSERT OR UPDATE OF secrets ON {s}.connector
    FOR EACH ROW WHEN (NEW.secrets <> '{}') EXECUTE FUNCTION {s}.check_secrets();
