-- Who writes here, and which ids of sessions are other names of one session.
--
-- May run again at any time, and should when the roles come later.

-- One row for each process that runs. It counts as alive until expires_at, by the clock of the database.
CREATE TABLE IF NOT EXISTS archon_instances (
    instance_id uuid NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    host text NOT NULL,
    pid bigint NOT NULL,
    version text NOT NULL,
    journal text NOT NULL,
    started_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    backlog_bytes bigint NOT NULL DEFAULT 0,
    records_dropped bigint NOT NULL DEFAULT 0
);

-- Two instances that meet a client at the same moment both give its session an id: the one that comes second to the store
-- is an alias of the first.
CREATE TABLE IF NOT EXISTS archon_session_aliases (
    alias uuid NOT NULL PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES archon_mcp_sessions (session_id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS idx_archon_session_aliases_session ON archon_session_aliases (session_id);

-- Nobody but the owner and trusted roles has business there.
DO $do$
DECLARE
    tab text;
    role_name text;
    service CONSTANT boolean := EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role');
BEGIN
    FOREACH tab IN ARRAY ARRAY['archon_instances', 'archon_session_aliases'] LOOP
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', tab);
        FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
            EXECUTE format('REVOKE ALL ON %I FROM %I', tab, role_name);
        END LOOP;
        IF service OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
        END IF;
        IF service THEN
            EXECUTE format('DROP POLICY IF EXISTS %I ON %I', 'Allow service role full access to ' || tab, tab);
            EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO service_role USING (true) WITH CHECK (true)',
                'Allow service role full access to ' || tab, tab);
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO service_role', tab);
        END IF;
    END LOOP;
END
$do$;

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '105_instances')
ON CONFLICT DO NOTHING;
