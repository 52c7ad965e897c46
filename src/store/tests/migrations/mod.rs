//! Bringing schemas up to date: new, half way, twice, at once, foreign.

mod repairs;
mod runs;

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;

use crate::store::testing::TestStore;
use crate::store::{
    DownOptions, MigrationError, MigrationReport, MigrationStanding, Presence, Problem, Silent,
    Store, StoreError, UpOptions,
};

const V001: &str = include_str!("../../../../migrations/sqlite/V001__add_mcp_client_tracking.sql");
const V013: &str =
    include_str!("../../../../migrations/sqlite/V013__add_session_disconnect_fields.sql");

const ALL: [&str; 13] = [
    "V001__add_mcp_client_tracking",
    "V013__add_session_disconnect_fields",
    "V014__add_user_context_to_sessions",
    "V100__session_identity_and_counts",
    "V101__usage_rollups",
    "V102__functions_and_views",
    "V103__row_security",
    "V104__indexes",
    "V105__instances",
    "V106__failed_requests",
    "V107__model_prices",
    "V108__api_tokens",
    "V109__live_events",
];

const VERSIONS: [i32; 13] = [1, 13, 14, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109];

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
            own("0.1.0", "105_instances"),
            own("0.1.0", "106_failed_requests"),
            own("0.1.0", "107_model_prices"),
            own("0.1.0", "108_api_tokens"),
            own("0.1.0", "109_live_events"),
        ]
    );
    let prices: i64 = sqlx::query_scalar("SELECT count(*) FROM archon_llm_pricing")
        .fetch_one(&mut conn)
        .await
        .expect("prices");
    assert_eq!(prices, 11 + 46);
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
