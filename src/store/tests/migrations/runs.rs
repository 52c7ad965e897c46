//! How a run goes, stops, is undone and copies before it changes anything, on SQLite.

use super::*;

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
        [109, 108, 107, 106, 105, 104, 103, 102, 101, 100]
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
