-- Sessions, their requests, and prices to estimate their cost with.
--
-- Tables, columns, constraints and indexes are those that existing readers and writers know. Whatever is there already
-- is left as it is, so this file may run again on a database that has any part of it, or later versions of its functions.
-- Names are those of the current schema. Row security is set up for the roles that exist; without any it stays off.

CREATE TABLE IF NOT EXISTS archon_migrations (
    id uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    version varchar(20) NOT NULL,
    migration_name varchar(255) NOT NULL,
    applied_at timestamptz DEFAULT now(),
    checksum varchar(32),
    UNIQUE (version, migration_name)
);
CREATE INDEX IF NOT EXISTS idx_archon_migrations_version ON archon_migrations (version);
CREATE INDEX IF NOT EXISTS idx_archon_migrations_applied_at ON archon_migrations (applied_at DESC);

CREATE TABLE IF NOT EXISTS archon_mcp_sessions (
    session_id uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    client_type varchar(50) NOT NULL DEFAULT 'Unknown',
    client_version varchar(50),
    client_capabilities jsonb,
    connected_at timestamptz NOT NULL DEFAULT now(),
    disconnected_at timestamptz,
    last_activity timestamptz NOT NULL DEFAULT now(),
    status varchar(20) NOT NULL DEFAULT 'active',
    metadata jsonb DEFAULT '{}',
    CONSTRAINT valid_status CHECK (status IN ('active', 'idle', 'disconnected'))
);
ALTER TABLE archon_mcp_sessions
    ADD COLUMN IF NOT EXISTS client_type varchar(50) NOT NULL DEFAULT 'Unknown',
    ADD COLUMN IF NOT EXISTS client_version varchar(50),
    ADD COLUMN IF NOT EXISTS client_capabilities jsonb,
    ADD COLUMN IF NOT EXISTS connected_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS disconnected_at timestamptz,
    ADD COLUMN IF NOT EXISTS last_activity timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS status varchar(20) NOT NULL DEFAULT 'active',
    ADD COLUMN IF NOT EXISTS metadata jsonb DEFAULT '{}';

CREATE TABLE IF NOT EXISTS archon_mcp_requests (
    request_id uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES archon_mcp_sessions (session_id) ON DELETE CASCADE,
    method varchar(100) NOT NULL,
    tool_name varchar(100),
    prompt_tokens integer DEFAULT 0,
    completion_tokens integer DEFAULT 0,
    total_tokens integer GENERATED ALWAYS AS (prompt_tokens + completion_tokens) STORED,
    estimated_cost numeric(10,6) DEFAULT 0,
    timestamp timestamptz NOT NULL DEFAULT now(),
    duration_ms integer,
    status varchar(20) NOT NULL DEFAULT 'success',
    error_message text,
    CONSTRAINT valid_status CHECK (status IN ('success', 'error', 'timeout'))
);
ALTER TABLE archon_mcp_requests
    ADD COLUMN IF NOT EXISTS tool_name varchar(100),
    ADD COLUMN IF NOT EXISTS prompt_tokens integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS completion_tokens integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS estimated_cost numeric(10,6) DEFAULT 0,
    ADD COLUMN IF NOT EXISTS timestamp timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS duration_ms integer,
    ADD COLUMN IF NOT EXISTS status varchar(20) NOT NULL DEFAULT 'success',
    ADD COLUMN IF NOT EXISTS error_message text;
ALTER TABLE archon_mcp_requests
    ADD COLUMN IF NOT EXISTS total_tokens integer GENERATED ALWAYS AS (prompt_tokens + completion_tokens) STORED;

CREATE TABLE IF NOT EXISTS archon_llm_pricing (
    id serial PRIMARY KEY,
    model_name varchar(100) NOT NULL,
    provider varchar(50) NOT NULL,
    input_price_per_1k numeric(10,6) NOT NULL,
    output_price_per_1k numeric(10,6) NOT NULL,
    effective_date date NOT NULL DEFAULT current_date,
    notes text,
    CONSTRAINT unique_model_provider_date UNIQUE (model_name, provider, effective_date)
);

-- Constraints that a table made by hand may lack.
DO $do$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint
                   WHERE conrelid = 'archon_mcp_sessions'::regclass AND conname = 'valid_status') THEN
        ALTER TABLE archon_mcp_sessions
            ADD CONSTRAINT valid_status CHECK (status IN ('active', 'idle', 'disconnected'));
    END IF;
    IF NOT EXISTS (SELECT FROM pg_constraint
                   WHERE conrelid = 'archon_mcp_requests'::regclass AND conname = 'valid_status') THEN
        ALTER TABLE archon_mcp_requests ADD CONSTRAINT valid_status CHECK (status IN ('success', 'error', 'timeout'));
    END IF;
    IF NOT EXISTS (SELECT FROM pg_constraint
                   WHERE conrelid = 'archon_mcp_requests'::regclass AND contype = 'f'
                     AND confrelid = 'archon_mcp_sessions'::regclass) THEN
        ALTER TABLE archon_mcp_requests ADD CONSTRAINT archon_mcp_requests_session_id_fkey
            FOREIGN KEY (session_id) REFERENCES archon_mcp_sessions (session_id) ON DELETE CASCADE;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_constraint
                   WHERE conrelid = 'archon_llm_pricing'::regclass AND conname = 'unique_model_provider_date') THEN
        ALTER TABLE archon_llm_pricing
            ADD CONSTRAINT unique_model_provider_date UNIQUE (model_name, provider, effective_date);
    END IF;
END
$do$;

CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_connected_at ON archon_mcp_sessions (connected_at DESC);
CREATE INDEX IF NOT EXISTS idx_archon_mcp_requests_timestamp ON archon_mcp_requests (timestamp DESC);
CREATE INDEX IF NOT EXISTS idx_archon_mcp_requests_session_time ON archon_mcp_requests (session_id, timestamp DESC);

-- These are dropped by a later file, whose own indexes say whether it was here.
DO $do$
BEGIN
    IF to_regclass(format('%I.idx_archon_mcp_sessions_ended', current_schema())) IS NULL THEN
        CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_status ON archon_mcp_sessions (status);
        CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_client_type ON archon_mcp_sessions (client_type);
        CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_last_activity ON archon_mcp_sessions (last_activity DESC);
        CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_status_activity
            ON archon_mcp_sessions (status, last_activity DESC);
        CREATE INDEX IF NOT EXISTS idx_archon_mcp_requests_session_id ON archon_mcp_requests (session_id);
        CREATE INDEX IF NOT EXISTS idx_archon_mcp_requests_method ON archon_mcp_requests (method);
        CREATE INDEX IF NOT EXISTS idx_archon_mcp_requests_tool_name ON archon_mcp_requests (tool_name);
        CREATE INDEX IF NOT EXISTS idx_archon_mcp_requests_method_time ON archon_mcp_requests (method, timestamp DESC);
    END IF;
END
$do$;

-- List prices of 2024 for 1,000 tokens, in US dollars, from the day they took effect. Only for a table without prices.
INSERT INTO archon_llm_pricing (model_name, provider, input_price_per_1k, output_price_per_1k, effective_date, notes)
SELECT * FROM (VALUES
    ('gpt-4', 'OpenAI', 0.03, 0.06, date '2023-03-14', '8k context'),
    ('gpt-4-turbo', 'OpenAI', 0.01, 0.03, date '2024-04-09', NULL),
    ('gpt-4o', 'OpenAI', 0.0025, 0.01, date '2024-08-06', NULL),
    ('gpt-4o-mini', 'OpenAI', 0.00015, 0.0006, date '2024-07-18', NULL),
    ('gpt-3.5-turbo', 'OpenAI', 0.0005, 0.0015, date '2024-01-25', NULL),
    ('claude-3-opus-20240229', 'Anthropic', 0.015, 0.075, date '2024-03-04', NULL),
    ('claude-3-sonnet-20240229', 'Anthropic', 0.003, 0.015, date '2024-03-04', NULL),
    ('claude-3-haiku-20240307', 'Anthropic', 0.00025, 0.00125, date '2024-03-13', NULL),
    ('claude-3-5-sonnet-20240620', 'Anthropic', 0.003, 0.015, date '2024-06-20', NULL),
    ('claude-3-5-sonnet-20241022', 'Anthropic', 0.003, 0.015, date '2024-10-22', NULL),
    ('claude-3-5-haiku-20241022', 'Anthropic', 0.0008, 0.004, date '2024-12-03', 'after the price cut of December 2024')
) AS prices
WHERE NOT EXISTS (SELECT FROM archon_llm_pricing);

-- Functions: made where they are missing. Later files bring newer versions, which are not put back.
DO $do$
DECLARE
    missing CONSTANT text[] := ARRAY(
        SELECT wanted FROM unnest(ARRAY[
            'get_active_mcp_clients()',
            'get_mcp_usage_summary(timestamptz, timestamptz)',
            'get_mcp_usage_by_tool(timestamptz, timestamptz)',
            'calculate_request_cost(varchar, varchar, integer, integer)'
        ]) AS wanted
        WHERE to_regprocedure(format('%I.%s', current_schema(), wanted)) IS NULL);
BEGIN
    IF 'get_active_mcp_clients()' = ANY (missing) THEN
        CREATE FUNCTION get_active_mcp_clients()
        RETURNS TABLE (session_id uuid, client_type varchar, client_version varchar, connected_at timestamptz,
            last_activity timestamptz, status varchar)
        LANGUAGE sql STABLE
        AS $fn$
            SELECT s.session_id, s.client_type, s.client_version, s.connected_at, s.last_activity, s.status
            FROM archon_mcp_sessions AS s
            WHERE s.status <> 'disconnected' AND s.disconnected_at IS NULL
            ORDER BY s.last_activity DESC, s.session_id DESC
        $fn$;
    END IF;

    IF 'get_mcp_usage_summary(timestamptz, timestamptz)' = ANY (missing) THEN
        CREATE FUNCTION get_mcp_usage_summary(start_date timestamptz DEFAULT now() - interval '30 days',
            end_date timestamptz DEFAULT now())
        RETURNS TABLE (total_requests bigint, total_prompt_tokens bigint, total_completion_tokens bigint,
            total_tokens bigint, total_cost numeric, unique_sessions bigint)
        LANGUAGE sql STABLE
        AS $fn$
            SELECT count(*), coalesce(sum(r.prompt_tokens), 0), coalesce(sum(r.completion_tokens), 0),
                coalesce(sum(r.prompt_tokens), 0) + coalesce(sum(r.completion_tokens), 0),
                coalesce(sum(r.estimated_cost), 0), count(DISTINCT r.session_id)
            FROM archon_mcp_requests AS r
            WHERE r.timestamp >= $1 AND r.timestamp <= $2 AND r.status = 'success'
                AND r.method NOT IN ('initialize', 'server/discover')
        $fn$;
    END IF;

    IF 'get_mcp_usage_by_tool(timestamptz, timestamptz)' = ANY (missing) THEN
        CREATE FUNCTION get_mcp_usage_by_tool(start_date timestamptz DEFAULT now() - interval '30 days',
            end_date timestamptz DEFAULT now())
        RETURNS TABLE (tool_name varchar, request_count bigint, total_tokens bigint, total_cost numeric,
            avg_duration_ms numeric)
        LANGUAGE sql STABLE
        AS $fn$
            SELECT coalesce(r.tool_name, r.method)::varchar, count(*),
                coalesce(sum(r.prompt_tokens), 0) + coalesce(sum(r.completion_tokens), 0),
                coalesce(sum(r.estimated_cost), 0), round(avg(r.duration_ms), 2)
            FROM archon_mcp_requests AS r
            WHERE r.timestamp >= $1 AND r.timestamp <= $2 AND r.status = 'success'
                AND r.method NOT IN ('initialize', 'server/discover')
            GROUP BY 1 ORDER BY 2 DESC, 1
        $fn$;
    END IF;

    IF 'calculate_request_cost(varchar, varchar, integer, integer)' = ANY (missing) THEN
        CREATE FUNCTION calculate_request_cost(model_name_param varchar, provider_param varchar,
            prompt_tokens_param integer, completion_tokens_param integer)
        RETURNS numeric
        LANGUAGE sql STABLE
        AS $fn$
            SELECT coalesce((
                SELECT round((coalesce($3, 0) * p.input_price_per_1k + coalesce($4, 0) * p.output_price_per_1k) / 1000, 6)
                FROM archon_llm_pricing AS p
                WHERE lower(p.model_name) = lower($1) AND lower(p.provider) = lower($2)
                    AND p.effective_date <= current_date
                ORDER BY p.effective_date DESC LIMIT 1), 0)
        $fn$;
    END IF;
END
$do$;

-- A session's activity follows its requests: once for each statement, rows locked in the order of their ids. A trigger for
-- each row (the older kind reopens ended sessions and moves activity backward) is replaced; a newer one is kept.
DO $do$
DECLARE
    row_trigger CONSTANT boolean := EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'archon_mcp_requests'::regclass AND tgname = 'trigger_update_session_status'
            AND tgtype & 1 = 1);
BEGIN
    IF row_trigger THEN
        DROP TRIGGER trigger_update_session_status ON archon_mcp_requests;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_proc
                   WHERE oid = to_regprocedure(format('%I.update_session_status()', current_schema()))
                       AND prosrc ~ '\minserted\M') THEN
        CREATE OR REPLACE FUNCTION update_session_status() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER
        AS $fn$
        BEGIN
            WITH activity AS (
                SELECT n.session_id,
                    max(least(least(n.timestamp, clock_timestamp())
                        + coalesce(n.duration_ms, 0) * interval '1 millisecond', clock_timestamp())) AS at
                FROM inserted AS n GROUP BY n.session_id
            ), locked AS (
                SELECT s.session_id FROM archon_mcp_sessions AS s
                WHERE s.session_id IN (SELECT a.session_id FROM activity AS a)
                ORDER BY s.session_id FOR NO KEY UPDATE
            )
            UPDATE archon_mcp_sessions AS s
            SET last_activity = a.at,
                status = CASE WHEN s.status = 'idle' AND a.at > now() - interval '5 minutes' THEN 'active'
                    ELSE s.status END
            FROM activity AS a JOIN locked AS l ON l.session_id = a.session_id
            WHERE s.session_id = a.session_id AND a.at > s.last_activity;
            RETURN NULL;
        END
        $fn$;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger
                   WHERE tgrelid = 'archon_mcp_requests'::regclass AND tgname = 'trigger_update_session_status') THEN
        CREATE TRIGGER trigger_update_session_status AFTER INSERT ON archon_mcp_requests
            REFERENCING NEW TABLE AS inserted
            FOR EACH STATEMENT EXECUTE FUNCTION update_session_status();
    END IF;
END
$do$;

-- Row security. Policies that are there are left alone: none is made beside others, so nothing that was closed opens again.
DO $do$
DECLARE
    tab text;
    secured boolean;
    service CONSTANT boolean := EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role');
    signed_in CONSTANT boolean := EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated');
BEGIN
    FOREACH tab IN ARRAY ARRAY['archon_migrations', 'archon_mcp_sessions', 'archon_mcp_requests', 'archon_llm_pricing']
    LOOP
        -- A table of somebody else stays as it is.
        CONTINUE WHEN NOT pg_has_role((SELECT c.relowner FROM pg_class AS c WHERE c.oid = tab::regclass), 'USAGE');
        SELECT c.relrowsecurity INTO secured FROM pg_class AS c WHERE c.oid = tab::regclass;
        IF signed_in AND NOT secured AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = tab::regclass) THEN
            EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO authenticated USING (true)',
                'Allow authenticated users to read ' || tab, tab);
        END IF;
        IF service AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = tab::regclass
                                   AND polname = 'Allow service role full access to ' || tab) THEN
            EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO service_role USING (true) WITH CHECK (true)',
                'Allow service role full access to ' || tab, tab);
        END IF;
        IF EXISTS (SELECT FROM pg_policy WHERE polrelid = tab::regclass) THEN
            IF NOT secured THEN
                EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
            END IF;
        ELSIF secured AND NOT service AND NOT signed_in THEN
            -- Row security without a policy: everybody but the owner sees nothing, and nobody told them.
            EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', tab);
        END IF;
    END LOOP;
END
$do$;

-- Functions look only into the schema they are in.
DO $do$
DECLARE
    fn regprocedure;
BEGIN
    FOR fn IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
            AND p.proname IN ('get_active_mcp_clients', 'get_mcp_usage_summary', 'get_mcp_usage_by_tool',
                'calculate_request_cost', 'update_session_status')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', fn, current_schema());
    END LOOP;
    EXECUTE format('REVOKE ALL ON FUNCTION %I.update_session_status() FROM PUBLIC', current_schema());
END
$do$;

-- The release and the name are what existing dashboards look for.
INSERT INTO archon_migrations (version, migration_name) VALUES ('0.3.0', '001_add_mcp_client_tracking')
ON CONFLICT DO NOTHING;
