//! Killed (SIGKILL) in the middle of each migration, and run again: the same schema, the same rows.
//!
//! A trigger on the server counts the commands that change the schema, and stops at one of them by waiting for a lock that the
//! test holds: so a run is killed at the very end of any of its commands.

use super::locks::{Held, Running, waiting};
use super::*;
use crate::support::eventually;

/// The lock that stops a run.
const GATE: &str = "SELECT pg_advisory_lock(4711)";

/// Counts commands; the run stops at the end of number `stop_at` of them.
const COUNTER: &str = "
    CREATE SCHEMA counter; GRANT ALL ON SCHEMA counter TO PUBLIC;
    CREATE SEQUENCE counter.commands; GRANT ALL ON SEQUENCE counter.commands TO PUBLIC;
    CREATE TABLE counter.stop (at bigint); INSERT INTO counter.stop VALUES (0); GRANT ALL ON counter.stop TO PUBLIC;
    CREATE TABLE counter.log (number bigint, done bigint); GRANT ALL ON counter.log TO PUBLIC;
    CREATE FUNCTION counter.count() RETURNS event_trigger LANGUAGE plpgsql AS $$
    DECLARE
        here bigint := nextval('counter.commands');
        done bigint;
    BEGIN
        IF to_regclass('refinery_schema_history') IS NOT NULL THEN
            SELECT max(version) INTO done FROM refinery_schema_history;
        END IF;
        INSERT INTO counter.log VALUES (here, coalesce(done, 0));
        IF here = (SELECT at FROM counter.stop) THEN
            PERFORM pg_advisory_lock_shared(4711);
        END IF;
    END $$;
    CREATE EVENT TRIGGER counting ON ddl_command_end EXECUTE FUNCTION counter.count();";

/// A database as the older product leaves it, with rows, and a counter of commands.
fn older(server: &'static Server) -> Database {
    let name = format!("older_with_counter_{}", server.version.major());
    server.database_like(&name, |database| {
        for script in [BOOKKEEPING, OTHERS, V001, DATA] {
            psql(database, script);
        }
        database.admin(COUNTER);
    })
}

/// The first and the last command of each migration that changes the schema of such a database, and which was done before it.
fn commands_by_migration(server: &'static Server) -> Vec<[i64; 3]> {
    let database = older(server);
    json(&migrate(&database, &["up", "-o", "json"]));
    let asked = "SELECT done, min(number), max(number) FROM counter.log GROUP BY 1 ORDER BY 1";
    let rows = database.try_as("postgres", asked).expect("the counts");
    let number = |text: &Option<String>| -> i64 {
        let text = text.as_deref().expect("a number");
        text.parse().expect("a number")
    };
    rows.iter()
        .map(|row| [0, 1, 2].map(|at| number(&row[at])))
        .collect()
}

/// Runs `up`, kills it at the end of command `at`, and runs it again.
fn killed_at(server: &'static Server, at: i64) {
    let database = older(server);
    let before = sums(&database);
    database.admin(&format!("UPDATE counter.stop SET at = {at}"));
    let gate = Held::new(&database, GATE);
    let mut run = Running::start(&database.url(), &["up", "--lock-timeout", "1h"]);
    waiting(&database);
    run.child.0.kill().expect("killed");
    run.child.0.wait().expect("it ends");
    // The server's process goes on to the end of its statement, and finds nobody there.
    drop(gate);
    let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'archonctl%'";
    eventually("the end of the server's process", || {
        (database.value(left)? == "0").then_some(())
    });
    green(&database);
    assert_eq!(sums(&database), before, "killed at {at}");
}

#[test]
fn in_the_middle_of_each_migration() {
    for kind in [plain as Kind, supabase] {
        for version in VERSIONS {
            let server = kind(version);
            let migrations = commands_by_migration(server);
            assert!(migrations.len() >= 8, "{migrations:?}");
            for [done, first, last] in migrations {
                let middle = first + (last - first) / 2;
                killed_at(server, middle);
                // First and last commands of each on one version: it's the same files.
                if version == Version::V15 && done >= 14 {
                    for at in [first, last].into_iter().filter(|at| *at != middle) {
                        killed_at(server, at);
                    }
                }
            }
        }
    }
}

#[test]
fn between_the_batches_of_a_long_one() {
    for version in VERSIONS {
        let database = plain(version).fresh_database();
        json(&migrate(&database, &["up", "--to", "100", "-o", "json"]));
        database.run(
            "INSERT INTO archon_mcp_sessions (session_id) SELECT md5(n::text)::uuid FROM generate_series(1, 3500) AS n;
             INSERT INTO archon_mcp_requests (session_id, method, tool_name, prompt_tokens, estimated_cost)
             SELECT md5((1 + n % 3500)::text)::uuid, 'tools/call', 'a', n, 0.001 FROM generate_series(1, 20000) AS n",
        );
        let before = sums(&database);
        // The last session to be counted stops its batch, by a trigger that waits for a lock of the test's.
        database.run(
            "CREATE FUNCTION stop_here() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_lock_shared(4711); RETURN NEW; END $$",
        );
        database.run(
            "DO $$ BEGIN EXECUTE format('CREATE TRIGGER stop_here BEFORE UPDATE ON archon_mcp_sessions FOR EACH ROW
                 WHEN (NEW.counted AND NOT OLD.counted AND NEW.session_id = %L) EXECUTE FUNCTION stop_here()',
                 (SELECT session_id FROM archon_mcp_sessions ORDER BY connected_at DESC, session_id DESC LIMIT 1)); END $$",
        );
        let counted = || -> i64 {
            let asked = database.try_as(
                "postgres",
                "SELECT count(*) FROM archon_mcp_sessions WHERE counted",
            );
            let rows = asked.unwrap_or_default();
            rows.first()
                .and_then(|row| row[0].as_deref()?.parse().ok())
                .unwrap_or_default()
        };
        let held = Held::new(&database, GATE);
        let mut run = Running::start(&database.url(), &["up", "--lock-timeout", "1h"]);
        waiting(&database);
        let done = counted();
        run.child.0.kill().expect("killed");
        run.child.0.wait().expect("it ends");
        drop(held);
        let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'archonctl%'";
        eventually("the end of the server's process", || {
            (database.value(left)? == "0").then_some(())
        });
        assert!((1_000..3_500).contains(&done), "{done}");
        database.run("DROP FUNCTION stop_here CASCADE");
        green(&database);
        assert_eq!(counted(), 3_500);
        assert_eq!(sums(&database), before);
        let kept = "SELECT sum(total_requests), sum(total_prompt_tokens), sum(total_cost) FROM archon_mcp_sessions";
        let rows =
            "SELECT count(*), sum(prompt_tokens), sum(estimated_cost) FROM archon_mcp_requests";
        assert_eq!(database.run(kept), database.run(rows));
    }
}
