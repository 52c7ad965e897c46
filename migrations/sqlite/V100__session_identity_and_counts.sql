-- What tells sessions apart, what each one did in sum, and how far each journal has been taken in.

-- derivation is NULL on sessions that no journal of ours opened: rows of other writers, and rows that stand in for
-- a session whose opening record was lost.
ALTER TABLE archon_mcp_sessions ADD COLUMN instance_id BLOB;
ALTER TABLE archon_mcp_sessions ADD COLUMN client_name TEXT;
ALTER TABLE archon_mcp_sessions ADD COLUMN era TEXT;
ALTER TABLE archon_mcp_sessions ADD COLUMN derivation TEXT;
ALTER TABLE archon_mcp_sessions ADD COLUMN server TEXT;
ALTER TABLE archon_mcp_sessions ADD COLUMN session_key TEXT;
ALTER TABLE archon_mcp_sessions ADD COLUMN principal TEXT;
ALTER TABLE archon_mcp_sessions ADD COLUMN protocol_version TEXT;
ALTER TABLE archon_mcp_sessions ADD COLUMN user_agent TEXT;
ALTER TABLE archon_mcp_sessions ADD COLUMN detected_at INTEGER;
ALTER TABLE archon_mcp_sessions ADD COLUMN resumed_from BLOB;
ALTER TABLE archon_mcp_sessions ADD COLUMN survives_instance INTEGER NOT NULL DEFAULT 0;

-- Sums over the session's operations, kept in the transaction that stores them: no list counts rows. The requests of
-- the handshake are left out of the counts.
ALTER TABLE archon_mcp_sessions ADD COLUMN total_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archon_mcp_sessions ADD COLUMN failed_requests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archon_mcp_sessions ADD COLUMN notifications INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archon_mcp_sessions ADD COLUMN bytes_in INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archon_mcp_sessions ADD COLUMN bytes_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archon_mcp_sessions ADD COLUMN total_prompt_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archon_mcp_sessions ADD COLUMN total_completion_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archon_mcp_sessions ADD COLUMN total_cost INTEGER NOT NULL DEFAULT 0;

-- When its first and its last successful request started, the handshake left out: which sessions were used in a period is
-- told by these alone for all but the few that reach over both its ends.
ALTER TABLE archon_mcp_sessions ADD COLUMN first_success_at INTEGER;
ALTER TABLE archon_mcp_sessions ADD COLUMN last_success_at INTEGER;

ALTER TABLE archon_mcp_requests ADD COLUMN prompt_name TEXT;
ALTER TABLE archon_mcp_requests ADD COLUMN resource_uri TEXT;
ALTER TABLE archon_mcp_requests ADD COLUMN sent_by TEXT NOT NULL DEFAULT 'client';
ALTER TABLE archon_mcp_requests ADD COLUMN bytes_in INTEGER;
ALTER TABLE archon_mcp_requests ADD COLUMN bytes_out INTEGER;
ALTER TABLE archon_mcp_requests ADD COLUMN protocol_version TEXT;
ALTER TABLE archon_mcp_requests ADD COLUMN trace_id TEXT;
ALTER TABLE archon_mcp_requests ADD COLUMN user_id BLOB;

CREATE TABLE archon_journal_positions (
    instance_id BLOB NOT NULL PRIMARY KEY CHECK (length(instance_id) = 16),
    segment INTEGER NOT NULL,
    byte_offset INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

UPDATE archon_mcp_requests
SET user_id = (SELECT s.user_id FROM archon_mcp_sessions s WHERE s.session_id = archon_mcp_requests.session_id);

UPDATE archon_mcp_sessions
SET total_requests = r.requests, failed_requests = r.failed, total_prompt_tokens = r.prompt,
    total_completion_tokens = r.completion, total_cost = r.cost, first_success_at = r.first_success_at,
    last_success_at = r.last_success_at
FROM (
    SELECT session_id, count(*) FILTER (WHERE method NOT IN ('initialize', 'server/discover')) AS requests,
        count(*) FILTER (WHERE status <> 'success' AND method NOT IN ('initialize', 'server/discover')) AS failed,
        coalesce(sum(prompt_tokens), 0) AS prompt, coalesce(sum(completion_tokens), 0) AS completion,
        coalesce(sum(estimated_cost), 0) AS cost,
        min(timestamp) FILTER (WHERE status = 'success' AND method NOT IN ('initialize', 'server/discover'))
            AS first_success_at,
        max(timestamp) FILTER (WHERE status = 'success' AND method NOT IN ('initialize', 'server/discover'))
            AS last_success_at
    FROM archon_mcp_requests GROUP BY session_id
) AS r
WHERE r.session_id = archon_mcp_sessions.session_id;

-- The last two columns let statistics over a period be read from the index alone.
CREATE INDEX idx_archon_mcp_sessions_disconnected
    ON archon_mcp_sessions (disconnected_at DESC, disconnect_reason, total_duration) WHERE status = 'disconnected';
CREATE INDEX idx_archon_mcp_sessions_live ON archon_mcp_sessions (last_activity) WHERE status <> 'disconnected';
CREATE INDEX idx_archon_mcp_sessions_key
    ON archon_mcp_sessions (session_key, disconnected_at) WHERE session_key IS NOT NULL;
CREATE INDEX idx_archon_mcp_sessions_user ON archon_mcp_sessions (user_id, connected_at DESC);

-- New rows come in time order, so this one is appended to: 3 to 5 % of the cost of a write and 35 bytes a row, for which
-- the usage of one day need not read all rows ever written.
CREATE INDEX IF NOT EXISTS idx_archon_mcp_requests_timestamp ON archon_mcp_requests (timestamp);

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '100_session_identity_and_counts');
