-- Data keys of tenants, each wrapped under the master key, which is outside the database. Credentials are sealed under the
-- newest of their purpose; older ones stay until nothing needs them.
CREATE TABLE kontor.data_key (
    tenant bigint NOT NULL CONSTRAINT data_key_tenant REFERENCES kontor.tenant ON DELETE CASCADE,
    -- credentials: of connectors; addresses: of incoming webhooks, which stays
    purpose text NOT NULL CONSTRAINT data_key_purpose CHECK (purpose IN ('credentials', 'addresses')),
    id int NOT NULL,
    -- AES-256-GCM under the master key of this fingerprint, associated with tenant, purpose and id
    sealed bytea NOT NULL,
    master text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT data_key_pk PRIMARY KEY (tenant, purpose, id)
);

CREATE FUNCTION auth.data_keys(for_tenant bigint) RETURNS TABLE (purpose text, id int, sealed bytea, master text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT k.purpose, k.id, k.sealed, k.master FROM kontor.data_key k
    WHERE k.tenant = for_tenant AND auth.me(for_tenant) IS NOT NULL
$$;

-- Whether all values of an object are sealed under keys that are there: "3:..." under key 3, without a number under 1.
CREATE FUNCTION auth.has_keys(for_tenant bigint, secrets jsonb) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM jsonb_each_text(secrets) s WHERE NOT EXISTS (SELECT FROM kontor.data_key k
        WHERE k.tenant = for_tenant AND k.purpose = 'credentials'
            AND k.id = coalesce(substring(s.value FROM '^([0-9]{1,9}):'), '1')::int));
END
$$;
GRANT EXECUTE ON FUNCTION auth.data_keys(bigint) TO kontor_app;
UPDATE kontor.instance SET version = 5;
