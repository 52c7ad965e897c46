//! The log of events: everything that happened, once, in an order that a reader can go on from, whoever stored it.

use std::time::Duration;

use crate::model::{InstanceId, Record};
use crate::reports::{EventId, GoingOn, LiveEvent, events_behind, events_end, go_on_behind};
use crate::store::connection::on_pool;
use crate::store::testing::{
    INSTANCE, On, TestStore, at, call, close, idle, on_every_store, open, opened, operation,
    session_id, touch,
};
use crate::store::{JournalPosition, Store};

on_every_store!(
    what_happened_is_told_in_order_and_goes_on_from_every_place,
    what_is_folded_again_is_told_once,
    a_session_of_several_instances_opens_once,
    many_events_come_in_pages_and_none_is_lost,
    what_is_no_longer_kept_is_told,
    a_place_of_another_store_is_refused,
    what_others_write_is_told,
    a_transaction_that_takes_long_loses_nothing,
);

fn beginning() -> EventId {
    "0-0-0".parse().expect("an id")
}

/// An event in a few words.
fn words(event: &LiveEvent) -> String {
    let session = event
        .session()
        .map_or(0, |session| session.session_id.0.as_u128());
    match event {
        LiveEvent::SessionClosed {
            disconnect_reason, ..
        } => format!(
            "closed {session} {}",
            disconnect_reason.as_deref().unwrap_or("-")
        ),
        LiveEvent::OperationFinished { request, .. } => {
            format!("request {} of {session}", request.request_id.as_u128())
        }
        other => format!("{} {session}", other.name().trim_start_matches("session_")),
    }
}

/// Waits until everything that is committed is told: a transaction that just ended may count as running for a moment.
async fn settled(store: &Store) {
    let embedded = store.is_embedded();
    let column = if embedded { "log_id" } else { "transaction_id" };
    let sql = format!("SELECT coalesce(max({column}), 0) FROM archon_event_log");
    let newest: Result<i64, _> = on_pool!(store, pool => {
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(pool).await
    });
    let newest = newest.expect("an answer");
    let until = std::time::Instant::now() + Duration::from_mins(1);
    while store.events_end().await.expect("an answer").major <= newest {
        assert!(std::time::Instant::now() < until, "it is never told");
        tokio::task::yield_now().await;
    }
}

/// Everything behind `place`, once everything is told.
async fn all_behind(store: &Store, mut place: EventId) -> Vec<(EventId, LiveEvent)> {
    settled(store).await;
    let mut all = Vec::new();
    loop {
        let page = events_behind(store, place).await.expect("an answer");
        assert!(page.next >= place);
        all.extend(page.events);
        place = page.next;
        if !page.more {
            return all;
        }
    }
}

async fn told(store: &Store) -> Vec<String> {
    let all = all_behind(store, beginning()).await;
    all.iter().map(|(_, event)| words(event)).collect()
}

async fn what_happened_is_told_in_order_and_goes_on_from_every_place(on: On) {
    let mut test = TestStore::on(on).await;
    let start = events_end(&test.store).await.expect("an answer");
    test.fold(&[open(1, 0), call(11, 1, 1), open(2, 1)]).await;
    test.fold(&[touch(2, 3, 1), idle(1), idle(1), call(12, 2, 4)])
        .await;
    test.fold(&[
        call(13, 1, 300),
        idle(1),
        close(2, 400, "client_disconnect"),
        close(2, 401, "timeout"),
    ])
    .await;
    test.store
        .settle(&[crate::store::testing::closed(1, 300, "error:ServerCrash")])
        .await
        .expect("settled");
    let expected = [
        "opened 1",
        "request 11 of 1",
        "opened 2",
        "idle 1",
        "request 12 of 2",
        "request 13 of 1",
        "idle 1",
        "closed 2 client_disconnect",
        "closed 1 error:ServerCrash",
    ];
    assert_eq!(told(&test.store).await, expected);
    let all = all_behind(&test.store, start).await;
    assert_eq!(all.len(), expected.len());
    // Behind each of them are those that follow, as before.
    for (place, (id, _)) in all.iter().enumerate() {
        let going_on = go_on_behind(&test.store, *id).await.expect("an answer");
        assert_eq!(going_on, GoingOn::Here(*id));
        let rest = all_behind(&test.store, *id).await;
        assert_eq!(rest[..], all[place + 1..], "{id}");
    }
    let end = events_end(&test.store).await.expect("an answer");
    assert!(all.last().is_some_and(|(id, _)| *id < end));
    assert!(all_behind(&test.store, end).await.is_empty());
    // What they tell.
    let LiveEvent::SessionOpened { at: when, session } = &all[0].1 else {
        panic!("{:?}", all[0]);
    };
    assert_eq!((*when, session.session_id), (at(0), session_id(1)));
    assert_eq!(session.client_type, "Claude");
    assert_eq!(session.server.as_deref(), Some("files"));
    let LiveEvent::OperationFinished {
        at: when, request, ..
    } = &all[1].1
    else {
        panic!("{:?}", all[1]);
    };
    assert_eq!(*when, at(1).plus(Duration::from_millis(100)));
    assert_eq!(request.tool_name.as_deref(), Some("search"));
    let LiveEvent::SessionClosed {
        at: when,
        total_duration,
        ..
    } = &all[7].1
    else {
        panic!("{:?}", all[7]);
    };
    assert_eq!((*when, *total_duration), (at(400), Some(399)));
    // Of what was removed nothing is told; the rest stays where it was.
    test.execute(&format!(
        "DELETE FROM archon_mcp_sessions WHERE session_id = {}",
        on.id(2)
    ))
    .await;
    let left: Vec<_> = all
        .iter()
        .filter(|(_, event)| {
            event
                .session()
                .is_some_and(|s| s.session_id == session_id(1))
        })
        .cloned()
        .collect();
    assert_eq!(all_behind(&test.store, beginning()).await, left);
}

async fn what_is_folded_again_is_told_once(on: On) {
    let test = TestStore::on(on).await;
    let records = [open(1, 0), call(11, 1, 1), call(12, 1, 2)];
    let fold = async |instance: InstanceId, offset, records: &[Record]| {
        let position = JournalPosition { segment: 1, offset };
        let folded = test.store.fold(instance, records, position).await;
        folded.expect("folded");
    };
    fold(INSTANCE, 1, &records).await;
    fold(INSTANCE, 1, &records).await;
    // The position is lost, and one more is there.
    test.store
        .forget_journal(INSTANCE)
        .await
        .expect("forgotten");
    let more = [&records[..], &[call(13, 1, 3)]].concat();
    fold(INSTANCE, 2, &more).await;
    let expected = [
        "opened 1",
        "request 11 of 1",
        "request 12 of 1",
        "request 13 of 1",
    ];
    assert_eq!(told(&test.store).await, expected);
}

async fn a_session_of_several_instances_opens_once(on: On) {
    let test = TestStore::on(on).await;
    for n in [1, 2] {
        let mut session = opened(n, 0);
        session.instance_id = InstanceId(uuid::Uuid::from_u128(n));
        session.session_key = "shared".into();
        let records = [
            Record::SessionOpened(Box::new(session.clone())),
            call(10 + n, n, 1),
            close(n, 5, "timeout"),
        ];
        let position = JournalPosition {
            segment: 1,
            offset: 1,
        };
        let records = if n == 1 { &records[..2] } else { &records[..] };
        let folded = test
            .store
            .fold(session.instance_id, records, position)
            .await;
        folded.expect("folded");
    }
    let expected = [
        "opened 1",
        "request 11 of 1",
        "request 12 of 1",
        "closed 1 timeout",
    ];
    assert_eq!(told(&test.store).await, expected);
}

async fn many_events_come_in_pages_and_none_is_lost(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[open(1, 0)]).await;
    // One large batch, of more than one row, and many small ones, more than are read at once.
    let large = 9_000_u128;
    let records: Vec<Record> = (0..large)
        .map(|n| Record::OperationFinished(Box::new(operation(100_000 + n, 1, 1))))
        .collect();
    test.fold(&records).await;
    let small = 150_u128;
    for n in 0..small {
        test.fold(&[call(200_000 + n, 1, 2)]).await;
    }
    let all = all_behind(&test.store, beginning()).await;
    let ids: Vec<u128> = all
        .iter()
        .filter_map(|(_, event)| match event {
            LiveEvent::OperationFinished { request, .. } => Some(request.request_id.as_u128()),
            _ => None,
        })
        .collect();
    let expected: Vec<u128> = (100_000..100_000 + large)
        .chain(200_000..200_000 + small)
        .collect();
    assert!(ids == expected, "{} of {}", ids.len(), expected.len());
    assert!(all.is_sorted_by(|(one, _), (other, _)| one < other));
    // From the middle of a row.
    let (id, _) = all[4_321];
    let rest = all_behind(&test.store, id).await;
    assert_eq!(rest.len(), all.len() - 4_322);
    assert_eq!(rest[0].0, all[4_322].0);
}

async fn what_is_no_longer_kept_is_told(on: On) {
    let mut test = TestStore::on(on).await;
    let start = events_end(&test.store).await.expect("an answer");
    test.fold(&[open(1, 0), call(11, 1, 1)]).await;
    test.fold(&[call(12, 1, 2), call(13, 1, 3)]).await;
    test.fold(&[call(14, 1, 4)]).await;
    let all = all_behind(&test.store, start).await;
    let keep = Duration::from_hours(1);
    test.store.prune_events(keep, 1_000).await.expect("pruned");
    assert_eq!(
        all_behind(&test.store, start).await,
        all,
        "all of it is new and little"
    );
    // Room for the last two batches.
    test.store.prune_events(keep, 17 * 3).await.expect("pruned");
    assert_eq!(all_behind(&test.store, beginning()).await, all[2..]);
    for place in [start, all[0].0] {
        let GoingOn::BehindGap(from, gap) =
            go_on_behind(&test.store, place).await.expect("an answer")
        else {
            panic!("there is a gap behind {place}");
        };
        let LiveEvent::Gap { after, kept_since } = *gap else {
            panic!("{gap:?}");
        };
        assert_eq!(after, place.to_string());
        assert!(kept_since.is_some());
        assert_eq!(all_behind(&test.store, from).await, all[2..]);
    }
    // Whoever has seen the last one that went misses nothing.
    for (place, (id, _)) in all.iter().enumerate().skip(1) {
        let going_on = go_on_behind(&test.store, *id).await.expect("an answer");
        assert_eq!(going_on, GoingOn::Here(*id), "{place}");
    }
    // Again, and all by age.
    test.store.prune_events(keep, 17 * 3).await.expect("pruned");
    assert_eq!(all_behind(&test.store, beginning()).await, all[2..]);
    let last = all.last().expect("an event").0;
    test.store
        .prune_events(Duration::ZERO, 1_000)
        .await
        .expect("pruned");
    assert!(all_behind(&test.store, beginning()).await.is_empty());
    let going_on = go_on_behind(&test.store, last).await.expect("an answer");
    assert_eq!(going_on, GoingOn::Here(last));
    let going_on = go_on_behind(&test.store, all[2].0)
        .await
        .expect("an answer");
    let GoingOn::BehindGap(_, gap) = going_on else {
        panic!("{going_on:?}");
    };
    assert!(
        matches!(
            *gap,
            LiveEvent::Gap {
                kept_since: None,
                ..
            }
        ),
        "{gap:?}"
    );
    test.fold(&[call(15, 1, 5)]).await;
    let after = all_behind(&test.store, last).await;
    assert_eq!(
        after
            .iter()
            .map(|(_, event)| words(event))
            .collect::<Vec<_>>(),
        ["request 15 of 1"]
    );
}

async fn a_place_of_another_store_is_refused(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[open(1, 0)]).await;
    let far: EventId = "999999999999999-1-1".parse().expect("an id");
    let going_on = go_on_behind(&test.store, far).await.expect("an answer");
    assert_eq!(going_on, GoingOn::Unknown);
    let end = events_end(&test.store).await.expect("an answer");
    let going_on = go_on_behind(&test.store, end).await.expect("an answer");
    assert_eq!(going_on, GoingOn::Here(end));
}

async fn what_others_write_is_told(on: On) {
    let mut test = TestStore::on(on).await;
    if on == On::Sqlite {
        // Nobody else writes there.
        return;
    }
    test.fold(&[open(9, 0)]).await;
    let id = |n| on.id(n);
    test.execute(&format!(
        "INSERT INTO archon_mcp_sessions (session_id, client_type) VALUES ({}, 'Cursor'), ({}, 'Claude')",
        id(1),
        id(2)
    ))
    .await;
    test.execute(&format!(
        "INSERT INTO archon_mcp_requests (request_id, session_id, method, timestamp) \
         VALUES ({}, {}, 'tools/call', now()), ({}, {}, 'tools/call', now() - interval '1 s')",
        id(11),
        id(1),
        id(12),
        id(2)
    ))
    .await;
    test.execute(&format!(
        "UPDATE archon_mcp_sessions SET status = 'idle' WHERE session_id = {}",
        id(1)
    ))
    .await;
    test.execute("UPDATE archon_mcp_sessions SET last_activity = last_activity")
        .await;
    test.execute(&format!(
        "UPDATE archon_mcp_sessions SET status = 'disconnected', disconnected_at = now(), \
         disconnect_reason = 'client_disconnect' WHERE session_id = {}",
        id(1)
    ))
    .await;
    test.execute(&format!(
        "INSERT INTO archon_mcp_sessions (session_id, client_type, status, disconnected_at, disconnect_reason) \
         VALUES ({}, 'Cursor', 'disconnected', now(), 'timeout')",
        id(3)
    ))
    .await;
    // A statement without rows tells nothing, nor does one that is undone.
    test.execute("DELETE FROM archon_mcp_requests WHERE false")
        .await;
    test.execute("INSERT INTO archon_mcp_requests (request_id, session_id, method) SELECT request_id, session_id, method FROM archon_mcp_requests WHERE false").await;
    test.execute(&format!(
        "BEGIN; INSERT INTO archon_mcp_sessions (session_id, client_type) VALUES ({}, 'Cursor'); ROLLBACK",
        id(4)
    ))
    .await;
    let expected = [
        "opened 9",
        "opened 1",
        "opened 2",
        "request 12 of 2",
        "request 11 of 1",
        "idle 1",
        "closed 1 client_disconnect",
        "opened 3",
        "closed 3 timeout",
    ];
    assert_eq!(told(&test.store).await, expected);
}

/// A reader goes on while a transaction that began earlier is still open: what that one brings comes later, and is not behind
/// the reader's back.
async fn a_transaction_that_takes_long_loses_nothing(on: On) {
    let mut test = TestStore::on(on).await;
    let Some(database) = test.server() else {
        // One writer: there is no other transaction.
        return;
    };
    let (mut slow, server) = (database.connect().await, database.server);
    let insert = |n: u128| {
        sqlx::AssertSqlSafe(format!(
            "INSERT INTO archon_mcp_sessions (session_id, client_type) VALUES ({}, 'Cursor')",
            on.id(n)
        ))
    };
    sqlx::raw_sql("BEGIN")
        .execute(&mut slow)
        .await
        .expect("begun");
    sqlx::raw_sql(insert(1))
        .execute(&mut slow)
        .await
        .expect("inserted");
    let reader = test.another().await;
    let start = events_end(&reader).await.expect("an answer");
    test.fold(&[open(2, 0), call(12, 2, 1)]).await;
    // Committed, and not told: what the open transaction brings has its place before it.
    let early = events_behind(&reader, start).await.expect("an answer");
    assert!(early.events.is_empty(), "{early:?}");
    let place = early.next;
    test.fold(&[call(13, 2, 2)]).await;
    sqlx::raw_sql("COMMIT")
        .execute(&mut slow)
        .await
        .expect("committed");
    let all = all_behind(&reader, place).await;
    let said: Vec<_> = all.iter().map(|(_, event)| words(event)).collect();
    assert_eq!(
        said,
        ["opened 1", "opened 2", "request 12 of 2", "request 13 of 2"]
    );
    // The same from the place where the reader began.
    assert_eq!(all_behind(&reader, start).await, all);

    // One that is undone takes nothing with it.
    sqlx::raw_sql("BEGIN")
        .execute(&mut slow)
        .await
        .expect("begun");
    sqlx::raw_sql(insert(3))
        .execute(&mut slow)
        .await
        .expect("inserted");
    test.fold(&[call(14, 2, 3)]).await;
    let last = all.last().expect("an event").0;
    let early = events_behind(&reader, last).await.expect("an answer");
    assert!(early.events.is_empty(), "{early:?}");
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut slow)
        .await
        .expect("undone");
    let said: Vec<_> = all_behind(&reader, last)
        .await
        .iter()
        .map(|(_, event)| words(event))
        .collect();
    assert_eq!(said, ["request 14 of 2"]);

    // One of another database on the same server is waited for by nobody here.
    let other = server.fresh_database();
    let mut other = other.connect().await;
    sqlx::raw_sql("BEGIN; CREATE TABLE somebodys (a integer)")
        .execute(&mut other)
        .await
        .expect("begun");
    test.fold(&[call(15, 2, 4)]).await;
    let said = told(&reader).await;
    assert_eq!(said.last().map(String::as_str), Some("request 15 of 2"));
}
