-- The hub module of one tenant. {s} is its schema, {id} its number. Everything is named and
-- schema-qualified: what PostgreSQL has to search names for grows with the number of tenants.

CREATE TABLE {s}.contact (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.contact_id) CONSTRAINT contact_pk PRIMARY KEY,
    version bigint NOT NULL DEFAULT 1,
    -- the golden record: field -> value; see docs/contacts.md
    data jsonb NOT NULL,
    -- facets that come from orders, and granted consents ("consent:newsletter")
    sales text[] NOT NULL DEFAULT '{}',
    consents text[] NOT NULL DEFAULT '{}',
    -- fields held by hand: no sync changes them
    locks text[] NOT NULL DEFAULT '{}',
    -- who set each field: {"field": {"by", "at", "rank"}}, "*" for all that are not named
    origins jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    merged_into bigint,
    name text GENERATED ALWAYS AS (hub.display_name(data)) STORED,
    birthday date GENERATED ALWAYS AS (hub.as_date(data ->> 'birthday')) STORED,
    facets text[] NOT NULL GENERATED ALWAYS AS (hub.facets(data, sales, consents)) STORED,
    search text NOT NULL GENERATED ALWAYS AS (hub.search_text(data)) STORED
);
CREATE INDEX contact_facets ON {s}.contact USING gin (facets);
CREATE INDEX contact_search ON {s}.contact USING gin (search extension.gin_trgm_ops);

-- E-mails and telephones of living contacts, for identity resolution.
CREATE TABLE {s}.contact_key (
    kind text NOT NULL,
    value text NOT NULL,
    contact bigint NOT NULL,
    CONSTRAINT contact_key_pk PRIMARY KEY (kind, value, contact)
);

-- History: one row per change of any entity, in the transaction of the change.
CREATE TABLE {s}.change (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.change_id) CONSTRAINT change_pk PRIMARY KEY,
    -- the transaction, so that a reader can go by (tx, id) below the oldest one running
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT now(),
    entity text NOT NULL,
    record bigint NOT NULL,
    kind text NOT NULL CONSTRAINT change_kind CHECK (kind IN ('new', 'edited', 'deleted', 'merged')),
    version bigint NOT NULL,
    fields text[] NOT NULL,
    before jsonb,
    after jsonb,
    -- the connector it came from; null when it came from none
    origin bigint,
    actor text NOT NULL,
    run bigint
);
CREATE INDEX change_by_record ON {s}.change (record, id);
CREATE INDEX change_by_tx ON {s}.change (tx, id);
CREATE INDEX change_by_run ON {s}.change (run) WHERE run IS NOT NULL;

-- Queue: changes the router has not decided yet.
CREATE TABLE {s}.outbox (change bigint NOT NULL CONSTRAINT outbox_pk PRIMARY KEY);

-- What every plugin said to a change: arrays of equal length, in the order of plugins.
CREATE TABLE {s}.decision (
    change bigint NOT NULL CONSTRAINT decision_pk PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    plugin bigint[] NOT NULL,
    verdict text[] NOT NULL,
    rule int[] NOT NULL
);

CREATE TABLE {s}.connector (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.connector_id) CONSTRAINT connector_pk PRIMARY KEY,
    kind text NOT NULL,
    name text NOT NULL CONSTRAINT connector_name UNIQUE,
    settings jsonb NOT NULL DEFAULT '{}',
    -- name -> base64 of AES-256-GCM ciphertext, associated with tenant, connector and name
    secrets jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'on' CONSTRAINT connector_state CHECK (state IN ('on', 'paused', 'locked')),
    state_reason text,
    -- precedence as a source: 1 wins over 100
    rank int NOT NULL DEFAULT 50,
    -- policy identity: contacts with one of these facets (null: all), without these fields
    visible_facets text[],
    hidden_fields text[] NOT NULL DEFAULT '{}',
    -- fields it may not write into the hub
    closed_fields text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The remote's budget and health, shared by all worker processes.
CREATE TABLE {s}.budget (
    connector bigint NOT NULL CONSTRAINT budget_pk PRIMARY KEY,
    per_second double precision NOT NULL,
    burst double precision NOT NULL,
    tokens double precision NOT NULL,
    filled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- no call before this moment (Retry-After, circuit breaker)
    closed_until timestamptz,
    -- as far as the remote itself asked for it: a person may open the breaker, but not this
    asked_until timestamptz,
    failures int NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE {s}.plugin (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.plugin_id) CONSTRAINT plugin_pk PRIMARY KEY,
    connector bigint NOT NULL CONSTRAINT plugin_connector REFERENCES {s}.connector ON DELETE CASCADE,
    name text NOT NULL,
    capability text NOT NULL,
    entity text NOT NULL,
    state text NOT NULL DEFAULT 'off' CONSTRAINT plugin_state CHECK (state IN ('off', 'on', 'paused')),
    -- number of the rule in force
    rule int NOT NULL DEFAULT 1,
    filter jsonb NOT NULL DEFAULT '{"all": []}',
    mapping jsonb NOT NULL DEFAULT '{"rules": []}',
    -- pull: seconds between polls, null for on demand only; where the last page ended
    every_seconds int,
    cursor text,
    -- the run in which the present listing of everything began
    listing bigint,
    since date,
    next_at timestamptz,
    -- pull: a run that would change more contacts waits for approval
    max_changes int,
    CONSTRAINT plugin_name UNIQUE (connector, name)
);

-- Every rule a plugin ever had, so that a decision can be explained and replayed.
CREATE TABLE {s}.rule (
    plugin bigint NOT NULL,
    version int NOT NULL,
    filter jsonb NOT NULL,
    mapping jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    CONSTRAINT rule_pk PRIMARY KEY (plugin, version)
);

-- What hub and remote agree on about one record.
CREATE TABLE {s}.binding (
    connector bigint NOT NULL,
    entity text NOT NULL,
    record bigint NOT NULL,
    remote_id text NOT NULL,
    remote_version text,
    remote_at timestamptz,
    agreed jsonb NOT NULL DEFAULT '{}',
    -- what pushes replaced in it, newest first, fields with their former values: a reading from before the last push
    -- that still shows one of them tells no news
    past jsonb NOT NULL DEFAULT '[]',
    pushed_at timestamptz,
    -- hashes of the values pushed last, newest first: the remote telling one of them back is an echo
    pushed bytea[] NOT NULL DEFAULT '{}',
    bound_at timestamptz NOT NULL DEFAULT now(),
    gone_at timestamptz,
    -- the last run that showed it
    seen_run bigint,
    CONSTRAINT binding_pk PRIMARY KEY (record, connector, entity),
    -- the record's number first: by the other two alone nobody is to look
    CONSTRAINT binding_remote UNIQUE (remote_id, connector, entity)
);

-- State of delivery: this record is behind in this plugin's remote. A row that is due already is only told a newer
-- change: half of each page is kept free for that, so that no index has to follow.
CREATE TABLE {s}.delivery (
    plugin bigint NOT NULL,
    record bigint NOT NULL,
    -- the newest change to be delivered, and the newest that was
    wanted bigint NOT NULL,
    delivered bigint,
    state text NOT NULL DEFAULT 'due' CONSTRAINT delivery_state CHECK (state IN ('due', 'leased', 'done', 'dead')),
    due_at timestamptz NOT NULL DEFAULT now(),
    backfill boolean NOT NULL DEFAULT false,
    attempts int NOT NULL DEFAULT 0,
    -- a worker's hold: past the moment anybody may take it; a finish needs the same fence
    leased_until timestamptz,
    fence bigint NOT NULL DEFAULT 0,
    -- an attempt began and its end is not known: look at the remote before creating
    unsure boolean NOT NULL DEFAULT false,
    -- the newest change is a deletion
    removes boolean NOT NULL DEFAULT false,
    -- values sent, newest first, since the remote's were known for certain: it may hold any of them
    sent jsonb NOT NULL DEFAULT '[]',
    code text,
    message text,
    changed_at timestamptz NOT NULL DEFAULT now(),
    -- the record first: while a table is young, PostgreSQL takes what a plugin has for two rows
    CONSTRAINT delivery_pk PRIMARY KEY (record, plugin)
) WITH (fillfactor = 50);
CREATE INDEX delivery_due ON {s}.delivery (plugin, backfill, due_at) WHERE state = 'due';
CREATE INDEX delivery_leased ON {s}.delivery (leased_until) WHERE state = 'leased';
CREATE INDEX delivery_dead ON {s}.delivery (plugin) WHERE state = 'dead';
CREATE INDEX delivery_removing ON {s}.delivery (plugin) WHERE removes AND state <> 'done';

CREATE TABLE {s}.attempt (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.attempt_id) CONSTRAINT attempt_pk PRIMARY KEY,
    plugin bigint NOT NULL,
    record bigint NOT NULL,
    fence bigint NOT NULL,
    change bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    -- null while it runs: an effect is recorded before it is attempted
    outcome text,
    code text,
    message text
);
CREATE INDEX attempt_by_record ON {s}.attempt (record, id);

-- Work that is asked for: polls, imports, checks, dry runs, undoing.
CREATE TABLE {s}.run (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.run_id) CONSTRAINT run_pk PRIMARY KEY,
    kind text NOT NULL,
    plugin bigint,
    connector bigint,
    state text NOT NULL DEFAULT 'queued' CONSTRAINT run_state CHECK (state IN
        ('staging', 'queued', 'running', 'awaiting_approval', 'done', 'failed', 'undone')),
    params jsonb NOT NULL DEFAULT '{}',
    dry boolean NOT NULL DEFAULT false,
    counts jsonb NOT NULL DEFAULT '{}',
    message text,
    actor text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    ended_at timestamptz,
    leased_until timestamptz,
    fence bigint NOT NULL DEFAULT 0
);
CREATE INDEX run_open ON {s}.run (id) WHERE state IN ('queued', 'running', 'awaiting_approval');

-- The one way in: rows of a run, normalised, waiting to be merged or telling what became of them.
CREATE TABLE {s}.stage (
    run bigint NOT NULL,
    line bigint NOT NULL,
    remote_id text,
    remote_version text,
    remote_at timestamptz,
    deleted boolean NOT NULL DEFAULT false,
    data jsonb,
    -- of the data's canonical text, to know an echo by
    hash bytea,
    -- what normalising found: [{"field", "code", "message"}]
    problems jsonb,
    contact bigint,
    -- new, changed, unchanged, echo, outdated, unclear, superseded, unlinked, deleted_here, refused
    verdict text,
    difference jsonb,
    CONSTRAINT stage_pk PRIMARY KEY (run, line)
);

-- Webhooks, stored before they are answered and applied after.
CREATE TABLE {s}.inbox (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.inbox_id) CONSTRAINT inbox_pk PRIMARY KEY,
    connector bigint NOT NULL,
    event_key text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'new' CONSTRAINT inbox_state CHECK (state IN ('new', 'done', 'dead')),
    attempts int NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    message text,
    CONSTRAINT inbox_event UNIQUE (connector, event_key)
);
CREATE INDEX inbox_new ON {s}.inbox (due_at) WHERE state = 'new';

-- Both sides had changed a field: what was kept, and why.
CREATE TABLE {s}.conflict (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.conflict_id) CONSTRAINT conflict_pk PRIMARY KEY,
    contact bigint NOT NULL,
    connector bigint,
    run bigint,
    field text NOT NULL,
    base jsonb,
    hub jsonb,
    remote jsonb,
    kept text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz
);
CREATE INDEX conflict_open ON {s}.conflict (contact) WHERE settled_at IS NULL;

-- Pairs that may be the same person; a < b.
CREATE TABLE {s}.duplicate (
    a bigint NOT NULL,
    b bigint NOT NULL,
    evidence text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'open' CONSTRAINT duplicate_state CHECK (state IN ('open', 'merged', 'different')),
    CONSTRAINT duplicate_pk PRIMARY KEY (a, b),
    CONSTRAINT duplicate_order CHECK (a < b)
);

-- Ledger: rows are only added. The newest evidence counts.
CREATE TABLE {s}.consent (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.consent_id) CONSTRAINT consent_pk PRIMARY KEY,
    contact bigint NOT NULL,
    purpose text NOT NULL,
    granted boolean NOT NULL,
    evidence_at timestamptz NOT NULL,
    source text NOT NULL,
    proof text,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX consent_by_contact ON {s}.consent (contact, purpose, evidence_at);

-- Custom fields.
CREATE TABLE {s}.field (
    key text NOT NULL CONSTRAINT field_pk PRIMARY KEY,
    label text NOT NULL,
    type text NOT NULL,
    choices text[] NOT NULL DEFAULT '{}',
    -- contacts with the same value are the same person: a customer number, a tax number
    is_key boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE {s}.segment (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.segment_id) CONSTRAINT segment_pk PRIMARY KEY,
    name text NOT NULL CONSTRAINT segment_name UNIQUE,
    condition jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1
);

-- A segment kept as a group in a remote.
CREATE TABLE {s}.segment_push (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {s}.segment_push_id) CONSTRAINT segment_push_pk PRIMARY KEY,
    segment bigint NOT NULL CONSTRAINT segment_push_segment REFERENCES {s}.segment ON DELETE CASCADE,
    plugin bigint NOT NULL CONSTRAINT segment_push_plugin REFERENCES {s}.plugin ON DELETE CASCADE,
    group_name text NOT NULL,
    remote_id text,
    -- only people who granted this purpose are ever pushed
    purpose text NOT NULL,
    -- null: on demand; {"monthly": 1} on that day; {"every_seconds": n}
    schedule jsonb,
    next_at timestamptz,
    last_run bigint
);

-- Answers to requests that carried an idempotency key.
CREATE TABLE {s}.idempotency (
    key text NOT NULL,
    actor text NOT NULL,
    request bytea NOT NULL,
    -- the contact it made, in the transaction that made it: known even when the answer was never stored
    effect bigint,
    status int,
    answer text,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_pk PRIMARY KEY (actor, key)
);

-- Row security: nobody sees a row without a signed context of this tenant; connectors see contacts only
-- through contact_shared.
ALTER TABLE {s}.contact ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.contact FORCE ROW LEVEL SECURITY;
ALTER TABLE {s}.contact_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.contact_key FORCE ROW LEVEL SECURITY;
CREATE POLICY contact_key_all ON {s}.contact_key TO kontor_app USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
CREATE POLICY contact_key_in_functions ON {s}.contact_key TO kontor_owner USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT ON {s}.contact_key TO kontor_app;
ALTER TABLE {s}.change ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.change FORCE ROW LEVEL SECURITY;
CREATE POLICY change_all ON {s}.change USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
GRANT SELECT ON {s}.change TO kontor_app;
ALTER TABLE {s}.outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY outbox_all ON {s}.outbox USING ((SELECT auth.me({id})) IS NOT NULL);
-- UPDATE is what FOR UPDATE SKIP LOCKED asks for
GRANT SELECT, UPDATE, DELETE ON {s}.outbox TO kontor_app;
ALTER TABLE {s}.decision ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.decision FORCE ROW LEVEL SECURITY;
CREATE POLICY decision_all ON {s}.decision USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.decision TO kontor_app;
ALTER TABLE {s}.connector ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.connector FORCE ROW LEVEL SECURITY;
CREATE POLICY connector_all ON {s}.connector USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.connector TO kontor_app;
ALTER TABLE {s}.budget ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.budget FORCE ROW LEVEL SECURITY;
CREATE POLICY budget_all ON {s}.budget USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.budget TO kontor_app;
ALTER TABLE {s}.plugin ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.plugin FORCE ROW LEVEL SECURITY;
CREATE POLICY plugin_all ON {s}.plugin USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.plugin TO kontor_app;
ALTER TABLE {s}.rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.rule FORCE ROW LEVEL SECURITY;
CREATE POLICY rule_all ON {s}.rule USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT ON {s}.rule TO kontor_app;
ALTER TABLE {s}.binding ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.binding FORCE ROW LEVEL SECURITY;
CREATE POLICY binding_all ON {s}.binding USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.binding TO kontor_app;
ALTER TABLE {s}.delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.delivery FORCE ROW LEVEL SECURITY;
CREATE POLICY delivery_all ON {s}.delivery USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.delivery TO kontor_app;
ALTER TABLE {s}.attempt ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.attempt FORCE ROW LEVEL SECURITY;
CREATE POLICY attempt_all ON {s}.attempt USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.attempt TO kontor_app;
ALTER TABLE {s}.run ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.run FORCE ROW LEVEL SECURITY;
CREATE POLICY run_all ON {s}.run USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.run TO kontor_app;
ALTER TABLE {s}.stage ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.stage FORCE ROW LEVEL SECURITY;
CREATE POLICY stage_all ON {s}.stage USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.stage TO kontor_app;
ALTER TABLE {s}.inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY inbox_all ON {s}.inbox USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.inbox TO kontor_app;
ALTER TABLE {s}.conflict ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.conflict FORCE ROW LEVEL SECURITY;
CREATE POLICY conflict_all ON {s}.conflict USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.conflict TO kontor_app;
ALTER TABLE {s}.duplicate ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.duplicate FORCE ROW LEVEL SECURITY;
CREATE POLICY duplicate_all ON {s}.duplicate USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.duplicate TO kontor_app;
ALTER TABLE {s}.consent ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.consent FORCE ROW LEVEL SECURITY;
CREATE POLICY consent_all ON {s}.consent USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
GRANT SELECT, INSERT ON {s}.consent TO kontor_app;
ALTER TABLE {s}.field ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.field FORCE ROW LEVEL SECURITY;
CREATE POLICY field_all ON {s}.field USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.field TO kontor_app;
ALTER TABLE {s}.segment ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.segment FORCE ROW LEVEL SECURITY;
CREATE POLICY segment_all ON {s}.segment USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.segment TO kontor_app;
ALTER TABLE {s}.segment_push ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.segment_push FORCE ROW LEVEL SECURITY;
CREATE POLICY segment_push_all ON {s}.segment_push USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.segment_push TO kontor_app;
ALTER TABLE {s}.idempotency ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.idempotency FORCE ROW LEVEL SECURITY;
CREATE POLICY idempotency_all ON {s}.idempotency USING ((SELECT auth.me({id})) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.idempotency TO kontor_app;

-- Each function is granted as it is made: naming them afterwards would have PostgreSQL look at those of that name in every tenant.
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT EXECUTE ON FUNCTIONS TO kontor_app;

-- Connectors work under a policy identity of their own.
CREATE FUNCTION {s}.my_connector() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE actor text := auth.me({id});
BEGIN
    RETURN CASE WHEN actor LIKE 'connector:%' THEN substr(actor, 11)::bigint END;
END
$$;
-- In PL/pgSQL, which keeps their plans: every statement of a connector asks them.
CREATE FUNCTION {s}.visible_facets() RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me bigint := {s}.my_connector();
    found text[];
BEGIN
    IF me IS NULL THEN RETURN NULL; END IF;
    SELECT coalesce(c.visible_facets, '{*}') INTO found FROM {s}.connector c WHERE c.id = me;
    RETURN coalesce(found, '{}');
END
$$;
CREATE FUNCTION {s}.hidden_fields() RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me bigint := {s}.my_connector();
    found text[];
BEGIN
    IF me IS NULL THEN RETURN '{}'; END IF;
    SELECT c.hidden_fields INTO found FROM {s}.connector c WHERE c.id = me;
    RETURN coalesce(found, '{}');
END
$$;

-- Addresses among what was sent of a record that no living contact has: by these alone a deleted one may be
-- looked for at a remote.
CREATE FUNCTION {s}.free_emails(sent jsonb) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(DISTINCT m.value), '{}')
    FROM jsonb_array_elements(sent) i, hub.match_keys(i) m
    WHERE m.kind = 'email' AND auth.me({id}) IS NOT NULL
        AND NOT EXISTS (SELECT FROM {s}.contact_key k WHERE k.kind = 'email' AND k.value = m.value)
$$;

CREATE POLICY contact_people ON {s}.contact TO kontor_app
    USING ((SELECT auth.me({id}) NOT LIKE 'connector:%'));
CREATE POLICY contact_through_view ON {s}.contact TO kontor_owner
    USING ((SELECT auth.me({id})) IS NOT NULL AND ((SELECT {s}.visible_facets()) IS NULL
        OR '*' = ANY ((SELECT {s}.visible_facets())::text[]) OR facets && (SELECT {s}.visible_facets())::text[]));
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.contact TO kontor_app;

-- What a connector may see of a contact: rows by the policy above, fields without the hidden ones.
CREATE VIEW {s}.contact_shared WITH (security_barrier) AS
SELECT id, version, data - (SELECT {s}.hidden_fields()) AS data,
    CASE WHEN NOT 'name' = ANY ((SELECT {s}.hidden_fields())::text[]) THEN name END AS name,
    facets, consents, deleted_at
FROM {s}.contact;
GRANT SELECT ON {s}.contact_shared TO kontor_app;

-- Makes a field a key, or an ordinary one again, for the contacts there are.
CREATE FUNCTION {s}.set_key(field_key text, wanted boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF auth.me({id}) IS NULL OR auth.me({id}) LIKE 'connector:%' THEN
        RAISE insufficient_privilege USING MESSAGE = 'only people and their programs make keys';
    END IF;
    -- contacts that are written meanwhile wait, and then know of it
    LOCK TABLE {s}.contact IN SHARE MODE;
    UPDATE {s}.field SET is_key = wanted WHERE key = field_key;
    DELETE FROM {s}.contact_key WHERE kind = 'field:' || field_key;
    IF wanted THEN
        INSERT INTO {s}.contact_key (kind, value, contact)
        SELECT k.kind, k.value, c.id FROM {s}.contact c, hub.match_keys(c.data, ARRAY[field_key]) k
        WHERE c.deleted_at IS NULL AND c.data ? field_key AND k.kind = 'field:' || field_key
        ON CONFLICT DO NOTHING;
    END IF;
END
$$;

-- After a merge that kept values of the hub, the remote is behind: a change of no origin, so that it is routed and
-- decided like any other.
CREATE FUNCTION {s}.reassert(contact bigint, behind jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH logged AS (
        INSERT INTO {s}.change (entity, record, kind, version, fields, after, actor)
        SELECT 'contact', c.id, 'edited', c.version, ARRAY(SELECT jsonb_object_keys(behind)), behind, auth.me({id})
        FROM {s}.contact c WHERE c.id = contact AND c.deleted_at IS NULL
        RETURNING id)
    INSERT INTO {s}.outbox (change) SELECT id FROM logged;
END
$$;

-- The change feed for SQL consumers: changes whose transactions, and all before them, have ended.
-- One long write transaction holds it back. Give the last (tx, id) you have seen.
CREATE FUNCTION {s}.feed(after_tx xid8, after_id bigint, max_rows int)
RETURNS TABLE (tx xid8, id bigint, at timestamptz, entity text, record bigint, kind text, version bigint,
    fields text[], before jsonb, after jsonb, origin bigint, actor text)
LANGUAGE sql STABLE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT c.tx, c.id, c.at, c.entity, c.record, c.kind, c.version, c.fields, c.before, c.after, c.origin, c.actor
    FROM {s}.change c
    WHERE (c.tx, c.id) > (after_tx, after_id) AND c.tx < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY c.tx, c.id LIMIT least(max_rows, 10000)
$$;

-- True erasure: the record and every trace of its values; what stays says only that it was erased.
CREATE FUNCTION {s}.erase_contact(subject bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    n bigint[] := '{}';
    c bigint;
    -- addresses and numbers by which the person is found where no contact's number stands
    known text[];
    keys text[] := ARRAY(SELECT f.key FROM {s}.field f WHERE f.is_key);
BEGIN
    IF auth.me({id}) IS NULL OR auth.me({id}) LIKE 'connector:%' THEN RETURN NULL; END IF;
    known := ARRAY(SELECT DISTINCT m.value FROM {s}.contact x, hub.match_keys(x.data, keys) m WHERE x.id = subject
        UNION SELECT m.value FROM {s}.change h, hub.match_keys(coalesce(h.before, h.after), keys) m
            WHERE h.entity = 'contact' AND h.record = subject
        UNION SELECT m.value FROM {s}.change h, hub.match_keys(h.after, keys) m WHERE h.entity = 'contact' AND h.record = subject);
    UPDATE {s}.change SET before = NULL, after = NULL WHERE entity = 'contact' AND record = subject;
    GET DIAGNOSTICS c = ROW_COUNT; n := n || c;
    UPDATE {s}.stage SET data = NULL, difference = NULL, problems = NULL WHERE contact = subject;
    GET DIAGNOSTICS c = ROW_COUNT; n := n || c;
    -- rows that were refused or still wait, which are not to be merged then, and webhooks that could not be applied
    UPDATE {s}.stage SET data = NULL, difference = NULL, problems = NULL, verdict = coalesce(verdict, 'refused')
    WHERE contact IS NULL AND data IS NOT NULL
        AND EXISTS (SELECT FROM hub.match_keys(data, keys) m WHERE m.value = ANY (known));
    UPDATE {s}.inbox SET body = '', headers = '{}' WHERE state = 'dead' AND body <> ''
        AND EXISTS (SELECT FROM unnest(known) k WHERE position(k IN lower(encode(body, 'escape'))) > 0);
    UPDATE {s}.attempt SET message = NULL WHERE record = subject;
    DELETE FROM {s}.conflict WHERE contact = subject;
    DELETE FROM {s}.duplicate WHERE a = subject OR b = subject;
    DELETE FROM {s}.contact_key WHERE contact = subject;
    UPDATE {s}.binding SET agreed = '{}', past = '[]', pushed = '{}' WHERE entity = 'contact' AND record = subject;
    -- by the addresses sent a record is found that a remote may have made without saying so; they go with it
    UPDATE {s}.delivery SET sent = CASE WHEN unsure OR state = 'leased' THEN hub.just_emails(sent) ELSE '[]' END
    WHERE record = subject;
    DELETE FROM {s}.consent WHERE contact = subject;
    DELETE FROM {s}.idempotency WHERE effect = subject;
    UPDATE {s}.run SET params = params - 'samples' WHERE params ? 'samples';
    UPDATE {s}.contact SET data = '{}', sales = '{}', consents = '{}', locks = '{}', origins = '{}',
        deleted_at = coalesce(deleted_at, now()), version = version + 1, updated_at = now() WHERE id = subject;
    GET DIAGNOSTICS c = ROW_COUNT; n := n || c;
    UPDATE {s}.change SET before = NULL, after = NULL WHERE entity = 'contact' AND record = subject;
    RETURN jsonb_build_object('changes', n[1], 'staged', n[2], 'contacts', n[3]);
END
$$;

ALTER DEFAULT PRIVILEGES IN SCHEMA {s} REVOKE EXECUTE ON FUNCTIONS FROM kontor_app;

-- Every writer's changes are logged: nobody can forget it.
CREATE FUNCTION {s}.log_contacts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    me text := auth.me({id});
    -- intake:3 and connector:3 both write on behalf of connector 3
    source bigint := CASE WHEN me ~ '^(intake|connector):\d+$' THEN split_part(me, ':', 2)::bigint END;
    batch bigint := nullif(current_setting('kontor.run', true), '')::bigint;
    keys text[] := ARRAY(SELECT f.key FROM {s}.field f WHERE f.is_key);
BEGIN
    IF TG_OP = 'INSERT' THEN
        WITH logged AS (
            INSERT INTO {s}.change (entity, record, kind, version, fields, after, origin, actor, run)
            SELECT 'contact', n.id, 'new', n.version, (SELECT array_agg(k) FROM jsonb_object_keys(n.data) k),
                n.data, source, me, batch
            FROM new_rows n WHERE n.deleted_at IS NULL
            RETURNING id)
        INSERT INTO {s}.outbox (change) SELECT id FROM logged;
        INSERT INTO {s}.contact_key (kind, value, contact)
        SELECT k.kind, k.value, n.id FROM new_rows n, hub.match_keys(n.data, keys) k WHERE n.deleted_at IS NULL
        ON CONFLICT DO NOTHING;
    ELSE
        WITH logged AS (
            INSERT INTO {s}.change (entity, record, kind, version, fields, before, after, origin, actor, run)
            SELECT 'contact', d.id, d.kind, d.version, d.fields,
                CASE WHEN d.kind = 'edited' THEN hub.pick(d.before, d.fields) ELSE d.before END,
                CASE WHEN d.kind = 'edited' THEN hub.pick(d.after, d.fields) ELSE d.after END, source, me, batch
            FROM (
                SELECT n.id, n.version, o.data AS before, n.data AS after,
                    hub.changed_fields(o.data, n.data)
                        || CASE WHEN o.sales IS DISTINCT FROM n.sales THEN '{sales}'::text[] ELSE '{}' END
                        || CASE WHEN o.consents IS DISTINCT FROM n.consents THEN '{consents}'::text[] ELSE '{}' END
                    AS fields,
                    CASE WHEN n.merged_into IS NOT NULL AND o.merged_into IS NULL THEN 'merged'
                        WHEN n.deleted_at IS NOT NULL AND o.deleted_at IS NULL THEN 'deleted'
                        WHEN n.deleted_at IS NULL AND o.deleted_at IS NOT NULL THEN 'new'
                        ELSE 'edited' END AS kind
                FROM old_rows o JOIN new_rows n USING (id)
                WHERE o.data IS DISTINCT FROM n.data OR o.sales IS DISTINCT FROM n.sales
                    OR o.consents IS DISTINCT FROM n.consents OR o.deleted_at IS DISTINCT FROM n.deleted_at
            ) d
            WHERE cardinality(d.fields) > 0 OR d.kind <> 'edited'
            RETURNING id)
        INSERT INTO {s}.outbox (change) SELECT id FROM logged;
        DELETE FROM {s}.contact_key k USING old_rows o JOIN new_rows n USING (id), hub.match_keys(o.data, keys) x
        WHERE k.kind = x.kind AND k.value = x.value AND k.contact = o.id
            AND (n.deleted_at IS NOT NULL
                OR (x.kind, x.value) NOT IN (SELECT y.kind, y.value FROM hub.match_keys(n.data, keys) y));
        INSERT INTO {s}.contact_key (kind, value, contact)
        SELECT k.kind, k.value, n.id FROM new_rows n JOIN old_rows o USING (id), hub.match_keys(n.data, keys) k
        WHERE n.deleted_at IS NULL
            AND (o.deleted_at IS NOT NULL OR o.data -> 'emails' IS DISTINCT FROM n.data -> 'emails'
                OR o.data -> 'phones' IS DISTINCT FROM n.data -> 'phones'
                OR EXISTS (SELECT FROM unnest(keys) f WHERE o.data -> f IS DISTINCT FROM n.data -> f))
        ON CONFLICT DO NOTHING;
    END IF;
    -- Kontor rings its own bell after commit; other writers ring here
    IF current_setting('kontor.bell', true) IS DISTINCT FROM 'own' THEN
        PERFORM pg_notify('kontor', '{id}');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER contact_inserted AFTER INSERT ON {s}.contact
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {s}.log_contacts();
CREATE TRIGGER contact_updated AFTER UPDATE ON {s}.contact
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {s}.log_contacts();

-- Consents follow their newest evidence; an equal moment never turns "no" into "yes".
CREATE FUNCTION {s}.apply_consents() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- one writer of a contact's consents at a time, and each sees the evidence of those before it
    PERFORM FROM {s}.contact c WHERE c.id IN (SELECT n.contact FROM new_rows n) ORDER BY c.id FOR UPDATE;
    UPDATE {s}.contact c SET consents = s.granted, version = c.version + 1, updated_at = now()
    FROM (
        SELECT l.contact, coalesce(array_agg('consent:' || l.purpose ORDER BY l.purpose) FILTER (WHERE l.granted), '{}')
            AS granted
        FROM (
            SELECT DISTINCT ON (x.contact, x.purpose) x.contact, x.purpose, x.granted
            FROM {s}.consent x WHERE x.contact IN (SELECT n.contact FROM new_rows n)
            ORDER BY x.contact, x.purpose, x.evidence_at DESC, x.granted
        ) l GROUP BY l.contact) s
    WHERE c.id = s.contact AND c.consents IS DISTINCT FROM s.granted;
    RETURN NULL;
END
$$;
CREATE TRIGGER consent_added AFTER INSERT ON {s}.consent
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {s}.apply_consents();

GRANT USAGE ON SCHEMA {s} TO kontor_app;
GRANT USAGE ON SEQUENCE {s}.contact_id TO kontor_app;
