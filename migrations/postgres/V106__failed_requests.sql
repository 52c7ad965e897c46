-- archonctl: no-transaction
-- What did not succeed, newest first: lists of errors need not read what did. Built beside running writers.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_archon_mcp_requests_failed ON archon_mcp_requests (status, timestamp DESC, request_id DESC) WHERE status <> 'success';

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '106_failed_requests')
ON CONFLICT DO NOTHING;
