-- How long a session lasted and why it ended.

ALTER TABLE archon_mcp_sessions ADD COLUMN total_duration INTEGER;
ALTER TABLE archon_mcp_sessions ADD COLUMN disconnect_reason TEXT;

UPDATE archon_mcp_sessions
SET total_duration = max(disconnected_at - connected_at, 0) / 1000000
WHERE status = 'disconnected' AND disconnected_at IS NOT NULL;

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.3.0', '013_add_session_disconnect_fields');
