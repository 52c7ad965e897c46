//! What each record does to the stored session.

use crate::model::{Cost, OperationStatus, Record, SessionStatus, Target, UserContext};
use crate::store::testing::{
    INSTANCE, On, TestStore, at, call, close, idle, on_every_store, open, opened, operation,
    session_id, touch,
};
use crate::store::{JournalPosition, OperationRow, Page, SessionRow, SessionWithSums};

on_every_store!(
    an_operation_is_stored_with_all_it_carries,
    the_handshake_is_a_row_and_is_not_counted,
    idle_sessions_wake_up_and_ended_ones_do_not,
    a_session_never_ends_before_it_begins,
    a_session_goes_on_from_the_newest_ended_one_with_its_key,
    records_of_an_unknown_session_are_kept_by_a_stand_in,
    operations_sent_again_count_once,
    no_record_can_make_a_batch_fail,
    a_failed_fold_stores_nothing,
);

/// A session with its sums and its operations.
#[derive(Debug, PartialEq)]
struct Details {
    session: SessionRow,
    sums: SessionWithSums,
    requests: Vec<OperationRow>,
}

async fn details(test: &TestStore, n: u128) -> Details {
    let sums = test.store.session(session_id(n)).await;
    let sums = sums.expect("an answer").expect("a session");
    let requests = test
        .store
        .operations_of(session_id(n), Page::default())
        .await;
    Details {
        session: sums.session.clone(),
        sums,
        requests: requests.expect("an answer"),
    }
}

/// Rule: operation/prompt-and-resource, operation/whose
async fn an_operation_is_stored_with_all_it_carries(on: On) {
    let mut test = TestStore::on(on).await;
    let user = uuid::Uuid::from_u128(7);
    let mut session = opened(1, 0);
    session.user = UserContext {
        user_id: Some(user),
        user_email: Some("a@example.org".into()),
        user_name: None,
    };
    let mut failed = operation(2, 1, 3);
    failed.target = Some(Target::Resource("file:///x".into()));
    failed.method = "resources/read".into();
    failed.status = OperationStatus::Timeout;
    failed.error_message = Some("no answer".into());
    failed.from_server = true;
    failed.duration_us = 1_500;
    failed.prompt_tokens = None;
    failed.estimated_cost = None;
    failed.trace_id = Some("0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01".into());
    test.fold(&[
        Record::SessionOpened(Box::new(session)),
        call(1, 1, 1),
        Record::OperationFinished(Box::new(failed)),
        touch(1, 4, 3),
    ])
    .await;
    let details = details(&test, 1).await;
    let session = &details.session;
    assert_eq!(session.client_type, "Claude");
    assert_eq!(session.user_id, Some(user));
    assert_eq!(session.status, SessionStatus::Active);
    assert_eq!(session.last_activity, at(4));
    assert_eq!(
        session.client_capabilities,
        Some(serde_json::json!({"roots": {}}))
    );
    assert_eq!(session.metadata, serde_json::json!({}));
    assert_eq!(
        (
            session.total_requests,
            session.failed_requests,
            session.notifications
        ),
        (2, 1, 3)
    );
    assert_eq!((session.bytes_in, session.bytes_out), (200, 2_000));
    assert_eq!(
        details.sums.total_prompt_tokens + details.sums.total_completion_tokens,
        50
    );
    assert_eq!(details.sums.total_cost, Cost::from_micros(30));
    let [second, first] = &details.requests[..] else {
        panic!("two operations, newest first");
    };
    assert_eq!(first.tool_name.as_deref(), Some("search"));
    assert_eq!((first.total_tokens, first.duration_ms), (30, Some(100)));
    assert_eq!(second.resource_uri.as_deref(), Some("file:///x"));
    assert_eq!(
        (second.status.as_str(), second.sent_by.as_str()),
        ("timeout", "server")
    );
    assert_eq!(
        (
            second.prompt_tokens,
            second.total_tokens,
            second.duration_ms
        ),
        (None, 20, Some(2))
    );
    assert_eq!(second.estimated_cost, Cost::default());
    let users: Vec<uuid::Uuid> = crate::store::connection::on_pool!(test.store, pool => {
        sqlx::query_scalar("SELECT user_id FROM archon_mcp_requests").fetch_all(pool).await
    })
    .expect("users");
    assert_eq!(users, [user, user]);
}

/// Rule: session/handshake-alone
async fn the_handshake_is_a_row_and_is_not_counted(on: On) {
    let mut test = TestStore::on(on).await;
    let handshake = |id, method: &str, status| {
        let mut operation = operation(id, 1, 1);
        operation.method = method.into();
        operation.target = None;
        operation.status = status;
        Record::OperationFinished(Box::new(operation))
    };
    test.fold(&[
        open(1, 0),
        handshake(1, "server/discover", OperationStatus::Error),
        handshake(2, "initialize", OperationStatus::Success),
    ])
    .await;
    let counts = |session: &SessionRow| (session.total_requests, session.failed_requests);
    assert_eq!(counts(&details(&test, 1).await.session), (0, 0));
    test.fold(&[call(3, 1, 2)]).await;
    let details = details(&test, 1).await;
    assert_eq!(counts(&details.session), (1, 0));
    assert_eq!(details.requests.len(), 3);
    assert_eq!(details.session.bytes_in, 300, "its bytes did pass");
}

/// Rule: session/wakes-up, session/ended-stays
async fn idle_sessions_wake_up_and_ended_ones_do_not(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[open(1, 0), idle(1)]).await;
    assert_eq!(details(&test, 1).await.session.status, SessionStatus::Idle);
    test.fold(&[touch(1, 5, 1)]).await;
    assert_eq!(
        details(&test, 1).await.session.status,
        SessionStatus::Active
    );
    test.fold(&[idle(1)]).await;
    test.fold(&[call(1, 1, 6)]).await;
    assert_eq!(
        details(&test, 1).await.session.status,
        SessionStatus::Active
    );
    test.fold(&[close(1, 7, "client_disconnect")]).await;
    let ended = details(&test, 1).await.session;
    test.fold(&[
        call(2, 1, 8),
        touch(1, 9, 1),
        idle(1),
        close(1, 30, "timeout"),
        open(1, 40),
    ])
    .await;
    let after = details(&test, 1).await.session;
    assert_eq!(after.status, SessionStatus::Disconnected);
    assert_eq!(after.total_requests, 2);
    assert_eq!(after.last_activity, at(9));
    assert_eq!(
        (
            after.disconnected_at,
            after.detected_at,
            after.total_duration,
            after.disconnect_reason
        ),
        (
            ended.disconnected_at,
            ended.detected_at,
            Some(7),
            Some("client_disconnect".to_owned())
        )
    );
}

/// Rule: session/total-duration
async fn a_session_never_ends_before_it_begins(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[open(1, 100), close(1, 50, "error:ChildExit")])
        .await;
    let session = details(&test, 1).await.session;
    assert_eq!(session.disconnected_at, Some(at(100)));
    assert_eq!(session.total_duration, Some(0));
    assert_eq!(
        session.disconnect_reason.as_deref(),
        Some("error:ChildExit")
    );
}

fn keyed(n: u128, seconds: i64, key: &str, client: Option<&str>) -> Record {
    let mut session = opened(n, seconds);
    session.session_key = key.into();
    session.client_name = client.map(Into::into);
    if client.is_none() {
        session.client_version = None;
        session.client_capabilities = None;
    }
    Record::SessionOpened(Box::new(session))
}

/// Rule: session/kept-as-sent, session/resumed-from
async fn a_session_goes_on_from_the_newest_ended_one_with_its_key(on: On) {
    let records = [
        keyed(1, 0, "k", Some("cursor-vscode")),
        close(1, 10, "timeout"),
        keyed(2, 20, "k", Some("cursor-vscode")),
        keyed(9, 21, "k", None), // is 2, which has not ended
        close(2, 30, "timeout"),
        keyed(3, 40, "k", None),
        close(3, 50, "timeout"),
        keyed(4, 60, "k", None),
        keyed(5, 60, "other", None),
    ];
    let mut whole = TestStore::on(on).await;
    whole.fold(&records).await;
    let mut single = TestStore::on(on).await;
    for record in &records {
        single.fold(std::slice::from_ref(record)).await;
    }
    for test in [&whole, &single] {
        let name = test.store.named(session_id(9)).await;
        assert_eq!(name.expect("an answer"), session_id(2));
        for (n, from, client_type) in [
            (1, None, "Cursor"),
            (2, Some(1), "Cursor"),
            (3, Some(2), "Cursor"),
            (4, Some(3), "Cursor"),
            (5, None, "Unknown"),
        ] {
            let session = details(test, n).await.session;
            assert_eq!(session.resumed_from, from.map(session_id), "{n}");
            assert_eq!(session.client_type, client_type, "{n}");
            let named = client_type != "Unknown";
            assert_eq!(session.client_name.is_some(), named, "{n}");
            assert_eq!(session.client_version.is_some(), named, "{n}");
            assert_eq!(session.client_capabilities.is_some(), named, "{n}");
        }
    }
}

async fn records_of_an_unknown_session_are_kept_by_a_stand_in(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[
        call(1, 1, 5),
        call(2, 2, 5),
        open(3, 0),
        call(3, 3, 6),
        close(2, 9, "timeout"),
    ])
    .await;
    let stand_in = details(&test, 1).await;
    assert_eq!(stand_in.session.client_type, "Unknown");
    assert_eq!(stand_in.session.connected_at, at(5));
    assert_eq!(stand_in.session.derivation, None);
    assert_eq!(stand_in.requests.len(), 1);
    let live = test.store.live_sessions().await.expect("live");
    let found = live
        .iter()
        .find(|s| s.opened.session_id == session_id(1))
        .expect("owned");
    assert_eq!(found.opened.instance_id, INSTANCE);
    assert!(!found.opened.survives_instance);

    // Should the opening records come after all, they count.
    test.fold(&[open(1, 2), call(4, 1, 7), open(2, 3)]).await;
    let session = details(&test, 1).await.session;
    assert_eq!(session.client_type, "Claude");
    assert_eq!(session.connected_at, at(2));
    assert_eq!(session.total_requests, 2);
    let ended = details(&test, 2).await.session;
    assert_eq!(ended.disconnect_reason.as_deref(), Some("timeout"));
    assert_eq!((ended.total_requests, ended.total_duration), (1, Some(6)));
}

/// Rule: durability/once
async fn operations_sent_again_count_once(on: On) {
    let mut test = TestStore::on(on).await;
    let first = [open(1, 0), call(1, 1, 1), call(2, 1, 2)];
    test.fold(&first).await;
    let before = details(&test, 1).await;
    test.store
        .forget_journal(INSTANCE)
        .await
        .expect("forgotten");
    test.fold(&first).await;
    assert_eq!(details(&test, 1).await, before);
    // Old and new ones together, and one twice in a batch.
    test.fold(&[call(2, 1, 2), call(3, 1, 3), call(3, 1, 3), call(4, 1, 4)])
        .await;
    let after = details(&test, 1).await;
    assert_eq!(after.session.total_requests, 4);
    assert_eq!(after.session.bytes_in, 400);
    assert_eq!(after.sums.stored_requests, 4);
    assert_eq!(after.sums.total_completion_tokens, 80);
}

async fn no_record_can_make_a_batch_fail(on: On) {
    let mut test = TestStore::on(on).await;
    let mut session = opened(1, 0);
    session.client_capabilities = Some("{not json".into());
    session.client_name = Some("nul \0 inside".into());
    session.connected_at = crate::model::Timestamp::from_micros(i64::MIN);
    let mut operations = Vec::new();
    for n in 0..20 {
        let mut absurd = operation(n, 1, 0);
        absurd.bytes_in = u64::MAX;
        absurd.duration_us = u64::MAX;
        absurd.estimated_cost = Some(Cost::from_micros(i64::MAX));
        absurd.method = String::new().into();
        operations.push(Record::OperationFinished(Box::new(absurd)));
    }
    test.fold(&[Record::SessionOpened(Box::new(session))]).await;
    test.fold(&operations).await;
    test.fold(&[close(1, 0, "timeout")]).await;
    let details = details(&test, 1).await;
    assert_eq!(
        details.session.client_capabilities,
        Some(serde_json::json!("{not json"))
    );
    assert_eq!(details.session.total_requests, 20);
}

async fn a_failed_fold_stores_nothing(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[open(1, 0)]).await;
    test.execute(match on {
        On::Sqlite => {
            "CREATE TRIGGER refuse BEFORE UPDATE ON archon_mcp_sessions BEGIN SELECT raise(ABORT, 'no'); END"
        }
        _ => {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$; \
             CREATE TRIGGER refuse BEFORE UPDATE ON archon_mcp_sessions FOR EACH ROW EXECUTE FUNCTION refuse()"
        }
    })
    .await;
    let position = JournalPosition {
        segment: 9,
        offset: 0,
    };
    let error = test
        .store
        .fold(INSTANCE, &[open(2, 0), call(1, 1, 1)], position)
        .await;
    assert!(!error.expect_err("refused").is_transient());
    test.execute(match on {
        On::Sqlite => "DROP TRIGGER refuse",
        _ => "DROP FUNCTION refuse CASCADE",
    })
    .await;
    assert_eq!(details(&test, 1).await.sums.stored_requests, 0);
    assert_eq!(test.store.live_sessions().await.expect("one").len(), 1);
    let stored = test
        .store
        .journal_position(INSTANCE)
        .await
        .expect("a position");
    assert_eq!(
        stored,
        Some(JournalPosition {
            segment: 0,
            offset: 1
        })
    );
}
