-- archonctl: drops-data
-- What tells sessions apart, their sums and how far journals were taken in go.

DROP INDEX idx_archon_mcp_sessions_disconnected;
DROP INDEX idx_archon_mcp_sessions_live;
DROP INDEX idx_archon_mcp_sessions_key;
DROP INDEX idx_archon_mcp_sessions_user;
DROP INDEX idx_archon_mcp_requests_timestamp;
DROP TABLE archon_journal_positions;
ALTER TABLE archon_mcp_requests DROP COLUMN prompt_name;
ALTER TABLE archon_mcp_requests DROP COLUMN resource_uri;
ALTER TABLE archon_mcp_requests DROP COLUMN sent_by;
ALTER TABLE archon_mcp_requests DROP COLUMN bytes_in;
ALTER TABLE archon_mcp_requests DROP COLUMN bytes_out;
ALTER TABLE archon_mcp_requests DROP COLUMN protocol_version;
ALTER TABLE archon_mcp_requests DROP COLUMN trace_id;
ALTER TABLE archon_mcp_requests DROP COLUMN user_id;
ALTER TABLE archon_mcp_sessions DROP COLUMN instance_id;
ALTER TABLE archon_mcp_sessions DROP COLUMN client_name;
ALTER TABLE archon_mcp_sessions DROP COLUMN era;
ALTER TABLE archon_mcp_sessions DROP COLUMN derivation;
ALTER TABLE archon_mcp_sessions DROP COLUMN server;
ALTER TABLE archon_mcp_sessions DROP COLUMN session_key;
ALTER TABLE archon_mcp_sessions DROP COLUMN principal;
ALTER TABLE archon_mcp_sessions DROP COLUMN protocol_version;
ALTER TABLE archon_mcp_sessions DROP COLUMN user_agent;
ALTER TABLE archon_mcp_sessions DROP COLUMN detected_at;
ALTER TABLE archon_mcp_sessions DROP COLUMN resumed_from;
ALTER TABLE archon_mcp_sessions DROP COLUMN survives_instance;
ALTER TABLE archon_mcp_sessions DROP COLUMN total_requests;
ALTER TABLE archon_mcp_sessions DROP COLUMN failed_requests;
ALTER TABLE archon_mcp_sessions DROP COLUMN notifications;
ALTER TABLE archon_mcp_sessions DROP COLUMN bytes_in;
ALTER TABLE archon_mcp_sessions DROP COLUMN bytes_out;
ALTER TABLE archon_mcp_sessions DROP COLUMN total_prompt_tokens;
ALTER TABLE archon_mcp_sessions DROP COLUMN total_completion_tokens;
ALTER TABLE archon_mcp_sessions DROP COLUMN total_cost;
ALTER TABLE archon_mcp_sessions DROP COLUMN first_success_at;
ALTER TABLE archon_mcp_sessions DROP COLUMN last_success_at;
