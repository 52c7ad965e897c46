-- The other indexes belong to 100.
DROP INDEX IF EXISTS idx_archon_mcp_sessions_recent;
DROP INDEX IF EXISTS idx_archon_mcp_sessions_used;
