-- archonctl: drops-data
-- Whom sessions belonged to is forgotten.

ALTER TABLE archon_mcp_sessions DROP COLUMN user_id;
ALTER TABLE archon_mcp_sessions DROP COLUMN user_email;
ALTER TABLE archon_mcp_sessions DROP COLUMN user_name;
