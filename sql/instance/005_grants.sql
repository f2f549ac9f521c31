-- What the service may touch. Everything else in these schemas is out of its reach.
GRANT USAGE ON SCHEMA auth, hub, kontor TO kontor_app;
GRANT SELECT ON kontor.instance TO kontor_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA hub TO kontor_app;
GRANT EXECUTE ON FUNCTION auth.me(bigint), auth.open(bytea), auth.token_used(bigint),
    auth.add_token(bigint, bytea, text, text, text[], timestamptz), auth.tokens(bigint),
    auth.revoke_token(bigint, bigint), kontor.open_tenants() TO kontor_app;
INSERT INTO kontor.instance (version) VALUES (1);
