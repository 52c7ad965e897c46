-- archonctl: drops-data
-- Everything that was tracked goes. archon_migrations stays: other products record there as well.

DROP FUNCTION IF EXISTS get_active_mcp_clients();
DROP FUNCTION IF EXISTS get_mcp_usage_summary(timestamptz, timestamptz);
DROP FUNCTION IF EXISTS get_mcp_usage_by_tool(timestamptz, timestamptz);
DROP FUNCTION IF EXISTS calculate_request_cost(varchar, varchar, integer, integer);
DROP TABLE IF EXISTS archon_mcp_requests;
DROP TABLE IF EXISTS archon_mcp_sessions;
DROP TABLE IF EXISTS archon_llm_pricing;
DROP FUNCTION IF EXISTS update_session_status();
