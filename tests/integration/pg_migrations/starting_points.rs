//! From each state that databases are found in, `migrate up && migrate verify` comes to the same schema and keeps the rows.

use super::*;

#[test]
fn an_empty_database() {
    for kind in [plain as Kind, supabase] {
        everywhere(kind, |database| {
            let before = verdicts(database);
            assert!(before.starts_with("1 pending, 13 pending"), "{before}");
            let did = green(database);
            assert_eq!(
                numbers(&did["data"]["applied"]),
                [1, 13, 14, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109]
            );
            assert_eq!(did["data"]["adopted"], serde_json::json!([]));
            assert_eq!(verdicts(database), ALL_APPLIED);
            let own = database.value(
                "SELECT string_agg(version || ' ' || migration_name, ', ' ORDER BY migration_name) FROM archon_migrations",
            );
            assert_eq!(
                own.as_deref(),
                Some(
                    "0.3.0 001_add_mcp_client_tracking, 0.3.0 013_add_session_disconnect_fields, \
                     0.3.0 014_add_user_context_to_sessions, 0.1.0 100_session_identity_and_counts, 0.1.0 101_usage_rollups, \
                     0.1.0 102_functions_and_views, 0.1.0 103_row_security, 0.1.0 104_indexes, 0.1.0 105_instances, 0.1.0 106_failed_requests, 0.1.0 107_model_prices, 0.1.0 108_api_tokens, 0.1.0 109_live_events"
                )
            );
        });
    }
}

#[test]
fn older_tables_at_001_only() {
    everywhere(supabase, |database| {
        assert!(psql(database, BOOKKEEPING).is_empty() && psql(database, V001).is_empty());
        let before = states(database);
        assert!(
            matches!(before[&1].as_str(), "unrecorded" | "partial"),
            "{before:?}"
        );
        assert_eq!([&before[&13], &before[&14]], ["pending", "pending"]);
        let did = green(database);
        let applied = numbers(&did["data"]["applied"]);
        assert!(applied.starts_with(&[13, 14, 100]), "{applied:?}");
    });
}

#[test]
fn the_013_and_014_of_old_applied_by_hand() {
    everywhere(supabase, |database| {
        for script in [BOOKKEEPING, OTHERS, V001, V013, V014] {
            assert_eq!(psql(database, script), Vec::<String>::new());
        }
        let before = states(database);
        assert_eq!(before[&13], "unrecorded", "{before:?}");
        let did = green(database);
        let adopted = did["data"]["adopted"].as_array().expect("an array");
        assert!(
            adopted
                .iter()
                .any(|name| name == "V013__add_session_disconnect_fields"),
            "{adopted:?}"
        );
        // Rows of other products stand as they were, although two of them are numbered like ours.
        let others = database.value(
            "SELECT string_agg(migration_name, ',' ORDER BY migration_name) FROM archon_migrations WHERE checksum IS NOT NULL",
        );
        assert_eq!(
            others.as_deref(),
            Some(
                "002_add_hybrid_search_tsvector,012_api_key_sources,013_add_project_hierarchy,014_add_task_archiving,\
                 022_add_knowledge_links"
            )
        );
    });
}

#[test]
fn the_014_of_old_half_applied() {
    everywhere(supabase, |database| {
        for script in [BOOKKEEPING, V001, V013, V014] {
            assert_eq!(psql(database, script), Vec::<String>::new());
        }
        database.run(
            r#"DROP POLICY "Users can read their own sessions" ON archon_mcp_sessions;
               DROP INDEX idx_archon_mcp_sessions_user_email;
               DELETE FROM archon_migrations WHERE migration_name LIKE '014%'"#,
        );
        let status = json(&migrate(database, &["status", "-o", "json"]));
        let state = &status["data"][2];
        assert_eq!([&state["state"], &state["probed"]], ["partial", "partial"]);
        let found: Vec<_> = state["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .map(|f| &f["object"])
            .collect();
        assert_eq!(
            found,
            [
                "index idx_archon_mcp_sessions_user_email",
                r#"policy archon_mcp_sessions."Users can read their own sessions""#
            ]
        );
        let adopted = migrate(database, &["adopt", "-o", "json"]);
        assert_eq!(code(&adopted), 5, "what is there in part is not recorded");
        let adopted = document(&adopted);
        assert_eq!(
            adopted["data"]["left"][0]["migration"],
            "V014__add_user_context_to_sessions"
        );
        assert_eq!(states(database)[&14], "partial");
        let did = green(database);
        assert!(numbers(&did["data"]["repaired"]).contains(&14), "{did}");
    });
}

#[test]
fn recorded_but_the_columns_are_missing() {
    for kind in [plain as Kind, supabase] {
        everywhere(kind, |database| {
            psql(database, BOOKKEEPING);
            psql(database, OTHERS);
            psql(database, V001);
            database.run(
                "INSERT INTO archon_migrations (version, migration_name) VALUES
                     ('0.3.0', '013_add_session_disconnect_fields'), ('0.3.0', '014_add_user_context_to_sessions')",
            );
            let before = states(database);
            assert_eq!(
                [&before[&13], &before[&14]],
                ["pending", "pending"],
                "the record is not believed"
            );
            green(database);
        });
    }
}

#[test]
fn recorded_in_both_places_but_the_columns_are_missing() {
    everywhere(supabase, |database| {
        green(database);
        database.run("ALTER TABLE archon_mcp_sessions DROP COLUMN disconnect_reason CASCADE, DROP COLUMN user_email CASCADE");
        let verified = migrate(database, &["verify", "-o", "json"]);
        assert_eq!(code(&verified), 5);
        let drift = document(&verified);
        let drift: Vec<_> = drift["data"]
            .as_array()
            .expect("differences")
            .iter()
            .map(|d| &d["object"])
            .collect();
        for object in [
            "column archon_mcp_sessions.disconnect_reason",
            "column archon_mcp_sessions.user_email",
            "view archon_mcp_session_stats",
            "view archon_mcp_user_stats",
            "index idx_archon_mcp_sessions_ended",
        ] {
            assert!(drift.iter().any(|d| *d == object), "{object}: {drift:?}");
        }
        let repaired = migrate(database, &["repair", "-o", "json"]);
        assert_eq!(code(&repaired), 0, "{}{}", out(&repaired), err(&repaired));
        verified_after_repair(database);
    });
}

fn verified_after_repair(database: &Database) {
    verified(&database.url(), database);
    assert_eq!(verdicts(database), ALL_APPLIED);
}

#[test]
fn data_in_all_tables() {
    for kind in [plain as Kind, supabase] {
        everywhere(kind, |database| {
            for script in [BOOKKEEPING, OTHERS, V001, DATA, V013, V014] {
                psql(database, script);
            }
            database.run(
                "UPDATE archon_mcp_sessions SET user_id = md5('user' || length(client_version) || client_type)::uuid,
                     user_email = client_type || '@example.org' WHERE client_type <> 'Unknown'",
            );
            let before = sums(database);
            assert!(before[1][0].as_deref() == Some("6000"), "{before:?}");
            green(database);
            assert_eq!(sums(database), before);
            // What is kept beside the rows is what the rows say.
            let kept = "SELECT sum(total_requests), sum(total_prompt_tokens), sum(total_completion_tokens), sum(total_cost)
                        FROM archon_mcp_sessions";
            let counted = "SELECT count(*) FILTER (WHERE method NOT IN ('initialize', 'server/discover')), sum(prompt_tokens),
                               sum(completion_tokens), sum(estimated_cost) FROM archon_mcp_requests";
            assert_eq!(database.run(kept), database.run(counted));
            let hourly = "SELECT sum(requests), sum(cost) FROM archon_usage_hourly";
            let rows = "SELECT count(*), sum(estimated_cost) FROM archon_mcp_requests";
            assert_eq!(database.run(hourly), database.run(rows));
            let wrong = "SELECT count(*) FROM archon_mcp_sessions WHERE total_duration < 0 OR status <> 'disconnected' AND disconnected_at IS NOT NULL";
            assert_eq!(database.value(wrong).as_deref(), Some("0"));
            let users = "SELECT count(*) FROM archon_mcp_requests r JOIN archon_mcp_sessions s USING (session_id) WHERE r.user_id IS DISTINCT FROM s.user_id";
            assert_eq!(database.value(users).as_deref(), Some("0"));
        });
    }
}

#[test]
fn a_plain_server_where_the_older_files_failed_half_way() {
    everywhere(plain, |database| {
        psql(database, BOOKKEEPING);
        let failed = psql(database, V001);
        assert!(
            failed
                .iter()
                .any(|error| error.contains("authenticated") || error.contains("auth")),
            "{failed:?}"
        );
        psql(database, V013);
        assert_eq!(psql(database, V014).len(), 1);
        // Row security is on and there is no policy: whoever is not the owner sees nothing.
        let secured =
            "SELECT relrowsecurity FROM pg_class WHERE oid = 'archon_mcp_sessions'::regclass";
        assert_eq!(database.value(secured).as_deref(), Some("t"));
        green(database);
        assert_eq!(database.value(secured).as_deref(), Some("f"));
    });
}

#[test]
fn a_view_of_somebody_else_reads_the_old_function() {
    everywhere(supabase, |database| {
        psql(database, BOOKKEEPING);
        psql(database, V001);
        database.run("CREATE VIEW who_is_there AS SELECT * FROM get_active_mcp_clients()");
        let up = migrate(database, &["up", "-o", "json"]);
        assert_eq!(code(&up), 0, "{}", err(&up));
        let verify = migrate(database, &["verify"]);
        assert_eq!(code(&verify), 0, "{}{}", out(&verify), err(&verify));
        database.run("SELECT * FROM who_is_there");
    });
}

#[test]
fn twice_the_same_day() {
    for kind in [plain as Kind, supabase] {
        everywhere(kind, |database| {
            green(database);
            let again = migrate(database, &["up"]);
            assert_eq!(
                (code(&again), err(&again).as_str(), out(&again).as_str()),
                (0, "The store is up to date.\n", "")
            );
            verified(&database.url(), database);
        });
    }
}

#[test]
fn roles_that_come_later() {
    // Roles belong to the server, so this one is made for the test and taken away again.
    let database = plain(Version::V17).fresh_database();
    green_without_comparison(&database);
    database.admin(
        "CREATE ROLE service_role NOLOGIN; CREATE ROLE authenticated NOLOGIN; CREATE ROLE anon NOLOGIN;
         CREATE SCHEMA auth; CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT NULL::uuid'",
    );
    let verified = migrate(&database, &["verify"]);
    let repaired = migrate(&database, &["repair"]);
    let again = migrate(&database, &["verify"]);
    let isolated = database
        .value("SELECT count(*) FROM pg_policy WHERE polrelid = 'archon_mcp_requests'::regclass");
    database.admin("DROP OWNED BY service_role, authenticated, anon; DROP ROLE service_role, authenticated, anon");
    assert_eq!(code(&verified), 5, "{}", out(&verified));
    assert_eq!(code(&repaired), 0, "{}{}", out(&repaired), err(&repaired));
    assert_eq!(code(&again), 0, "{}{}", out(&again), err(&again));
    assert_eq!(isolated.as_deref(), Some("2"));
}

fn green_without_comparison(database: &Database) {
    json(&migrate(database, &["up", "-o", "json"]));
    assert_eq!(code(&migrate(database, &["verify"])), 0);
}
