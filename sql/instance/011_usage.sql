-- What tenants use, and what they pay for it. The operator sees counts, and none of the tenants' data.

-- API calls of a month, counted by the service and added every minute.
CREATE TABLE kontor.calls (
    tenant bigint NOT NULL CONSTRAINT calls_tenant REFERENCES kontor.tenant ON DELETE CASCADE,
    -- its first day, in UTC
    month date NOT NULL,
    calls bigint NOT NULL,
    CONSTRAINT calls_pk PRIMARY KEY (tenant, month)
);
CREATE FUNCTION auth.add_calls(tenants bigint[], counts bigint[]) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO kontor.calls AS c (tenant, month, calls)
    SELECT x.tenant, date_trunc('month', now() AT TIME ZONE 'UTC')::date, x.calls
    FROM unnest(tenants, counts) x (tenant, calls) JOIN kontor.tenant t ON t.id = x.tenant
    WHERE auth.me(0) = 'system' ORDER BY 1
    ON CONFLICT (tenant, month) DO UPDATE SET calls = c.calls + excluded.calls
$$;
GRANT EXECUTE ON FUNCTION auth.add_calls(bigint[], bigint[]) TO kontor_app;

-- A price by the number of orders in a month: a base, and for each further order the price of its step, such as
-- [{"upto": 1000, "price": 0.05}, {"price": 0.02}]: the first thousand at 0.05, those beyond at 0.02.
CREATE TABLE kontor.tariff (
    name text NOT NULL CONSTRAINT tariff_pk PRIMARY KEY,
    currency text NOT NULL CONSTRAINT tariff_currency CHECK (currency ~ '^[A-Z]{3}$'),
    base numeric(12, 2) NOT NULL CONSTRAINT tariff_base CHECK (base >= 0),
    steps jsonb NOT NULL
);
ALTER TABLE kontor.tenant ADD COLUMN tariff text CONSTRAINT tenant_tariff REFERENCES kontor.tariff;
UPDATE kontor.instance SET version = 7;
