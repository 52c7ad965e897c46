-- archonctl: no-transaction
-- Indexes that the questions use, then the older ones that no question uses and that make every write of a session dearer.
-- Built beside running writers. One that was left invalid by a broken run has to be dropped first; archonctl does.

-- What ended when; with what the statistics need, so that they are read from the index alone.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_ended ON archon_mcp_sessions (disconnected_at DESC, session_id DESC) INCLUDE (disconnect_reason, total_duration) WHERE status = 'disconnected';
-- What has not ended.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_open ON archon_mcp_sessions (connected_at) WHERE status <> 'disconnected';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_key ON archon_mcp_sessions (session_key, disconnected_at) WHERE session_key IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_user ON archon_mcp_sessions (user_id, connected_at DESC);
-- What ended, by last activity: the newest of all sessions are the newest of these and of the few that are open.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_recent ON archon_mcp_sessions (last_activity DESC, session_id DESC) WHERE status = 'disconnected';
-- Which sessions were used in a period, told from the index alone.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_used ON archon_mcp_sessions (last_success_at DESC, first_success_at) INCLUDE (session_id, counted) WHERE status = 'disconnected';
-- A user's own requests, for row security and for one user's usage.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_requests_user ON archon_mcp_requests (user_id, timestamp DESC) WHERE user_id IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_requests_session_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_requests_method;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_requests_method_time;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_requests_tool_name;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_status;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_client_type;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_disconnect_reason;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_last_activity;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_status_activity;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_user_id;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_user_activity;

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '104_indexes')
ON CONFLICT DO NOTHING;
