//! What is there and not recorded, or recorded and not there, on SQLite.

use super::*;

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
