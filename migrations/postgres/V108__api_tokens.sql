-- Tokens with which programs get into the API where it can be reached from other machines.
--
-- May run again at any time, and should when the roles come later.

-- Of a token only the SHA-256 of its secret part is kept; token_id is the part that everybody may see.
CREATE TABLE IF NOT EXISTS archon_api_tokens (
    token_id text NOT NULL PRIMARY KEY,
    name text NOT NULL,
    secret_sha256 bytea NOT NULL CONSTRAINT archon_api_tokens_secret_sha256_check CHECK (octet_length(secret_sha256) = 32),
    scopes text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);

-- A name belongs to one token at a time.
CREATE UNIQUE INDEX IF NOT EXISTS idx_archon_api_tokens_name ON archon_api_tokens (name) WHERE revoked_at IS NULL;

-- Nobody but the owner and trusted roles has business there.
DO $do$
DECLARE
    role_name text;
    service CONSTANT boolean := EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role');
BEGIN
    REVOKE ALL ON archon_api_tokens FROM PUBLIC;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON archon_api_tokens FROM %I', role_name);
    END LOOP;
    IF service OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        ALTER TABLE archon_api_tokens ENABLE ROW LEVEL SECURITY;
    END IF;
    IF service THEN
        DROP POLICY IF EXISTS "Allow service role full access to archon_api_tokens" ON archon_api_tokens;
        CREATE POLICY "Allow service role full access to archon_api_tokens" ON archon_api_tokens
            FOR ALL TO service_role USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE ON archon_api_tokens TO service_role;
    END IF;
END
$do$;

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '108_api_tokens')
ON CONFLICT DO NOTHING;
