-- The functions and views that existing readers call, in their final text: they answer from sums where there are sums, and
-- they respect who asks (SECURITY INVOKER).
--
-- May run again at any time. Signatures and columns are those of 001, 013 and 014. Where a database has one of them with other
-- types, it is replaced; where something of somebody else reads the old one, that one is renamed and stays for it.

DO $do$
DECLARE
    old record;
BEGIN
    FOR old IN
        SELECT p.oid, w.name, p.oid::regprocedure AS fn
        FROM (VALUES
            ('get_active_mcp_clients', '', 'TABLE(session_id uuid, client_type character varying, client_version character varying, connected_at timestamp with time zone, last_activity timestamp with time zone, total_duration integer, status character varying, disconnect_reason character varying)'),
            ('get_disconnected_sessions', 'timestamptz, timestamptz', 'TABLE(session_id uuid, client_type character varying, client_version character varying, connected_at timestamp with time zone, disconnected_at timestamp with time zone, total_duration integer, disconnect_reason character varying, total_requests bigint)'),
            ('get_user_sessions', 'uuid, timestamptz, timestamptz', 'TABLE(session_id uuid, client_type character varying, client_version character varying, connected_at timestamp with time zone, disconnected_at timestamp with time zone, total_duration integer, disconnect_reason character varying, status character varying, total_requests bigint)'),
            ('get_user_activity_summary', 'uuid, integer', 'TABLE(user_id uuid, user_email character varying, user_name character varying, total_sessions bigint, active_sessions bigint, total_requests bigint, total_tokens bigint, total_cost numeric, avg_session_duration numeric, most_used_client character varying, first_seen timestamp with time zone, last_seen timestamp with time zone)'),
            ('get_mcp_usage_summary', 'timestamptz, timestamptz', 'TABLE(total_requests bigint, total_prompt_tokens bigint, total_completion_tokens bigint, total_tokens bigint, total_cost numeric, unique_sessions bigint)'),
            ('get_mcp_usage_by_tool', 'timestamptz, timestamptz', 'TABLE(tool_name character varying, request_count bigint, total_tokens bigint, total_cost numeric, avg_duration_ms numeric)'),
            ('calculate_request_cost', 'varchar, varchar, integer, integer', 'numeric')
        ) AS w (name, arguments, result)
        JOIN pg_proc AS p ON p.oid = to_regprocedure(format('%I.%I(%s)', current_schema(), w.name, w.arguments))
        WHERE pg_get_function_result(p.oid) <> w.result
    LOOP
        IF EXISTS (SELECT FROM pg_depend
                   WHERE refclassid = 'pg_proc'::regclass AND refobjid = old.oid AND deptype = 'n') THEN
            EXECUTE format('ALTER FUNCTION %s RENAME TO %I', old.fn, old.name || '_old');
        ELSE
            EXECUTE format('DROP FUNCTION %s', old.fn);
        END IF;
    END LOOP;
END
$do$;

CREATE OR REPLACE FUNCTION get_active_mcp_clients()
RETURNS TABLE (session_id uuid, client_type varchar, client_version varchar, connected_at timestamptz,
    last_activity timestamptz, total_duration integer, status varchar, disconnect_reason varchar)
LANGUAGE plpgsql STABLE
AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.session_id, s.client_type, s.client_version, s.connected_at, s.last_activity, s.total_duration, s.status,
        s.disconnect_reason
    FROM archon_mcp_sessions AS s
    WHERE s.status <> 'disconnected' AND s.disconnected_at IS NULL
    ORDER BY s.last_activity DESC, s.session_id DESC;
END
$fn$;

CREATE OR REPLACE FUNCTION get_disconnected_sessions(start_date timestamptz DEFAULT now() - interval '7 days',
    end_date timestamptz DEFAULT now())
RETURNS TABLE (session_id uuid, client_type varchar, client_version varchar, connected_at timestamptz,
    disconnected_at timestamptz, total_duration integer, disconnect_reason varchar, total_requests bigint)
LANGUAGE plpgsql STABLE
AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.session_id, s.client_type, s.client_version, s.connected_at, s.disconnected_at, s.total_duration,
        s.disconnect_reason, s.total_requests
    FROM archon_mcp_sessions AS s
    WHERE s.status = 'disconnected' AND s.disconnected_at >= start_date AND s.disconnected_at <= end_date
    ORDER BY s.disconnected_at DESC, s.session_id DESC;
END
$fn$;

-- Sessions that connected in the period.
CREATE OR REPLACE FUNCTION get_user_sessions(p_user_id uuid,
    start_date timestamptz DEFAULT now() - interval '30 days', end_date timestamptz DEFAULT now())
RETURNS TABLE (session_id uuid, client_type varchar, client_version varchar, connected_at timestamptz,
    disconnected_at timestamptz, total_duration integer, disconnect_reason varchar, status varchar,
    total_requests bigint)
LANGUAGE plpgsql STABLE
AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT s.session_id, s.client_type, s.client_version, s.connected_at, s.disconnected_at, s.total_duration,
        s.disconnect_reason, s.status, s.total_requests
    FROM archon_mcp_sessions AS s
    WHERE s.user_id = p_user_id AND s.connected_at >= start_date AND s.connected_at <= end_date
    ORDER BY s.connected_at DESC, s.session_id DESC;
END
$fn$;

-- Sessions that connected in the last days, with all they did; one row, or none for a user without such sessions. Active are
-- those that have not ended. E-mail address and name are the latest the user had, ever.
CREATE OR REPLACE FUNCTION get_user_activity_summary(p_user_id uuid, days integer DEFAULT 30)
RETURNS TABLE (user_id uuid, user_email varchar, user_name varchar, total_sessions bigint, active_sessions bigint,
    total_requests bigint, total_tokens bigint, total_cost numeric, avg_session_duration numeric,
    most_used_client varchar, first_seen timestamptz, last_seen timestamptz)
LANGUAGE plpgsql STABLE
AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p_user_id,
        (SELECT e.user_email FROM archon_mcp_sessions AS e
         WHERE e.user_id = p_user_id AND e.user_email IS NOT NULL
         ORDER BY e.connected_at DESC, e.session_id DESC LIMIT 1),
        (SELECT n.user_name FROM archon_mcp_sessions AS n
         WHERE n.user_id = p_user_id AND n.user_name IS NOT NULL
         ORDER BY n.connected_at DESC, n.session_id DESC LIMIT 1),
        count(*),
        count(*) FILTER (WHERE s.status <> 'disconnected'),
        sum(s.total_requests)::bigint,
        sum(s.total_prompt_tokens + s.total_completion_tokens)::bigint,
        sum(s.total_cost),
        avg(s.total_duration) FILTER (WHERE s.status = 'disconnected'),
        mode() WITHIN GROUP (ORDER BY s.client_type),
        min(s.connected_at), max(s.last_activity)
    FROM archon_mcp_sessions AS s
    WHERE s.user_id = p_user_id AND s.connected_at >= now() - make_interval(days => coalesce(days, 30))
    HAVING count(*) > 0;
END
$fn$;

-- Whether the caller sees all sessions and requests, so that sums over all of them are the caller's to see.
CREATE OR REPLACE FUNCTION archon_reads_all() RETURNS boolean
LANGUAGE plpgsql STABLE
AS $fn$
BEGIN
    RETURN NOT row_security_active('archon_mcp_requests'::regclass)
            AND NOT row_security_active('archon_mcp_sessions'::regclass)
        OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated' AND pg_has_role(oid, 'USAGE'))
            AND (SELECT count(*) FROM pg_policy
                 WHERE polrelid = 'archon_mcp_requests'::regclass
                        AND polname = 'Allow authenticated users to read archon_mcp_requests'
                    OR polrelid = 'archon_mcp_sessions'::regclass
                        AND polname = 'Allow authenticated users to read archon_mcp_sessions') = 2;
END
$fn$;

-- Usage in a period, both ends included, by method, tool and status: whole days from their sums, whole hours at both ends from
-- theirs, the rest from the rows. Whoever may not see all rows is answered from those that they see.
CREATE OR REPLACE FUNCTION archon_usage(start_date timestamptz, end_date timestamptz)
RETURNS TABLE (method text, tool_name text, status text, requests numeric, timed_requests numeric,
    duration_ms_sum numeric, duration_ms_min bigint, duration_ms_max bigint, prompt_tokens numeric,
    completion_tokens numeric, cost numeric)
LANGUAGE plpgsql STABLE
AS $fn$
#variable_conflict use_column
DECLARE
    low CONSTANT timestamptz := coalesce(start_date, '-infinity');
    high CONSTANT timestamptz := coalesce(end_date, 'infinity');
    -- Hours from `first` until before `last` lie in the period as a whole, days from `first_day` until before `last_day`.
    first timestamptz := date_trunc('hour', low, 'UTC');
    last timestamptz := date_trunc('hour', high, 'UTC');
    first_day timestamptz;
    last_day timestamptz;
BEGIN
    IF NOT archon_reads_all() OR NOT has_table_privilege('archon_usage_daily', 'SELECT')
        OR NOT has_table_privilege('archon_usage_hourly_all', 'SELECT')
        OR NOT has_table_privilege('archon_usage_pending', 'SELECT') THEN
        RETURN QUERY
        SELECT left(r.method, 100), coalesce(left(r.tool_name, 100), ''), r.status::text, count(*)::numeric,
            count(r.duration_ms)::numeric, coalesce(sum(r.duration_ms), 0)::numeric, min(r.duration_ms)::bigint,
            max(r.duration_ms)::bigint, coalesce(sum(r.prompt_tokens), 0)::numeric,
            coalesce(sum(r.completion_tokens), 0)::numeric, coalesce(sum(nullif(r.estimated_cost, 'NaN')), 0)
        FROM archon_mcp_requests AS r
        WHERE r.timestamp >= low AND r.timestamp <= high
        GROUP BY 1, 2, 3;
        RETURN;
    END IF;
    IF first < low THEN
        first := first + interval '1 hour';
    END IF;
    IF first >= last THEN
        -- No whole hour.
        first := high;
        last := high;
    END IF;
    first_day := date_trunc('day', first, 'UTC');
    IF first_day < first THEN
        first_day := first_day + interval '24 hours';
    END IF;
    last_day := date_trunc('day', last, 'UTC');
    IF first_day >= last_day THEN
        first_day := last;
        last_day := last;
    END IF;

    RETURN QUERY
    SELECT u.method, u.tool_name, u.status, sum(u.requests), sum(u.timed_requests), sum(u.duration_ms_sum),
        min(u.duration_ms_min), max(u.duration_ms_max), sum(u.prompt_tokens), sum(u.completion_tokens), sum(u.cost)
    FROM (
        SELECT d.method, d.tool_name, d.status, sum(d.requests) AS requests, sum(d.timed_requests) AS timed_requests,
            sum(d.duration_ms_sum) AS duration_ms_sum, min(d.duration_ms_min) AS duration_ms_min,
            max(d.duration_ms_max) AS duration_ms_max, sum(d.prompt_tokens) AS prompt_tokens,
            sum(d.completion_tokens) AS completion_tokens, sum(d.cost) AS cost
        FROM archon_usage_daily AS d
        WHERE d.day >= first_day AND d.day < last_day
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT h.method, h.tool_name, h.status, sum(h.requests), sum(h.timed_requests), sum(h.duration_ms_sum),
            min(h.duration_ms_min), max(h.duration_ms_max), sum(h.prompt_tokens), sum(h.completion_tokens), sum(h.cost)
        FROM archon_usage_hourly_all AS h
        WHERE h.hour >= first AND h.hour < first_day AND h.hour < last
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT h.method, h.tool_name, h.status, sum(h.requests), sum(h.timed_requests), sum(h.duration_ms_sum),
            min(h.duration_ms_min), max(h.duration_ms_max), sum(h.prompt_tokens), sum(h.completion_tokens), sum(h.cost)
        FROM archon_usage_hourly_all AS h
        WHERE h.hour >= last_day AND h.hour < last AND last_day > first_day
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT p.method, p.tool_name, p.status, p.requests, p.timed_requests, p.duration_ms_sum, p.duration_ms_min,
            p.duration_ms_max, p.prompt_tokens, p.completion_tokens, p.cost
        FROM archon_usage_pending AS p
        WHERE p.hour >= first AND p.hour < last
        UNION ALL
        SELECT left(r.method, 100), coalesce(left(r.tool_name, 100), ''), r.status, count(*), count(r.duration_ms),
            sum(r.duration_ms), min(r.duration_ms), max(r.duration_ms), coalesce(sum(r.prompt_tokens), 0),
            coalesce(sum(r.completion_tokens), 0), coalesce(sum(nullif(r.estimated_cost, 'NaN')), 0)
        FROM archon_mcp_requests AS r
        WHERE r.timestamp >= low AND r.timestamp < first AND r.timestamp <= high
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT left(r.method, 100), coalesce(left(r.tool_name, 100), ''), r.status, count(*), count(r.duration_ms),
            sum(r.duration_ms), min(r.duration_ms), max(r.duration_ms), coalesce(sum(r.prompt_tokens), 0),
            coalesce(sum(r.completion_tokens), 0), coalesce(sum(nullif(r.estimated_cost, 'NaN')), 0)
        FROM archon_mcp_requests AS r
        WHERE r.timestamp >= last AND r.timestamp <= high AND r.timestamp >= low
        GROUP BY 1, 2, 3
        UNION ALL
        -- Sessions that are still to be counted have no part in any sum.
        SELECT left(r.method, 100), coalesce(left(r.tool_name, 100), ''), r.status, count(*), count(r.duration_ms),
            sum(r.duration_ms), min(r.duration_ms), max(r.duration_ms), coalesce(sum(r.prompt_tokens), 0),
            coalesce(sum(r.completion_tokens), 0), coalesce(sum(nullif(r.estimated_cost, 'NaN')), 0)
        FROM archon_mcp_sessions AS s JOIN archon_mcp_requests AS r ON r.session_id = s.session_id
        WHERE NOT s.counted AND r.timestamp >= first AND r.timestamp < last
        GROUP BY 1, 2, 3
    ) AS u
    GROUP BY u.method, u.tool_name, u.status
    HAVING sum(u.requests) <> 0;
END
$fn$;

-- Successful requests; the handshake is none of them. A session was used in the period if its first or its last success lies in
-- it; only of those that reach over both ends the rows are asked.
CREATE OR REPLACE FUNCTION get_mcp_usage_summary(start_date timestamptz DEFAULT now() - interval '30 days',
    end_date timestamptz DEFAULT now())
RETURNS TABLE (total_requests bigint, total_prompt_tokens bigint, total_completion_tokens bigint, total_tokens bigint,
    total_cost numeric, unique_sessions bigint)
LANGUAGE plpgsql STABLE
AS $fn$
#variable_conflict use_column
DECLARE
    low CONSTANT timestamptz := coalesce(start_date, '-infinity');
    high CONSTANT timestamptz := coalesce(end_date, 'infinity');
    used bigint;
BEGIN
    IF archon_reads_all() THEN
        SELECT count(*) INTO used FROM (
            SELECT s.session_id, s.first_success_at, s.last_success_at FROM archon_mcp_sessions AS s
            WHERE s.status = 'disconnected' AND s.counted AND s.last_success_at >= low AND s.first_success_at <= high
            UNION ALL
            SELECT s.session_id, s.first_success_at, s.last_success_at FROM archon_mcp_sessions AS s
            WHERE s.status <> 'disconnected' AND s.counted AND s.last_success_at >= low AND s.first_success_at <= high
            UNION ALL
            SELECT s.session_id, NULL, NULL FROM archon_mcp_sessions AS s WHERE NOT s.counted
        ) AS d
        WHERE d.first_success_at >= low OR d.last_success_at <= high OR EXISTS (
            SELECT FROM archon_mcp_requests AS r
            WHERE r.session_id = d.session_id AND r.timestamp >= low AND r.timestamp <= high AND r.status = 'success'
                AND r.method NOT IN ('initialize', 'server/discover'));
    ELSE
        SELECT count(DISTINCT r.session_id) INTO used FROM archon_mcp_requests AS r
        WHERE r.timestamp >= low AND r.timestamp <= high AND r.status = 'success'
            AND r.method NOT IN ('initialize', 'server/discover');
    END IF;
    RETURN QUERY
    SELECT coalesce(sum(u.requests), 0)::bigint, coalesce(sum(u.prompt_tokens), 0)::bigint,
        coalesce(sum(u.completion_tokens), 0)::bigint,
        coalesce(sum(u.prompt_tokens) + sum(u.completion_tokens), 0)::bigint, coalesce(sum(u.cost), 0), used
    FROM archon_usage(start_date, end_date) AS u
    WHERE u.status = 'success' AND u.method NOT IN ('initialize', 'server/discover');
END
$fn$;

-- The same by tool, or by method where there is no tool.
CREATE OR REPLACE FUNCTION get_mcp_usage_by_tool(start_date timestamptz DEFAULT now() - interval '30 days',
    end_date timestamptz DEFAULT now())
RETURNS TABLE (tool_name varchar, request_count bigint, total_tokens bigint, total_cost numeric,
    avg_duration_ms numeric)
LANGUAGE plpgsql STABLE
AS $fn$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT coalesce(nullif(u.tool_name, ''), u.method)::varchar, sum(u.requests)::bigint,
        sum(u.prompt_tokens + u.completion_tokens)::bigint, sum(u.cost),
        round(sum(u.duration_ms_sum) / nullif(sum(u.timed_requests), 0), 2)
    FROM archon_usage(start_date, end_date) AS u
    WHERE u.status = 'success' AND u.method NOT IN ('initialize', 'server/discover')
    GROUP BY 1
    ORDER BY 2 DESC, 1;
END
$fn$;

-- The price that is in effect today; 0 for a model without one. US dollars, 6 places.
CREATE OR REPLACE FUNCTION calculate_request_cost(model_name_param varchar, provider_param varchar,
    prompt_tokens_param integer, completion_tokens_param integer)
RETURNS numeric
LANGUAGE sql STABLE
AS $fn$
    SELECT coalesce((
        SELECT round((coalesce($3, 0) * p.input_price_per_1k + coalesce($4, 0) * p.output_price_per_1k) / 1000, 6)
        FROM archon_llm_pricing AS p
        WHERE lower(p.model_name) = lower($1) AND lower(p.provider) = lower($2) AND p.effective_date <= current_date
        ORDER BY p.effective_date DESC, p.id DESC LIMIT 1), 0)
$fn$;

-- Views keep their grants and, where row security is on, ask with the rights of the reader (15 and later).
DO $do$
DECLARE
    body text;
    wanted record;
    acl aclitem[];
    privilege record;
BEGIN
    FOR wanted IN SELECT * FROM (VALUES
        ('archon_mcp_session_stats', $view$
            SELECT s.client_type::varchar(50) AS client_type,
                sum(s.sessions)::bigint AS total_sessions,
                coalesce(sum(s.sessions) FILTER (WHERE s.kind = 'active'), 0)::bigint AS active_sessions,
                coalesce(sum(s.sessions) FILTER (WHERE s.kind NOT IN ('active', 'idle')), 0)::bigint
                    AS disconnected_sessions,
                sum(s.duration_sum)::numeric / nullif(sum(s.timed_sessions), 0) AS avg_duration_seconds,
                (SELECT m.total_duration FROM archon_mcp_sessions AS m
                 WHERE m.client_type = s.client_type AND m.status = 'disconnected'
                 ORDER BY m.total_duration DESC NULLS LAST LIMIT 1) AS max_duration_seconds,
                coalesce(sum(s.sessions) FILTER (WHERE s.kind = 'timeout'), 0)::bigint AS timeout_disconnects,
                coalesce(sum(s.sessions) FILTER (WHERE s.kind = 'client'), 0)::bigint AS client_disconnects,
                coalesce(sum(s.sessions) FILTER (WHERE s.kind = 'shutdown'), 0)::bigint AS server_shutdown_disconnects,
                coalesce(sum(s.sessions) FILTER (WHERE s.kind = 'error'), 0)::bigint AS error_disconnects,
                coalesce(sum(s.sessions) FILTER (WHERE s.kind = 'idle'), 0)::bigint AS idle_sessions
            FROM (
                SELECT t.client_type, t.reason AS kind, t.sessions, t.timed_sessions, t.duration_sum
                FROM archon_client_totals AS t WHERE (SELECT archon_reads_all())
                UNION ALL
                SELECT p.client_type, p.reason, p.sessions, p.timed_sessions, p.duration_sum
                FROM archon_totals_pending AS p WHERE (SELECT archon_reads_all())
                UNION ALL
                SELECT o.client_type, o.status, 1, 0, 0
                FROM archon_mcp_sessions AS o WHERE o.status <> 'disconnected'
                UNION ALL
                SELECT c.client_type, archon_reason_kind(c.disconnect_reason), 1,
                    CASE WHEN c.total_duration IS NULL THEN 0 ELSE 1 END, coalesce(c.total_duration, 0)
                FROM archon_mcp_sessions AS c
                WHERE c.status = 'disconnected' AND NOT c.counted AND (SELECT archon_reads_all())
                UNION ALL
                SELECT e.client_type, archon_reason_kind(e.disconnect_reason), 1,
                    CASE WHEN e.total_duration IS NULL THEN 0 ELSE 1 END, coalesce(e.total_duration, 0)
                FROM archon_mcp_sessions AS e
                WHERE e.status = 'disconnected' AND NOT (SELECT archon_reads_all())
            ) AS s
            GROUP BY s.client_type
            HAVING sum(s.sessions) > 0
        $view$),
        ('archon_mcp_user_stats', $view$
            SELECT u.user_id,
                (array_agg(u.user_email ORDER BY u.email_at DESC) FILTER (WHERE u.user_email IS NOT NULL))[1] AS user_email,
                (array_agg(u.user_name ORDER BY u.name_at DESC) FILTER (WHERE u.user_name IS NOT NULL))[1] AS user_name,
                sum(u.sessions)::bigint AS total_sessions,
                coalesce(sum(u.sessions) FILTER (WHERE u.is_open), 0)::bigint AS active_sessions,
                coalesce(sum(u.sessions) FILTER (WHERE NOT u.is_open), 0)::bigint AS disconnected_sessions,
                sum(u.duration_sum)::numeric / nullif(sum(u.timed_sessions), 0) AS avg_session_duration_seconds,
                max(u.duration_max) AS max_session_duration_seconds,
                min(u.first_connected_at) AS first_session_at,
                max(u.last_activity_at) AS last_activity_at,
                sum(u.requests)::bigint AS total_requests,
                sum(u.tokens)::bigint AS total_tokens,
                sum(u.cost) AS total_cost
            FROM (
                SELECT t.user_id, false AS is_open, t.sessions, t.timed_sessions, t.duration_sum, t.duration_max,
                    t.first_connected_at, t.last_activity_at, t.requests, t.tokens, t.cost, t.user_email, t.email_at,
                    t.user_name, t.name_at
                FROM archon_user_totals AS t WHERE (SELECT archon_reads_all())
                UNION ALL
                SELECT p.user_id, false, p.sessions, p.timed_sessions, p.duration_sum, p.duration_max,
                    p.first_connected_at, p.last_activity_at, p.requests, p.tokens, p.cost, p.user_email, p.email_at,
                    p.user_name, p.name_at
                FROM archon_totals_pending AS p WHERE p.user_id IS NOT NULL AND (SELECT archon_reads_all())
                UNION ALL
                SELECT o.user_id, true, 1, 0, 0, NULL, o.connected_at, o.last_activity, o.total_requests,
                    o.total_prompt_tokens + o.total_completion_tokens, o.total_cost, o.user_email, o.connected_at,
                    o.user_name, o.connected_at
                FROM archon_mcp_sessions AS o WHERE o.user_id IS NOT NULL AND o.status <> 'disconnected'
                UNION ALL
                SELECT c.user_id, false, 1, CASE WHEN c.total_duration IS NULL THEN 0 ELSE 1 END,
                    coalesce(c.total_duration, 0), c.total_duration, c.connected_at, c.last_activity, c.total_requests,
                    c.total_prompt_tokens + c.total_completion_tokens, c.total_cost, c.user_email, c.connected_at,
                    c.user_name, c.connected_at
                FROM archon_mcp_sessions AS c
                WHERE c.user_id IS NOT NULL AND c.status = 'disconnected' AND NOT c.counted
                    AND (SELECT archon_reads_all())
                UNION ALL
                SELECT e.user_id, false, 1, CASE WHEN e.total_duration IS NULL THEN 0 ELSE 1 END,
                    coalesce(e.total_duration, 0), e.total_duration, e.connected_at, e.last_activity, e.total_requests,
                    e.total_prompt_tokens + e.total_completion_tokens, e.total_cost, e.user_email, e.connected_at,
                    e.user_name, e.connected_at
                FROM archon_mcp_sessions AS e
                WHERE e.user_id IS NOT NULL AND e.status = 'disconnected' AND NOT (SELECT archon_reads_all())
            ) AS u
            GROUP BY u.user_id
            HAVING sum(u.sessions) > 0
        $view$)) AS v (name, query)
    LOOP
        SELECT c.relacl INTO acl FROM pg_class AS c
        WHERE c.oid = to_regclass(format('%I.%I', current_schema(), wanted.name));
        body := format('CREATE OR REPLACE VIEW %I AS %s', wanted.name, wanted.query);
        BEGIN
            EXECUTE body;
        EXCEPTION WHEN invalid_table_definition THEN
            -- Other columns or types than ours.
            BEGIN
                EXECUTE format('DROP VIEW %I', wanted.name);
            EXCEPTION WHEN dependent_objects_still_exist THEN
                EXECUTE format('ALTER VIEW %I RENAME TO %I', wanted.name, wanted.name || '_old');
            END;
            EXECUTE body;
            FOR privilege IN SELECT * FROM aclexplode(acl) LOOP
                EXECUTE format('GRANT %s ON %I TO %s', privilege.privilege_type, wanted.name,
                    CASE WHEN privilege.grantee = 0 THEN 'PUBLIC'
                        ELSE quote_ident(pg_get_userbyid(privilege.grantee)) END);
            END LOOP;
        END;
        IF current_setting('server_version_num')::integer >= 150000
            AND (SELECT c.relrowsecurity FROM pg_class AS c WHERE c.oid = 'archon_mcp_sessions'::regclass) THEN
            EXECUTE format('ALTER VIEW %I SET (security_invoker = true)', wanted.name);
        END IF;
    END LOOP;
END
$do$;

-- Functions look only into the schema they are in, and are planned for the period they are asked for.
DO $do$
DECLARE
    fn regprocedure;
BEGIN
    FOR fn IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
            AND p.proname IN ('get_active_mcp_clients', 'get_disconnected_sessions', 'get_user_sessions',
                'get_user_activity_summary', 'archon_usage', 'archon_reads_all', 'get_mcp_usage_summary', 'get_mcp_usage_by_tool',
                'calculate_request_cost')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY INVOKER', fn);
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', fn, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET plan_cache_mode = force_custom_plan', fn);
    END LOOP;
END
$do$;

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '102_functions_and_views')
ON CONFLICT DO NOTHING;
