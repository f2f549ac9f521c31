-- Files on their way to be taken in: kept for a day, while their columns are looked at and the import is tried. {s} is the
-- tenant's schema, {id} its number.
CREATE TABLE {s}.upload (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.upload_id) CONSTRAINT upload_pk PRIMARY KEY,
    actor text NOT NULL,
    name text NOT NULL,
    -- null while it arrives
    bytes bigint,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE {s}.upload_part (
    upload bigint NOT NULL CONSTRAINT upload_part_upload REFERENCES {s}.upload ON DELETE CASCADE,
    part int NOT NULL,
    data bytea NOT NULL,
    CONSTRAINT upload_part_pk PRIMARY KEY (upload, part)
);

-- Nobody's but those who sent them; the service clears them away.
ALTER TABLE {s}.upload ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.upload FORCE ROW LEVEL SECURITY;
CREATE POLICY upload_own ON {s}.upload TO kontor_app
    USING (actor = (SELECT auth.me({id})) OR (SELECT auth.me({id})) = 'system')
    -- who may not take files in sends none
    WITH CHECK (actor = (SELECT auth.me({id}))
        AND ((SELECT {s}.is_program()) OR (SELECT {s}.sees_all() AND {s}.may('mass_change'))));
CREATE POLICY upload_in_functions ON {s}.upload TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
ALTER TABLE {s}.upload_part ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.upload_part FORCE ROW LEVEL SECURITY;
CREATE POLICY upload_part_own ON {s}.upload_part TO kontor_app USING (EXISTS (SELECT FROM {s}.upload u WHERE u.id = upload));
CREATE POLICY upload_part_in_functions ON {s}.upload_part TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.upload TO kontor_app;
GRANT SELECT, INSERT ON {s}.upload_part TO kontor_app;
