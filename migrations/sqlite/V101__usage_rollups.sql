-- Usage summed up by hour and by day.
--
-- The same tables as in PostgreSQL: one row for what one writer (part: an archonctl instance; zeros for what is counted here)
-- counted under one key. What is not known is '' or zeros. Texts are cut to 100 characters. Sums of a key are those over its
-- parts; a part may be negative where one writer's rows were deleted by another.

CREATE TABLE archon_usage_hourly (
    hour INTEGER NOT NULL,
    user_id BLOB NOT NULL DEFAULT (zeroblob(16)) CHECK (length(user_id) = 16),
    client_type TEXT NOT NULL DEFAULT '',
    server TEXT NOT NULL DEFAULT '',
    method TEXT NOT NULL,
    tool_name TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL,
    part BLOB NOT NULL DEFAULT (zeroblob(16)) CHECK (length(part) = 16),
    requests INTEGER NOT NULL DEFAULT 0,
    timed_requests INTEGER NOT NULL DEFAULT 0,
    duration_ms_sum INTEGER NOT NULL DEFAULT 0,
    duration_ms_min INTEGER,
    duration_ms_max INTEGER,
    prompt_tokens INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    bytes_in INTEGER NOT NULL DEFAULT 0,
    bytes_out INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hour, user_id, client_type, server, method, tool_name, status, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX idx_archon_usage_hourly_user ON archon_usage_hourly (user_id, hour);

-- The same without users, by day (UTC).
CREATE TABLE archon_usage_daily (
    day INTEGER NOT NULL,
    client_type TEXT NOT NULL DEFAULT '',
    server TEXT NOT NULL DEFAULT '',
    method TEXT NOT NULL,
    tool_name TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL,
    part BLOB NOT NULL DEFAULT (zeroblob(16)) CHECK (length(part) = 16),
    requests INTEGER NOT NULL DEFAULT 0,
    timed_requests INTEGER NOT NULL DEFAULT 0,
    duration_ms_sum INTEGER NOT NULL DEFAULT 0,
    duration_ms_min INTEGER,
    duration_ms_max INTEGER,
    prompt_tokens INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    bytes_in INTEGER NOT NULL DEFAULT 0,
    bytes_out INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, client_type, server, method, tool_name, status, part)
) STRICT, WITHOUT ROWID;

-- What is counted and not yet added to the two tables. Empty between statements here; in PostgreSQL, where other writers
-- append to it, whoever reads the tables adds it. narrows: rows were taken away.
CREATE TABLE archon_usage_pending (
    hour INTEGER NOT NULL,
    user_id BLOB NOT NULL,
    client_type TEXT NOT NULL,
    server TEXT NOT NULL,
    method TEXT NOT NULL,
    tool_name TEXT NOT NULL,
    status TEXT NOT NULL,
    requests INTEGER NOT NULL,
    timed_requests INTEGER NOT NULL,
    duration_ms_sum INTEGER NOT NULL,
    duration_ms_min INTEGER,
    duration_ms_max INTEGER,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    narrows INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Always true here; in PostgreSQL it says whether the sums are those of all the session's operations.
ALTER TABLE archon_mcp_sessions ADD COLUMN counted INTEGER NOT NULL DEFAULT 1;

-- Adds what is pending. Inserting into this view is how the triggers below call it.
CREATE VIEW archon_usage_merge AS SELECT 1 AS now WHERE false;
CREATE TRIGGER archon_usage_merged INSTEAD OF INSERT ON archon_usage_merge BEGIN
    INSERT INTO archon_usage_hourly (hour, user_id, client_type, server, method, tool_name, status, requests,
        timed_requests, duration_ms_sum, duration_ms_min, duration_ms_max, prompt_tokens, completion_tokens, cost,
        bytes_in, bytes_out)
    SELECT hour, user_id, client_type, server, method, tool_name, status, sum(requests), sum(timed_requests),
        sum(duration_ms_sum), min(duration_ms_min) FILTER (WHERE NOT narrows),
        max(duration_ms_max) FILTER (WHERE NOT narrows), sum(prompt_tokens), sum(completion_tokens), sum(cost),
        sum(bytes_in), sum(bytes_out)
    FROM archon_usage_pending WHERE true GROUP BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (hour, user_id, client_type, server, method, tool_name, status, part) DO UPDATE SET
        requests = requests + excluded.requests, timed_requests = timed_requests + excluded.timed_requests,
        duration_ms_sum = duration_ms_sum + excluded.duration_ms_sum,
        duration_ms_min = coalesce(min(duration_ms_min, excluded.duration_ms_min), duration_ms_min,
            excluded.duration_ms_min),
        duration_ms_max = coalesce(max(duration_ms_max, excluded.duration_ms_max), duration_ms_max,
            excluded.duration_ms_max),
        prompt_tokens = prompt_tokens + excluded.prompt_tokens,
        completion_tokens = completion_tokens + excluded.completion_tokens, cost = cost + excluded.cost,
        bytes_in = bytes_in + excluded.bytes_in, bytes_out = bytes_out + excluded.bytes_out;
    INSERT INTO archon_usage_daily (day, client_type, server, method, tool_name, status, requests, timed_requests,
        duration_ms_sum, duration_ms_min, duration_ms_max, prompt_tokens, completion_tokens, cost, bytes_in, bytes_out)
    SELECT hour - (hour % 86400000000 + 86400000000) % 86400000000, client_type, server, method, tool_name, status,
        sum(requests), sum(timed_requests), sum(duration_ms_sum), min(duration_ms_min) FILTER (WHERE NOT narrows),
        max(duration_ms_max) FILTER (WHERE NOT narrows), sum(prompt_tokens), sum(completion_tokens), sum(cost),
        sum(bytes_in), sum(bytes_out)
    FROM archon_usage_pending WHERE true GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (day, client_type, server, method, tool_name, status, part) DO UPDATE SET
        requests = requests + excluded.requests, timed_requests = timed_requests + excluded.timed_requests,
        duration_ms_sum = duration_ms_sum + excluded.duration_ms_sum,
        duration_ms_min = coalesce(min(duration_ms_min, excluded.duration_ms_min), duration_ms_min,
            excluded.duration_ms_min),
        duration_ms_max = coalesce(max(duration_ms_max, excluded.duration_ms_max), duration_ms_max,
            excluded.duration_ms_max),
        prompt_tokens = prompt_tokens + excluded.prompt_tokens,
        completion_tokens = completion_tokens + excluded.completion_tokens, cost = cost + excluded.cost,
        bytes_in = bytes_in + excluded.bytes_in, bytes_out = bytes_out + excluded.bytes_out;
    -- The shortest and the longest may have been among what was taken away: they are looked up, and stand in our part.
    UPDATE archon_usage_hourly SET (duration_ms_min, duration_ms_max) = (
        SELECT min(r.duration_ms), max(r.duration_ms)
        FROM archon_mcp_requests AS r JOIN archon_mcp_sessions AS s ON s.session_id = r.session_id
        WHERE archon_usage_hourly.part = zeroblob(16) AND r.timestamp >= archon_usage_hourly.hour AND r.timestamp < archon_usage_hourly.hour + 3600000000
            AND coalesce(r.user_id, zeroblob(16)) = archon_usage_hourly.user_id AND s.client_type = archon_usage_hourly.client_type
            AND coalesce(substr(s.server, 1, 100), '') = archon_usage_hourly.server AND substr(r.method, 1, 100) = archon_usage_hourly.method
            AND coalesce(substr(r.tool_name, 1, 100), '') = archon_usage_hourly.tool_name AND r.status = archon_usage_hourly.status)
    WHERE (hour, user_id, client_type, server, method, tool_name, status) IN (
        SELECT hour, user_id, client_type, server, method, tool_name, status FROM archon_usage_pending WHERE narrows);
    UPDATE archon_usage_daily SET (duration_ms_min, duration_ms_max) = (
        SELECT min(h.duration_ms_min), max(h.duration_ms_max) FROM archon_usage_hourly AS h
        WHERE archon_usage_daily.part = zeroblob(16) AND h.hour >= archon_usage_daily.day AND h.hour < archon_usage_daily.day + 86400000000
            AND h.client_type = archon_usage_daily.client_type AND h.server = archon_usage_daily.server AND h.method = archon_usage_daily.method
            AND h.tool_name = archon_usage_daily.tool_name AND h.status = archon_usage_daily.status)
    WHERE (day, client_type, server, method, tool_name, status) IN (
        SELECT hour - (hour % 86400000000 + 86400000000) % 86400000000, client_type, server, method, tool_name, status
        FROM archon_usage_pending WHERE narrows);
    DELETE FROM archon_usage_hourly
    WHERE hour IN (SELECT hour FROM archon_usage_pending WHERE narrows) AND part = zeroblob(16)
        AND duration_ms_min IS NULL AND requests = 0 AND timed_requests = 0 AND duration_ms_sum = 0
        AND prompt_tokens = 0 AND completion_tokens = 0 AND cost = 0 AND bytes_in = 0 AND bytes_out = 0;
    DELETE FROM archon_usage_daily
    WHERE day IN (SELECT hour - (hour % 86400000000 + 86400000000) % 86400000000
                  FROM archon_usage_pending WHERE narrows) AND part = zeroblob(16)
        AND duration_ms_min IS NULL AND requests = 0 AND timed_requests = 0 AND duration_ms_sum = 0
        AND prompt_tokens = 0 AND completion_tokens = 0 AND cost = 0 AND bytes_in = 0 AND bytes_out = 0;
    DELETE FROM archon_usage_pending;
END;

-- A session whose client type, server or user changed: what its requests count moves along, and they get its user.
CREATE TRIGGER archon_sessions_rekeyed AFTER UPDATE OF client_type, server, user_id ON archon_mcp_sessions
WHEN OLD.client_type IS NOT NEW.client_type OR OLD.server IS NOT NEW.server OR OLD.user_id IS NOT NEW.user_id
BEGIN
    INSERT INTO archon_usage_pending
    SELECT timestamp - (timestamp % 3600000000 + 3600000000) % 3600000000, coalesce(user_id, zeroblob(16)),
        OLD.client_type, coalesce(substr(OLD.server, 1, 100), ''), substr(method, 1, 100),
        coalesce(substr(tool_name, 1, 100), ''), status, -count(*), -count(duration_ms),
        -coalesce(sum(duration_ms), 0), min(duration_ms), max(duration_ms), -coalesce(sum(prompt_tokens), 0),
        -coalesce(sum(completion_tokens), 0), -coalesce(sum(estimated_cost), 0), -coalesce(sum(bytes_in), 0),
        -coalesce(sum(bytes_out), 0), 1
    FROM archon_mcp_requests WHERE session_id = NEW.session_id GROUP BY 1, 2, 5, 6, 7;
    UPDATE archon_mcp_requests SET user_id = NEW.user_id
    WHERE OLD.user_id IS NOT NEW.user_id AND session_id = NEW.session_id AND user_id IS OLD.user_id;
    INSERT INTO archon_usage_pending
    SELECT timestamp - (timestamp % 3600000000 + 3600000000) % 3600000000, coalesce(user_id, zeroblob(16)),
        NEW.client_type, coalesce(substr(NEW.server, 1, 100), ''), substr(method, 1, 100),
        coalesce(substr(tool_name, 1, 100), ''), status, count(*), count(duration_ms), coalesce(sum(duration_ms), 0),
        min(duration_ms), max(duration_ms), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0),
        coalesce(sum(estimated_cost), 0), coalesce(sum(bytes_in), 0), coalesce(sum(bytes_out), 0), 0
    FROM archon_mcp_requests WHERE session_id = NEW.session_id GROUP BY 1, 2, 5, 6, 7;
    INSERT INTO archon_usage_merge VALUES (1);
END;

-- A session goes, and with it its requests: before them what they count, and after them what is left is looked at.
CREATE TRIGGER archon_sessions_deleted BEFORE DELETE ON archon_mcp_sessions BEGIN
    INSERT INTO archon_usage_pending
    SELECT timestamp - (timestamp % 3600000000 + 3600000000) % 3600000000, coalesce(user_id, zeroblob(16)),
        OLD.client_type, coalesce(substr(OLD.server, 1, 100), ''), substr(method, 1, 100),
        coalesce(substr(tool_name, 1, 100), ''), status, -count(*), -count(duration_ms),
        -coalesce(sum(duration_ms), 0), min(duration_ms), max(duration_ms), -coalesce(sum(prompt_tokens), 0),
        -coalesce(sum(completion_tokens), 0), -coalesce(sum(estimated_cost), 0), -coalesce(sum(bytes_in), 0),
        -coalesce(sum(bytes_out), 0), 1
    FROM archon_mcp_requests WHERE session_id = OLD.session_id GROUP BY 1, 2, 5, 6, 7;
END;
CREATE TRIGGER archon_sessions_deleted_after AFTER DELETE ON archon_mcp_sessions BEGIN
    INSERT INTO archon_usage_merge SELECT 1 WHERE EXISTS (SELECT 1 FROM archon_usage_pending);
END;

-- What is there already.
INSERT INTO archon_usage_pending
SELECT r.timestamp - (r.timestamp % 3600000000 + 3600000000) % 3600000000, coalesce(r.user_id, zeroblob(16)),
    s.client_type, coalesce(substr(s.server, 1, 100), ''), substr(r.method, 1, 100),
    coalesce(substr(r.tool_name, 1, 100), ''), r.status, count(*), count(r.duration_ms),
    coalesce(sum(r.duration_ms), 0), min(r.duration_ms), max(r.duration_ms), coalesce(sum(r.prompt_tokens), 0),
    coalesce(sum(r.completion_tokens), 0), coalesce(sum(r.estimated_cost), 0), coalesce(sum(r.bytes_in), 0),
    coalesce(sum(r.bytes_out), 0), 0
FROM archon_mcp_requests AS r JOIN archon_mcp_sessions AS s ON s.session_id = r.session_id
GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO archon_usage_merge VALUES (1);

INSERT OR IGNORE INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '101_usage_rollups');
