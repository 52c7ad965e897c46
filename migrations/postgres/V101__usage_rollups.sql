-- archonctl: transaction
-- Usage summed up by hour and by day, ended sessions summed up by user and by client, and triggers that keep these sums, and
-- those of sessions, right whoever writes.
--
-- May run again at any time. Where something of it is missing, or a trigger is off, rows may have been written that nobody
-- counted: then everything is counted anew.
--
-- archonctl's own writer keeps the sums itself and says so (SET LOCAL archonctl.writer = 'fold'): the triggers on requests
-- are then silent.

DO $do$
DECLARE
    complete boolean;
    tab text;
BEGIN
    SELECT count(*) = 13 INTO complete
    FROM pg_trigger AS t
    WHERE t.tgrelid IN ('archon_mcp_requests'::regclass, 'archon_mcp_sessions'::regclass,
            to_regclass(format('%I.archon_usage_hourly', current_schema()))) AND t.tgenabled IN ('O', 'A')
        -- The trigger that 001 makes bears the same name and has no condition: it counts nothing.
        AND (t.tgname <> 'trigger_update_session_status' OR t.tgqual IS NOT NULL)
        -- For each statement.
        AND t.tgtype & 1 = 0
        AND t.tgname IN ('trigger_update_session_status', 'archon_requests_updated', 'archon_requests_deleted',
            'archon_requests_truncated', 'archon_sessions_rekeyed', 'archon_sessions_leaving', 'archon_sessions_totalled_insert',
            'archon_sessions_totalled_update', 'archon_sessions_totalled_delete', 'archon_sessions_truncated',
            'archon_usage_hourly_inserted', 'archon_usage_hourly_updated', 'archon_usage_hourly_deleted');
    complete := complete
        AND to_regclass(format('%I.archon_usage_hourly', current_schema())) IS NOT NULL
        AND to_regclass(format('%I.archon_usage_hourly_all', current_schema())) IS NOT NULL
        AND to_regclass(format('%I.archon_usage_daily', current_schema())) IS NOT NULL
        AND to_regclass(format('%I.archon_usage_pending', current_schema())) IS NOT NULL
        AND to_regclass(format('%I.archon_usage_leaving', current_schema())) IS NOT NULL
        AND to_regclass(format('%I.archon_user_totals', current_schema())) IS NOT NULL
        AND to_regclass(format('%I.archon_ended_sessions', current_schema())) IS NOT NULL
        AND to_regclass(format('%I.archon_client_totals', current_schema())) IS NOT NULL
        AND to_regclass(format('%I.archon_totals_pending', current_schema())) IS NOT NULL;
    IF NOT complete THEN
        -- No row may be written between here and the triggers.
        LOCK TABLE archon_mcp_requests, archon_mcp_sessions IN SHARE ROW EXCLUSIVE MODE;
        DROP TRIGGER IF EXISTS archon_sessions_totalled_update ON archon_mcp_sessions;
        UPDATE archon_mcp_sessions SET counted = false WHERE counted;
        -- Views of a later file read them and are in the way of dropping them.
        FOREACH tab IN ARRAY ARRAY['archon_usage_hourly', 'archon_usage_hourly_all', 'archon_usage_daily',
            'archon_usage_pending', 'archon_user_totals', 'archon_client_totals', 'archon_totals_pending'] LOOP
            IF to_regclass(format('%I.%I', current_schema(), tab)) IS NOT NULL THEN
                EXECUTE format('TRUNCATE %I', tab);
            END IF;
        END LOOP;
    END IF;
END
$do$;

-- One row for what one writer (part: an archonctl instance; zeros for all others together) counted under one key. What is
-- not known is '' or zeros. Texts are cut to 100 characters. Cost in US dollars. Sums of a key are those over its parts;
-- a part may be negative where one writer's rows were deleted by another.
CREATE TABLE IF NOT EXISTS archon_usage_hourly (
    hour timestamptz NOT NULL,
    user_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    client_type text NOT NULL DEFAULT '',
    server text NOT NULL DEFAULT '',
    method text NOT NULL,
    tool_name text NOT NULL DEFAULT '',
    status text NOT NULL,
    part uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    requests bigint NOT NULL DEFAULT 0,
    timed_requests bigint NOT NULL DEFAULT 0,
    duration_ms_sum bigint NOT NULL DEFAULT 0,
    duration_ms_min bigint,
    duration_ms_max bigint,
    prompt_tokens bigint NOT NULL DEFAULT 0,
    completion_tokens bigint NOT NULL DEFAULT 0,
    cost numeric(24,6) NOT NULL DEFAULT 0,
    bytes_in bigint NOT NULL DEFAULT 0,
    bytes_out bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (hour, user_id, client_type, server, method, tool_name, status, part)
);
CREATE INDEX IF NOT EXISTS idx_archon_usage_hourly_user ON archon_usage_hourly (user_id, hour);

-- The same by hour over all users, clients and servers: what the table above says, kept by triggers on it. Questions about the
-- ragged ends of a period read it.
CREATE TABLE IF NOT EXISTS archon_usage_hourly_all (
    hour timestamptz NOT NULL,
    method text NOT NULL,
    tool_name text NOT NULL,
    status text NOT NULL,
    part uuid NOT NULL,
    requests bigint NOT NULL,
    timed_requests bigint NOT NULL,
    duration_ms_sum bigint NOT NULL,
    duration_ms_min bigint,
    duration_ms_max bigint,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    cost numeric(24,6) NOT NULL,
    bytes_in bigint NOT NULL,
    bytes_out bigint NOT NULL,
    PRIMARY KEY (hour, method, tool_name, status, part)
);

-- The same without users, by day (UTC).
CREATE TABLE IF NOT EXISTS archon_usage_daily (
    day timestamptz NOT NULL,
    client_type text NOT NULL DEFAULT '',
    server text NOT NULL DEFAULT '',
    method text NOT NULL,
    tool_name text NOT NULL DEFAULT '',
    status text NOT NULL,
    part uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    requests bigint NOT NULL DEFAULT 0,
    timed_requests bigint NOT NULL DEFAULT 0,
    duration_ms_sum bigint NOT NULL DEFAULT 0,
    duration_ms_min bigint,
    duration_ms_max bigint,
    prompt_tokens bigint NOT NULL DEFAULT 0,
    completion_tokens bigint NOT NULL DEFAULT 0,
    cost numeric(24,6) NOT NULL DEFAULT 0,
    bytes_in bigint NOT NULL DEFAULT 0,
    bytes_out bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (day, client_type, server, method, tool_name, status, part)
);

-- What the triggers counted and nobody has added to the two tables yet: whoever reads those adds this. Only appended to, so
-- writers neither wait for each other here nor can they deadlock. narrows: rows were taken away, so the smallest and
-- largest duration of the key must be looked up; no such row outlives the statement that made it.
CREATE TABLE IF NOT EXISTS archon_usage_pending (
    hour timestamptz NOT NULL,
    user_id uuid NOT NULL,
    client_type text NOT NULL,
    server text NOT NULL,
    method text NOT NULL,
    tool_name text NOT NULL,
    status text NOT NULL,
    requests bigint NOT NULL,
    timed_requests bigint NOT NULL,
    duration_ms_sum bigint NOT NULL,
    duration_ms_min bigint,
    duration_ms_max bigint,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    cost numeric(24,6) NOT NULL,
    bytes_in bigint NOT NULL,
    bytes_out bigint NOT NULL,
    narrows boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX IF NOT EXISTS idx_archon_usage_pending_narrows ON archon_usage_pending (hour) WHERE narrows;

-- Under which keys the requests of sessions are counted that a statement deletes: the session is gone when its requests follow
-- it. No row outlives the statement that made it.
CREATE TABLE IF NOT EXISTS archon_usage_leaving (
    session_id uuid NOT NULL PRIMARY KEY,
    client_type text NOT NULL,
    server text NOT NULL
);

-- Ended sessions by user, and by client type and kind of reason (timeout, client, shutdown, error, other): what has ended
-- seldom changes, so questions over all sessions add these to the few that are open. Only sessions that are counted.
CREATE TABLE IF NOT EXISTS archon_user_totals (
    user_id uuid NOT NULL PRIMARY KEY,
    sessions bigint NOT NULL,
    timed_sessions bigint NOT NULL,
    duration_sum bigint NOT NULL,
    duration_max integer,
    first_connected_at timestamptz,
    last_activity_at timestamptz,
    requests bigint NOT NULL,
    tokens bigint NOT NULL,
    cost numeric(24,6) NOT NULL,
    user_email varchar,
    email_at timestamptz,
    user_name varchar,
    name_at timestamptz
);
CREATE TABLE IF NOT EXISTS archon_client_totals (
    client_type varchar NOT NULL,
    reason text NOT NULL,
    sessions bigint NOT NULL,
    timed_sessions bigint NOT NULL,
    duration_sum bigint NOT NULL,
    PRIMARY KEY (client_type, reason)
);
-- What is not added to the two yet. narrows: taken away, and with it maybe an earliest, latest or longest of its user.
CREATE TABLE IF NOT EXISTS archon_totals_pending (
    user_id uuid,
    client_type varchar NOT NULL,
    reason text NOT NULL,
    sessions bigint NOT NULL,
    timed_sessions bigint NOT NULL,
    duration_sum bigint NOT NULL,
    duration_max integer,
    first_connected_at timestamptz,
    last_activity_at timestamptz,
    requests bigint NOT NULL,
    tokens bigint NOT NULL,
    cost numeric(24,6) NOT NULL,
    user_email varchar,
    email_at timestamptz,
    user_name varchar,
    name_at timestamptz,
    narrows boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX IF NOT EXISTS idx_archon_totals_pending_narrows ON archon_totals_pending (user_id) WHERE narrows;
-- What the two are made of. Goes with the columns it names: while it is missing nothing is totalled, and everything is counted
-- anew when it is back.
CREATE OR REPLACE VIEW archon_ended_sessions AS
SELECT s.session_id, s.user_id, s.user_email, s.user_name, s.client_type, s.server, s.disconnect_reason, s.total_duration,
    s.connected_at, s.last_activity, s.total_requests, s.total_prompt_tokens, s.total_completion_tokens, s.total_cost
FROM archon_mcp_sessions AS s WHERE s.status = 'disconnected' AND s.counted;
-- The longest session of a client type.
CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_longest
    ON archon_mcp_sessions (client_type, total_duration DESC NULLS LAST) WHERE status = 'disconnected';

-- Sessions whose sums are yet to be made.
CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_uncounted
    ON archon_mcp_sessions (connected_at, session_id) WHERE NOT counted;

-- Takes the lock of whoever moves pending sums into the tables. One at a time; with `wait` false only if nobody has it.
CREATE OR REPLACE FUNCTION archon_lock_usage(wait boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
DECLARE
    this CONSTANT integer := ('archon_usage_pending'::regclass::oid::bigint - 2147483648)::integer;
BEGIN
    IF wait THEN
        PERFORM pg_advisory_xact_lock(1635018100, this);
        RETURN true;
    END IF;
    RETURN pg_try_advisory_xact_lock(1635018100, this);
END
$fn$;

-- Moves pending sums into the tables; returns how many rows. Does nothing while somebody else does it.
CREATE OR REPLACE FUNCTION archon_merge_usage() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
DECLARE
    moved bigint;
BEGIN
    IF NOT archon_lock_usage(false) THEN
        RETURN 0;
    END IF;
    WITH taken AS (
        DELETE FROM archon_usage_pending RETURNING *
    ), by_hour AS (
        SELECT t.hour, t.user_id, t.client_type, t.server, t.method, t.tool_name, t.status,
            sum(t.requests)::bigint AS requests, sum(t.timed_requests)::bigint AS timed_requests,
            sum(t.duration_ms_sum)::bigint AS duration_ms_sum,
            min(t.duration_ms_min) FILTER (WHERE NOT t.narrows) AS duration_ms_min,
            max(t.duration_ms_max) FILTER (WHERE NOT t.narrows) AS duration_ms_max,
            sum(t.prompt_tokens)::bigint AS prompt_tokens, sum(t.completion_tokens)::bigint AS completion_tokens,
            sum(t.cost) AS cost, sum(t.bytes_in)::bigint AS bytes_in, sum(t.bytes_out)::bigint AS bytes_out
        FROM taken AS t GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), into_hourly AS (
        INSERT INTO archon_usage_hourly AS h (hour, user_id, client_type, server, method, tool_name, status, requests,
            timed_requests, duration_ms_sum, duration_ms_min, duration_ms_max, prompt_tokens, completion_tokens, cost,
            bytes_in, bytes_out)
        SELECT * FROM by_hour
        ON CONFLICT (hour, user_id, client_type, server, method, tool_name, status, part) DO UPDATE SET
            requests = h.requests + excluded.requests, timed_requests = h.timed_requests + excluded.timed_requests,
            duration_ms_sum = h.duration_ms_sum + excluded.duration_ms_sum,
            duration_ms_min = least(h.duration_ms_min, excluded.duration_ms_min),
            duration_ms_max = greatest(h.duration_ms_max, excluded.duration_ms_max),
            prompt_tokens = h.prompt_tokens + excluded.prompt_tokens,
            completion_tokens = h.completion_tokens + excluded.completion_tokens, cost = h.cost + excluded.cost,
            bytes_in = h.bytes_in + excluded.bytes_in, bytes_out = h.bytes_out + excluded.bytes_out
    ), into_daily AS (
        INSERT INTO archon_usage_daily AS d (day, client_type, server, method, tool_name, status, requests,
            timed_requests, duration_ms_sum, duration_ms_min, duration_ms_max, prompt_tokens, completion_tokens, cost,
            bytes_in, bytes_out)
        SELECT date_trunc('day', b.hour, 'UTC'), b.client_type, b.server, b.method, b.tool_name, b.status,
            sum(b.requests), sum(b.timed_requests), sum(b.duration_ms_sum), min(b.duration_ms_min),
            max(b.duration_ms_max), sum(b.prompt_tokens), sum(b.completion_tokens), sum(b.cost), sum(b.bytes_in),
            sum(b.bytes_out)
        FROM by_hour AS b GROUP BY 1, 2, 3, 4, 5, 6
        ON CONFLICT (day, client_type, server, method, tool_name, status, part) DO UPDATE SET
            requests = d.requests + excluded.requests, timed_requests = d.timed_requests + excluded.timed_requests,
            duration_ms_sum = d.duration_ms_sum + excluded.duration_ms_sum,
            duration_ms_min = least(d.duration_ms_min, excluded.duration_ms_min),
            duration_ms_max = greatest(d.duration_ms_max, excluded.duration_ms_max),
            prompt_tokens = d.prompt_tokens + excluded.prompt_tokens,
            completion_tokens = d.completion_tokens + excluded.completion_tokens, cost = d.cost + excluded.cost,
            bytes_in = d.bytes_in + excluded.bytes_in, bytes_out = d.bytes_out + excluded.bytes_out
    )
    SELECT count(*) INTO moved FROM taken;
    RETURN moved;
END
$fn$;

-- Looks up the shortest and longest durations of keys. Their parts are emptied first, which waits for whoever writes them,
-- then the rows are looked at.
CREATE OR REPLACE FUNCTION archon_widen_usage(keys archon_usage_hourly[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
BEGIN
    IF keys IS NULL THEN
        RETURN;
    END IF;
    WITH locked AS (
        SELECT h.hour, h.user_id, h.client_type, h.server, h.method, h.tool_name, h.status, h.part
        FROM archon_usage_hourly AS h
        JOIN unnest(keys) AS k USING (hour, user_id, client_type, server, method, tool_name, status)
        WHERE h.duration_ms_min IS NOT NULL OR h.duration_ms_max IS NOT NULL
        ORDER BY 1, 2, 3, 4, 5, 6, 7, 8 FOR UPDATE OF h
    )
    UPDATE archon_usage_hourly AS h SET duration_ms_min = NULL, duration_ms_max = NULL
    FROM locked AS l
    WHERE (h.hour, h.user_id, h.client_type, h.server, h.method, h.tool_name, h.status, h.part)
        = (l.hour, l.user_id, l.client_type, l.server, l.method, l.tool_name, l.status, l.part);
    INSERT INTO archon_usage_hourly AS h (hour, user_id, client_type, server, method, tool_name, status, duration_ms_min,
        duration_ms_max)
    SELECT r.* FROM (
        SELECT date_trunc('hour', q.timestamp, 'UTC') AS hour,
            coalesce(q.user_id, '00000000-0000-0000-0000-000000000000') AS user_id, s.client_type::text AS client_type,
            coalesce(left(s.server, 100), '') AS server, left(q.method, 100) AS method,
            coalesce(left(q.tool_name, 100), '') AS tool_name, q.status::text AS status, min(q.duration_ms), max(q.duration_ms)
        FROM unnest(ARRAY(SELECT DISTINCT k.hour FROM unnest(keys) AS k)) AS u (at)
        JOIN archon_mcp_requests AS q ON q.timestamp >= u.at AND q.timestamp < u.at + interval '1 hour'
        JOIN archon_mcp_sessions AS s ON s.session_id = q.session_id
        WHERE q.duration_ms IS NOT NULL AND s.counted
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ) AS r JOIN unnest(keys) AS k USING (hour, user_id, client_type, server, method, tool_name, status)
    ON CONFLICT (hour, user_id, client_type, server, method, tool_name, status, part) DO UPDATE SET
        duration_ms_min = excluded.duration_ms_min, duration_ms_max = excluded.duration_ms_max;

    -- Days from their hours.
    WITH days AS (
        SELECT DISTINCT date_trunc('day', k.hour, 'UTC') AS day, k.client_type, k.server, k.method, k.tool_name, k.status
        FROM unnest(keys) AS k
    ), locked AS (
        SELECT d.day, d.client_type, d.server, d.method, d.tool_name, d.status, d.part
        FROM archon_usage_daily AS d JOIN days AS k USING (day, client_type, server, method, tool_name, status)
        ORDER BY 1, 2, 3, 4, 5, 6, 7 FOR UPDATE OF d
    )
    UPDATE archon_usage_daily AS d SET duration_ms_min = NULL, duration_ms_max = NULL
    FROM locked AS l
    WHERE (d.day, d.client_type, d.server, d.method, d.tool_name, d.status, d.part)
        = (l.day, l.client_type, l.server, l.method, l.tool_name, l.status, l.part);
    INSERT INTO archon_usage_daily AS d (day, client_type, server, method, tool_name, status, duration_ms_min,
        duration_ms_max)
    SELECT k.day, k.client_type, k.server, k.method, k.tool_name, k.status, min(h.duration_ms_min), max(h.duration_ms_max)
    FROM (
        SELECT DISTINCT date_trunc('day', x.hour, 'UTC') AS day, x.client_type, x.server, x.method, x.tool_name, x.status
        FROM unnest(keys) AS x
    ) AS k
    JOIN archon_usage_hourly AS h ON h.hour >= k.day AND h.hour < k.day + interval '24 hours'
        AND (h.client_type, h.server, h.method, h.tool_name, h.status)
            = (k.client_type, k.server, k.method, k.tool_name, k.status)
    WHERE h.duration_ms_min IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (day, client_type, server, method, tool_name, status, part) DO UPDATE SET
        duration_ms_min = excluded.duration_ms_min, duration_ms_max = excluded.duration_ms_max;
END
$fn$;

-- After rows were taken away from keys: merges, and looks up the durations of those keys that may have lost their shortest
-- or longest one.
CREATE OR REPLACE FUNCTION archon_settle_usage() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
DECLARE
    hit archon_usage_hourly[];
    touched CONSTANT timestamptz[] := ARRAY(SELECT DISTINCT p.hour FROM archon_usage_pending AS p WHERE p.narrows);
    none CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    IF touched = '{}' THEN
        RETURN;
    END IF;
    PERFORM archon_lock_usage(true);
    WITH lost AS (
        SELECT p.hour, p.user_id, p.client_type, p.server, p.method, p.tool_name, p.status,
            min(p.duration_ms_min) AS low, max(p.duration_ms_max) AS high
        FROM archon_usage_pending AS p WHERE p.narrows GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), known AS (
        SELECT h.hour, h.user_id, h.client_type, h.server, h.method, h.tool_name, h.status, h.duration_ms_min,
            h.duration_ms_max
        FROM archon_usage_hourly AS h WHERE h.hour = ANY (ARRAY(SELECT l.hour FROM lost AS l))
        UNION ALL
        SELECT p.hour, p.user_id, p.client_type, p.server, p.method, p.tool_name, p.status, p.duration_ms_min,
            p.duration_ms_max
        FROM archon_usage_pending AS p WHERE NOT p.narrows
    ), lowest AS (
        SELECT k.hour, k.user_id, k.client_type, k.server, k.method, k.tool_name, k.status,
            min(k.duration_ms_min) AS low, max(k.duration_ms_max) AS high
        FROM known AS k GROUP BY 1, 2, 3, 4, 5, 6, 7
    )
    SELECT array_agg(ROW(l.hour, l.user_id, l.client_type, l.server, l.method, l.tool_name, l.status,
        '00000000-0000-0000-0000-000000000000', 0, 0, 0, NULL, NULL, 0, 0, 0, 0, 0)::archon_usage_hourly)
    INTO hit
    FROM lost AS l JOIN lowest AS k USING (hour, user_id, client_type, server, method, tool_name, status)
    WHERE l.low <= k.low OR l.high >= k.high;

    PERFORM archon_merge_usage();
    PERFORM archon_widen_usage(hit);
    DELETE FROM archon_usage_hourly AS h
    WHERE h.hour = ANY (touched) AND h.part = none AND h.duration_ms_min IS NULL
        AND (h.requests, h.timed_requests, h.duration_ms_sum, h.prompt_tokens, h.completion_tokens, h.cost, h.bytes_in,
            h.bytes_out) = (0, 0, 0, 0, 0, 0, 0, 0);
    DELETE FROM archon_usage_daily AS d
    WHERE d.day = ANY (ARRAY(SELECT DISTINCT date_trunc('day', t, 'UTC') FROM unnest(touched) AS t))
        AND d.part = none AND d.duration_ms_min IS NULL
        AND (d.requests, d.timed_requests, d.duration_ms_sum, d.prompt_tokens, d.completion_tokens, d.cost, d.bytes_in,
            d.bytes_out) = (0, 0, 0, 0, 0, 0, 0, 0);
END
$fn$;

-- After each statement that inserted requests. Activity moves forward and not beyond now, an idle session becomes active, one
-- that has ended stays so. Sums are those of counted sessions; the others are summed up when they are counted.
CREATE OR REPLACE FUNCTION update_session_status() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
DECLARE
    writer CONSTANT text := current_setting('archonctl.writer', true);
    now_at CONSTANT timestamptz := clock_timestamp();
    appended bigint;
BEGIN
    PERFORM FROM archon_mcp_sessions AS s
    WHERE s.session_id = ANY (ARRAY(SELECT DISTINCT n.session_id FROM inserted AS n))
    ORDER BY s.session_id FOR NO KEY UPDATE;

    UPDATE archon_mcp_sessions AS s
    SET last_activity = greatest(s.last_activity, n.at),
        status = CASE WHEN s.status = 'idle' AND n.at > s.last_activity AND n.at > now_at - interval '5 minutes'
            THEN 'active' ELSE s.status END,
        total_requests = s.total_requests + n.requests,
        failed_requests = s.failed_requests + n.failed,
        bytes_in = s.bytes_in + n.bytes_in,
        bytes_out = s.bytes_out + n.bytes_out,
        total_prompt_tokens = s.total_prompt_tokens + n.prompt_tokens,
        total_completion_tokens = s.total_completion_tokens + n.completion_tokens,
        total_cost = s.total_cost + n.cost,
        first_success_at = least(s.first_success_at, n.first_success_at),
        last_success_at = greatest(s.last_success_at, n.last_success_at)
    FROM (
        SELECT i.session_id,
            min(i.timestamp) FILTER (WHERE i.status = 'success' AND i.method NOT IN ('initialize', 'server/discover'))
                AS first_success_at,
            max(i.timestamp) FILTER (WHERE i.status = 'success' AND i.method NOT IN ('initialize', 'server/discover'))
                AS last_success_at,
            max(least(least(i.timestamp, now_at) + coalesce(i.duration_ms, 0) * interval '1 millisecond', now_at)) AS at,
            count(*) FILTER (WHERE i.method NOT IN ('initialize', 'server/discover')) AS requests,
            count(*) FILTER (WHERE i.status <> 'success' AND i.method NOT IN ('initialize', 'server/discover')) AS failed,
            coalesce(sum(i.bytes_in), 0)::bigint AS bytes_in, coalesce(sum(i.bytes_out), 0)::bigint AS bytes_out,
            coalesce(sum(i.prompt_tokens), 0) AS prompt_tokens,
            coalesce(sum(i.completion_tokens), 0) AS completion_tokens,
            coalesce(sum(nullif(i.estimated_cost, 'NaN')), 0) AS cost
        FROM inserted AS i GROUP BY i.session_id
    ) AS n
    WHERE s.session_id = n.session_id;

    INSERT INTO archon_usage_pending
    SELECT date_trunc('hour', i.timestamp, 'UTC'),
        coalesce(i.user_id, s.user_id, '00000000-0000-0000-0000-000000000000'),
        s.client_type, coalesce(left(s.server, 100), ''), left(i.method, 100), coalesce(left(i.tool_name, 100), ''),
        i.status, count(*), count(i.duration_ms), coalesce(sum(i.duration_ms), 0), min(i.duration_ms),
        max(i.duration_ms), coalesce(sum(i.prompt_tokens), 0), coalesce(sum(i.completion_tokens), 0),
        coalesce(sum(nullif(i.estimated_cost, 'NaN')), 0), coalesce(sum(i.bytes_in), 0), coalesce(sum(i.bytes_out), 0)
    FROM inserted AS i JOIN archon_mcp_sessions AS s ON s.session_id = i.session_id
    WHERE s.counted
    GROUP BY 1, 2, 3, 4, 5, 6, 7;
    GET DIAGNOSTICS appended = ROW_COUNT;

    IF EXISTS (SELECT FROM inserted AS i JOIN archon_mcp_sessions AS s ON s.session_id = i.session_id
               WHERE i.user_id IS NULL AND s.user_id IS NOT NULL) THEN
        PERFORM set_config('archonctl.writer', 'fold', true);
        UPDATE archon_mcp_requests AS r SET user_id = s.user_id
        FROM inserted AS i JOIN archon_mcp_sessions AS s ON s.session_id = i.session_id
        WHERE r.request_id = i.request_id AND r.user_id IS NULL AND s.user_id IS NOT NULL;
        PERFORM set_config('archonctl.writer', coalesce(writer, ''), true);
    END IF;

    -- Every thousandth row, somebody merges. Not where a merge by somebody else would be an error.
    IF random() * 1000 < appended AND current_setting('transaction_isolation') = 'read committed' THEN
        PERFORM archon_merge_usage();
    END IF;
    RETURN NULL;
END
$fn$;

-- After each statement that changed requests.
CREATE OR REPLACE FUNCTION archon_requests_updated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
DECLARE
    now_at CONSTANT timestamptz := clock_timestamp();
BEGIN
    IF NOT EXISTS (
        SELECT r.session_id, r.user_id, r.method, r.tool_name, r.status, r.timestamp, r.duration_ms, r.prompt_tokens,
            r.completion_tokens, r.estimated_cost, r.bytes_in, r.bytes_out FROM removed AS r
        EXCEPT ALL
        SELECT a.session_id, a.user_id, a.method, a.tool_name, a.status, a.timestamp, a.duration_ms, a.prompt_tokens,
            a.completion_tokens, a.estimated_cost, a.bytes_in, a.bytes_out FROM added AS a
    ) THEN
        RETURN NULL;
    END IF;
    PERFORM archon_lock_usage(true);
    PERFORM FROM archon_mcp_sessions AS s
    WHERE s.session_id = ANY (ARRAY(SELECT r.session_id FROM removed AS r UNION SELECT a.session_id FROM added AS a))
    ORDER BY s.session_id FOR NO KEY UPDATE;

    UPDATE archon_mcp_sessions AS s
    SET last_activity = greatest(s.last_activity, n.at),
        total_requests = s.total_requests + n.requests,
        failed_requests = s.failed_requests + n.failed,
        bytes_in = s.bytes_in + n.bytes_in,
        bytes_out = s.bytes_out + n.bytes_out,
        total_prompt_tokens = s.total_prompt_tokens + n.prompt_tokens,
        total_completion_tokens = s.total_completion_tokens + n.completion_tokens,
        total_cost = s.total_cost + n.cost,
        first_success_at = least(s.first_success_at, n.first_success_at),
        last_success_at = greatest(s.last_success_at, n.last_success_at)
    FROM (
        SELECT c.session_id,
            min(c.timestamp) FILTER (WHERE c.sign > 0 AND c.status = 'success'
                AND c.method NOT IN ('initialize', 'server/discover')) AS first_success_at,
            max(c.timestamp) FILTER (WHERE c.sign > 0 AND c.status = 'success'
                AND c.method NOT IN ('initialize', 'server/discover')) AS last_success_at,
            max(least(least(c.timestamp, now_at) + coalesce(c.duration_ms, 0) * interval '1 millisecond', now_at))
                FILTER (WHERE c.sign > 0) AS at,
            coalesce(sum(c.sign) FILTER (WHERE c.method NOT IN ('initialize', 'server/discover')), 0) AS requests,
            coalesce(sum(c.sign) FILTER (WHERE c.status <> 'success'
                AND c.method NOT IN ('initialize', 'server/discover')), 0) AS failed,
            coalesce(sum(c.sign * c.bytes_in), 0)::bigint AS bytes_in,
            coalesce(sum(c.sign * c.bytes_out), 0)::bigint AS bytes_out,
            coalesce(sum(c.sign * c.prompt_tokens), 0)::bigint AS prompt_tokens,
            coalesce(sum(c.sign * c.completion_tokens), 0)::bigint AS completion_tokens,
            coalesce(sum(c.sign * nullif(c.estimated_cost, 'NaN')), 0) AS cost
        FROM (SELECT 1::bigint AS sign, a.* FROM added AS a UNION ALL SELECT -1, r.* FROM removed AS r) AS c
        GROUP BY c.session_id
    ) AS n
    WHERE s.session_id = n.session_id;

    -- The first or the last success may have been among them.
    UPDATE archon_mcp_sessions AS s
    SET (first_success_at, last_success_at) = (
        SELECT min(q.timestamp), max(q.timestamp) FROM archon_mcp_requests AS q
        WHERE q.session_id = s.session_id AND q.status = 'success' AND q.method NOT IN ('initialize', 'server/discover'))
    FROM (
        SELECT r.session_id, min(r.timestamp) AS first, max(r.timestamp) AS last FROM removed AS r
        WHERE r.status = 'success' AND r.method NOT IN ('initialize', 'server/discover') GROUP BY r.session_id
    ) AS o
    WHERE s.session_id = o.session_id AND (o.first <= s.first_success_at OR o.last >= s.last_success_at);

    INSERT INTO archon_usage_pending
    SELECT date_trunc('hour', c.timestamp, 'UTC'), coalesce(c.user_id, '00000000-0000-0000-0000-000000000000'),
        s.client_type, coalesce(left(s.server, 100), ''), left(c.method, 100), coalesce(left(c.tool_name, 100), ''),
        c.status, sum(c.sign), coalesce(sum(c.sign) FILTER (WHERE c.duration_ms IS NOT NULL), 0),
        coalesce(sum(c.sign * c.duration_ms), 0), min(c.duration_ms), max(c.duration_ms),
        coalesce(sum(c.sign * c.prompt_tokens), 0), coalesce(sum(c.sign * c.completion_tokens), 0),
        coalesce(sum(c.sign * nullif(c.estimated_cost, 'NaN')), 0), coalesce(sum(c.sign * c.bytes_in), 0),
        coalesce(sum(c.sign * c.bytes_out), 0), c.sign < 0
    FROM (SELECT 1::bigint AS sign, a.* FROM added AS a UNION ALL SELECT -1, r.* FROM removed AS r) AS c
    JOIN archon_mcp_sessions AS s ON s.session_id = c.session_id
    WHERE s.counted
    GROUP BY 1, 2, 3, 4, 5, 6, 7, c.sign;
    PERFORM archon_settle_usage();
    RETURN NULL;
END
$fn$;

-- After each statement that deleted requests, and after one that deleted their sessions.
CREATE OR REPLACE FUNCTION archon_requests_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
BEGIN
    IF NOT EXISTS (SELECT FROM removed) THEN
        DELETE FROM archon_usage_leaving;
        RETURN NULL;
    END IF;
    PERFORM archon_lock_usage(true);
    PERFORM FROM archon_mcp_sessions AS s
    WHERE s.session_id = ANY (ARRAY(SELECT DISTINCT r.session_id FROM removed AS r))
    ORDER BY s.session_id FOR NO KEY UPDATE;

    UPDATE archon_mcp_sessions AS s
    SET total_requests = s.total_requests - n.requests,
        failed_requests = s.failed_requests - n.failed,
        bytes_in = s.bytes_in - n.bytes_in,
        bytes_out = s.bytes_out - n.bytes_out,
        total_prompt_tokens = s.total_prompt_tokens - n.prompt_tokens,
        total_completion_tokens = s.total_completion_tokens - n.completion_tokens,
        total_cost = s.total_cost - n.cost
    FROM (
        SELECT r.session_id,
            count(*) FILTER (WHERE r.method NOT IN ('initialize', 'server/discover')) AS requests,
            count(*) FILTER (WHERE r.status <> 'success' AND r.method NOT IN ('initialize', 'server/discover')) AS failed,
            coalesce(sum(r.bytes_in), 0)::bigint AS bytes_in, coalesce(sum(r.bytes_out), 0)::bigint AS bytes_out,
            coalesce(sum(r.prompt_tokens), 0) AS prompt_tokens,
            coalesce(sum(r.completion_tokens), 0) AS completion_tokens,
            coalesce(sum(nullif(r.estimated_cost, 'NaN')), 0) AS cost
        FROM removed AS r GROUP BY r.session_id
    ) AS n
    WHERE s.session_id = n.session_id AND s.counted;

    -- The first or the last success may have been among them.
    UPDATE archon_mcp_sessions AS s
    SET (first_success_at, last_success_at) = (
        SELECT min(q.timestamp), max(q.timestamp) FROM archon_mcp_requests AS q
        WHERE q.session_id = s.session_id AND q.status = 'success' AND q.method NOT IN ('initialize', 'server/discover'))
    FROM (
        SELECT r.session_id, min(r.timestamp) AS first, max(r.timestamp) AS last FROM removed AS r
        WHERE r.status = 'success' AND r.method NOT IN ('initialize', 'server/discover') GROUP BY r.session_id
    ) AS o
    WHERE s.session_id = o.session_id AND (o.first <= s.first_success_at OR o.last >= s.last_success_at);

    INSERT INTO archon_usage_pending
    SELECT date_trunc('hour', r.timestamp, 'UTC'), coalesce(r.user_id, '00000000-0000-0000-0000-000000000000'),
        s.client_type, coalesce(left(s.server, 100), ''), left(r.method, 100), coalesce(left(r.tool_name, 100), ''),
        r.status, -count(*), -count(r.duration_ms), -coalesce(sum(r.duration_ms), 0), min(r.duration_ms),
        max(r.duration_ms), -coalesce(sum(r.prompt_tokens), 0), -coalesce(sum(r.completion_tokens), 0),
        -coalesce(sum(nullif(r.estimated_cost, 'NaN')), 0), -coalesce(sum(r.bytes_in), 0),
        -coalesce(sum(r.bytes_out), 0), true
    FROM removed AS r
    JOIN (
        SELECT q.session_id, q.client_type::text, q.server FROM archon_mcp_sessions AS q WHERE q.counted
        UNION ALL
        SELECT l.session_id, l.client_type, l.server FROM archon_usage_leaving AS l
    ) AS s ON s.session_id = r.session_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7;
    DELETE FROM archon_usage_leaving;
    PERFORM archon_settle_usage();
    RETURN NULL;
END
$fn$;

CREATE OR REPLACE FUNCTION archon_requests_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
BEGIN
    TRUNCATE archon_usage_hourly, archon_usage_hourly_all, archon_usage_daily, archon_usage_pending;
    UPDATE archon_mcp_sessions
    SET total_requests = 0, failed_requests = 0, bytes_in = 0, bytes_out = 0, total_prompt_tokens = 0,
        total_completion_tokens = 0, total_cost = 0, first_success_at = NULL, last_success_at = NULL, counted = true
    WHERE NOT counted OR (total_requests, failed_requests, bytes_in, bytes_out, total_prompt_tokens,
        total_completion_tokens, total_cost) <> (0, 0, 0, 0, 0, 0, 0);
    RETURN NULL;
END
$fn$;

-- After each statement that changed the client type, server or user of sessions: what their requests count moves along, and
-- they get its user. Planned each time: the best way for one session is a bad one for many.
CREATE OR REPLACE FUNCTION archon_sessions_rekeyed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
DECLARE
    writer CONSTANT text := current_setting('archonctl.writer', true);
BEGIN
    IF to_regclass('archon_ended_sessions') IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (
        SELECT n.session_id, n.client_type, n.server, n.user_id FROM added AS n
        EXCEPT
        SELECT o.session_id, o.client_type, o.server, o.user_id FROM removed AS o
    ) THEN
        RETURN NULL;
    END IF;
    EXECUTE $sql$
        INSERT INTO archon_usage_pending
        SELECT date_trunc('hour', r.timestamp, 'UTC'), coalesce(k.user_id, '00000000-0000-0000-0000-000000000000'),
            k.client_type, coalesce(left(k.server, 100), ''), left(r.method, 100),
            coalesce(left(r.tool_name, 100), ''), r.status, k.sign * count(*), k.sign * count(r.duration_ms),
            k.sign * coalesce(sum(r.duration_ms), 0), min(r.duration_ms), max(r.duration_ms),
            k.sign * coalesce(sum(r.prompt_tokens), 0), k.sign * coalesce(sum(r.completion_tokens), 0),
            k.sign * coalesce(sum(nullif(r.estimated_cost, 'NaN')), 0), k.sign * coalesce(sum(r.bytes_in), 0),
            k.sign * coalesce(sum(r.bytes_out), 0), k.sign < 0
        FROM removed AS o
        JOIN added AS n ON n.session_id = o.session_id
        JOIN archon_mcp_requests AS r ON r.session_id = n.session_id
        CROSS JOIN LATERAL (VALUES (-1, o.client_type, o.server, r.user_id),
            (1, n.client_type, n.server,
                CASE WHEN r.user_id IS NOT DISTINCT FROM o.user_id THEN n.user_id ELSE r.user_id END)
        ) AS k (sign, client_type, server, user_id)
        WHERE n.counted AND (o.client_type, o.server, o.user_id) IS DISTINCT FROM (n.client_type, n.server, n.user_id)
        GROUP BY 1, 2, 3, 4, 5, 6, 7, k.sign
    $sql$;
    PERFORM set_config('archonctl.writer', 'fold', true);
    EXECUTE $sql$
        UPDATE archon_mcp_requests AS r SET user_id = n.user_id
        FROM removed AS o JOIN added AS n ON n.session_id = o.session_id
        WHERE o.user_id IS DISTINCT FROM n.user_id AND r.session_id = n.session_id
            AND r.user_id IS NOT DISTINCT FROM o.user_id
    $sql$;
    PERFORM set_config('archonctl.writer', coalesce(writer, ''), true);
    PERFORM archon_settle_usage();
    RETURN NULL;
END
$fn$;

-- After each statement that deleted sessions: their requests follow, and are taken off their keys then.
CREATE OR REPLACE FUNCTION archon_sessions_leaving() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
BEGIN
    INSERT INTO archon_usage_leaving (session_id, client_type, server)
    SELECT o.session_id, o.client_type, coalesce(o.server, '') FROM removed AS o WHERE o.counted
    ON CONFLICT (session_id) DO UPDATE SET client_type = excluded.client_type, server = excluded.server;
    RETURN NULL;
END
$fn$;

-- Carries what changed by hour and user over to the hours of all. Each part has rows of its own there as well.
CREATE OR REPLACE FUNCTION archon_usage_carried() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
DECLARE
    narrowed boolean := TG_OP = 'DELETE';
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO archon_usage_hourly_all AS a
        SELECT n.hour, n.method, n.tool_name, n.status, n.part, sum(n.requests), sum(n.timed_requests),
            sum(n.duration_ms_sum), min(n.duration_ms_min), max(n.duration_ms_max), sum(n.prompt_tokens),
            sum(n.completion_tokens), sum(n.cost), sum(n.bytes_in), sum(n.bytes_out)
        FROM added AS n GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (hour, method, tool_name, status, part) DO UPDATE SET
            requests = a.requests + excluded.requests, timed_requests = a.timed_requests + excluded.timed_requests,
            duration_ms_sum = a.duration_ms_sum + excluded.duration_ms_sum,
            duration_ms_min = least(a.duration_ms_min, excluded.duration_ms_min),
            duration_ms_max = greatest(a.duration_ms_max, excluded.duration_ms_max),
            prompt_tokens = a.prompt_tokens + excluded.prompt_tokens,
            completion_tokens = a.completion_tokens + excluded.completion_tokens, cost = a.cost + excluded.cost,
            bytes_in = a.bytes_in + excluded.bytes_in, bytes_out = a.bytes_out + excluded.bytes_out;
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO archon_usage_hourly_all AS a
        SELECT c.hour, c.method, c.tool_name, c.status, c.part, sum(c.sign * c.requests), sum(c.sign * c.timed_requests),
            sum(c.sign * c.duration_ms_sum), min(c.duration_ms_min) FILTER (WHERE c.sign > 0),
            max(c.duration_ms_max) FILTER (WHERE c.sign > 0), sum(c.sign * c.prompt_tokens),
            sum(c.sign * c.completion_tokens), sum(c.sign * c.cost), sum(c.sign * c.bytes_in), sum(c.sign * c.bytes_out)
        FROM (SELECT 1 AS sign, n.* FROM added AS n UNION ALL SELECT -1, o.* FROM removed AS o) AS c
        GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (hour, method, tool_name, status, part) DO UPDATE SET
            requests = a.requests + excluded.requests, timed_requests = a.timed_requests + excluded.timed_requests,
            duration_ms_sum = a.duration_ms_sum + excluded.duration_ms_sum,
            duration_ms_min = least(a.duration_ms_min, excluded.duration_ms_min),
            duration_ms_max = greatest(a.duration_ms_max, excluded.duration_ms_max),
            prompt_tokens = a.prompt_tokens + excluded.prompt_tokens,
            completion_tokens = a.completion_tokens + excluded.completion_tokens, cost = a.cost + excluded.cost,
            bytes_in = a.bytes_in + excluded.bytes_in, bytes_out = a.bytes_out + excluded.bytes_out;
        -- Durations are taken away by emptying them.
        narrowed := EXISTS (SELECT FROM added AS n WHERE n.duration_ms_min IS NULL)
            AND EXISTS (SELECT FROM removed AS o WHERE o.duration_ms_min IS NOT NULL);
    ELSE
        UPDATE archon_usage_hourly_all AS a
        SET requests = a.requests - o.requests, timed_requests = a.timed_requests - o.timed_requests,
            duration_ms_sum = a.duration_ms_sum - o.duration_ms_sum, prompt_tokens = a.prompt_tokens - o.prompt_tokens,
            completion_tokens = a.completion_tokens - o.completion_tokens, cost = a.cost - o.cost,
            bytes_in = a.bytes_in - o.bytes_in, bytes_out = a.bytes_out - o.bytes_out
        FROM (
            SELECT r.hour, r.method, r.tool_name, r.status, r.part, sum(r.requests) AS requests,
                sum(r.timed_requests) AS timed_requests, sum(r.duration_ms_sum) AS duration_ms_sum,
                sum(r.prompt_tokens) AS prompt_tokens, sum(r.completion_tokens) AS completion_tokens,
                sum(r.cost) AS cost, sum(r.bytes_in) AS bytes_in, sum(r.bytes_out) AS bytes_out
            FROM removed AS r GROUP BY 1, 2, 3, 4, 5
        ) AS o
        WHERE (a.hour, a.method, a.tool_name, a.status, a.part) = (o.hour, o.method, o.tool_name, o.status, o.part);
    END IF;
    IF narrowed THEN
        UPDATE archon_usage_hourly_all AS a
        SET (duration_ms_min, duration_ms_max) = (
            SELECT min(h.duration_ms_min), max(h.duration_ms_max) FROM archon_usage_hourly AS h
            WHERE (h.hour, h.method, h.tool_name, h.status, h.part) = (a.hour, a.method, a.tool_name, a.status, a.part))
        FROM (SELECT DISTINCT r.hour, r.method, r.tool_name, r.status, r.part FROM removed AS r) AS o
        WHERE (a.hour, a.method, a.tool_name, a.status, a.part) = (o.hour, o.method, o.tool_name, o.status, o.part);
        DELETE FROM archon_usage_hourly_all AS a
        USING (SELECT DISTINCT r.hour, r.method, r.tool_name, r.status, r.part FROM removed AS r) AS o
        WHERE (a.hour, a.method, a.tool_name, a.status, a.part) = (o.hour, o.method, o.tool_name, o.status, o.part)
            AND a.duration_ms_min IS NULL
            AND (a.requests, a.timed_requests, a.duration_ms_sum, a.prompt_tokens, a.completion_tokens, a.cost,
                a.bytes_in, a.bytes_out) = (0, 0, 0, 0, 0, 0, 0, 0);
    END IF;
    RETURN NULL;
END
$fn$;

-- Moves pending totals into the tables; returns how many rows. Does nothing while somebody else does it.
CREATE OR REPLACE FUNCTION archon_merge_totals() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
DECLARE
    moved bigint;
BEGIN
    IF NOT archon_lock_usage(false) THEN
        RETURN 0;
    END IF;
    WITH taken AS (
        DELETE FROM archon_totals_pending RETURNING *
    ), into_users AS (
        INSERT INTO archon_user_totals AS u (user_id, sessions, timed_sessions, duration_sum, duration_max,
            first_connected_at, last_activity_at, requests, tokens, cost, user_email, email_at, user_name, name_at)
        SELECT t.user_id, sum(t.sessions), sum(t.timed_sessions), sum(t.duration_sum), max(t.duration_max),
            min(t.first_connected_at), max(t.last_activity_at), sum(t.requests), sum(t.tokens), sum(t.cost),
            (array_agg(t.user_email ORDER BY t.email_at DESC) FILTER (WHERE t.user_email IS NOT NULL))[1],
            max(t.email_at),
            (array_agg(t.user_name ORDER BY t.name_at DESC) FILTER (WHERE t.user_name IS NOT NULL))[1], max(t.name_at)
        FROM taken AS t WHERE t.user_id IS NOT NULL GROUP BY t.user_id
        ON CONFLICT (user_id) DO UPDATE SET
            sessions = u.sessions + excluded.sessions, timed_sessions = u.timed_sessions + excluded.timed_sessions,
            duration_sum = u.duration_sum + excluded.duration_sum,
            duration_max = greatest(u.duration_max, excluded.duration_max),
            first_connected_at = least(u.first_connected_at, excluded.first_connected_at),
            last_activity_at = greatest(u.last_activity_at, excluded.last_activity_at),
            requests = u.requests + excluded.requests, tokens = u.tokens + excluded.tokens, cost = u.cost + excluded.cost,
            user_email = CASE WHEN excluded.email_at >= coalesce(u.email_at, '-infinity') THEN excluded.user_email
                ELSE u.user_email END,
            email_at = greatest(u.email_at, excluded.email_at),
            user_name = CASE WHEN excluded.name_at >= coalesce(u.name_at, '-infinity') THEN excluded.user_name
                ELSE u.user_name END,
            name_at = greatest(u.name_at, excluded.name_at)
    ), into_clients AS (
        INSERT INTO archon_client_totals AS c (client_type, reason, sessions, timed_sessions, duration_sum)
        SELECT t.client_type, t.reason, sum(t.sessions), sum(t.timed_sessions), sum(t.duration_sum)
        FROM taken AS t GROUP BY 1, 2
        ON CONFLICT (client_type, reason) DO UPDATE SET sessions = c.sessions + excluded.sessions,
            timed_sessions = c.timed_sessions + excluded.timed_sessions,
            duration_sum = c.duration_sum + excluded.duration_sum
    )
    SELECT count(*) INTO moved FROM taken;
    RETURN moved;
END
$fn$;

-- After ended sessions were taken away: merges, and looks up what their users have left.
CREATE OR REPLACE FUNCTION archon_settle_totals() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
DECLARE
    users CONSTANT uuid[] := ARRAY(SELECT DISTINCT p.user_id FROM archon_totals_pending AS p
        WHERE p.narrows AND p.user_id IS NOT NULL);
BEGIN
    IF users = '{}' THEN
        RETURN;
    END IF;
    PERFORM archon_lock_usage(true);
    PERFORM archon_merge_totals();
    UPDATE archon_user_totals AS u
    SET duration_max = s.duration_max, first_connected_at = s.first_connected_at, last_activity_at = s.last_activity_at,
        user_email = s.user_email, email_at = s.email_at, user_name = s.user_name, name_at = s.name_at
    FROM (
        SELECT i.id, max(q.total_duration) AS duration_max, min(q.connected_at) AS first_connected_at,
            max(q.last_activity) AS last_activity_at,
            (array_agg(q.user_email ORDER BY q.connected_at DESC) FILTER (WHERE q.user_email IS NOT NULL))[1] AS user_email,
            max(q.connected_at) FILTER (WHERE q.user_email IS NOT NULL) AS email_at,
            (array_agg(q.user_name ORDER BY q.connected_at DESC) FILTER (WHERE q.user_name IS NOT NULL))[1] AS user_name,
            max(q.connected_at) FILTER (WHERE q.user_name IS NOT NULL) AS name_at
        FROM unnest(users) AS i (id)
        LEFT JOIN archon_ended_sessions AS q ON q.user_id = i.id
        GROUP BY i.id
    ) AS s
    WHERE u.user_id = s.id;
    DELETE FROM archon_user_totals WHERE user_id = ANY (users) AND sessions = 0;
    DELETE FROM archon_client_totals WHERE sessions = 0;
END
$fn$;

-- The kind of a reason, in whatever spelling it is found.
CREATE OR REPLACE FUNCTION archon_reason_kind(reason varchar) RETURNS text
LANGUAGE sql IMMUTABLE
AS $fn$
    SELECT CASE WHEN $1 IN ('timeout', 'timeout_no_activity') THEN 'timeout'
        WHEN $1 = 'client_disconnect' THEN 'client'
        WHEN $1 = 'server_shutdown' THEN 'shutdown'
        WHEN $1 = 'error' OR $1 LIKE 'error:%' THEN 'error'
        ELSE 'other' END
$fn$;

-- After each statement that inserted, changed or deleted sessions: those that have ended are in the totals.
CREATE OR REPLACE FUNCTION archon_sessions_totalled() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
DECLARE
    -- Whether something was taken away, and with it maybe the earliest, latest or longest of a user.
    less boolean := TG_OP = 'DELETE';
    appended bigint := 0;
BEGIN
    IF to_regclass('archon_ended_sessions') IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        -- Not a join: how that is best done depends on how many rows there are, and a connection plans it once.
        SELECT bool_or(c.less) INTO less
        FROM (
            SELECT count(*) FILTER (WHERE e.sign < 0) > 0 AND (count(*) = 1
                    OR min(e.connected_at) <> max(e.connected_at)
                    OR max(e.last_activity) FILTER (WHERE e.sign > 0) < max(e.last_activity) FILTER (WHERE e.sign < 0)
                    OR coalesce(max(e.total_duration) FILTER (WHERE e.sign > 0), -1)
                        < coalesce(max(e.total_duration) FILTER (WHERE e.sign < 0), -1)
                    OR count(DISTINCT ROW(e.user_id, e.user_email, e.user_name)) > 1) AS less
            FROM (
                SELECT 1 AS sign, n.* FROM added AS n WHERE n.status = 'disconnected' AND n.counted
                UNION ALL
                SELECT -1, o.* FROM removed AS o WHERE o.status = 'disconnected' AND o.counted
            ) AS e
            GROUP BY e.session_id
            HAVING count(*) = 1 OR count(DISTINCT ROW(e.user_id, e.user_email, e.user_name, e.client_type,
                e.disconnect_reason, e.total_duration, e.connected_at, e.last_activity, e.total_requests,
                e.total_prompt_tokens, e.total_completion_tokens, e.total_cost)) > 1
        ) AS c;
        IF less IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO archon_totals_pending
        SELECT o.user_id, o.client_type, archon_reason_kind(o.disconnect_reason), -count(*), -count(o.total_duration),
            -coalesce(sum(o.total_duration), 0), NULL, NULL, NULL, -sum(o.total_requests),
            -sum(o.total_prompt_tokens + o.total_completion_tokens), -sum(o.total_cost), NULL, NULL, NULL, NULL, less
        FROM removed AS o WHERE o.status = 'disconnected' AND o.counted
        GROUP BY 1, 2, 3;
        GET DIAGNOSTICS appended = ROW_COUNT;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO archon_totals_pending
        SELECT n.user_id, n.client_type, archon_reason_kind(n.disconnect_reason), count(*), count(n.total_duration),
            coalesce(sum(n.total_duration), 0), max(n.total_duration), min(n.connected_at), max(n.last_activity),
            sum(n.total_requests), sum(n.total_prompt_tokens + n.total_completion_tokens), sum(n.total_cost),
            (array_agg(n.user_email ORDER BY n.connected_at DESC) FILTER (WHERE n.user_email IS NOT NULL))[1],
            max(n.connected_at) FILTER (WHERE n.user_email IS NOT NULL),
            (array_agg(n.user_name ORDER BY n.connected_at DESC) FILTER (WHERE n.user_name IS NOT NULL))[1],
            max(n.connected_at) FILTER (WHERE n.user_name IS NOT NULL)
        FROM added AS n WHERE n.status = 'disconnected' AND n.counted
        GROUP BY 1, 2, 3;
        GET DIAGNOSTICS appended = ROW_COUNT;
    END IF;
    IF less THEN
        PERFORM archon_settle_totals();
    ELSIF random() * 1000 < appended AND current_setting('transaction_isolation') = 'read committed' THEN
        PERFORM archon_merge_totals();
    END IF;
    RETURN NULL;
END
$fn$;

CREATE OR REPLACE FUNCTION archon_sessions_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $fn$
BEGIN
    TRUNCATE archon_user_totals, archon_client_totals, archon_totals_pending;
    RETURN NULL;
END
$fn$;

-- Sums up at most so many sessions that are not counted yet; returns how many, 0 when none is left. In the order of time:
-- requests of sessions of one time lie together, and so do the rows of sessions afterwards.
CREATE OR REPLACE FUNCTION archon_count_sessions(at_most integer) RETURNS bigint
LANGUAGE plpgsql
AS $fn$
DECLARE
    writer CONSTANT text := current_setting('archonctl.writer', true);
    ids uuid[];
BEGIN
    PERFORM archon_lock_usage(true);
    LOOP
        SELECT array_agg(u.session_id) INTO ids
        FROM (SELECT s.session_id FROM archon_mcp_sessions AS s WHERE NOT s.counted
              ORDER BY s.connected_at, s.session_id LIMIT at_most) AS u;
        IF ids IS NULL THEN
            RETURN 0;
        END IF;
        SELECT array_agg(c.session_id) INTO ids
        FROM (SELECT s.session_id FROM archon_mcp_sessions AS s WHERE s.session_id = ANY (ids) AND NOT s.counted
              ORDER BY s.session_id FOR NO KEY UPDATE) AS c;
        -- Those may be gone by now, and others are left.
        EXIT WHEN ids IS NOT NULL;
    END LOOP;
    PERFORM set_config('archonctl.writer', 'fold', true);
    UPDATE archon_mcp_requests AS r SET user_id = s.user_id
    FROM archon_mcp_sessions AS s
    WHERE r.session_id = ANY (ids) AND s.session_id = r.session_id AND s.user_id IS NOT NULL AND r.user_id IS NULL;

    WITH own AS MATERIALIZED (
        SELECT r.session_id, r.user_id, r.timestamp, r.method, r.tool_name, r.status, r.duration_ms, r.prompt_tokens,
            r.completion_tokens, nullif(r.estimated_cost, 'NaN') AS cost, r.bytes_in, r.bytes_out,
            r.method NOT IN ('initialize', 'server/discover') AS is_call
        FROM archon_mcp_requests AS r WHERE r.session_id = ANY (ids)
    ), sums AS (
        SELECT o.session_id, count(*) FILTER (WHERE o.is_call) AS requests,
            count(*) FILTER (WHERE o.is_call AND o.status <> 'success') AS failed, sum(o.bytes_in) AS bytes_in,
            sum(o.bytes_out) AS bytes_out, sum(o.prompt_tokens) AS prompt_tokens,
            sum(o.completion_tokens) AS completion_tokens, sum(o.cost) AS cost,
            min(o.timestamp) FILTER (WHERE o.is_call AND o.status = 'success') AS first_success_at,
            max(o.timestamp) FILTER (WHERE o.is_call AND o.status = 'success') AS last_success_at
        FROM own AS o GROUP BY o.session_id
    ), updated AS (
        UPDATE archon_mcp_sessions AS s
        SET total_requests = coalesce(n.requests, 0), failed_requests = coalesce(n.failed, 0),
            bytes_in = coalesce(n.bytes_in, 0), bytes_out = coalesce(n.bytes_out, 0),
            total_prompt_tokens = coalesce(n.prompt_tokens, 0),
            total_completion_tokens = coalesce(n.completion_tokens, 0), total_cost = coalesce(n.cost, 0),
            first_success_at = n.first_success_at, last_success_at = n.last_success_at, counted = true
        FROM unnest(ids) AS i (id) LEFT JOIN sums AS n ON n.session_id = i.id
        WHERE s.session_id = i.id
    )
    INSERT INTO archon_usage_pending
    SELECT date_trunc('hour', o.timestamp, 'UTC'), coalesce(o.user_id, '00000000-0000-0000-0000-000000000000'),
        s.client_type, coalesce(left(s.server, 100), ''), left(o.method, 100), coalesce(left(o.tool_name, 100), ''),
        o.status, count(*), count(o.duration_ms), coalesce(sum(o.duration_ms), 0), min(o.duration_ms),
        max(o.duration_ms), coalesce(sum(o.prompt_tokens), 0), coalesce(sum(o.completion_tokens), 0),
        coalesce(sum(o.cost), 0), coalesce(sum(o.bytes_in), 0), coalesce(sum(o.bytes_out), 0)
    FROM own AS o JOIN archon_mcp_sessions AS s ON s.session_id = o.session_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7;
    PERFORM archon_merge_usage();
    PERFORM archon_merge_totals();
    PERFORM set_config('archonctl.writer', coalesce(writer, ''), true);
    RETURN cardinality(ids);
END
$fn$;

-- Forgets all sums, so that everything is counted anew: call archon_count_sessions after it until it returns 0. For
-- databases into which rows came without triggers (a restore with --disable-triggers, logical replication).
CREATE OR REPLACE FUNCTION archon_recount() RETURNS void
LANGUAGE plpgsql
AS $fn$
BEGIN
    LOCK TABLE archon_mcp_requests, archon_mcp_sessions IN SHARE ROW EXCLUSIVE MODE;
    ALTER TABLE archon_mcp_sessions DISABLE TRIGGER archon_sessions_totalled_update;
    UPDATE archon_mcp_sessions SET counted = false WHERE counted;
    ALTER TABLE archon_mcp_sessions ENABLE TRIGGER archon_sessions_totalled_update;
    TRUNCATE archon_usage_hourly, archon_usage_hourly_all, archon_usage_daily, archon_usage_pending, archon_user_totals,
        archon_client_totals, archon_totals_pending;
END
$fn$;

-- Functions look only into the schema they are in, and are for triggers and owners. Joins of a few rows with large tables go
-- by the index, also when the first statement of a connection had many.
DO $do$
DECLARE
    fn regprocedure;
    role_name text;
    reader record;
BEGIN
    FOR fn IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
            AND p.proname IN ('archon_lock_usage', 'archon_merge_usage', 'archon_widen_usage', 'archon_settle_usage',
                'update_session_status', 'archon_requests_updated', 'archon_requests_deleted', 'archon_requests_truncated',
                'archon_sessions_rekeyed', 'archon_sessions_leaving', 'archon_count_sessions', 'archon_recount',
                'archon_merge_totals', 'archon_settle_totals', 'archon_sessions_totalled', 'archon_sessions_truncated',
                'archon_usage_carried')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', fn, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', fn);
        FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %I', fn, role_name);
        END LOOP;
    END LOOP;
    FOR fn IN
        SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
            AND p.proname IN ('archon_count_sessions', 'update_session_status', 'archon_requests_updated',
                'archon_requests_deleted', 'archon_usage_carried')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET enable_seqscan = off', fn);
        CONTINUE WHEN fn::text LIKE '%archon_count_sessions%';
        EXECUTE format('ALTER FUNCTION %s SET enable_hashjoin = off', fn);
        EXECUTE format('ALTER FUNCTION %s SET enable_mergejoin = off', fn);
    END LOOP;
    REVOKE ALL ON archon_usage_hourly, archon_usage_hourly_all, archon_usage_daily, archon_usage_pending, archon_usage_leaving,
        archon_user_totals, archon_client_totals, archon_totals_pending, archon_ended_sessions FROM PUBLIC;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON archon_usage_hourly, archon_usage_hourly_all, archon_usage_daily, '
            'archon_usage_pending, archon_usage_leaving, archon_user_totals, archon_client_totals, archon_totals_pending, '
            'archon_ended_sessions FROM %I', role_name);
    END LOOP;
    IF current_setting('server_version_num')::integer >= 150000 THEN
        EXECUTE 'ALTER VIEW archon_ended_sessions SET (security_invoker = true)';
    END IF;
    -- Whoever reads rows reads their sums.
    FOR reader IN
        SELECT x.grantee, c.relname FROM pg_class AS c, aclexplode(c.relacl) AS x
        WHERE c.oid IN ('archon_mcp_requests'::regclass, 'archon_mcp_sessions'::regclass)
            AND x.privilege_type = 'SELECT' AND x.grantee <> c.relowner
            AND x.grantee NOT IN (SELECT oid FROM pg_roles WHERE rolname IN ('anon', 'authenticated'))
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO %s', CASE reader.relname
                WHEN 'archon_mcp_requests' THEN 'archon_usage_hourly, archon_usage_hourly_all, archon_usage_daily, archon_usage_pending'
                ELSE 'archon_user_totals, archon_client_totals, archon_totals_pending' END,
            CASE WHEN reader.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(reader.grantee)) END);
    END LOOP;
END
$do$;

DROP TRIGGER IF EXISTS trigger_update_session_status ON archon_mcp_requests;
CREATE TRIGGER trigger_update_session_status AFTER INSERT ON archon_mcp_requests
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT
    WHEN (current_setting('archonctl.writer', true) IS DISTINCT FROM 'fold')
    EXECUTE FUNCTION update_session_status();
DROP TRIGGER IF EXISTS archon_requests_updated ON archon_mcp_requests;
CREATE TRIGGER archon_requests_updated AFTER UPDATE ON archon_mcp_requests
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT
    WHEN (current_setting('archonctl.writer', true) IS DISTINCT FROM 'fold')
    EXECUTE FUNCTION archon_requests_updated();
DROP TRIGGER IF EXISTS archon_requests_deleted ON archon_mcp_requests;
CREATE TRIGGER archon_requests_deleted AFTER DELETE ON archon_mcp_requests
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT
    EXECUTE FUNCTION archon_requests_deleted();
DROP TRIGGER IF EXISTS archon_requests_truncated ON archon_mcp_requests;
CREATE TRIGGER archon_requests_truncated AFTER TRUNCATE ON archon_mcp_requests FOR EACH STATEMENT
    EXECUTE FUNCTION archon_requests_truncated();
DROP TRIGGER IF EXISTS archon_sessions_rekeyed ON archon_mcp_sessions;
CREATE TRIGGER archon_sessions_rekeyed AFTER UPDATE ON archon_mcp_sessions
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION archon_sessions_rekeyed();
DROP TRIGGER IF EXISTS archon_sessions_leaving ON archon_mcp_sessions;
CREATE TRIGGER archon_sessions_leaving AFTER DELETE ON archon_mcp_sessions
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION archon_sessions_leaving();
DROP TRIGGER IF EXISTS archon_sessions_totalled_insert ON archon_mcp_sessions;
CREATE TRIGGER archon_sessions_totalled_insert AFTER INSERT ON archon_mcp_sessions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION archon_sessions_totalled();
DROP TRIGGER IF EXISTS archon_sessions_totalled_update ON archon_mcp_sessions;
CREATE TRIGGER archon_sessions_totalled_update AFTER UPDATE ON archon_mcp_sessions
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION archon_sessions_totalled();
DROP TRIGGER IF EXISTS archon_sessions_totalled_delete ON archon_mcp_sessions;
CREATE TRIGGER archon_sessions_totalled_delete AFTER DELETE ON archon_mcp_sessions
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION archon_sessions_totalled();

DROP TRIGGER IF EXISTS archon_usage_hourly_inserted ON archon_usage_hourly;
CREATE TRIGGER archon_usage_hourly_inserted AFTER INSERT ON archon_usage_hourly
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION archon_usage_carried();
DROP TRIGGER IF EXISTS archon_usage_hourly_updated ON archon_usage_hourly;
CREATE TRIGGER archon_usage_hourly_updated AFTER UPDATE ON archon_usage_hourly
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION archon_usage_carried();
DROP TRIGGER IF EXISTS archon_usage_hourly_deleted ON archon_usage_hourly;
CREATE TRIGGER archon_usage_hourly_deleted AFTER DELETE ON archon_usage_hourly
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION archon_usage_carried();
DROP TRIGGER IF EXISTS archon_sessions_truncated ON archon_mcp_sessions;
CREATE TRIGGER archon_sessions_truncated AFTER TRUNCATE ON archon_mcp_sessions FOR EACH STATEMENT
    EXECUTE FUNCTION archon_sessions_truncated();

-- Sessions that the older trigger opened again after their end.
UPDATE archon_mcp_sessions
SET status = 'disconnected',
    total_duration = coalesce(total_duration, CASE WHEN isfinite(disconnected_at) AND isfinite(connected_at)
        THEN least(greatest(floor(extract(epoch FROM disconnected_at - connected_at)), 0), 2147483647)::integer END)
WHERE status <> 'disconnected' AND disconnected_at IS NOT NULL;

-- From here on the triggers count.
ALTER TABLE archon_mcp_sessions ALTER COLUMN counted SET DEFAULT true;

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '101_usage_rollups')
ON CONFLICT DO NOTHING;

-- archonctl: batched
-- archonctl: total SELECT count(*) FROM archon_mcp_sessions WHERE NOT counted
SELECT archon_count_sessions(1000);
