-- The other indexes that PostgreSQL gets here are there since 100.

-- What ended, by last activity: the newest of all sessions are the newest of these and of the few that are open. The last
-- four columns tell whether a session of a period did anything.
CREATE INDEX idx_archon_mcp_sessions_recent
    ON archon_mcp_sessions (last_activity DESC, session_id DESC, connected_at, total_requests, failed_requests, counted)
    WHERE status = 'disconnected';

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '104_indexes');
