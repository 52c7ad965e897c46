-- archonctl: no-transaction
-- The older indexes again, then ours go.

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_requests_session_id ON archon_mcp_requests (session_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_requests_method ON archon_mcp_requests (method);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_requests_method_time ON archon_mcp_requests (method, timestamp DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_requests_tool_name ON archon_mcp_requests (tool_name);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_status ON archon_mcp_sessions (status);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_client_type ON archon_mcp_sessions (client_type);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_disconnect_reason ON archon_mcp_sessions (disconnect_reason);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_last_activity ON archon_mcp_sessions (last_activity DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_status_activity ON archon_mcp_sessions (status, last_activity DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_user_id ON archon_mcp_sessions (user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_sessions_user_activity ON archon_mcp_sessions (user_id, last_activity DESC) WHERE user_id IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_ended;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_recent;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_used;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_open;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_key;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_sessions_user;
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_requests_user;
