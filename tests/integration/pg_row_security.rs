//! Who sees which rows on PostgreSQL: signing in as one user and another, and trying every way in.

use crate::support::postgres::{self, Database, Rows, VERSIONS, Version, schema};

const A: &str = "aaaaaaaa-0000-0000-0000-000000000000";
const B: &str = "bbbbbbbb-0000-0000-0000-000000000000";

/// Tables and views whose rows belong to users, or sum up what does.
const READABLE: [&str; 11] = [
    "archon_mcp_sessions",
    "archon_mcp_requests",
    "archon_mcp_session_stats",
    "archon_mcp_user_stats",
    "archon_usage_hourly",
    "archon_usage_hourly_all",
    "archon_usage_daily",
    "archon_usage_pending",
    "archon_user_totals",
    "archon_client_totals",
    "archon_totals_pending",
];

/// Two sessions of each user and of nobody, one ended and one open, with a request for each; half of it merged.
fn fill(database: &Database) {
    for (user, client) in [(Some(A), "Claude"), (Some(B), "Cursor"), (None, "Cline")] {
        let user = user.map_or_else(|| "NULL".to_owned(), |id| format!("'{id}'"));
        for status in ["active", "disconnected"] {
            database.run(&format!(
                "WITH s AS (INSERT INTO archon_mcp_sessions (client_type, status, user_id, user_email, disconnected_at, \
                 disconnect_reason, total_duration) VALUES ('{client}', '{status}', {user}, '{client}@example.org', \
                 CASE '{status}' WHEN 'disconnected' THEN now() END, 'timeout', 7) RETURNING session_id) \
                 INSERT INTO archon_mcp_requests (session_id, method, tool_name, prompt_tokens) \
                 SELECT session_id, 'tools/call', '{client}', 5 FROM s"
            ));
        }
        if client == "Cursor" {
            database.run("SELECT archon_merge_usage(), archon_merge_totals()");
        }
    }
}

fn database(version: Version) -> Database {
    let database = schema::migrated(postgres::supabase(version));
    fill(&database);
    database
}

fn isolated(version: Version) -> Database {
    let database = database(version);
    database.run("SELECT archon_enable_row_isolation()");
    database
}

/// How many rows the user sees, `None` where reading is refused.
fn seen(database: &Database, role: &str, sub: Option<&str>, from: &str) -> Option<i64> {
    let rows = match database.signed_in(role, sub, &format!("SELECT count(*) FROM {from}")) {
        Ok(rows) => rows,
        Err(error) => {
            assert_eq!(code(&error), "42501", "{from}: {error}");
            return None;
        }
    };
    let value = rows.first().and_then(|row| row.first()?.clone());
    Some(value.expect("a count").parse().expect("a number"))
}

fn code(error: &sqlx::Error) -> String {
    let code = error
        .as_database_error()
        .and_then(|error| error.code().map(String::from));
    code.unwrap_or_default()
}

/// What a signed-in user gets for one query, which must be allowed.
fn rows(database: &Database, sub: &str, sql: &str) -> Rows {
    database
        .signed_in("authenticated", Some(sub), sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

#[expect(clippy::unnecessary_wraps, reason = "a value as rows have it")]
fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn by_default_everybody_who_is_signed_in_reads_everything_and_nobody_else_anything() {
    for version in VERSIONS {
        let database = database(version);
        for from in READABLE {
            let all = database.value(&format!("SELECT count(*) FROM {from}"));
            let as_user = seen(&database, "authenticated", Some(B), from);
            assert_eq!(as_user.map(|n| n.to_string()), all, "{from} on {version:?}");
            let stranger = seen(&database, "anon", None, from).unwrap_or(0);
            assert_eq!(stranger, 0, "{from} on {version:?}");
        }
        for (call, count) in [
            ("get_active_mcp_clients()", 3),
            ("get_disconnected_sessions()", 3),
            (&format!("get_user_sessions('{A}')"), 2),
            (&format!("get_user_activity_summary('{A}')"), 1),
            ("get_mcp_usage_by_tool()", 3),
            ("archon_mcp_user_stats", 2),
        ] {
            assert_eq!(
                seen(&database, "authenticated", Some(B), call),
                Some(count),
                "{call} on {version:?}"
            );
            assert_eq!(
                seen(&database, "anon", None, call).unwrap_or(0),
                0,
                "{call} on {version:?}"
            );
        }
        let cost = rows(
            &database,
            A,
            "SELECT calculate_request_cost('gpt-4o', 'OpenAI', 1000, 1000) > 0",
        );
        assert_eq!(cost, vec![vec![text("t")]]);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one way in after the other")]
fn isolated_users_see_their_own_rows_by_every_way_in() {
    for version in VERSIONS {
        let database = isolated(version);
        for (own, other, client) in [(A, B, "Claude"), (B, A, "Cursor")] {
            let count = |from: &str| seen(&database, "authenticated", Some(own), from);
            assert_eq!(count("archon_mcp_sessions"), Some(2), "{version:?}");
            assert_eq!(count("archon_mcp_requests"), Some(2));
            for table in ["archon_mcp_sessions", "archon_mcp_requests"] {
                assert_eq!(
                    count(&format!("{table} WHERE user_id IS DISTINCT FROM '{own}'")),
                    Some(0),
                    "{table}"
                );
            }
            for table in &READABLE[4..] {
                assert_eq!(
                    count(table),
                    Some(0),
                    "{table} sums up everybody on {version:?}"
                );
            }
            assert_eq!(count("archon_journal_positions"), None);
            for (view, rows) in [
                ("archon_mcp_session_stats", 1),
                ("archon_mcp_user_stats", 1),
            ] {
                // Before 15 a view has the rights of its owner and is closed.
                let expected = (version.major() >= 15).then_some(rows);
                assert_eq!(count(view), expected, "{view} on {version:?}");
            }
            assert_eq!(count("get_active_mcp_clients()"), Some(1));
            assert_eq!(count("get_disconnected_sessions()"), Some(1));
            assert_eq!(count(&format!("get_user_sessions('{own}')")), Some(2));
            assert_eq!(count(&format!("get_user_sessions('{other}')")), Some(0));
            assert_eq!(
                count(&format!("get_user_activity_summary('{other}')")),
                Some(0)
            );
            assert_eq!(
                rows(
                    &database,
                    own,
                    "SELECT total_requests, total_prompt_tokens, unique_sessions FROM get_mcp_usage_summary()"
                ),
                vec![vec![text("2"), text("10"), text("2")]],
            );
            assert_eq!(
                rows(
                    &database,
                    own,
                    "SELECT tool_name, request_count FROM get_mcp_usage_by_tool('-infinity', 'infinity')"
                ),
                vec![vec![text(client), text("2")]],
            );
            if version.major() >= 15 {
                assert_eq!(
                    rows(
                        &database,
                        own,
                        "SELECT client_type, total_sessions, active_sessions, timeout_disconnects, \
                         max_duration_seconds FROM archon_mcp_session_stats"
                    ),
                    vec![vec![
                        text(client),
                        text("2"),
                        text("1"),
                        text("1"),
                        text("7")
                    ]],
                );
                assert_eq!(
                    rows(
                        &database,
                        own,
                        "SELECT user_id, user_email, total_sessions, total_requests, total_tokens \
                         FROM archon_mcp_user_stats"
                    ),
                    vec![vec![
                        text(own),
                        Some(format!("{client}@example.org")),
                        text("2"),
                        text("2"),
                        text("10")
                    ]],
                );
            }
        }
        for from in READABLE {
            assert_eq!(
                seen(&database, "anon", None, from).unwrap_or(0),
                0,
                "{from}"
            );
            assert_eq!(
                seen(&database, "authenticated", None, from).unwrap_or(0),
                0,
                "{from} without a user"
            );
            assert_eq!(
                seen(
                    &database,
                    "authenticated",
                    Some("cccccccc-0000-0000-0000-000000000000"),
                    from
                )
                .unwrap_or(0),
                0
            );
        }
        let service = database
            .signed_in(
                "service_role",
                None,
                "SELECT count(*) FROM archon_mcp_user_stats",
            )
            .expect("allowed");
        assert_eq!(service, vec![vec![text("2")]], "the service sees everybody");
    }
}

#[test]
fn users_write_nothing_isolated_or_not() {
    for version in [Version::V13, Version::V15, Version::V18] {
        for isolation in [false, true] {
            let database = if isolation {
                isolated(version)
            } else {
                database(version)
            };
            let own = database
                .value(&format!(
                    "SELECT session_id FROM archon_mcp_sessions WHERE user_id = '{A}' LIMIT 1"
                ))
                .expect("one");
            for role in ["authenticated", "anon"] {
                let sub = (role == "authenticated").then_some(A);
                for sql in [
                    format!("INSERT INTO archon_mcp_sessions (user_id) VALUES ('{A}')"),
                    format!("INSERT INTO archon_mcp_sessions (user_id) VALUES ('{B}')"),
                    format!("INSERT INTO archon_mcp_requests (session_id, method, user_id) VALUES ('{own}', 'tools/call', '{B}')"),
                    format!("UPDATE archon_mcp_sessions SET user_id = '{B}' WHERE session_id = '{own}'"),
                    format!("UPDATE archon_mcp_requests SET user_id = '{A}'"),
                    format!("SELECT * FROM archon_mcp_sessions WHERE session_id = '{own}' FOR UPDATE"),
                    "DELETE FROM archon_mcp_requests".into(),
                    "DELETE FROM archon_usage_hourly".into(),
                    "TRUNCATE archon_mcp_requests".into(),
                    "TRUNCATE archon_mcp_sessions CASCADE".into(),
                    "TRUNCATE archon_llm_pricing".into(),
                    "TRUNCATE archon_usage_daily, archon_user_totals, archon_totals_pending".into(),
                    "INSERT INTO archon_migrations (version, migration_name) VALUES ('0', 'x')".into(),
                    "CREATE TEMPORARY TABLE probe (id uuid REFERENCES archon_mcp_sessions)".into(),
                    "CREATE TABLE probe (id uuid REFERENCES archon_mcp_sessions)".into(),
                    "CREATE TRIGGER t AFTER INSERT ON archon_mcp_sessions EXECUTE FUNCTION update_session_status()".into(),
                    "ALTER TABLE archon_mcp_sessions DISABLE ROW LEVEL SECURITY".into(),
                    "DROP POLICY \"Users can read their own sessions\" ON archon_mcp_sessions".into(),
                    "SELECT archon_disable_row_isolation()".into(),
                    "SELECT archon_enable_row_isolation()".into(),
                    "SELECT archon_recount()".into(),
                    "SELECT archon_count_sessions(1)".into(),
                    "SELECT archon_merge_usage()".into(),
                ] {
                    let done = database.signed_in(role, sub, &sql);
                    let error = done.err().unwrap_or_else(|| panic!("{role} may: {sql} on {version:?}"));
                    // Refused, or a temporary table that may not refer to a permanent one.
                    assert!(["42501", "42P16"].contains(&&*code(&error)), "{sql}: {error}");
                }
            }
            assert_eq!(
                database.value("SELECT count(*) FROM archon_mcp_requests"),
                text("6"),
                "nothing happened"
            );
        }
    }
}

#[test]
fn functions_that_run_as_their_owner_are_for_triggers_only() {
    for version in VERSIONS {
        let database = isolated(version);
        let open = database.run(
            "SELECT p.oid::regprocedure, r.rolname FROM pg_proc p, pg_roles r \
             WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND r.rolname IN ('anon', 'authenticated') \
                AND has_function_privilege(r.oid, p.oid, 'EXECUTE')",
        );
        assert_eq!(open, Rows::new(), "{version:?}");
        let loose = database.run(
            "SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace \
                AND (p.proname LIKE 'archon%' OR p.proname LIKE 'get_%' OR p.proname = 'update_session_status') \
                AND p.proname <> 'archon_reason_kind' AND NOT coalesce(p.proconfig::text, '') LIKE '%search_path%'",
        );
        assert_eq!(loose, Rows::new(), "search path not pinned");
        if version.major() >= 15 {
            let views = database.run(
                "SELECT relname FROM pg_class WHERE relkind = 'v' AND relname LIKE 'archon%' \
                    AND NOT coalesce(reloptions::text, '') LIKE '%security_invoker=true%'",
            );
            assert_eq!(views, Rows::new(), "views with the rights of their owner");
        }
    }
}

#[test]
fn a_claim_does_not_make_a_service_and_a_condition_does_not_look_at_hidden_rows() {
    for version in [Version::V13, Version::V15, Version::V18] {
        let database = isolated(version);
        for claims in [
            r#"{"role":"service_role"}"#,
            r#"{"role":"service_role","sub":null}"#,
        ] {
            let sql = format!(
                "SET LOCAL request.jwt.claims = '{claims}'; SET LOCAL request.jwt.claim.role = 'service_role'; \
                 SELECT count(*) FROM archon_mcp_sessions"
            );
            assert_eq!(rows(&database, A, &sql), vec![vec![text("0")]], "{claims}");
        }
        // A cheap function of the user's own runs early, but not on rows that the policy hides.
        let sql = "CREATE TEMPORARY TABLE leaked (email text); \
            CREATE FUNCTION pg_temp.leak(email text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS \
                $$ BEGIN INSERT INTO leaked VALUES (email); RETURN true; END $$; \
            SELECT count(*) FROM archon_mcp_sessions WHERE pg_temp.leak(user_email); \
            SELECT count(*) FROM leaked WHERE email <> 'Claude@example.org'; \
            SELECT count(*) FROM leaked";
        let counts = rows(&database, A, sql);
        assert_eq!(
            counts,
            vec![vec![text("2")], vec![text("0")], vec![text("2")]],
            "{version:?}"
        );
    }
}

#[test]
fn isolation_survives_running_the_migrations_again_and_can_be_taken_back() {
    for version in [Version::V13, Version::V15, Version::V18] {
        let database = isolated(version);
        schema::run_all(&database, "public", 0);
        assert_eq!(
            seen(&database, "authenticated", Some(A), "archon_mcp_sessions"),
            Some(2),
            "{version:?}"
        );
        assert_eq!(
            seen(&database, "authenticated", Some(A), "archon_mcp_requests"),
            Some(2)
        );
        database.run("SELECT archon_disable_row_isolation()");
        for from in ["archon_mcp_sessions", "archon_mcp_requests"] {
            assert_eq!(seen(&database, "authenticated", Some(A), from), Some(6));
        }
        assert_eq!(
            seen(&database, "authenticated", Some(A), "archon_mcp_user_stats"),
            Some(2)
        );
        assert_eq!(seen(&database, "anon", None, "archon_mcp_user_stats"), None);
    }
}

/// The older policies: for everybody who claims to be the service, and sessions of nobody for everybody.
#[test]
fn older_policies_that_decide_wrongly_are_replaced_and_closed_tables_stay_closed() {
    let database = postgres::supabase(Version::V15).fresh_database();
    for number in [1, 13, 14] {
        schema::run_one(&database, "public", number);
    }
    for table in ["archon_mcp_sessions", "archon_mcp_requests"] {
        database.run(&format!(
            "DROP POLICY \"Allow service role full access to {table}\" ON {table}; \
             CREATE POLICY \"Allow service role full access to {table}\" ON {table} USING (auth.role() = 'service_role')"
        ));
    }
    database.run(
        "DROP POLICY \"Users can read their own sessions\" ON archon_mcp_sessions; \
         CREATE POLICY \"Users can read their own sessions\" ON archon_mcp_sessions FOR SELECT TO authenticated \
         USING (user_id = auth.uid() OR user_id IS NULL); \
         DROP POLICY \"Allow authenticated users to read archon_llm_pricing\" ON archon_llm_pricing",
    );
    let claim = "SET LOCAL request.jwt.claims = '{\"role\":\"service_role\"}'; DELETE FROM archon_mcp_sessions";
    assert!(
        database.signed_in("anon", None, claim).is_ok(),
        "the hole is there"
    );
    schema::run_all(&database, "public", 0);
    fill(&database);
    let error = database
        .signed_in("anon", None, claim)
        .expect_err("the hole is closed");
    assert_eq!(code(&error), "42501");
    database.run("SELECT archon_enable_row_isolation()");
    assert_eq!(
        seen(&database, "authenticated", Some(A), "archon_mcp_sessions"),
        Some(2),
        "not those of nobody"
    );
    // Somebody closed the prices; running everything again did not open them.
    assert_eq!(
        seen(&database, "authenticated", Some(A), "archon_llm_pricing"),
        Some(0)
    );
}

#[test]
fn a_plain_server_hides_nothing_from_a_reader_and_isolation_says_what_it_lacks() {
    for version in [Version::V13, Version::V15, Version::V18] {
        let server = postgres::plain(version);
        let database = server.fresh_database();
        schema::run_one(&database, "public", 1);
        // What the older files leave behind on a server without the roles they name.
        database.run("ALTER TABLE archon_mcp_sessions ENABLE ROW LEVEL SECURITY; ALTER TABLE archon_mcp_requests ENABLE ROW LEVEL SECURITY");
        let reader = format!("reader_{}", database.name);
        database.admin(&format!(
            "CREATE ROLE {reader} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}; \
             GRANT INSERT ON archon_mcp_requests TO {reader}"
        ));
        schema::run_all(&database, "public", 0);
        database.run(&format!(
            "GRANT SELECT ON archon_mcp_user_stats TO {reader}"
        ));
        fill(&database);
        let count = |from: &str| database.run_as(&reader, &format!("SELECT count(*) FROM {from}"));
        assert_eq!(
            count("archon_mcp_sessions"),
            vec![vec![text("6")]],
            "{version:?}"
        );
        assert_eq!(count("archon_mcp_user_stats"), vec![vec![text("2")]]);
        assert_eq!(count("get_mcp_usage_by_tool()"), vec![vec![text("3")]]);
        assert_eq!(count("get_disconnected_sessions()"), vec![vec![text("3")]]);
        // Who may insert rows and nothing else, inserts rows: the sums are kept with the rights of their owner.
        database.run_as(&reader, "INSERT INTO archon_mcp_requests (session_id, method) SELECT session_id, 'ping' FROM archon_mcp_sessions");
        assert_eq!(
            database.value("SELECT sum(total_requests) FROM archon_mcp_sessions"),
            text("12")
        );
        let error = database
            .try_as("postgres", "SELECT archon_enable_row_isolation()")
            .expect_err("no roles");
        assert_eq!(code(&error), "55000", "{error}");
        drop(database);
        server.admin("postgres", &format!("DROP ROLE {reader}"));
    }
}

#[test]
fn tokens_of_the_api_are_read_and_written_by_their_owner_and_the_service_alone() {
    for version in VERSIONS {
        let database = database(version);
        database.run(
            "INSERT INTO archon_api_tokens (token_id, name, secret_sha256, scopes, created_at) \
             VALUES ('0123456789abcdef', 'reads', decode(repeat('00', 32), 'hex'), 'read', now())",
        );
        for role in ["anon", "authenticated"] {
            let sub = (role == "authenticated").then_some(A);
            for sql in [
                "SELECT token_id FROM archon_api_tokens",
                "UPDATE archon_api_tokens SET scopes = 'admin'",
                "DELETE FROM archon_api_tokens",
                "INSERT INTO archon_api_tokens (token_id, name, secret_sha256, scopes, created_at) \
                 VALUES ('x', 'x', decode(repeat('00', 32), 'hex'), 'admin', now())",
                "TRUNCATE archon_api_tokens",
            ] {
                let done = database.signed_in(role, sub, sql);
                let error = done
                    .err()
                    .unwrap_or_else(|| panic!("{role} may: {sql} on {version:?}"));
                assert_eq!(code(&error), "42501", "{sql}: {error}");
            }
        }
        // Nor does a view or a function lead there.
        let readers = database.run(
            "SELECT DISTINCT v.relname FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid \
             JOIN pg_class v ON v.oid = r.ev_class WHERE d.refobjid = 'archon_api_tokens'::regclass",
        );
        assert_eq!(readers, Rows::new(), "{version:?}");
        let service =
            database.signed_in("service_role", None, "SELECT name FROM archon_api_tokens");
        assert_eq!(service.expect("allowed"), vec![vec![text("reads")]]);
    }
}
