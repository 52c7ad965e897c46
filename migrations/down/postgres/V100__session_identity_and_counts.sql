-- archonctl: drops-data
-- What only archonctl knows of sessions and requests goes. Limits that were taken off columns stay off.

DROP TABLE IF EXISTS archon_journal_positions;
ALTER TABLE archon_mcp_requests
    DROP COLUMN IF EXISTS prompt_name,
    DROP COLUMN IF EXISTS resource_uri,
    DROP COLUMN IF EXISTS sent_by,
    DROP COLUMN IF EXISTS bytes_in,
    DROP COLUMN IF EXISTS bytes_out,
    DROP COLUMN IF EXISTS protocol_version,
    DROP COLUMN IF EXISTS trace_id,
    DROP COLUMN IF EXISTS user_id;
ALTER TABLE archon_mcp_sessions
    DROP COLUMN IF EXISTS instance_id,
    DROP COLUMN IF EXISTS client_name,
    DROP COLUMN IF EXISTS era,
    DROP COLUMN IF EXISTS derivation,
    DROP COLUMN IF EXISTS server,
    DROP COLUMN IF EXISTS session_key,
    DROP COLUMN IF EXISTS principal,
    DROP COLUMN IF EXISTS protocol_version,
    DROP COLUMN IF EXISTS user_agent,
    DROP COLUMN IF EXISTS detected_at,
    DROP COLUMN IF EXISTS resumed_from,
    DROP COLUMN IF EXISTS survives_instance,
    DROP COLUMN IF EXISTS total_requests,
    DROP COLUMN IF EXISTS failed_requests,
    DROP COLUMN IF EXISTS notifications,
    DROP COLUMN IF EXISTS bytes_in,
    DROP COLUMN IF EXISTS bytes_out,
    DROP COLUMN IF EXISTS total_prompt_tokens,
    DROP COLUMN IF EXISTS total_completion_tokens,
    DROP COLUMN IF EXISTS total_cost,
    DROP COLUMN IF EXISTS first_success_at,
    DROP COLUMN IF EXISTS last_success_at,
    DROP COLUMN IF EXISTS counted;
