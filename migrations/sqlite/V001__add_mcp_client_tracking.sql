-- Sessions, their requests, and prices to estimate their cost with.
--
-- Same tables and columns as in PostgreSQL, in SQLite's representation: ids are 16-byte blobs (UUIDs), instants
-- whole microseconds since the Unix epoch (UTC), money whole millionths of a US dollar, JSON is text.
-- Tables and indexes that are there already are left as they are.

CREATE TABLE IF NOT EXISTS archon_migrations (
    id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)) CHECK (length(id) = 16),
    version TEXT NOT NULL CHECK (length(version) <= 20),
    migration_name TEXT NOT NULL CHECK (length(migration_name) <= 255),
    applied_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)),
    checksum TEXT CHECK (length(checksum) <= 32),
    UNIQUE (version, migration_name)
) STRICT;

CREATE TABLE IF NOT EXISTS archon_mcp_sessions (
    session_id BLOB NOT NULL PRIMARY KEY CHECK (length(session_id) = 16),
    client_type TEXT NOT NULL DEFAULT 'Unknown',
    client_version TEXT,
    client_capabilities TEXT CHECK (client_capabilities IS NULL OR json_valid(client_capabilities)),
    connected_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)),
    disconnected_at INTEGER,
    last_activity INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)),
    status TEXT NOT NULL DEFAULT 'active'
        CONSTRAINT valid_status CHECK (status = 'active' OR status = 'idle' OR status = 'disconnected'),
    metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata))
) STRICT;

-- Words are checked one by one: for `IN (…)` SQLite fills a table for each row that is written.
-- Clustered by request_id: it is a UUIDv7, so new rows go to the end and a replayed one is found without another index.
CREATE TABLE IF NOT EXISTS archon_mcp_requests (
    request_id BLOB NOT NULL PRIMARY KEY CHECK (length(request_id) = 16),
    session_id BLOB NOT NULL REFERENCES archon_mcp_sessions (session_id) ON DELETE CASCADE,
    method TEXT NOT NULL,
    tool_name TEXT,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    total_tokens INTEGER GENERATED ALWAYS AS (coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)) VIRTUAL,
    estimated_cost INTEGER,
    timestamp INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)),
    duration_ms INTEGER,
    status TEXT NOT NULL DEFAULT 'success'
        CONSTRAINT valid_status CHECK (status = 'success' OR status = 'error' OR status = 'timeout'),
    error_message TEXT
) STRICT, WITHOUT ROWID;

-- The operations of a session in time order.
CREATE INDEX IF NOT EXISTS idx_archon_mcp_requests_session_time ON archon_mcp_requests (session_id, timestamp);

CREATE TABLE IF NOT EXISTS archon_llm_pricing (
    id INTEGER PRIMARY KEY,
    model_name TEXT NOT NULL,
    provider TEXT NOT NULL,
    input_price_per_1k INTEGER NOT NULL,
    output_price_per_1k INTEGER NOT NULL,
    effective_date TEXT NOT NULL DEFAULT (date('now')),
    notes TEXT,
    CONSTRAINT unique_model_provider_date UNIQUE (model_name, provider, effective_date)
) STRICT;

-- List prices of 2024 for 1,000 tokens, in millionths of a US dollar, from the day they took effect.
INSERT OR IGNORE INTO archon_llm_pricing
    (model_name, provider, input_price_per_1k, output_price_per_1k, effective_date, notes)
VALUES
    ('gpt-4', 'OpenAI', 30000, 60000, '2023-03-14', '8k context'),
    ('gpt-4-turbo', 'OpenAI', 10000, 30000, '2024-04-09', NULL),
    ('gpt-4o', 'OpenAI', 2500, 10000, '2024-08-06', NULL),
    ('gpt-4o-mini', 'OpenAI', 150, 600, '2024-07-18', NULL),
    ('gpt-3.5-turbo', 'OpenAI', 500, 1500, '2024-01-25', NULL),
    ('claude-3-opus-20240229', 'Anthropic', 15000, 75000, '2024-03-04', NULL),
    ('claude-3-sonnet-20240229', 'Anthropic', 3000, 15000, '2024-03-04', NULL),
    ('claude-3-haiku-20240307', 'Anthropic', 250, 1250, '2024-03-13', NULL),
    ('claude-3-5-sonnet-20240620', 'Anthropic', 3000, 15000, '2024-06-20', NULL),
    ('claude-3-5-sonnet-20241022', 'Anthropic', 3000, 15000, '2024-10-22', NULL),
    ('claude-3-5-haiku-20241022', 'Anthropic', 800, 4000, '2024-12-03', 'after the price cut of December 2024');

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.3.0', '001_add_mcp_client_tracking');
