//! Commands that ask or change a store, on a data directory of their own: what they print, where, and how they end.

use std::path::Path;
use std::process::Output;

use archonctl::journal::{Journal, JournalOptions};
use archonctl::model::{
    Derivation, DisconnectReason, Era, InstanceId, OpenedSession, Record, SessionClosed, SessionId,
    Timestamp, UserContext,
};
use archonctl::store::{JournalPosition, Store};
use serde_json::Value;
use uuid::Uuid;

use crate::support::archonctl;

fn on(data_dir: &Path, words: &[&str]) -> Output {
    archonctl(words)
        .env("ARCHONCTL_DATA_DIR", data_dir)
        .output()
        .expect("the binary runs")
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", err(output));
    assert!(output.stderr.is_empty(), "{}", err(output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work)
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("RFC 3339")
}

const OPEN: SessionId = SessionId(Uuid::from_u128(1));
const ENDED: SessionId = SessionId(Uuid::from_u128(2));

const WRITER: InstanceId = InstanceId(Uuid::from_u128(9));

/// Two sessions as a daemon writes them; the second ended on 2026-07-02.
fn records() -> Vec<Record> {
    let opened = |id, name: &str, connected_at| {
        Record::SessionOpened(Box::new(OpenedSession {
            session_id: id,
            instance_id: WRITER,
            server: "default".into(),
            era: Era::Modern,
            derivation: Derivation::Inferred,
            session_key: format!("key of {id}").into(),
            principal: "127.0.0.1".into(),
            client_name: Some(name.into()),
            client_version: Some("1.0".into()),
            client_capabilities: None,
            protocol_version: None,
            user_agent: None,
            user: UserContext::default(),
            connected_at,
            resumed_from: None,
            survives_instance: true,
        }))
    };
    vec![
        // Far ahead of any clock: settling dead instances must not end it for want of activity.
        opened(OPEN, "claude-code", at("2090-07-01T10:00:00Z")),
        opened(ENDED, "cursor-vscode", at("2026-07-02T10:00:00Z")),
        Record::SessionClosed(SessionClosed {
            session_id: ENDED,
            reason: DisconnectReason::ClientDisconnect,
            disconnected_at: at("2026-07-02T11:03:00Z"),
            detected_at: at("2026-07-02T11:03:30Z"),
        }),
    ]
}

/// Folds [`records`] into the store.
fn fill(data_dir: &Path) {
    block_on(async {
        let store = Store::open_embedded(data_dir).await.expect("a store");
        let position = JournalPosition {
            segment: 0,
            offset: 1,
        };
        let folded = store.fold(WRITER, &records(), position).await;
        folded.expect("a fold");
        store.close().await;
    });
}

#[test]
fn migrations_are_applied_once_and_their_state_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let data_dir = dir.path().join("made/by/migrate");
    let first = json(&on(&data_dir, &["migrate", "--json"]));
    assert!(
        first["meta"]["applied"]
            .as_u64()
            .is_some_and(|applied| applied > 0),
        "{first}"
    );
    let again = on(&data_dir, &["migrate", "up"]);
    assert!(again.status.success() && again.stdout.is_empty());
    assert_eq!(err(&again), "The store is up to date.\n");
    let status = on(&data_dir, &["migrate", "status", "--exit-code"]);
    assert_eq!(status.status.code(), Some(0));
    assert!(
        out(&status).starts_with("VERSION  NAME "),
        "{}",
        out(&status)
    );
    let listed = json(&on(&data_dir, &["migrate", "status", "-o", "json"]));
    assert_eq!(listed["meta"]["pending"], 0);
    assert_eq!(listed["meta"]["applied"], listed["meta"]["total"]);
}

#[test]
fn a_store_without_a_schema_is_pending_and_queries_say_what_to_do() {
    let dir = tempfile::tempdir().expect("a directory");
    block_on(async {
        Store::open_embedded(dir.path())
            .await
            .expect("a store")
            .close()
            .await;
    });
    let status = on(dir.path(), &["migrate", "status", "--exit-code"]);
    assert_eq!(status.status.code(), Some(8), "{}", err(&status));
    assert!(
        err(&status).contains("`archonctl migrate up` applies them"),
        "{}",
        err(&status)
    );
    assert_eq!(
        on(dir.path(), &["migrate", "status"]).status.code(),
        Some(0)
    );
    let list = on(dir.path(), &["sessions", "list", "--json"]);
    assert_eq!(list.status.code(), Some(1));
    assert!(list.stdout.is_empty());
    let error: Value = serde_json::from_slice(&list.stderr).expect("one JSON");
    assert_eq!(error["error"]["code"], "migrations_pending");
    assert_eq!(error["error"]["exit_code"], 1);
}

#[test]
fn a_query_makes_no_store_where_there_is_none() {
    let dir = tempfile::tempdir().expect("a directory");
    let data_dir = dir.path().join("nothing");
    for words in [
        &["sessions", "list"][..],
        &["sessions", "stats"],
        &["migrate", "status"],
    ] {
        let output = on(&data_dir, words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert!(
            err(&output).contains("hint: is it the right place?"),
            "{}",
            err(&output)
        );
        assert!(!data_dir.exists());
    }
}

#[test]
fn an_empty_store_is_an_empty_answer() {
    let dir = tempfile::tempdir().expect("a directory");
    assert!(on(dir.path(), &["migrate"]).status.success());
    for words in [&["sessions", "list"][..], &["sessions", "disconnected"]] {
        let table = on(dir.path(), words);
        assert!(table.status.success() && table.stdout.is_empty());
        assert!(err(&table).starts_with("No session"), "{}", err(&table));
        let document = json(&on(dir.path(), &[words, &["-o", "json"]].concat()));
        assert_eq!(document["data"], serde_json::json!([]));
        assert_eq!(document["meta"]["total"], 0);
    }
    let quiet = on(dir.path(), &["sessions", "list", "-q"]);
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty());
}

#[test]
fn sessions_are_listed_shown_and_counted() {
    let dir = tempfile::tempdir().expect("a directory");
    assert!(on(dir.path(), &["migrate"]).status.success());
    fill(dir.path());

    let all = on(dir.path(), &["sessions", "list", "-q"]);
    assert_eq!(out(&all), format!("{OPEN}\n{ENDED}\n"));
    let open = json(&on(
        dir.path(),
        &["sessions", "list", "--status", "active,idle", "--json"],
    ));
    assert_eq!(open["data"][0]["session_id"], OPEN.to_string());
    assert_eq!(open["meta"]["total"], 1);
    let named = on(
        dir.path(),
        &[
            "sessions",
            "list",
            "--client",
            "cursor",
            "--columns",
            "session_id",
            "--no-headers",
        ],
    );
    assert_eq!(out(&named), format!("{ENDED}\n"));
    let second = json(&on(
        dir.path(),
        &[
            "sessions", "list", "--limit", "1", "--offset", "1", "--json",
        ],
    ));
    assert_eq!(second["meta"]["total"], 2);
    assert_eq!(second["meta"]["returned"], 1);
    assert_eq!(second["data"][0]["session_id"], ENDED.to_string());

    let period = ["--since", "2026-07-01", "--until", "2026-07-03"];
    let left = on(
        dir.path(),
        &[&["sessions", "disconnected"][..], &period].concat(),
    );
    assert!(
        out(&left).contains("1h 3m     client_disconnect"),
        "{}",
        out(&left)
    );
    assert!(
        out(&left).contains("1 session ended in 2 days: client_disconnect 1"),
        "{}",
        out(&left)
    );
    let left = json(&on(
        dir.path(),
        &[&["sessions", "disconnected", "--json"][..], &period].concat(),
    ));
    assert_eq!(left["meta"]["statistics"]["total_disconnected"], 1);
    assert_eq!(
        left["meta"]["period"]["start"],
        "2026-07-01T00:00:00.000000Z"
    );

    let shown = json(&on(
        dir.path(),
        &["sessions", "show", &ENDED.to_string(), "--json"],
    ));
    assert_eq!(shown["data"]["session"]["total_duration"], 3_780);
    let stats = on(
        dir.path(),
        &[
            "sessions",
            "stats",
            "-o",
            "csv",
            "--columns",
            "client_type,total_sessions",
        ],
    );
    assert_eq!(
        out(&stats),
        "client_type,total_sessions\nClaude,1\nCursor,1\nall,2\n"
    );
}

#[test]
fn an_unknown_session_is_a_negative_answer() {
    let dir = tempfile::tempdir().expect("a directory");
    assert!(on(dir.path(), &["migrate"]).status.success());
    let output = on(
        dir.path(),
        &["sessions", "show", &OPEN.to_string(), "--json"],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let error: Value = serde_json::from_slice(&output.stderr).expect("one JSON");
    assert_eq!(error["error"]["code"], "not_found");
    assert_eq!(error["error"]["details"]["session_id"], OPEN.to_string());
}

/// Leaves [`records`] in the journal of a daemon that is gone; the file they are in.
fn left_behind(data_dir: &Path) -> std::path::PathBuf {
    let options = JournalOptions::default();
    let journal = Journal::create(&data_dir.join("journal"), WRITER, options).expect("a journal");
    journal.append(&records()).expect("written");
    journal.dir().join("0000000000000001.journal")
}

#[test]
fn what_a_dead_daemon_left_in_its_journal_is_in_every_answer() {
    let dir = tempfile::tempdir().expect("a directory");
    assert!(on(dir.path(), &["migrate"]).status.success());
    left_behind(dir.path());
    for words in [&["sessions", "list"][..], &["sessions", "list", "--json"]] {
        let listed = on(dir.path(), words);
        assert!(listed.status.success() && out(&listed).contains(&ENDED.to_string()));
        assert!(listed.stderr.is_empty(), "{}", err(&listed));
    }
}

#[test]
fn a_journal_without_a_database_is_taken_into_a_new_one() {
    let dir = tempfile::tempdir().expect("a directory");
    left_behind(dir.path());
    let listed = json(&on(dir.path(), &["sessions", "list", "--json"]));
    assert_eq!(listed["meta"]["total"], 2);
}

#[test]
fn a_session_that_nobody_goes_on_with_ends_by_the_configured_timeout() {
    let dir = tempfile::tempdir().expect("a directory");
    left_behind(dir.path());
    let stats = |timeout: &str| {
        let words = ["sessions", "stats", "--json"];
        let output = archonctl(&words)
            .env("ARCHONCTL_DATA_DIR", dir.path())
            .env("ARCHONCTL_SESSION_TIMEOUT", timeout)
            .output();
        output.expect("the binary runs")
    };
    assert_eq!(json(&stats("1h"))["data"]["total"]["active_sessions"], 1);
    let wrong = stats("soon");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("session_timeout (from ARCHONCTL_SESSION_TIMEOUT)"));
}

#[test]
fn a_damaged_journal_is_told_and_keeps_no_query_from_its_answer() {
    let dir = tempfile::tempdir().expect("a directory");
    assert!(on(dir.path(), &["migrate"]).status.success());
    let segment = left_behind(dir.path());
    let mut bytes = std::fs::read(&segment).expect("a segment");
    let whole = bytes.len();
    bytes.extend_from_slice(b"torn");
    std::fs::write(&segment, &bytes).expect("torn");
    let listed = on(dir.path(), &["sessions", "list", "-q"]);
    assert!(listed.status.success() && out(&listed).contains(&ENDED.to_string()));
    let told = format!(
        "warning: 4 bytes of {} from {whole} on were left out: ",
        segment.display()
    );
    assert!(err(&listed).starts_with(&told), "{}", err(&listed));
    assert_eq!(err(&listed).lines().count(), 1);
    let again = on(dir.path(), &["sessions", "list", "-q"]);
    assert!(again.stderr.is_empty(), "told once: {}", err(&again));
}

#[test]
fn a_journal_of_another_version_is_told_and_left_where_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    assert!(on(dir.path(), &["migrate"]).status.success());
    fill(dir.path());
    let segment = left_behind(dir.path());
    let mut bytes = std::fs::read(&segment).expect("a segment");
    bytes[8] = 9;
    std::fs::write(&segment, &bytes).expect("another version");
    let listed = on(dir.path(), &["sessions", "list", "--json"]);
    assert!(listed.status.success(), "{}", err(&listed));
    let document: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(
        document["meta"]["total"], 2,
        "what the store has is answered"
    );
    assert!(
        err(&listed).starts_with("warning: ") && err(&listed).contains("format version 9"),
        "{}",
        err(&listed)
    );
    assert!(segment.exists());
}
