-- archonctl: drops-data
-- How long sessions lasted and why they ended is forgotten.

DROP VIEW IF EXISTS archon_mcp_session_stats;
DROP FUNCTION IF EXISTS get_disconnected_sessions(timestamptz, timestamptz);
DROP FUNCTION IF EXISTS get_active_mcp_clients();
ALTER TABLE archon_mcp_sessions
    DROP COLUMN IF EXISTS total_duration,
    DROP COLUMN IF EXISTS disconnect_reason;

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

DO $do$
DECLARE
    fn regprocedure;
BEGIN
    FOR fn IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
            AND p.proname IN ('get_active_mcp_clients')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', fn, current_schema());
    END LOOP;
END
$do$;
