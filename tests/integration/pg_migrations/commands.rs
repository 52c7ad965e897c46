//! What each command says and does besides going up.

use super::*;

/// A database with everything and some rows.
fn with_data(version: Version) -> Database {
    let database = plain(version).fresh_database();
    for script in [BOOKKEEPING, OTHERS, V001, DATA] {
        psql(&database, script);
    }
    json(&migrate(&database, &["up", "-o", "json"]));
    database
}

#[test]
fn a_plan_run_by_hand_makes_the_same_schema() {
    for kind in [plain as Kind, supabase] {
        everywhere(kind, |database| {
            for script in [BOOKKEEPING, V001, DATA] {
                psql(database, script);
            }
            let planned = json(&migrate(database, &["plan", "-o", "json"]));
            assert_eq!(
                verdicts(database).matches("pending").count(),
                COUNT - 1,
                "a plan changes nothing"
            );
            let parts = planned["data"].as_array().expect("an array").iter();
            let mut path = String::new();
            for part in parts.flat_map(|m| m["parts"].as_array().expect("parts")) {
                let statements = part["statements"].as_array().expect("statements").iter();
                let statements: Vec<_> = statements.map(|s| s.as_str().expect("SQL")).collect();
                if let Some(first) = statements
                    .first()
                    .filter(|s| s.starts_with("SET search_path"))
                {
                    path = format!("{first};");
                }
                if part["transaction"] == true {
                    database.run(&format!("{path} BEGIN; {}; COMMIT", statements.join(";\n")));
                } else if part["repeated"] == true {
                    while database.run(&format!("{path} {}", statements[0]))[0][0].as_deref()
                        != Some("0")
                    {}
                } else {
                    for statement in statements {
                        database.run(statement);
                    }
                }
            }
            verified(&database.url(), database);
            let script = out(&migrate(database, &["plan"]));
            assert_eq!(script, "", "nothing is left to do");
        });
    }
}

#[test]
fn a_rehearsal_runs_everything_and_leaves_nothing() {
    for kind in [plain as Kind, supabase] {
        everywhere(kind, |database| {
            for script in [BOOKKEEPING, OTHERS, V001, DATA, V013] {
                psql(database, script);
            }
            let url = database.url();
            let (schema, rows, before) = (dump_at(&url), sums(database), verdicts(database));
            let rehearsed = json(&migrate(database, &["up", "--rehearse", "-o", "json"]));
            assert_eq!(rehearsed["data"]["rehearsed"], true);
            let applied = numbers(&rehearsed["data"]["applied"]);
            assert!(
                applied.ends_with(&[100, 101, 102, 103, 104, 105, 106, 107, 108, 109]),
                "{applied:?}"
            );
            let remarks = rehearsed["data"]["remarks"].to_string();
            assert!(
                remarks.contains("rehearsed without CONCURRENTLY"),
                "{remarks}"
            );
            assert_eq!(
                (dump_at(&url), sums(database), verdicts(database)),
                (schema, rows, before)
            );
            green(database);
        });
    }
}

#[test]
fn undoing_asks_refuses_to_lose_data_and_comes_back_the_same() {
    for version in VERSIONS {
        let database = with_data(version);
        let (url, rows) = (database.url(), sums(&database));
        let schema = dump_at(&url);
        let silent = migrate(&database, &["down"]);
        assert_eq!(code(&silent), 2);
        assert!(
            err(&silent).contains("--yes is required when not interactive"),
            "{}",
            err(&silent)
        );
        let script = out(&migrate(&database, &["down", "--dry-run"]));
        assert!(
            script.starts_with("-- V109__live_events: undo\n"),
            "{script}"
        );
        let one = json(&migrate(&database, &["down", "--yes", "-o", "json"]));
        assert_eq!(numbers(&one["data"]["undone"]), [109]);
        assert_eq!(states(&database)[&109], "pending");

        let refused = migrate(&database, &["down", "--to", "14", "--yes", "-o", "json"]);
        assert_eq!(code(&refused), 1);
        let error: Value = serde_json::from_slice(&refused.stderr).expect("one JSON");
        assert_eq!(error["error"]["code"], "drops_data");
        let counted = error["error"]["details"]["rows"].as_array().expect("rows");
        assert!(
            counted.contains(&serde_json::json!(["archon_mcp_requests", 6000])),
            "{error}"
        );

        let down = json(&migrate(
            &database,
            &["down", "--to", "14", "--confirm", "-o", "json"],
        ));
        assert_eq!(
            numbers(&down["data"]["undone"]),
            [108, 107, 106, 105, 104, 103, 102, 101, 100]
        );
        let states = states(&database);
        assert!(
            states
                .iter()
                .all(|(version, state)| (state == "applied") == (*version <= 14)),
            "{states:?}"
        );
        let records = "SELECT count(*) FROM archon_migrations WHERE migration_name ~ '^10[0-9]_'";
        assert_eq!(database.value(records).as_deref(), Some("0"));
        green(&database);
        assert_eq!((dump_at(&url), sums(&database)), (schema, rows));

        let all = json(&migrate(
            &database,
            &["down", "--to", "0", "--confirm", "-o", "json"],
        ));
        assert_eq!(numbers(&all["data"]["undone"]).len(), COUNT);
        let left = "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')";
        assert_eq!(
            database.value(left).as_deref(),
            Some("archon_migrations,refinery_schema_history")
        );
        green(&database);
    }
}

#[test]
fn a_dump_makes_the_schema_again() {
    for kind in [plain as Kind, supabase] {
        everywhere(kind, |database| {
            json(&migrate(database, &["up", "-o", "json"]));
            let script = out(&migrate(database, &["dump"]));
            assert_eq!(
                script,
                out(&migrate(database, &["dump"])),
                "the same each time"
            );
            // As after a restore: the server writes some expressions differently then.
            let names = "archon_mcp_sessions, archon_mcp_requests, archon_llm_pricing, archon_journal_positions, archon_migrations";
            let all = "SELECT string_agg(format('%I', relname), ', ') FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname LIKE 'archon%'";
            let tables = database.value(all).expect("tables");
            assert!(names.split(", ").all(|name| tables.contains(name)));
            database.run("CREATE SCHEMA before; CREATE TABLE before.records AS SELECT * FROM archon_migrations");
            let functions = "SELECT string_agg(oid::regprocedure::text, ', ') FROM pg_proc WHERE pronamespace = 'public'::regnamespace";
            let functions = database.value(functions).expect("functions");
            database.run(&format!(
                "DROP TABLE {tables} CASCADE; DROP FUNCTION IF EXISTS {functions} CASCADE"
            ));
            assert_eq!(
                out(&migrate(database, &["dump"])).lines().count(),
                1,
                "nothing is left"
            );
            database.run(&format!("SET search_path TO public; {script}"));
            database.run("INSERT INTO archon_migrations SELECT * FROM before.records");
            let verify = migrate(database, &["verify", "--exit-code"]);
            assert_eq!(code(&verify), 0, "{}{}", out(&verify), err(&verify));
        });
    }
}

#[test]
fn an_older_script_run_again_is_drift_that_is_named_and_repaired() {
    everywhere(supabase, |database| {
        green(database);
        // As somebody with the old files would.
        psql(database, V001);
        let verified = migrate(database, &["verify", "-o", "json"]);
        assert_eq!(code(&verified), 5);
        let found = document(&verified);
        let found: Vec<_> = found["data"]
            .as_array()
            .expect("differences")
            .iter()
            .map(|d| (&d["object"], &d["problem"]))
            .collect();
        for object in [
            "trigger archon_mcp_requests.trigger_update_session_status",
            "function get_mcp_usage_summary(timestamp with time zone, timestamp with time zone)",
            "index idx_archon_mcp_requests_method",
        ] {
            let named = found.iter().any(|(name, _)| *name == object);
            assert!(named, "{object}: {found:?}");
        }
        assert!(found.iter().any(|(name, problem)| *name
            == "index idx_archon_mcp_requests_method"
            && *problem == "unwanted"));
        let wide = out(&migrate(database, &["verify", "-o", "wide"]));
        assert!(
            wide.contains("EXPECTED") && wide.contains("unwanted"),
            "{wide}"
        );
        green(database);
    });
}

#[test]
fn what_somebody_adds_is_theirs_and_no_drift() {
    let database = plain(Version::V15).fresh_database();
    green(&database);
    database.run(
        "ALTER TABLE archon_mcp_sessions ADD COLUMN team text; CREATE INDEX ON archon_mcp_sessions (team);
         CREATE VIEW mine AS SELECT * FROM archon_mcp_sessions; CREATE TABLE archon_sources (id int)",
    );
    assert_eq!(code(&migrate(&database, &["verify", "--exit-code"])), 0);
    let dumped = out(&migrate(&database, &["dump"]));
    assert!(
        dumped.contains("team text") && !dumped.contains("archon_sources"),
        "ours, and what hangs on ours"
    );
}

#[test]
fn a_statement_that_fails_is_named_with_its_line_and_undone() {
    let database = plain(Version::V15).fresh_database();
    json(&migrate(&database, &["up", "--to", "100", "-o", "json"]));
    database.run("CREATE SEQUENCE archon_usage_daily");
    let failed = migrate(&database, &["up", "-o", "json"]);
    assert_eq!(code(&failed), 1, "{}", err(&failed));
    assert!(failed.stdout.is_empty());
    let error: Value = serde_json::from_slice(&failed.stderr).expect("one JSON");
    let error = &error["error"];
    assert_eq!(error["code"], "migration_failed");
    assert_eq!(error["details"]["migration"], "V101__usage_rollups");
    let message = error["message"].as_str().expect("a message");
    assert!(
        message.contains("archon_usage_daily") && message.ends_with("what it began is undone"),
        "{message}"
    );
    assert!(
        error["details"]["line"]
            .as_u64()
            .is_some_and(|line| line > 1),
        "{error}"
    );
    assert_eq!(states(&database)[&101], "pending", "nothing of it stays");
    database.run("DROP SEQUENCE archon_usage_daily");
    green(&database);
}

#[test]
fn a_run_up_to_a_number_is_no_drift_and_pending_only_with_exit_code() {
    let database = plain(Version::V15).fresh_database();
    json(&migrate(&database, &["up", "--to", "14", "-o", "json"]));
    assert_eq!(code(&migrate(&database, &["verify"])), 0);
    assert_eq!(code(&migrate(&database, &["verify", "--exit-code"])), 8);
    assert_eq!(code(&migrate(&database, &["status", "--exit-code"])), 8);
    let wrong = migrate(&database, &["up", "--to", "15"]);
    assert_eq!(code(&wrong), 2);
    assert!(
        err(&wrong).contains("there is no migration 15; there are 1, 13, 14, 100"),
        "{}",
        err(&wrong)
    );
    let lines = migrate(&database, &["up"]);
    assert_eq!(code(&lines), 0);
    assert!(
        err(&lines).starts_with("V100__session_identity_and_counts: applied in "),
        "{}",
        err(&lines)
    );
    let quiet = migrate(&database, &["up", "-q"]);
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty());
}

#[test]
fn only_saying_what_would_be_done_does_nothing() {
    let database = supabase(Version::V15).fresh_database();
    for script in [BOOKKEEPING, V001, V013, V014] {
        psql(&database, script);
    }
    database.run("DROP INDEX idx_archon_mcp_sessions_user_email");
    let before = verdicts(&database);
    let adopt = out(&migrate(&database, &["adopt", "--dry-run"]));
    assert!(
        adopt.contains("-- V013__add_session_disconnect_fields: adopt"),
        "{adopt}"
    );
    assert!(
        !adopt.contains("V014") && !adopt.contains("V100"),
        "{adopt}"
    );
    let repair = out(&migrate(&database, &["repair", "--dry-run"]));
    assert!(
        repair.contains("CREATE INDEX IF NOT EXISTS idx_archon_mcp_sessions_user_email"),
        "{repair}"
    );
    assert!(!repair.contains("V100"), "{repair}");
    assert_eq!(verdicts(&database), before);
    json(&migrate(&database, &["repair", "-o", "json"]));
    let after = states(&database);
    assert_eq!(
        [&after[&14], &after[&100]],
        ["applied", "pending"],
        "repairing applies nothing that is pending"
    );
}
