-- archonctl: drops-data
-- How long sessions lasted and why they ended is forgotten.

ALTER TABLE archon_mcp_sessions DROP COLUMN total_duration;
ALTER TABLE archon_mcp_sessions DROP COLUMN disconnect_reason;
