-- Who a session belongs to.

ALTER TABLE archon_mcp_sessions ADD COLUMN user_id BLOB CHECK (user_id IS NULL OR length(user_id) = 16);
ALTER TABLE archon_mcp_sessions ADD COLUMN user_email TEXT;
ALTER TABLE archon_mcp_sessions ADD COLUMN user_name TEXT;

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.3.0', '014_add_user_context_to_sessions');
