-- Tokens with which programs get into the API where it can be reached from other machines.

-- Of a token only the SHA-256 of its secret part is kept; token_id is the part that everybody may see.
CREATE TABLE archon_api_tokens (
    token_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    secret_sha256 BLOB NOT NULL CHECK (length(secret_sha256) = 32),
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;

-- A name belongs to one token at a time.
CREATE UNIQUE INDEX idx_archon_api_tokens_name ON archon_api_tokens (name) WHERE revoked_at IS NULL;

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '108_api_tokens');
