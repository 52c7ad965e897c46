-- archonctl: no-transaction
DROP INDEX CONCURRENTLY IF EXISTS idx_archon_mcp_requests_failed;
