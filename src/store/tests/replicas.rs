//! Several instances that meet the same clients: what each writes of them ends up in one session.

use uuid::Uuid;

use crate::model::{ClientType, InstanceId, OpenedSession, Record, SessionStatus};
use crate::reports::{Page, SessionRow, session_details};
use crate::store::connection::on_pool;
use crate::store::testing::{
    On, TestStore, at, call, close, idle, on_every_store, opened, session_id, touch,
};
use crate::store::{Folded, JournalPosition, Store};

on_every_store!(
    a_session_that_several_instances_met_is_one_row,
    what_the_first_to_come_did_not_know_the_others_tell,
    whichever_comes_first_the_session_is_the_same,
    an_opening_that_comes_after_the_end_belongs_to_what_ended,
    a_session_behind_an_end_is_another_one,
    the_first_reason_stays_whoever_closes,
    instances_that_write_at_once_make_one_session,
    journals_that_are_folded_again_change_nothing,
);

/// What `instance` writes first of the client with key `shared`, which it calls session `n`.
fn met(instance: u128, n: u128, seconds: i64) -> OpenedSession {
    let mut session = opened(n, seconds);
    session.instance_id = InstanceId(Uuid::from_u128(instance));
    session.session_key = "shared".into();
    session
}

fn record(session: OpenedSession) -> Record {
    Record::SessionOpened(Box::new(session))
}

async fn fold(store: &Store, instance: u128, offset: u64, records: &[Record]) -> Folded {
    let position = JournalPosition { segment: 1, offset };
    let instance = InstanceId(Uuid::from_u128(instance));
    let folded = store.fold(instance, records, position).await;
    folded.expect("folded")
}

async fn row(store: &Store, n: u128) -> SessionRow {
    let details = session_details(store, session_id(n), Page::default()).await;
    details.expect("an answer").expect("a session").session
}

async fn sessions(test: &TestStore) -> usize {
    let live = test.store.live_sessions().await.expect("an answer");
    live.len()
}

async fn a_session_that_several_instances_met_is_one_row(on: On) {
    let test = TestStore::on(on).await;
    let store = &test.store;
    let first = fold(store, 1, 1, &[record(met(1, 11, 10)), call(1, 11, 20)]).await;
    assert_eq!(first, Folded::default());
    let second = fold(store, 2, 1, &[record(met(2, 22, 12)), call(2, 22, 40)]).await;
    assert_eq!(second.joined, [(session_id(22), session_id(11))]);
    let third = fold(store, 3, 1, &[record(met(3, 33, 5)), touch(33, 30, 2)]).await;
    assert_eq!(third.joined, [(session_id(33), session_id(11))]);
    // Later records may still call it what they called it first.
    fold(store, 2, 2, &[call(3, 22, 41), idle(22), call(4, 22, 50)]).await;
    assert_eq!(sessions(&test).await, 1);
    for name in [11, 22, 33] {
        let session = row(store, name).await;
        assert_eq!(session.session_id, session_id(11));
        assert_eq!(session.total_requests, 4);
        assert_eq!(session.connected_at, at(5), "the earliest of the three");
        assert_eq!(
            session.last_activity,
            at(50).plus(std::time::Duration::from_millis(100))
        );
    }
    let calls = store.operations_of(session_id(11), Page::default()).await;
    assert_eq!(calls.expect("an answer").len(), 4);
}

async fn what_the_first_to_come_did_not_know_the_others_tell(on: On) {
    let test = TestStore::on(on).await;
    let store = &test.store;
    let mut silent = met(1, 11, 10);
    (silent.client_name, silent.client_version) = (None, None);
    silent.client_capabilities = None;
    fold(store, 1, 1, &[record(silent), call(1, 11, 20)]).await;
    assert_eq!(row(store, 11).await.client_type, "Unknown");
    let mut greeted = met(2, 22, 9);
    greeted.client_name = Some("claude-code".into());
    greeted.client_version = Some("2.1".into());
    fold(store, 2, 1, &[record(greeted), call(2, 22, 21)]).await;
    let session = row(store, 11).await;
    assert_eq!(session.client_name.as_deref(), Some("claude-code"));
    assert_eq!(session.client_version.as_deref(), Some("2.1"));
    let claude = ClientType::from_name("claude-code").as_str();
    assert_eq!(session.client_type, claude);
    // What was counted for nobody's client before is counted for this one.
    let counted: Result<Vec<(String, i64)>, _> = on_pool!(store, pool => {
        sqlx::query_as(
            "SELECT client_type, CAST(sum(requests) AS BIGINT) FROM (SELECT client_type, requests \
             FROM archon_usage_hourly UNION ALL SELECT client_type, requests FROM archon_usage_pending) AS u \
             GROUP BY client_type HAVING sum(requests) <> 0",
        )
        .fetch_all(pool)
        .await
    });
    assert_eq!(counted.expect("an answer"), [(claude.to_owned(), 2)]);
}

async fn whichever_comes_first_the_session_is_the_same(on: On) {
    let mut seen = Vec::new();
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
        let test = TestStore::on(on).await;
        for instance in order {
            let n = 10 * instance;
            let mut session = met(instance, n, 5 + i64::try_from(instance).expect("small"));
            if instance != 2 {
                session.client_name = None;
                session.client_version = None;
                session.client_capabilities = None;
            }
            let records = [record(session), call(n, n, 20), call(n + 1, n, 30)];
            fold(&test.store, instance, 1, &records).await;
        }
        let session = row(&test.store, 10).await;
        seen.push((
            session.client_name,
            session.connected_at,
            session.last_activity,
            session.total_requests,
        ));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    assert_eq!(seen[0].3, 6);
}

async fn an_opening_that_comes_after_the_end_belongs_to_what_ended(on: On) {
    let test = TestStore::on(on).await;
    let store = &test.store;
    let ended = [record(met(2, 22, 12)), close(22, 60, "client_disconnect")];
    fold(store, 2, 1, &ended).await;
    // This instance could not reach the store until now.
    let late = [record(met(1, 11, 10)), call(1, 11, 20)];
    let told = fold(store, 1, 1, &late).await;
    assert_eq!(told.joined, [(session_id(11), session_id(22))]);
    let session = row(store, 11).await;
    assert_eq!(session.session_id, session_id(22));
    assert_eq!(
        (session.connected_at, session.total_duration),
        (at(10), Some(50))
    );
    assert_eq!(session.total_requests, 1);
    assert_eq!(sessions(&test).await, 0);
    // And it is told that the session is over with the next thing that it writes of it.
    let told = fold(store, 1, 2, &[call(2, 11, 58)]).await;
    assert_eq!(told.over, [session_id(11)]);
}

async fn a_session_behind_an_end_is_another_one(on: On) {
    let test = TestStore::on(on).await;
    let store = &test.store;
    let ended = [record(met(2, 22, 12)), close(22, 60, "client_disconnect")];
    fold(store, 2, 1, &ended).await;
    let told = fold(store, 1, 1, &[record(met(1, 11, 60)), call(1, 11, 61)]).await;
    assert_eq!(told, Folded::default());
    assert_eq!(row(store, 11).await.resumed_from, Some(session_id(22)));
    assert_eq!(sessions(&test).await, 1);
}

/// Rule: session/first-reason
async fn the_first_reason_stays_whoever_closes(on: On) {
    let test = TestStore::on(on).await;
    let store = &test.store;
    fold(store, 1, 1, &[record(met(1, 11, 10))]).await;
    fold(
        store,
        2,
        1,
        &[record(met(2, 22, 12)), close(22, 60, "client_disconnect")],
    )
    .await;
    fold(store, 1, 2, &[close(11, 70, "timeout")]).await;
    let session = row(store, 11).await;
    assert_eq!(session.status, SessionStatus::Disconnected);
    assert_eq!(
        session.disconnect_reason.as_deref(),
        Some("client_disconnect")
    );
    assert_eq!(
        (session.disconnected_at, session.total_duration),
        (Some(at(60)), Some(50))
    );
}

async fn instances_that_write_at_once_make_one_session(on: On) {
    let test = TestStore::on(on).await;
    // Pools of their own, as other processes have.
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(test.another().await);
    }
    for round in 0..8_u64 {
        let shared = format!("shared-{round}");
        let write = |instance: u128, store: Store| {
            let n = u128::from(round) * 100 + instance;
            let mut session = met(instance, n, 10);
            session.session_key = shared.clone().into();
            let ending = if instance == 2 {
                "timeout"
            } else {
                "client_disconnect"
            };
            let records = [record(session), call(n, n, 20), close(n, 60, ending)];
            async move { fold(&store, instance, round + 1, &records).await }
        };
        let [one, two, three] = [0, 1, 2].map(|n| others[n].clone());
        tokio::join!(write(1, one), write(2, two), write(3, three));
        let n = u128::from(round) * 100;
        let session = row(&test.store, n + 1).await;
        assert_eq!(session.total_requests, 3, "round {round}");
        for other in [2, 3] {
            let other = row(&test.store, n + other).await;
            assert_eq!(other.session_id, session.session_id);
        }
        assert_eq!(session.total_duration, Some(50));
        assert!(session.disconnect_reason.is_some());
    }
    for other in others {
        other.close().await;
    }
}

async fn journals_that_are_folded_again_change_nothing(on: On) {
    let test = TestStore::on(on).await;
    let store = &test.store;
    let ours = [record(met(1, 11, 10)), call(1, 11, 20)];
    let theirs = [record(met(2, 22, 12)), call(2, 22, 40)];
    for _ in 0..3 {
        for (instance, records) in [(1, &ours), (2, &theirs)] {
            fold(store, instance, 1, records).await;
            // Positions were lost.
            let instance = InstanceId(Uuid::from_u128(instance));
            store.forget_journal(instance).await.expect("forgotten");
        }
    }
    let session = row(store, 22).await;
    assert_eq!(
        (session.session_id, session.total_requests),
        (session_id(11), 2)
    );
    assert_eq!(sessions(&test).await, 1);
}
