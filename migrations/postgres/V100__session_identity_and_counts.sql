-- What tells sessions apart, what each one did in sum, how far each journal has been taken in, and room in columns that
-- were too narrow.
--
-- May run again at any time. The sums start at 0 here; the next file counts what is there.

-- derivation is NULL on sessions that no journal of ours opened: rows of other writers, and rows that stand in for a
-- session whose opening record was lost.
ALTER TABLE archon_mcp_sessions
    ADD COLUMN IF NOT EXISTS instance_id uuid,
    ADD COLUMN IF NOT EXISTS client_name text,
    ADD COLUMN IF NOT EXISTS era text,
    ADD COLUMN IF NOT EXISTS derivation text,
    ADD COLUMN IF NOT EXISTS server text,
    ADD COLUMN IF NOT EXISTS session_key text,
    ADD COLUMN IF NOT EXISTS principal text,
    ADD COLUMN IF NOT EXISTS protocol_version text,
    ADD COLUMN IF NOT EXISTS user_agent text,
    ADD COLUMN IF NOT EXISTS detected_at timestamptz,
    ADD COLUMN IF NOT EXISTS resumed_from uuid,
    ADD COLUMN IF NOT EXISTS survives_instance boolean NOT NULL DEFAULT false;

-- Sums over the session's operations, kept in the transaction that stores them: no list counts rows. The requests of the
-- handshake are left out of the counts.
ALTER TABLE archon_mcp_sessions
    ADD COLUMN IF NOT EXISTS total_requests bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS failed_requests bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS notifications bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS bytes_in bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS bytes_out bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS total_prompt_tokens bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS total_completion_tokens bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS total_cost numeric(20,6) NOT NULL DEFAULT 0;

-- When its first and its last successful request started, the handshake left out: which sessions were used in a period is
-- told by these alone for all but the few that reach over both its ends.
ALTER TABLE archon_mcp_sessions
    ADD COLUMN IF NOT EXISTS first_success_at timestamptz,
    ADD COLUMN IF NOT EXISTS last_success_at timestamptz;

-- Whether the sums are those of all the session's operations. Sessions that are there before the sums are kept are not
-- counted yet; the next file counts them, and makes true the default.
ALTER TABLE archon_mcp_sessions ADD COLUMN IF NOT EXISTS counted boolean NOT NULL DEFAULT false;

ALTER TABLE archon_mcp_requests
    ADD COLUMN IF NOT EXISTS prompt_name text,
    ADD COLUMN IF NOT EXISTS resource_uri text,
    ADD COLUMN IF NOT EXISTS sent_by text NOT NULL DEFAULT 'client',
    ADD COLUMN IF NOT EXISTS bytes_in bigint,
    ADD COLUMN IF NOT EXISTS bytes_out bigint,
    ADD COLUMN IF NOT EXISTS protocol_version text,
    ADD COLUMN IF NOT EXISTS trace_id text,
    ADD COLUMN IF NOT EXISTS user_id uuid;

CREATE TABLE IF NOT EXISTS archon_journal_positions (
    instance_id uuid NOT NULL PRIMARY KEY,
    segment bigint NOT NULL,
    byte_offset bigint NOT NULL
);

-- Names that did not fit, and costs of 10,000 dollars and more. The types stay, their limits go, so nothing is rewritten.
-- Views in the way (ours or somebody's) are made again as they were. Where that is not possible (a materialized view reads
-- the column), the column stays narrow and a warning says so; running this file again tries again.
DO $do$
DECLARE
    narrow record;
    saved record;
    grantee record;
    changes text[] := '{}';
    columns text[] := '{}';
BEGIN
    FOR narrow IN
        SELECT w.tab, w.col, w.typ
        FROM (VALUES ('archon_mcp_sessions', 'client_version', 'character varying'),
            ('archon_mcp_sessions', 'user_name', 'character varying'),
            ('archon_mcp_requests', 'method', 'character varying'),
            ('archon_mcp_requests', 'tool_name', 'character varying'),
            ('archon_mcp_requests', 'estimated_cost', 'numeric(20,6)')) AS w (tab, col, typ)
        JOIN pg_attribute AS a ON a.attrelid = w.tab::regclass AND a.attname = w.col AND NOT a.attisdropped
        -- Only what has a limit, and a lower one than ours.
        WHERE a.atttypmod >= 0 AND (a.atttypid = 'varchar'::regtype
            OR a.atttypid = 'numeric'::regtype AND (a.atttypmod - 4) >> 16 < 20 AND (a.atttypmod - 4) & 2047 = 6)
    LOOP
        changes := changes || format('ALTER TABLE %I ALTER COLUMN %I TYPE %s', narrow.tab, narrow.col, narrow.typ);
        columns := columns || format('%s.%s', narrow.tab, narrow.col);
    END LOOP;
    IF changes = '{}' THEN
        RETURN;
    END IF;

    CREATE TEMPORARY TABLE archonctl_saved_views ON COMMIT DROP AS
    WITH RECURSIVE readers (view, depth) AS (
        SELECT DISTINCT w.ev_class, 1
        FROM pg_depend AS d
        JOIN pg_rewrite AS w ON w.oid = d.objid
        JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
            AND format('%s.%s', d.refobjid::regclass, a.attname) = ANY (columns)
        UNION
        SELECT w.ev_class, r.depth + 1
        FROM readers AS r
        JOIN pg_depend AS d ON d.refobjid = r.view AND d.refclassid = 'pg_class'::regclass
            AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_rewrite AS w ON w.oid = d.objid AND w.ev_class <> r.view
    )
    SELECT r.depth, format('%I.%I', n.nspname, c.relname) AS name, c.relkind AS kind,
        pg_get_viewdef(c.oid) AS definition, array_to_string(c.reloptions, ', ') AS options,
        pg_get_userbyid(c.relowner) AS owner, c.relacl AS acl, obj_description(c.oid, 'pg_class') AS comment,
        EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid) AS has_trigger
    FROM (SELECT view, max(depth) AS depth FROM readers GROUP BY view) AS r
    JOIN pg_class AS c ON c.oid = r.view JOIN pg_namespace AS n ON n.oid = c.relnamespace;

    -- What fails in here is undone as a whole.
    BEGIN
        FOR saved IN SELECT * FROM pg_temp.archonctl_saved_views ORDER BY depth DESC LOOP
            IF saved.kind <> 'v' OR saved.has_trigger THEN
                RAISE feature_not_supported USING MESSAGE = format('%s reads it', saved.name);
            END IF;
            EXECUTE format('DROP VIEW %s', saved.name);
        END LOOP;
        FOR narrow IN SELECT unnest(changes) AS change LOOP
            EXECUTE narrow.change;
        END LOOP;
        FOR saved IN SELECT * FROM pg_temp.archonctl_saved_views ORDER BY depth LOOP
            EXECUTE format('CREATE VIEW %s %s AS %s', saved.name, 'WITH (' || saved.options || ')', saved.definition);
            EXECUTE format('ALTER VIEW %s OWNER TO %I', saved.name, saved.owner);
            IF saved.comment IS NOT NULL THEN
                EXECUTE format('COMMENT ON VIEW %s IS %L', saved.name, saved.comment);
            END IF;
            -- Default privileges may have granted more than there was.
            FOR grantee IN
                SELECT DISTINCT x.grantee AS id FROM pg_class AS c, aclexplode(c.relacl) AS x
                WHERE c.oid = saved.name::regclass AND x.grantee <> c.relowner
            LOOP
                EXECUTE format('REVOKE ALL ON %s FROM %s', saved.name,
                    CASE WHEN grantee.id = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee.id)) END);
            END LOOP;
            FOR grantee IN
                SELECT x.grantee AS id, x.privilege_type AS privilege, x.is_grantable
                FROM aclexplode(saved.acl) AS x
                WHERE x.grantee IS DISTINCT FROM (SELECT relowner FROM pg_class WHERE oid = saved.name::regclass)
            LOOP
                EXECUTE format('GRANT %s ON %s TO %s %s', grantee.privilege, saved.name,
                    CASE WHEN grantee.id = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee.id)) END,
                    CASE WHEN grantee.is_grantable THEN 'WITH GRANT OPTION' END);
            END LOOP;
        END LOOP;
    EXCEPTION WHEN feature_not_supported OR dependent_objects_still_exist OR insufficient_privilege THEN
        RAISE WARNING 'columns keep their limits, since something depends on them: %', SQLERRM
            USING DETAIL = array_to_string(columns, ', '), HINT = 'Drop it, run this migration again, and make it again.';
    END;
    DROP TABLE pg_temp.archonctl_saved_views;
END
$do$;

-- Nobody but the owner and trusted roles has business there.
DO $do$
DECLARE
    role_name text;
BEGIN
    REVOKE ALL ON archon_journal_positions FROM PUBLIC;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON archon_journal_positions FROM %I', role_name);
    END LOOP;
END
$do$;

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '100_session_identity_and_counts')
ON CONFLICT DO NOTHING;
