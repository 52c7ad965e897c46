-- How long a session lasted and why it ended.
--
-- May run again on a database that has any part of it, or later versions of its functions and of its view.

ALTER TABLE archon_mcp_sessions
    ADD COLUMN IF NOT EXISTS total_duration integer,
    ADD COLUMN IF NOT EXISTS disconnect_reason varchar(100);

-- Dropped by a later file, whose own indexes say whether it was here.
DO $do$
BEGIN
    IF to_regclass(format('%I.idx_archon_mcp_sessions_ended', current_schema())) IS NULL THEN
        CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_disconnect_reason
            ON archon_mcp_sessions (disconnect_reason);
    END IF;
END
$do$;

-- Whole seconds, never negative; sessions whose instants are infinite or missing have no duration.
UPDATE archon_mcp_sessions
SET total_duration = least(greatest(floor(extract(epoch FROM disconnected_at - connected_at)), 0), 2147483647)::integer
WHERE status = 'disconnected' AND (total_duration IS NULL OR total_duration < 0)
    AND isfinite(disconnected_at) AND isfinite(connected_at);

-- The list of active clients has two columns more than in 001. Where a view of somebody else reads the old function, that
-- one is renamed instead of dropped: the view goes on as it was.
DO $do$
DECLARE
    fn CONSTANT regprocedure := to_regprocedure(format('%I.get_active_mcp_clients()', current_schema()));
BEGIN
    IF fn IS NOT NULL AND pg_get_function_result(fn) !~ '\mdisconnect_reason\M' THEN
        IF EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_proc'::regclass AND refobjid = fn AND deptype = 'n') THEN
            EXECUTE format('ALTER FUNCTION %s RENAME TO get_active_mcp_clients_001', fn);
        ELSE
            EXECUTE format('DROP FUNCTION %s', fn);
        END IF;
    END IF;
    IF to_regprocedure(format('%I.get_active_mcp_clients()', current_schema())) IS NULL THEN
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
    END IF;

    IF to_regprocedure(format('%I.get_disconnected_sessions(timestamptz, timestamptz)', current_schema())) IS NULL THEN
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
    END IF;
END
$do$;

-- Reasons are counted in the spellings that are found; durations are those of ended sessions that have one.
DO $do$
BEGIN
    IF to_regclass(format('%I.archon_mcp_session_stats', current_schema())) IS NULL THEN
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
            AND p.proname IN ('get_active_mcp_clients', 'get_disconnected_sessions')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', fn, current_schema());
    END LOOP;
END
$do$;

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.3.0', '013_add_session_disconnect_fields')
ON CONFLICT DO NOTHING;
