-- Who writes here, and which ids of sessions are other names of one session.

-- One row for each process that runs. It counts as alive until expires_at, by the clock of the database.
CREATE TABLE archon_instances (
    instance_id BLOB NOT NULL PRIMARY KEY CHECK (length(instance_id) = 16),
    kind TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    version TEXT NOT NULL,
    journal TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    backlog_bytes INTEGER NOT NULL DEFAULT 0,
    records_dropped INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Two instances that meet a client at the same moment both give its session an id: the one that comes second to the store
-- is an alias of the first.
CREATE TABLE archon_session_aliases (
    alias BLOB NOT NULL PRIMARY KEY CHECK (length(alias) = 16),
    session_id BLOB NOT NULL REFERENCES archon_mcp_sessions (session_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX idx_archon_session_aliases_session ON archon_session_aliases (session_id);

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '105_instances');
