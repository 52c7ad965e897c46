-- Who a session belongs to.
--
-- May run again on a database that has any part of it, or later versions of its functions and of its view.

ALTER TABLE archon_mcp_sessions
    ADD COLUMN IF NOT EXISTS user_id uuid,
    ADD COLUMN IF NOT EXISTS user_email varchar(255),
    ADD COLUMN IF NOT EXISTS user_name varchar(255);

CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_user_email ON archon_mcp_sessions (user_email);

-- Dropped by a later file, whose own indexes say whether it was here.
DO $do$
BEGIN
    IF to_regclass(format('%I.idx_archon_mcp_sessions_ended', current_schema())) IS NULL THEN
        CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_user_id ON archon_mcp_sessions (user_id);
        CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_user_activity
            ON archon_mcp_sessions (user_id, last_activity DESC) WHERE user_id IS NOT NULL;
    END IF;
END
$do$;

-- One row for each user; e-mail address and name are those of the session that connected last and has one.
DO $do$
BEGIN
    IF to_regclass(format('%I.archon_mcp_user_stats', current_schema())) IS NULL THEN
        CREATE VIEW archon_mcp_user_stats AS
        WITH requests AS (
            SELECT r.session_id, count(*) FILTER (WHERE r.method NOT IN ('initialize', 'server/discover')) AS requests,
                coalesce(sum(r.prompt_tokens), 0) + coalesce(sum(r.completion_tokens), 0) AS tokens,
                coalesce(sum(r.estimated_cost), 0) AS cost
            FROM archon_mcp_requests AS r GROUP BY r.session_id
        )
        SELECT s.user_id,
            (array_agg(s.user_email ORDER BY s.connected_at DESC, s.session_id DESC)
                FILTER (WHERE s.user_email IS NOT NULL))[1] AS user_email,
            (array_agg(s.user_name ORDER BY s.connected_at DESC, s.session_id DESC)
                FILTER (WHERE s.user_name IS NOT NULL))[1] AS user_name,
            count(*) AS total_sessions,
            count(*) FILTER (WHERE s.status <> 'disconnected') AS active_sessions,
            count(*) FILTER (WHERE s.status = 'disconnected') AS disconnected_sessions,
            avg(s.total_duration) FILTER (WHERE s.status = 'disconnected') AS avg_session_duration_seconds,
            max(s.total_duration) FILTER (WHERE s.status = 'disconnected') AS max_session_duration_seconds,
            min(s.connected_at) AS first_session_at,
            max(s.last_activity) AS last_activity_at,
            coalesce(sum(r.requests), 0)::bigint AS total_requests,
            coalesce(sum(r.tokens), 0)::bigint AS total_tokens,
            coalesce(sum(r.cost), 0) AS total_cost
        FROM archon_mcp_sessions AS s LEFT JOIN requests AS r ON r.session_id = s.session_id
        WHERE s.user_id IS NOT NULL
        GROUP BY s.user_id;
    END IF;
END
$do$;

DO $do$
BEGIN
    IF to_regprocedure(format('%I.get_user_sessions(uuid, timestamptz, timestamptz)', current_schema())) IS NULL THEN
        CREATE FUNCTION get_user_sessions(p_user_id uuid, start_date timestamptz DEFAULT now() - interval '30 days',
            end_date timestamptz DEFAULT now())
        RETURNS TABLE (session_id uuid, client_type varchar, client_version varchar, connected_at timestamptz,
            disconnected_at timestamptz, total_duration integer, disconnect_reason varchar, status varchar,
            total_requests bigint)
        LANGUAGE sql STABLE
        AS $fn$
            SELECT s.session_id, s.client_type, s.client_version, s.connected_at, s.disconnected_at, s.total_duration,
                s.disconnect_reason, s.status,
                (SELECT count(*) FROM archon_mcp_requests AS r
                 WHERE r.session_id = s.session_id AND r.method NOT IN ('initialize', 'server/discover'))
            FROM archon_mcp_sessions AS s
            WHERE s.user_id = $1 AND s.connected_at >= $2 AND s.connected_at <= $3
            ORDER BY s.connected_at DESC, s.session_id DESC
        $fn$;
    END IF;

    IF to_regprocedure(format('%I.get_user_activity_summary(uuid, integer)', current_schema())) IS NULL THEN
        CREATE FUNCTION get_user_activity_summary(p_user_id uuid, days integer DEFAULT 30)
        RETURNS TABLE (user_id uuid, user_email varchar, user_name varchar, total_sessions bigint,
            active_sessions bigint, total_requests bigint, total_tokens bigint, total_cost numeric,
            avg_session_duration numeric, most_used_client varchar, first_seen timestamptz, last_seen timestamptz)
        LANGUAGE sql STABLE
        AS $fn$
            SELECT $1,
                (array_agg(s.user_email ORDER BY s.connected_at DESC, s.session_id DESC)
                    FILTER (WHERE s.user_email IS NOT NULL))[1],
                (array_agg(s.user_name ORDER BY s.connected_at DESC, s.session_id DESC)
                    FILTER (WHERE s.user_name IS NOT NULL))[1],
                count(*),
                count(*) FILTER (WHERE s.status <> 'disconnected'),
                coalesce(sum(r.requests), 0)::bigint, coalesce(sum(r.tokens), 0)::bigint, coalesce(sum(r.cost), 0),
                avg(s.total_duration) FILTER (WHERE s.status = 'disconnected'),
                mode() WITHIN GROUP (ORDER BY s.client_type),
                min(s.connected_at), max(s.last_activity)
            FROM archon_mcp_sessions AS s
            LEFT JOIN LATERAL (
                SELECT count(*) FILTER (WHERE q.method NOT IN ('initialize', 'server/discover')) AS requests,
                    coalesce(sum(q.prompt_tokens), 0) + coalesce(sum(q.completion_tokens), 0) AS tokens,
                    coalesce(sum(q.estimated_cost), 0) AS cost
                FROM archon_mcp_requests AS q WHERE q.session_id = s.session_id
            ) AS r ON true
            WHERE s.user_id = $1 AND s.connected_at >= now() - make_interval(days => coalesce($2, 30))
            HAVING count(*) > 0
        $fn$;
    END IF;
END
$do$;

-- Own sessions only. Where the policy of 001 stands beside it, everybody who is signed in still reads everything.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated')
        AND EXISTS (SELECT FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
                    WHERE n.nspname = 'auth' AND p.proname = 'uid' AND p.pronargs = 0
                        AND p.prorettype = 'uuid'::regtype)
        AND (SELECT relrowsecurity FROM pg_class WHERE oid = 'archon_mcp_sessions'::regclass)
        AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = 'archon_mcp_sessions'::regclass
                        AND polname = 'Users can read their own sessions')
    THEN
        CREATE POLICY "Users can read their own sessions" ON archon_mcp_sessions
            FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
    END IF;
END
$do$;

DO $do$
DECLARE
    fn regprocedure;
BEGIN
    FOR fn IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
            AND p.proname IN ('get_user_sessions', 'get_user_activity_summary')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', fn, current_schema());
    END LOOP;
END
$do$;

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.3.0', '014_add_user_context_to_sessions')
ON CONFLICT DO NOTHING;
