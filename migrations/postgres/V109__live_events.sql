-- What happened, in an order in which nothing appears behind what was read: the live events of the API, which whoever reads
-- them goes on with after a break.
--
-- May run again at any time, and should when the roles come later.

-- One row for each batch of records. entries has 17 bytes for each event: what happened (1 a session opened, 2 became idle, 3
-- closed, 4 a request was answered), and the id of the session or request. What is told of it is read from its own row.
--
-- Numbers of a sequence do not follow the order of commits. Transactions do in this way: when all that are older than one have
-- ended, no row of an older one can appear any more. What is read are rows of transactions before the oldest one that runs in this
-- database, in the order of transactions. The oldest row may be one that was emptied: events up to its end are no longer kept.
CREATE TABLE IF NOT EXISTS archon_event_log (
    transaction_id bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    log_id bigint GENERATED ALWAYS AS IDENTITY,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    entry_count integer NOT NULL,
    entries bytea NOT NULL,
    CONSTRAINT archon_event_log_pkey PRIMARY KEY (transaction_id, log_id)
);
-- Ids do not compress, and pieces of what is not compressed are read without the rest.
ALTER TABLE archon_event_log ALTER COLUMN entries SET STORAGE EXTERNAL;

-- After each statement of somebody else that inserted requests.
CREATE OR REPLACE FUNCTION archon_requests_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
BEGIN
    INSERT INTO archon_event_log (entry_count, entries)
    SELECT count(*), string_agg('\x04'::bytea || uuid_send(i.request_id), ''::bytea ORDER BY i.place)
    FROM (SELECT n.request_id, row_number() OVER (ORDER BY n.timestamp, n.request_id) - 1 AS place FROM inserted AS n) AS i
    GROUP BY i.place / 8192
    ORDER BY i.place / 8192;
    RETURN NULL;
END
$fn$;

-- After each statement of somebody else that inserted sessions; they may be over.
CREATE OR REPLACE FUNCTION archon_sessions_told_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
BEGIN
    INSERT INTO archon_event_log (entry_count, entries)
    SELECT count(*) + count(*) FILTER (WHERE i.status = 'disconnected'),
        string_agg('\x01'::bytea || uuid_send(i.session_id)
            || CASE WHEN i.status = 'disconnected' THEN '\x03'::bytea || uuid_send(i.session_id) ELSE ''::bytea END,
            ''::bytea ORDER BY i.place)
    FROM (SELECT n.session_id, n.status, row_number() OVER (ORDER BY n.connected_at, n.session_id) - 1 AS place
          FROM inserted AS n) AS i
    GROUP BY i.place / 4096
    ORDER BY i.place / 4096;
    RETURN NULL;
END
$fn$;

-- After each statement of somebody else that changed sessions.
CREATE OR REPLACE FUNCTION archon_sessions_told_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
BEGIN
    INSERT INTO archon_event_log (entry_count, entries)
    SELECT count(*), string_agg(CASE c.status WHEN 'idle' THEN '\x02'::bytea ELSE '\x03'::bytea END
        || uuid_send(c.session_id), ''::bytea ORDER BY c.place)
    FROM (SELECT a.session_id, a.status, row_number() OVER (ORDER BY a.last_activity, a.session_id) - 1 AS place
          FROM added AS a JOIN removed AS r ON r.session_id = a.session_id
          WHERE a.status IN ('idle', 'disconnected') AND r.status IS DISTINCT FROM a.status
              AND r.status IS DISTINCT FROM 'disconnected') AS c
    GROUP BY c.place / 8192
    ORDER BY c.place / 8192;
    RETURN NULL;
END
$fn$;

DROP TRIGGER IF EXISTS archon_requests_told ON archon_mcp_requests;
CREATE TRIGGER archon_requests_told AFTER INSERT ON archon_mcp_requests
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT
    WHEN (current_setting('archonctl.writer', true) IS DISTINCT FROM 'fold')
    EXECUTE FUNCTION archon_requests_told();
DROP TRIGGER IF EXISTS archon_sessions_told_insert ON archon_mcp_sessions;
CREATE TRIGGER archon_sessions_told_insert AFTER INSERT ON archon_mcp_sessions
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT
    WHEN (current_setting('archonctl.writer', true) IS DISTINCT FROM 'fold')
    EXECUTE FUNCTION archon_sessions_told_insert();
DROP TRIGGER IF EXISTS archon_sessions_told_update ON archon_mcp_sessions;
CREATE TRIGGER archon_sessions_told_update AFTER UPDATE ON archon_mcp_sessions
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT
    WHEN (current_setting('archonctl.writer', true) IS DISTINCT FROM 'fold')
    EXECUTE FUNCTION archon_sessions_told_update();

-- Functions look only into the schema they are in, and are for triggers. Nobody but the owner and trusted roles has business
-- with the table.
DO $do$
DECLARE
    fn regprocedure;
    role_name text;
    service CONSTANT boolean := EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role');
BEGIN
    FOR fn IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
            AND p.proname IN ('archon_requests_told', 'archon_sessions_told_insert', 'archon_sessions_told_update')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', fn, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', fn);
        FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %I', fn, role_name);
        END LOOP;
    END LOOP;
    REVOKE ALL ON archon_event_log FROM PUBLIC;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON archon_event_log FROM %I', role_name);
    END LOOP;
    IF service OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        ALTER TABLE archon_event_log ENABLE ROW LEVEL SECURITY;
    END IF;
    IF service THEN
        DROP POLICY IF EXISTS "Allow service role full access to archon_event_log" ON archon_event_log;
        CREATE POLICY "Allow service role full access to archon_event_log" ON archon_event_log
            FOR ALL TO service_role USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE ON archon_event_log TO service_role;
    END IF;
END
$do$;

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '109_live_events')
ON CONFLICT DO NOTHING;
