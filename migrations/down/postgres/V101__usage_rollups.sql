-- The sums by hour and day, user and client go (they are made of rows that stay), and the triggers that kept them. Activity of sessions is
-- followed as in 001; sums on sessions stand still.

DROP TRIGGER IF EXISTS trigger_update_session_status ON archon_mcp_requests;
DROP TRIGGER IF EXISTS archon_requests_updated ON archon_mcp_requests;
DROP TRIGGER IF EXISTS archon_requests_deleted ON archon_mcp_requests;
DROP TRIGGER IF EXISTS archon_requests_truncated ON archon_mcp_requests;
DROP TRIGGER IF EXISTS archon_sessions_rekeyed ON archon_mcp_sessions;
DROP TRIGGER IF EXISTS archon_sessions_leaving ON archon_mcp_sessions;
DROP TRIGGER IF EXISTS archon_sessions_totalled_insert ON archon_mcp_sessions;
DROP TRIGGER IF EXISTS archon_sessions_totalled_update ON archon_mcp_sessions;
DROP TRIGGER IF EXISTS archon_sessions_totalled_delete ON archon_mcp_sessions;
DROP TRIGGER IF EXISTS archon_sessions_truncated ON archon_mcp_sessions;
DO $do$
BEGIN
    IF to_regclass(format('%I.archon_usage_hourly', current_schema())) IS NOT NULL THEN
        DROP TRIGGER IF EXISTS archon_usage_hourly_inserted ON archon_usage_hourly;
        DROP TRIGGER IF EXISTS archon_usage_hourly_updated ON archon_usage_hourly;
        DROP TRIGGER IF EXISTS archon_usage_hourly_deleted ON archon_usage_hourly;
    END IF;
END
$do$;
DROP FUNCTION IF EXISTS archon_usage_carried(), archon_requests_updated(), archon_requests_deleted(),
    archon_requests_truncated(), archon_sessions_rekeyed(), archon_sessions_leaving(), archon_count_sessions(integer),
    archon_recount(), archon_settle_usage(), archon_merge_usage(), archon_merge_totals(), archon_settle_totals(),
    archon_sessions_totalled(), archon_sessions_truncated(), archon_reason_kind(varchar), archon_lock_usage(boolean);
DO $do$
BEGIN
    IF to_regclass(format('%I.archon_usage_hourly', current_schema())) IS NOT NULL THEN
        DROP FUNCTION IF EXISTS archon_widen_usage(archon_usage_hourly[]);
    END IF;
END
$do$;
DROP VIEW IF EXISTS archon_ended_sessions;
DROP TABLE IF EXISTS archon_usage_pending, archon_usage_leaving, archon_usage_daily, archon_usage_hourly_all,
    archon_usage_hourly, archon_totals_pending, archon_user_totals, archon_client_totals;
DROP INDEX IF EXISTS idx_archon_mcp_sessions_longest;
DROP INDEX IF EXISTS idx_archon_mcp_sessions_uncounted;
ALTER TABLE archon_mcp_sessions ALTER COLUMN counted SET DEFAULT false;
UPDATE archon_mcp_sessions SET counted = false WHERE counted;

DROP FUNCTION IF EXISTS update_session_status();
CREATE FUNCTION update_session_status() RETURNS trigger
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
CREATE TRIGGER trigger_update_session_status AFTER INSERT ON archon_mcp_requests
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION update_session_status();

DO $do$
DECLARE
    fn regprocedure;
BEGIN
    FOR fn IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
            AND p.proname IN ('update_session_status')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', fn, current_schema());
    END LOOP;
END
$do$;
REVOKE ALL ON FUNCTION update_session_status() FROM PUBLIC;
