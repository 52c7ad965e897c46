//! Bringing schemas up to date: new, half way, twice, at once, foreign.

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;

use crate::store::testing::TestStore;
use crate::store::{
    DownOptions, MigrationError, MigrationReport, MigrationStanding, Presence, Problem, Silent,
    Store, StoreError, UpOptions,
};

const V001: &str = include_str!("../../../migrations/sqlite/V001__add_mcp_client_tracking.sql");
const V013: &str =
    include_str!("../../../migrations/sqlite/V013__add_session_disconnect_fields.sql");

const ALL: [&str; 9] = [
    "V001__add_mcp_client_tracking",
    "V013__add_session_disconnect_fields",
    "V014__add_user_context_to_sessions",
    "V100__session_identity_and_counts",
    "V101__usage_rollups",
    "V102__functions_and_views",
    "V103__row_security",
    "V104__indexes",
    "V106__failed_requests",
];

const VERSIONS: [i32; 9] = [1, 13, 14, 100, 101, 102, 103, 104, 106];

fn dir() -> TempDir {
    TempDir::new().expect("a temporary directory")
}

async fn open(dir: &TempDir) -> Store {
    Store::open_embedded(dir.path()).await.expect("a database")
}

/// A connection of the test's own.
async fn raw(dir: &TempDir) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join("archonctl.db"))
        .create_if_missing(true);
    SqliteConnection::connect_with(&options)
        .await
        .expect("a connection")
}

async fn run(conn: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(conn).await.expect("SQL");
}

async fn recorded(conn: &mut SqliteConnection) -> Vec<(String, String)> {
    sqlx::query_as("SELECT version, migration_name FROM archon_migrations ORDER BY migration_name")
        .fetch_all(conn)
        .await
        .expect("archon_migrations")
}

fn applied(report: &MigrationReport) -> Vec<i32> {
    report.applied.iter().map(|m| m.version).collect()
}

async fn standings(store: &Store) -> Vec<(String, MigrationStanding)> {
    let states = store.migration_status().await.expect("a status");
    states.iter().map(|s| (s.file_name(), s.state)).collect()
}

#[tokio::test]
async fn a_new_database_gets_every_migration_once() {
    let dir = dir();
    let store = open(&dir).await;
    let before = standings(&store).await;
    assert_eq!(before.len(), ALL.len());
    assert!(before.iter().all(|(_, s)| *s == MigrationStanding::Pending));
    assert!(matches!(
        store.check_schema().await,
        Err(StoreError::SchemaPending { pending }) if pending == ALL
    ));

    let report = store.migrate_up().await.expect("a migration");
    assert_eq!(applied(&report), VERSIONS);
    assert!(report.adopted.is_empty() && report.copy.is_none());
    store.check_schema().await.expect("an up-to-date schema");
    let states = store.migration_status().await.expect("a status");
    assert!(
        states
            .iter()
            .all(|s| s.state == MigrationStanding::Applied && s.applied_at.is_some())
    );

    let again = store.migrate_up().await.expect("a second run");
    assert!(again.applied.is_empty());
    let mut conn = raw(&dir).await;
    let own = |v: &str, n: &str| (v.to_owned(), n.to_owned());
    assert_eq!(
        recorded(&mut conn).await,
        [
            own("0.3.0", "001_add_mcp_client_tracking"),
            own("0.3.0", "013_add_session_disconnect_fields"),
            own("0.3.0", "014_add_user_context_to_sessions"),
            own("0.1.0", "100_session_identity_and_counts"),
            own("0.1.0", "101_usage_rollups"),
            own("0.1.0", "102_functions_and_views"),
            own("0.1.0", "103_row_security"),
            own("0.1.0", "104_indexes"),
            own("0.1.0", "106_failed_requests"),
        ]
    );
    let prices: i64 = sqlx::query_scalar("SELECT count(*) FROM archon_llm_pricing")
        .fetch_one(&mut conn)
        .await
        .expect("prices");
    assert_eq!(prices, 11);
    let now: i64 = sqlx::query_scalar("SELECT max(applied_at) FROM archon_migrations")
        .fetch_one(&mut conn)
        .await
        .expect("a time");
    let clock = chrono::Utc::now().timestamp_micros();
    assert!((clock - now).abs() < 60_000_000, "{now} against {clock}");
}

#[tokio::test]
async fn several_starts_at_once_on_a_new_directory_all_succeed() {
    let dir = dir();
    let start = || async {
        let store = Store::open_embedded(dir.path()).await?;
        let report = store.migrate_up().await?;
        store.check_schema().await?;
        Ok::<_, StoreError>(report.applied.len())
    };
    let (a, b, c, d) = tokio::join!(start(), start(), start(), start());
    let mut applied = [a, b, c, d].map(|result| result.expect("a start"));
    applied.sort_unstable();
    assert_eq!(applied, [0, 0, 0, ALL.len()]);
}

#[tokio::test]
async fn a_database_made_by_hand_half_way_is_completed_and_keeps_its_rows() {
    let dir = dir();
    let mut conn = raw(&dir).await;
    run(&mut conn, V001).await;
    run(
        &mut conn,
        "INSERT INTO archon_mcp_sessions (session_id, client_type, connected_at, disconnected_at, last_activity, status)
         VALUES (zeroblob(16), 'Cursor', 1000000, 8500000, 8000000, 'disconnected');
         INSERT INTO archon_mcp_requests (request_id, session_id, method, tool_name, prompt_tokens, estimated_cost, status)
         VALUES (randomblob(16), zeroblob(16), 'tools/call', 'a', 5, 7, 'success'),
                (randomblob(16), zeroblob(16), 'tools/call', 'a', NULL, NULL, 'error');",
    )
    .await;
    run(&mut conn, V013).await;
    let store = open(&dir).await;
    let report = store.migrate_up().await.expect("a migration");
    assert_eq!(report.adopted, ALL[..2]);
    assert_eq!(applied(&report), VERSIONS[2..]);
    assert_eq!(recorded(&mut conn).await.len(), ALL.len());
    let row: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "SELECT total_duration, total_requests, failed_requests, total_prompt_tokens, total_cost FROM archon_mcp_sessions",
    )
    .fetch_one(&mut conn)
    .await
    .expect("the session");
    assert_eq!(row, (7, 2, 1, 5, 7));
    let tokens: i64 = sqlx::query_scalar("SELECT sum(total_tokens) FROM archon_mcp_requests")
        .fetch_one(&mut conn)
        .await
        .expect("tokens");
    assert_eq!(tokens, 5);
}

#[tokio::test]
async fn migrations_of_another_archonctl_are_refused_and_named() {
    let test = TestStore::new().await;
    test.execute(
        "INSERT INTO refinery_schema_history VALUES (200, 'from_the_future', '2030-01-01T00:00:00Z', '1')",
    )
    .await;
    let error = test.store.check_schema().await.expect_err("newer");
    assert!(
        matches!(&error, StoreError::SchemaNewer { unknown } if unknown == &["V200__from_the_future"])
    );
    assert!(!error.is_transient());
    assert!(matches!(
        test.store.migrate_up().await,
        Err(StoreError::SchemaNewer { .. })
    ));

    test.execute(
        "DELETE FROM refinery_schema_history WHERE version = 200;
         UPDATE refinery_schema_history SET checksum = '1' WHERE version = 13;",
    )
    .await;
    assert!(matches!(
        test.store.migrate_up().await,
        Err(StoreError::SchemaChanged { changed }) if changed == [ALL[1]]
    ));
    // Everything is there: only the record is wrong, and that can be put right.
    let repaired = test
        .store
        .migrator()
        .repair(&UpOptions::default(), &Silent)
        .await;
    assert_eq!(repaired.expect("a repair").remarks.len(), 1);
    test.store.check_schema().await.expect("a right schema");
}

#[tokio::test]
async fn what_is_there_and_not_recorded_is_recorded_and_not_run() {
    let test = TestStore::new().await;
    test.execute("DELETE FROM refinery_schema_history WHERE version IN (13, 101); DELETE FROM archon_migrations")
        .await;
    let states = test.store.migration_status().await.expect("a status");
    assert_eq!(states[1].state, MigrationStanding::Unrecorded);
    assert!(test.store.check_schema().await.is_err());
    let report = test.store.migrate_up().await.expect("a run");
    assert_eq!(report.adopted, [ALL[1], ALL[4]]);
    assert!(applied(&report).is_empty() && report.left.is_empty());
    let states = test.store.migration_status().await.expect("a status");
    assert!(
        states
            .iter()
            .all(|s| s.state == MigrationStanding::Applied && s.recorded_in_archon == Some(true))
    );
}

#[tokio::test]
async fn what_is_missing_is_found_by_name_and_made_again() {
    let test = TestStore::new().await;
    test.execute(
        "INSERT INTO archon_mcp_sessions (session_id, status) VALUES (zeroblob(16), 'active');
         DROP INDEX idx_archon_mcp_requests_timestamp;
         ALTER TABLE archon_mcp_sessions DROP COLUMN user_agent;",
    )
    .await;
    let states = test.store.migration_status().await.expect("a status");
    let damaged: Vec<_> = states.iter().filter(|s| s.state.is_drift()).collect();
    assert_eq!(damaged.len(), 1);
    assert_eq!(damaged[0].probed, Presence::Partial);
    let told: Vec<_> = damaged[0]
        .findings
        .iter()
        .map(|f| (f.object.to_string(), f.problem))
        .collect();
    assert_eq!(
        told,
        [
            (
                "column archon_mcp_sessions.user_agent".to_owned(),
                Problem::Missing
            ),
            (
                "index idx_archon_mcp_requests_timestamp".to_owned(),
                Problem::Missing
            ),
        ]
    );
    let report = test.store.migrate_up().await.expect("a repair");
    assert_eq!(report.repaired.len(), 1);
    assert!(report.left.is_empty());
    let copy = report.copy.expect("a copy of a database with data");
    let copied = copy
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    assert!(
        copied.starts_with("archonctl.db.") && copy.extension().is_some_and(|end| end == "bak"),
        "{copied}"
    );
    test.store.check_schema().await.expect("a right schema");
    let mut before = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&copy))
        .await
        .expect("a database");
    let sessions: i64 = sqlx::query_scalar("SELECT count(*) FROM archon_mcp_sessions")
        .fetch_one(&mut before)
        .await
        .expect("rows");
    assert_eq!(sessions, 1);
    assert!(
        sqlx::query("SELECT user_agent FROM archon_mcp_sessions")
            .fetch_one(&mut before)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn what_nothing_can_make_right_is_named_and_left_alone() {
    let test = TestStore::new().await;
    test.execute(
        "ALTER TABLE archon_mcp_sessions DROP COLUMN user_agent;
         ALTER TABLE archon_mcp_sessions ADD COLUMN user_agent BLOB;",
    )
    .await;
    let report = test.store.migrate_up().await.expect("a run");
    assert_eq!(report.left.len(), 1);
    assert_eq!(report.left[0].finding.problem, Problem::Different);
    assert_eq!(report.left[0].finding.found.as_deref(), Some("blob"));
    assert!(test.store.check_schema().await.is_err());
}

#[tokio::test]
async fn a_rehearsal_leaves_no_trace() {
    let dir = dir();
    let store = open(&dir).await;
    let options = UpOptions {
        rehearse: true,
        ..UpOptions::default()
    };
    let report = store
        .migrator()
        .up(&options, &Silent)
        .await
        .expect("a rehearsal");
    assert!(report.rehearsed && applied(&report) == VERSIONS);
    assert_eq!(tables(&dir).await, 0);
}

#[tokio::test]
async fn a_run_stops_where_it_is_told_to() {
    let dir = dir();
    let store = open(&dir).await;
    let options = UpOptions {
        to: Some(14),
        ..UpOptions::default()
    };
    let report = store.migrator().up(&options, &Silent).await.expect("a run");
    assert_eq!(applied(&report), [1, 13, 14]);
    let wrong = UpOptions {
        to: Some(15),
        ..UpOptions::default()
    };
    let error = store
        .migrator()
        .up(&wrong, &Silent)
        .await
        .expect_err("no such migration");
    assert!(
        error.to_string().contains("there are 1, 13, 14, 100"),
        "{error}"
    );
    let stopped = UpOptions::default();
    stopped.stop.cancel();
    let error = store
        .migrator()
        .up(&stopped, &Silent)
        .await
        .expect_err("stopped");
    assert!(
        matches!(
            error,
            StoreError::Migrate(MigrationError::Interrupted { .. })
        ),
        "{error}"
    );
}

#[tokio::test]
async fn undoing_asks_before_data_is_lost_and_can_be_done_again() {
    let test = TestStore::new().await;
    test.execute(
        "INSERT INTO archon_mcp_sessions (session_id, status) VALUES (zeroblob(16), 'active')",
    )
    .await;
    let before = test.store.migrator().dump().await.expect("a dump");
    let down = |to, confirm| DownOptions {
        to: Some(to),
        confirm,
        run: UpOptions::default(),
    };
    let error = test
        .store
        .migrator()
        .down(&down(14, false), &Silent)
        .await
        .expect_err("data");
    assert!(
        error.to_string().contains("archon_mcp_sessions 1"),
        "{error}"
    );
    let report = test
        .store
        .migrator()
        .down(&down(14, true), &Silent)
        .await
        .expect("an undoing");
    assert_eq!(
        report.undone.iter().map(|m| m.version).collect::<Vec<_>>(),
        [106, 104, 103, 102, 101, 100]
    );
    assert!(report.copy.is_some());
    let states = test.store.migration_status().await.expect("a status");
    assert!(
        states
            .iter()
            .all(|s| (s.state == MigrationStanding::Applied) == (s.version <= 14)),
        "{states:?}"
    );
    test.store.migrate_up().await.expect("up again");
    assert_eq!(test.store.migrator().dump().await.expect("a dump"), before);
    let empty = test
        .store
        .migrator()
        .down(&down(0, true), &Silent)
        .await
        .expect("all undone");
    assert_eq!(empty.undone.len(), ALL.len());
    let left = test.store.migrator().dump().await.expect("a dump");
    assert!(
        !left.is_empty()
            && left
                .iter()
                .all(|o| o.name == "archon_migrations"
                    || o.on.as_deref() == Some("archon_migrations")),
        "other products record there: {left:?}"
    );
}

#[tokio::test]
async fn only_a_few_copies_are_kept_and_nothing_else_is_removed() {
    let test = TestStore::new().await;
    test.execute(
        "INSERT INTO archon_mcp_sessions (session_id, status) VALUES (zeroblob(16), 'active')",
    )
    .await;
    let folder = std::path::PathBuf::from(test.store.location());
    let folder = folder.parent().expect("a folder").to_owned();
    std::fs::write(folder.join("archonctl.db.mine.bak"), "").expect("a file");
    for _ in 0..5 {
        test.execute("DROP INDEX idx_archon_mcp_requests_timestamp")
            .await;
        test.store.migrate_up().await.expect("a repair");
    }
    let entries = folder
        .read_dir()
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name());
    let copies: Vec<_> = entries
        .filter(|name| name.to_string_lossy().ends_with(".bak"))
        .collect();
    assert_eq!(
        copies.len(),
        4,
        "three, and the one that is none: {copies:?}"
    );
}

#[tokio::test]
async fn a_plan_tells_what_a_run_would_do_and_does_nothing() {
    let dir = dir();
    let store = open(&dir).await;
    let planned = store
        .migrator()
        .plan(crate::store::Task::Up, None)
        .await
        .expect("a plan");
    assert_eq!(
        planned.iter().map(|m| m.version).collect::<Vec<_>>(),
        VERSIONS
    );
    assert_eq!(tables(&dir).await, 0);
    let mut conn = raw(&dir).await;
    for part in planned.iter().flat_map(|m| &m.parts) {
        for statement in &part.statements {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement.clone()))
                .execute(&mut conn)
                .await
                .expect("a planned statement");
        }
    }
    let states = store.migration_status().await.expect("a status");
    assert!(
        states.iter().all(|s| s.state == MigrationStanding::Applied),
        "{states:?}"
    );
}

/// How many tables there are.
async fn tables(dir: &TempDir) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE type = 'table'")
        .fetch_one(&mut raw(dir).await)
        .await
        .expect("tables")
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_behind() {
    let dir = dir();
    // In the way of a table that V100 creates.
    run(
        &mut raw(&dir).await,
        "CREATE TABLE archon_journal_positions (a)",
    )
    .await;
    let store = open(&dir).await;
    let error = store.migrate_up().await.expect_err("a table is in the way");
    assert!(
        error
            .to_string()
            .contains("V100__session_identity_and_counts"),
        "{error}"
    );
    assert!(!error.is_transient());
    assert!(
        standings(&store)
            .await
            .iter()
            .all(|(_, s)| *s != MigrationStanding::Applied)
    );
    assert_eq!(tables(&dir).await, 1);
}

#[tokio::test]
async fn a_question_creates_no_database() {
    let dir = dir();
    let error = Store::open_embedded_existing(dir.path())
        .await
        .expect_err("nothing is there");
    assert!(matches!(&error, StoreError::NoDatabase { path } if path.ends_with("archonctl.db")));
    assert_eq!(dir.path().read_dir().expect("the directory").count(), 0);
    assert!(matches!(
        Store::open_embedded(&dir.path().join("no")).await,
        Err(StoreError::NoDataDir { .. })
    ));
    std::fs::write(
        dir.path().join("archonctl.db"),
        "not a database, but long enough to be looked at",
    )
    .expect("a file");
    let error = Store::open_embedded_existing(dir.path())
        .await
        .expect_err("no database");
    assert!(matches!(error, StoreError::Open { .. }));
}

#[tokio::test]
async fn a_lock_held_by_another_process_is_transient() {
    let error = StoreError::during("test")(sqlx::Error::PoolTimedOut);
    assert!(error.is_transient());
    let dir = dir();
    let mut first = raw(&dir).await;
    run(&mut first, "BEGIN EXCLUSIVE").await;
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join("archonctl.db"))
        .busy_timeout(std::time::Duration::ZERO);
    let mut second = SqliteConnection::connect_with(&options)
        .await
        .expect("a connection");
    let busy = sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut second)
        .await
        .expect_err("busy");
    assert!(StoreError::during("test")(busy).is_transient());
}
