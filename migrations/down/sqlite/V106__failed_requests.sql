DROP INDEX IF EXISTS idx_archon_mcp_requests_failed;
