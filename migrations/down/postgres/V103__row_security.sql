-- Everybody who is signed in reads everything again. The policy for the service role stays as it is: the older one trusted a
-- claim that the client can set. Grants that were revoked are not given back.

DO $do$
BEGIN
    IF to_regprocedure(format('%I.archon_disable_row_isolation()', current_schema())) IS NOT NULL
        AND EXISTS (SELECT FROM pg_policy WHERE polrelid = 'archon_mcp_requests'::regclass
                    AND polname = 'Users can read their own requests') THEN
        PERFORM archon_disable_row_isolation();
    END IF;
END
$do$;
DROP FUNCTION IF EXISTS archon_enable_row_isolation();
DROP FUNCTION IF EXISTS archon_disable_row_isolation();

DO $do$
DECLARE
    tab text;
BEGIN
    FOREACH tab IN ARRAY ARRAY['archon_usage_hourly', 'archon_usage_hourly_all', 'archon_usage_daily', 'archon_usage_pending',
        'archon_user_totals', 'archon_client_totals', 'archon_totals_pending', 'archon_journal_positions'] LOOP
        EXECUTE format('DROP POLICY IF EXISTS %I ON %I', 'Allow users to read ' || tab, tab);
        EXECUTE format('DROP POLICY IF EXISTS %I ON %I', 'Allow service role full access to ' || tab, tab);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', tab);
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
            EXECUTE format('REVOKE ALL ON %I FROM authenticated', tab);
        END IF;
    END LOOP;
END
$do$;
