-- Who sees which rows.
--
-- May run again at any time, and should when the roles come later. Where neither role exists, row security stays off.
-- By default everybody who is signed in reads everything, as existing dashboards expect; nobody who is not signed in does.
-- `SELECT archon_enable_row_isolation()` lets users see their own sessions, requests and sums only, and
-- `SELECT archon_disable_row_isolation()` goes back. What stands before or beside our policies is left alone, except for two of
-- the older ones that decide wrongly: the one that trusts a claim which the client can set, and the one that shows the
-- sessions of nobody to everybody.

-- Lets users see their own rows only. It is the policies that decide: they hold for every way in.
CREATE OR REPLACE FUNCTION archon_enable_row_isolation() RETURNS void
LANGUAGE plpgsql
AS $fn$
DECLARE
    tab text;
    view_name text;
    role_name text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated')
        OR NOT EXISTS (SELECT FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
                       WHERE n.nspname = 'auth' AND p.proname = 'uid' AND p.pronargs = 0
                           AND p.prorettype = 'uuid'::regtype) THEN
        RAISE EXCEPTION 'users are told apart by the role authenticated and the function auth.uid(), which are not here'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Create them (Supabase has them), run migration 103 again, then call this function again.';
    END IF;
    FOREACH tab IN ARRAY ARRAY['archon_mcp_sessions', 'archon_mcp_requests'] LOOP
        EXECUTE format('DROP POLICY IF EXISTS %I ON %I', 'Allow authenticated users to read ' || tab, tab);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
    END LOOP;
    DROP POLICY IF EXISTS "Users can read their own sessions" ON archon_mcp_sessions;
    CREATE POLICY "Users can read their own sessions" ON archon_mcp_sessions
        FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
    DROP POLICY IF EXISTS "Users can read their own requests" ON archon_mcp_requests;
    CREATE POLICY "Users can read their own requests" ON archon_mcp_requests
        FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
    FOREACH view_name IN ARRAY ARRAY['archon_mcp_session_stats', 'archon_mcp_user_stats'] LOOP
        CONTINUE WHEN to_regclass(view_name) IS NULL;
        IF current_setting('server_version_num')::integer >= 150000 THEN
            EXECUTE format('ALTER VIEW %I SET (security_invoker = true)', view_name);
        ELSE
            -- Before 15 a view asks with the rights of its owner.
            FOR role_name IN SELECT 'PUBLIC' UNION ALL SELECT quote_ident(rolname) FROM pg_roles
                             WHERE rolname IN ('anon', 'authenticated') LOOP
                EXECUTE format('REVOKE ALL ON %I FROM %s', view_name, role_name);
            END LOOP;
        END IF;
    END LOOP;
END
$fn$;

-- Everybody who is signed in reads everything again.
CREATE OR REPLACE FUNCTION archon_disable_row_isolation() RETURNS void
LANGUAGE plpgsql
AS $fn$
DECLARE
    tab text;
    view_name text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        RETURN;
    END IF;
    FOREACH tab IN ARRAY ARRAY['archon_mcp_sessions', 'archon_mcp_requests'] LOOP
        EXECUTE format('DROP POLICY IF EXISTS %I ON %I', 'Allow authenticated users to read ' || tab, tab);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO authenticated USING (true)',
            'Allow authenticated users to read ' || tab, tab);
    END LOOP;
    DROP POLICY IF EXISTS "Users can read their own requests" ON archon_mcp_requests;
    FOREACH view_name IN ARRAY ARRAY['archon_mcp_session_stats', 'archon_mcp_user_stats'] LOOP
        EXECUTE format('GRANT SELECT ON %I TO authenticated', view_name);
    END LOOP;
END
$fn$;

DO $do$
DECLARE
    tab text;
    fn text;
    role_name text;
    signed_in CONSTANT boolean := EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated');
    service CONSTANT boolean := EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role');
    uid CONSTANT boolean := EXISTS (SELECT FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname = 'auth' AND p.proname = 'uid' AND p.pronargs = 0 AND p.prorettype = 'uuid'::regtype);
BEGIN
    FOR fn IN SELECT p.oid::regprocedure FROM pg_proc AS p
        WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
            AND p.proname IN ('archon_enable_row_isolation', 'archon_disable_row_isolation')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', fn, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', fn);
        FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %I', fn, role_name);
        END LOOP;
    END LOOP;

    FOREACH tab IN ARRAY ARRAY['archon_migrations', 'archon_mcp_sessions', 'archon_mcp_requests', 'archon_llm_pricing']
    LOOP
        CONTINUE WHEN NOT pg_has_role((SELECT c.relowner FROM pg_class AS c WHERE c.oid = tab::regclass), 'USAGE');
        -- The older policy is for everybody and believes a claim.
        IF service AND NOT EXISTS (
            SELECT FROM pg_policy WHERE polrelid = tab::regclass AND polname = 'Allow service role full access to ' || tab
                AND polroles = ARRAY[(SELECT oid FROM pg_roles WHERE rolname = 'service_role')]) THEN
            EXECUTE format('DROP POLICY IF EXISTS %I ON %I', 'Allow service role full access to ' || tab, tab);
            EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO service_role USING (true) WITH CHECK (true)',
                'Allow service role full access to ' || tab, tab);
        END IF;
        -- What row security does not cover, and what nobody but the service needs.
        FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
            EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON %I FROM %I', tab, role_name);
        END LOOP;
    END LOOP;

    IF signed_in AND uid AND (SELECT relrowsecurity FROM pg_class WHERE oid = 'archon_mcp_sessions'::regclass) THEN
        DROP POLICY IF EXISTS "Users can read their own sessions" ON archon_mcp_sessions;
        CREATE POLICY "Users can read their own sessions" ON archon_mcp_sessions
            FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
    END IF;

    -- Sums over everybody are for those who see everybody's rows.
    IF signed_in OR service THEN
        FOREACH tab IN ARRAY ARRAY['archon_usage_hourly', 'archon_usage_hourly_all', 'archon_usage_daily',
            'archon_usage_pending', 'archon_user_totals', 'archon_client_totals', 'archon_totals_pending',
            'archon_journal_positions'] LOOP
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
            IF signed_in AND tab <> 'archon_journal_positions' THEN
                EXECUTE format('DROP POLICY IF EXISTS %I ON %I', 'Allow users to read ' || tab, tab);
                EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO authenticated USING ((SELECT %I.archon_reads_all()))',
                    'Allow users to read ' || tab, tab, current_schema());
                EXECUTE format('GRANT SELECT ON %I TO authenticated', tab);
            END IF;
            IF service THEN
                EXECUTE format('DROP POLICY IF EXISTS %I ON %I', 'Allow service role full access to ' || tab, tab);
                EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO service_role USING (true) WITH CHECK (true)',
                    'Allow service role full access to ' || tab, tab);
                EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO service_role', tab);
            END IF;
        END LOOP;
    END IF;

    -- Views: with the rights of the reader where the server can do that, and closed to those who are not signed in.
    FOREACH tab IN ARRAY ARRAY['archon_mcp_session_stats', 'archon_mcp_user_stats'] LOOP
        FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
            EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON %I FROM %I', tab, role_name);
        END LOOP;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anon') THEN
            EXECUTE format('REVOKE ALL ON %I FROM anon', tab);
        END IF;
        IF current_setting('server_version_num')::integer >= 150000
            AND (SELECT relrowsecurity FROM pg_class WHERE oid = 'archon_mcp_sessions'::regclass) THEN
            EXECUTE format('ALTER VIEW %I SET (security_invoker = true)', tab);
        END IF;
    END LOOP;
END
$do$;

INSERT INTO archon_migrations (version, migration_name) VALUES ('0.1.0', '103_row_security')
ON CONFLICT DO NOTHING;
