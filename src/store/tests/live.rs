//! What an instance that starts asks and does: sessions that are not over, settling, adopting, journal positions.

use uuid::Uuid;

use crate::model::{InstanceId, OpenedSession, SessionStatus};
use crate::store::JournalPosition;
use crate::store::testing::{
    INSTANCE, On, TestStore, at, call, close, closed, idle, on_every_store, open, opened,
    session_id,
};

on_every_store!(
    live_sessions_come_back_as_they_were_opened,
    settled_sessions_keep_their_first_reason,
    only_live_sessions_are_adopted,
    positions_are_kept_for_each_instance_and_forgotten_when_told,
);

const NEXT: InstanceId = InstanceId(Uuid::from_u128(0xB22));

async fn live_sessions_come_back_as_they_were_opened(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[
        open(1, 0),
        open(2, 1),
        open(3, 2),
        call(1, 1, 10),
        idle(2),
        close(3, 4, "timeout"),
    ])
    .await;
    // A row of another writer is not ours to go on with.
    test.execute(&format!(
        "INSERT INTO archon_mcp_sessions (session_id) VALUES ({})",
        on.id(0xF0)
    ))
    .await;
    let live = test.store.live_sessions().await.expect("live sessions");
    // PostgreSQL keeps JSON's meaning, not its blanks.
    let compact = |mut opened: OpenedSession| {
        opened.client_capabilities = opened
            .client_capabilities
            .map(|json| json.replace(' ', "").into());
        opened
    };
    assert_eq!(
        live.iter()
            .map(|s| (compact(s.opened.clone()), s.last_activity, s.status))
            .collect::<Vec<_>>(),
        [
            (opened(2, 1), at(1), SessionStatus::Idle),
            (
                opened(1, 0),
                at(10).plus(std::time::Duration::from_millis(100)),
                SessionStatus::Active
            ),
        ]
    );
    let owners = test
        .store
        .instances_with_live_sessions()
        .await
        .expect("owners");
    assert_eq!(owners, [INSTANCE]);
}

async fn settled_sessions_keep_their_first_reason(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[open(1, 0), open(2, 0), close(2, 7, "client_disconnect")])
        .await;
    let all = [
        closed(1, 9, "error:ServerCrash"),
        closed(2, 9, "error:ServerCrash"),
        closed(99, 9, "error:ServerCrash"),
    ];
    test.store.settle(&all).await.expect("settled");
    test.store
        .settle(&[closed(1, 20, "timeout")])
        .await
        .expect("settled");
    assert!(test.store.live_sessions().await.expect("none").is_empty());
    for (n, reason, duration) in [(1, "error:ServerCrash", 9), (2, "client_disconnect", 7)] {
        let details = test
            .store
            .session(session_id(n))
            .await
            .expect("an answer")
            .expect("a session");
        assert_eq!(details.session.disconnect_reason.as_deref(), Some(reason));
        assert_eq!(details.session.total_duration, Some(duration));
    }
    let unknown = test.store.session(session_id(99)).await;
    assert_eq!(unknown.expect("an answer"), None);
}

async fn only_live_sessions_are_adopted(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[open(1, 0), open(2, 0), open(3, 0), close(3, 1, "timeout")])
        .await;
    let of_instance = [1, 3].map(|n| (session_id(n), INSTANCE));
    let taken = test.store.take_over(&of_instance, NEXT).await;
    assert_eq!(taken.expect("taken over"), [session_id(1)]);
    let none = test.store.take_over(&[], NEXT).await;
    assert!(none.expect("nothing to take over").is_empty());
    let owners = test
        .store
        .instances_with_live_sessions()
        .await
        .expect("owners");
    assert_eq!(owners, [INSTANCE, NEXT]);
    let live = test.store.live_sessions().await.expect("live");
    let owned: Vec<_> = live
        .iter()
        .map(|s| (s.opened.session_id, s.opened.instance_id))
        .collect();
    assert_eq!(owned, [(session_id(1), NEXT), (session_id(2), INSTANCE)]);
}

async fn positions_are_kept_for_each_instance_and_forgotten_when_told(on: On) {
    let test = TestStore::on(on).await;
    let store = &test.store;
    assert_eq!(store.journal_position(INSTANCE).await.expect("none"), None);
    let position = JournalPosition {
        segment: 3,
        offset: 4_711,
    };
    store.fold(INSTANCE, &[], position).await.expect("a fold");
    assert_eq!(
        store.journal_position(INSTANCE).await.expect("one"),
        Some(position)
    );
    assert_eq!(store.journal_position(NEXT).await.expect("none"), None);
    // Not after the stored one: skipped whole.
    for (segment, offset) in [(3, 4_711), (3, 4_000), (2, 9_999)] {
        let earlier = JournalPosition { segment, offset };
        store
            .fold(INSTANCE, &[open(1, 0)], earlier)
            .await
            .expect("skipped");
    }
    assert!(store.live_sessions().await.expect("none").is_empty());
    store.forget_journal(INSTANCE).await.expect("forgotten");
    assert_eq!(store.journal_position(INSTANCE).await.expect("none"), None);
}
