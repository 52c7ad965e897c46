-- Functions and views as 001, 013 and 014 make them: right, but answering from the rows. Views lose the grants they had;
-- what reads them has to go first.

DROP VIEW IF EXISTS archon_mcp_user_stats;
DROP VIEW IF EXISTS archon_mcp_session_stats;
DROP FUNCTION IF EXISTS get_mcp_usage_summary(timestamptz, timestamptz);
DROP FUNCTION IF EXISTS get_mcp_usage_by_tool(timestamptz, timestamptz);
DROP FUNCTION IF EXISTS archon_usage(timestamptz, timestamptz);
DROP FUNCTION IF EXISTS archon_reads_all();
DROP FUNCTION IF EXISTS calculate_request_cost(varchar, varchar, integer, integer);
DROP FUNCTION IF EXISTS get_active_mcp_clients();
DROP FUNCTION IF EXISTS get_disconnected_sessions(timestamptz, timestamptz);
DROP FUNCTION IF EXISTS get_user_sessions(uuid, timestamptz, timestamptz);
DROP FUNCTION IF EXISTS get_user_activity_summary(uuid, integer);

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

CREATE FUNCTION get_active_mcp_clients()
RETURNS TABLE (session_id uuid, client_type varchar, client_version varchar, connected_at timestamptz,
    last_activity timestamptz, total_duration integer, status varchar, disconnect_reason varchar)
LANGUAGE sql STABLE
AS $fn$
    SELECT s.session_id, s.client_type, s.client_version, s.connected_at, s.last_activity, s.total_duration,
        s.status, s.disconnect_reason
    FROM archon_mcp_sessions AS s
    WHERE s.status <> 'disconnected' AND s.disconnected_at IS NULL
    ORDER BY s.last_activity DESC, s.session_id DESC
$fn$;

CREATE FUNCTION get_disconnected_sessions(start_date timestamptz DEFAULT now() - interval '7 days',
    end_date timestamptz DEFAULT now())
RETURNS TABLE (session_id uuid, client_type varchar, client_version varchar, connected_at timestamptz,
    disconnected_at timestamptz, total_duration integer, disconnect_reason varchar, total_requests bigint)
LANGUAGE sql STABLE
AS $fn$
    SELECT s.session_id, s.client_type, s.client_version, s.connected_at, s.disconnected_at, s.total_duration,
        s.disconnect_reason,
        (SELECT count(*) FROM archon_mcp_requests AS r
         WHERE r.session_id = s.session_id AND r.method NOT IN ('initialize', 'server/discover'))
    FROM archon_mcp_sessions AS s
    WHERE s.status = 'disconnected' AND s.disconnected_at >= $1 AND s.disconnected_at <= $2
    ORDER BY s.disconnected_at DESC, s.session_id DESC
$fn$;

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

CREATE VIEW archon_mcp_session_stats AS
SELECT client_type,
    count(*) AS total_sessions,
    count(*) FILTER (WHERE status = 'active') AS active_sessions,
    count(*) FILTER (WHERE status = 'disconnected') AS disconnected_sessions,
    avg(total_duration) FILTER (WHERE status = 'disconnected') AS avg_duration_seconds,
    max(total_duration) FILTER (WHERE status = 'disconnected') AS max_duration_seconds,
    count(*) FILTER (WHERE status = 'disconnected' AND disconnect_reason IN ('timeout', 'timeout_no_activity'))
        AS timeout_disconnects,
    count(*) FILTER (WHERE status = 'disconnected' AND disconnect_reason = 'client_disconnect')
        AS client_disconnects,
    count(*) FILTER (WHERE status = 'disconnected' AND disconnect_reason = 'server_shutdown')
        AS server_shutdown_disconnects,
    count(*) FILTER (WHERE status = 'disconnected' AND disconnect_reason ~ '^error(:|$)') AS error_disconnects
FROM archon_mcp_sessions
GROUP BY client_type;

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

-- With the rights of the reader, as before.
DO $do$
BEGIN
    IF current_setting('server_version_num')::integer >= 150000
        AND (SELECT c.relrowsecurity FROM pg_class AS c WHERE c.oid = 'archon_mcp_sessions'::regclass) THEN
        EXECUTE 'ALTER VIEW archon_mcp_session_stats SET (security_invoker = true)';
        EXECUTE 'ALTER VIEW archon_mcp_user_stats SET (security_invoker = true)';
    ELSIF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anon') THEN
        REVOKE ALL ON archon_mcp_session_stats, archon_mcp_user_stats FROM anon;
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
            AND p.proname IN ('get_mcp_usage_summary', 'get_mcp_usage_by_tool', 'calculate_request_cost', 'get_active_mcp_clients', 'get_disconnected_sessions', 'get_user_sessions', 'get_user_activity_summary')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', fn, current_schema());
    END LOOP;
END
$do$;
