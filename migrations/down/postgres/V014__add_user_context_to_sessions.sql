-- archonctl: drops-data
-- Whom sessions belonged to is forgotten.

DROP VIEW IF EXISTS archon_mcp_user_stats;
DROP FUNCTION IF EXISTS get_user_sessions(uuid, timestamptz, timestamptz);
DROP FUNCTION IF EXISTS get_user_activity_summary(uuid, integer);
DROP POLICY IF EXISTS "Users can read their own sessions" ON archon_mcp_sessions;
ALTER TABLE archon_mcp_sessions
    DROP COLUMN IF EXISTS user_id,
    DROP COLUMN IF EXISTS user_email,
    DROP COLUMN IF EXISTS user_name;
