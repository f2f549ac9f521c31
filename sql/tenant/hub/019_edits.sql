-- Changes of many contacts, and lists that people keep. {s} is the tenant's schema, {id} its number.

-- As before, and changes of many.
ALTER POLICY run_add ON {s}.run WITH CHECK ((SELECT {s}.is_program()) OR actor = (SELECT auth.me({id})) AND CASE
    WHEN kind IN ('poll', 'check', 'try') THEN (SELECT {s}.sees_all() AND {s}.may('connectors'))
    WHEN kind IN ('csv', 'batch', 'edit', 'undo') THEN (SELECT {s}.sees_all() AND {s}.may('mass_change'))
    ELSE kind = 'segment' AND (SELECT {s}.may('segments')) END);

-- Lists of contacts that somebody looks at often: their own, and those that colleagues share.
CREATE TABLE {s}.saved_view (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.saved_view_id) CONSTRAINT saved_view_pk PRIMARY KEY,
    account bigint NOT NULL CONSTRAINT saved_view_account REFERENCES {s}.staff ON DELETE CASCADE DEFERRABLE,
    name text NOT NULL,
    -- {"q", "tag", "segment"}: what the list is asked for; each sees what their own role shows
    query jsonb NOT NULL,
    shared boolean NOT NULL DEFAULT false,
    CONSTRAINT saved_view_name UNIQUE (account, name)
);
ALTER TABLE {s}.saved_view ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.saved_view FORCE ROW LEVEL SECURITY;
CREATE POLICY saved_view_read ON {s}.saved_view FOR SELECT TO kontor_app
    -- by the service, to move the tenant
    USING ('staff:' || account = (SELECT auth.me({id})) OR shared AND (SELECT auth.me({id})) LIKE 'staff:%'
        OR (SELECT auth.me({id})) = 'system');
CREATE POLICY saved_view_add ON {s}.saved_view FOR INSERT TO kontor_app
    WITH CHECK ('staff:' || account = (SELECT auth.me({id})));
CREATE POLICY saved_view_drop ON {s}.saved_view FOR DELETE TO kontor_app
    USING ('staff:' || account = (SELECT auth.me({id})));
CREATE POLICY saved_view_in_functions ON {s}.saved_view TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, DELETE ON {s}.saved_view TO kontor_app;
