-- What happened can still be read from sessions and requests.
DROP TRIGGER IF EXISTS archon_requests_told ON archon_mcp_requests;
DROP TRIGGER IF EXISTS archon_sessions_told_insert ON archon_mcp_sessions;
DROP TRIGGER IF EXISTS archon_sessions_told_update ON archon_mcp_sessions;
DROP FUNCTION IF EXISTS archon_requests_told(), archon_sessions_told_insert(), archon_sessions_told_update();
DROP TABLE IF EXISTS archon_event_log;
