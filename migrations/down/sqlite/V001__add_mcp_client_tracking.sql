-- archonctl: drops-data
-- Everything that was tracked goes. archon_migrations stays: other products record there as well.

DROP TABLE archon_mcp_requests;
DROP TABLE archon_mcp_sessions;
DROP TABLE archon_llm_pricing;
