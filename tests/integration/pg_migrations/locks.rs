//! Alone on the database: runs that meet, locks that others hold, indexes left half built, Ctrl-C.

use std::process::{Child, Stdio};
use std::sync::mpsc::Receiver;

use super::*;
use crate::support::{Owned, PATIENCE, eventually, lines, send_signal};

/// A run in the background.
pub(super) struct Running {
    pub(super) child: Owned,
    said: Receiver<String>,
}

impl Running {
    pub(super) fn start(url: &str, words: &[&str]) -> Self {
        let mut command = command(url, words);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = Owned(command.spawn().expect("the binary runs"));
        let said = lines(child.0.stderr.take().expect("piped"));
        Self { child, said }
    }

    fn process(&self) -> &Child {
        &self.child.0
    }

    /// Waits for a line with `text`.
    fn says(&self, text: &str) -> String {
        loop {
            let line = self
                .said
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("never said: {text}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Its exit code, and what it said that nobody has read yet.
    pub(super) fn ends(mut self) -> (i32, String) {
        let status = self.child.0.wait().expect("it ends");
        let said: Vec<_> = self.said.iter().collect();
        (status.code().unwrap_or(-1), said.join("\n"))
    }
}

/// Waits until somebody waits for a lock in `database`; who.
pub(super) fn waiting(database: &Database) -> String {
    let sql = "SELECT max(pid)::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                   AND application_name LIKE 'archonctl%'";
    eventually("a run that waits for a lock", || database.value(sql))
}

/// Holds what `sql` locks, until it is dropped.
pub(super) struct Held {
    _runtime: tokio::runtime::Runtime,
    _connection: sqlx::PgConnection,
    pub(super) pid: String,
}

impl Held {
    pub(super) fn new(database: &Database, sql: &str) -> Self {
        use sqlx::Row;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let sql = format!("BEGIN; {sql}");
        let (connection, pid) = runtime.block_on(async {
            let mut connection = database.connect().await;
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
                .expect("a lock");
            let row = sqlx::raw_sql("SELECT pg_backend_pid()")
                .fetch_one(&mut connection)
                .await
                .expect("a row");
            let pid: i32 = row.get(0);
            (connection, pid.to_string())
        });
        Self {
            _runtime: runtime,
            _connection: connection,
            pid,
        }
    }
}

/// Lets everybody look, and nobody change the table.
const SESSIONS: &str = "LOCK TABLE archon_mcp_sessions IN ACCESS SHARE MODE";
/// Lets nobody even look.
const SESSIONS_ALONE: &str = "LOCK TABLE archon_mcp_sessions IN ACCESS EXCLUSIVE MODE";

/// A database with everything up to 14.
fn at_14(version: Version) -> Database {
    let database = plain(version).fresh_database();
    json(&migrate(&database, &["up", "--to", "14", "-o", "json"]));
    database
}

#[test]
fn a_second_run_is_told_who_is_at_work_and_may_wait() {
    let database = at_14(Version::V15);
    let held = Held::new(&database, SESSIONS);
    let first = Running::start(&database.url(), &["up", "--lock-timeout", "1h"]);
    let pid = waiting(&database);
    for words in [
        &["up", "-o", "json"][..],
        &["up", "--wait", "--wait-timeout", "300ms", "-o", "json"],
    ] {
        let second = migrate(&database, words);
        assert_eq!(code(&second), 6, "{}", err(&second));
        let error: Value = serde_json::from_slice(&second.stderr).expect("one JSON");
        assert_eq!(error["error"]["code"], "migrations_locked");
        let holder = &error["error"]["details"]["holders"][0];
        assert_eq!(holder["pid"].to_string(), pid);
        assert_eq!(holder["application_name"], "archonctl");
        assert_eq!(holder["client_address"], "127.0.0.1");
        assert!(
            holder["since"]
                .as_str()
                .is_some_and(|since| since.ends_with('Z')),
            "{holder}"
        );
        let message = error["error"]["message"].as_str().expect("a message");
        assert!(
            message.contains(&format!("process {pid} 'archonctl'")),
            "{message}"
        );
    }
    // A question that has to wait behind it gives up, and says behind whom.
    let asked = migrate(&database, &["status", "-o", "json"]);
    assert_eq!(code(&asked), 6, "{}", err(&asked));
    let error: Value = serde_json::from_slice(&asked.stderr).expect("one JSON");
    assert_eq!(error["error"]["code"], "catalog_locked");
    let holders = &error["error"]["details"]["holders"];
    assert_eq!(holders[0]["pid"].to_string(), held.pid, "{holders}");
    let third = Running::start(&database.url(), &["up", "--wait"]);
    third.says("waiting for another run of migrations (process");
    drop(held);
    assert_eq!(first.ends().0, 0);
    let (code, said) = third.ends();
    assert_eq!((code, said.as_str()), (0, "The store is up to date."));
    verified(&database.url(), &database);
}

#[test]
fn two_and_eight_runs_at_once() {
    for version in VERSIONS {
        for (count, words) in [
            (2, &["up", "-o", "json"][..]),
            (8, &["up", "--wait", "--wait-timeout", "5m", "-o", "json"]),
        ] {
            let database = plain(version).fresh_database();
            let mut children: Vec<_> = (0..count)
                .map(|_| {
                    let mut command = command(&database.url(), words);
                    command
                        .stdout(Stdio::piped())
                        .stderr(Stdio::piped())
                        .spawn()
                        .expect("the binary runs")
                })
                .collect();
            let mut applied = Vec::new();
            for child in children.drain(..) {
                let output = child.wait_with_output().expect("it ends");
                match code(&output) {
                    0 => applied.extend(numbers(&document(&output)["data"]["applied"])),
                    6 => assert_eq!(count, 2, "whoever waits gets through: {}", err(&output)),
                    other => panic!("{other}: {}", err(&output)),
                }
            }
            assert_eq!(
                applied,
                [1, 13, 14, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109],
                "each once"
            );
            green(&database);
        }
    }
}

#[test]
fn a_lock_on_a_table_is_tried_again_and_who_has_it_is_named() {
    for (version, lock, mode) in [
        (Version::V13, SESSIONS, "AccessShareLock"),
        (Version::V15, SESSIONS_ALONE, "AccessExclusiveLock"),
        (Version::V18, SESSIONS_ALONE, "AccessExclusiveLock"),
    ] {
        a_lock_is_tried_again(version, lock, mode);
    }
}

fn a_lock_is_tried_again(version: Version, lock: &str, mode: &str) {
    let database = at_14(version);
    let held = Held::new(&database, lock);
    let blocked = migrate(&database, &["up", "--lock-timeout", "20ms", "-o", "json"]);
    assert_eq!(code(&blocked), 6, "{}", err(&blocked));
    let error: Value = serde_json::from_slice(&blocked.stderr).expect("one JSON");
    assert_eq!(error["error"]["code"], "migration_blocked");
    assert_eq!(
        error["error"]["details"]["migration"],
        "V100__session_identity_and_counts"
    );
    let holder = &error["error"]["details"]["holders"][0];
    assert_eq!(holder["pid"].to_string(), held.pid);
    assert_eq!(holder["object"], format!("archon_mcp_sessions ({mode})"));
    assert_eq!(holder["state"], "idle in transaction");

    let patient = Running::start(&database.url(), &["up", "--lock-timeout", "20ms"]);
    let said = patient.says("a lock was not to be had");
    assert!(said.contains(&format!("process {}", held.pid)), "{said}");
    drop(held);
    let (code, said) = patient.ends();
    assert_eq!(code, 0, "{said}");
    verified(&database.url(), &database);
}

#[test]
fn an_index_left_half_built_is_found_and_built_again() {
    for version in VERSIONS {
        let database = plain(version).fresh_database();
        json(&migrate(&database, &["up", "--to", "103", "-o", "json"]));
        database.run("INSERT INTO archon_mcp_sessions (client_type) VALUES ('Claude'), ('Claude')");
        let broken = "CREATE UNIQUE INDEX CONCURRENTLY idx_archon_mcp_sessions_key ON archon_mcp_sessions (client_type)";
        assert!(database.try_as("postgres", broken).is_err());
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_archon_mcp_sessions_key'::regclass";
        assert_eq!(database.value(valid).as_deref(), Some("f"));
        let status = json(&migrate(&database, &["status", "-o", "json"]));
        let state = &status["data"][7];
        assert_eq!(state["state"], "partial");
        let findings = state["findings"].as_array().expect("findings");
        let index = findings
            .iter()
            .find(|f| f["object"] == "index idx_archon_mcp_sessions_key")
            .expect("the index");
        assert_eq!(index["problem"], "invalid");
        let did = green(&database);
        assert_eq!(numbers(&did["data"]["repaired"]), [104]);
        assert_eq!(database.value(valid).as_deref(), Some("t"));
    }
}

#[test]
fn ctrl_c_stops_between_migrations() {
    let database = at_14(Version::V18);
    let held = Held::new(&database, SESSIONS);
    let run = Running::start(&database.url(), &["up", "--lock-timeout", "1h"]);
    waiting(&database);
    send_signal(run.process(), "INT");
    run.says("stopping at the next safe place");
    drop(held);
    let (code, said) = run.ends();
    assert_eq!(code, 130, "{said}");
    assert!(
        said.contains("done until then: V100__session_identity_and_counts"),
        "{said}"
    );
    let states = states(&database);
    assert_eq!([&states[&100], &states[&101]], ["applied", "pending"]);
    green(&database);
}

#[test]
fn a_second_ctrl_c_stops_at_once_and_the_server_hears_of_it() {
    let database = at_14(Version::V15);
    let held = Held::new(&database, SESSIONS);
    let run = Running::start(&database.url(), &["up", "--lock-timeout", "1h"]);
    waiting(&database);
    send_signal(run.process(), "INT");
    run.says("stopping at the next safe place");
    send_signal(run.process(), "INT");
    let (code, said) = run.ends();
    assert_eq!(code, 130, "{said}");
    // The lock is still there: it is not its end that ended the run on the server.
    let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'archonctl%'";
    eventually("the end of the server's process", || {
        (database.value(left)? == "0").then_some(())
    });
    drop(held);
    let states = states(&database);
    assert_eq!([&states[&14], &states[&100]], ["applied", "pending"]);
    green(&database);
}
