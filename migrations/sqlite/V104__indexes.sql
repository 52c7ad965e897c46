-- The other indexes that PostgreSQL gets here are there since 100.

-- What ended, by last activity: the newest of all sessions are the newest of these and of the few that are open.
CREATE INDEX idx_archon_mcp_sessions_recent
    ON archon_mcp_sessions (last_activity DESC, session_id DESC) WHERE status = 'disconnected';
-- Which sessions were used in a period, told from the index alone.
CREATE INDEX idx_archon_mcp_sessions_used
    ON archon_mcp_sessions (last_success_at DESC, first_success_at, session_id, counted) WHERE status = 'disconnected';

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '104_indexes');
