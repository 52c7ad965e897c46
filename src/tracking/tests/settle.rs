//! What instances that are gone have left behind: their journals, and the sessions they owned.

use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use crate::journal::{Journal, JournalOptions};
use crate::model::{InstanceId, Record, SessionStatus};
use crate::reports::{Page, SessionRow, session_details};
use crate::store::Heartbeat;
use crate::store::testing::{On, TestStore, at, call, on_every_store, opened, session_id};
use crate::tracking::{Settled, journal_root, settle_dead};

on_every_store!(
    a_dead_instances_records_are_taken_once_and_its_sessions_go_on_or_end,
    two_that_find_the_same_sessions_do_not_both_take_them,
    what_lives_is_left_alone_however_long_it_was_quiet,
    sessions_of_other_machines_are_left_alone_while_their_instance_gives_its_word,
    sessions_of_an_instance_nobody_heard_of_end_when_their_time_is_over,
    damage_is_told_and_what_stands_before_it_counts,
);

const HOUR: Duration = Duration::from_hours(1);

fn journal(dir: &Path, instance: u128) -> Journal {
    let instance = InstanceId(Uuid::from_u128(instance));
    Journal::create(&journal_root(dir), instance, JournalOptions::default()).expect("a journal")
}

fn opened_by(n: u128, instance: u128, survives_instance: bool) -> Record {
    let mut session = opened(n, 0);
    session.instance_id = InstanceId(Uuid::from_u128(instance));
    session.survives_instance = survives_instance;
    Record::SessionOpened(Box::new(session))
}

fn journals(dir: &Path) -> usize {
    std::fs::read_dir(journal_root(dir))
        .expect("listed")
        .count()
}

async fn settled(dir: &Path, test: &TestStore, seconds: i64) -> Settled {
    let settling = settle_dead(dir, &test.store, HOUR, at(seconds));
    settling.await.expect("settled")
}

async fn row(test: &TestStore, n: u128) -> SessionRow {
    let details = session_details(&test.store, session_id(n), Page::default()).await;
    details.expect("an answer").expect("a session").session
}

fn ids(settled: &Settled) -> Vec<u128> {
    let open = settled.open.iter();
    open.map(|session| session.opened.session_id.0.as_u128())
        .collect()
}

/// Rule: reason/after-a-crash
async fn a_dead_instances_records_are_taken_once_and_its_sessions_go_on_or_end(on: On) {
    let (dir, test) = (
        tempfile::tempdir().expect("a directory"),
        TestStore::on(on).await,
    );
    let dead = journal(dir.path(), 7);
    let records = [
        opened_by(1, 7, true),
        call(1, 1, 5),
        opened_by(2, 7, false),
        call(2, 2, 6),
    ];
    dead.append(&records).expect("written");
    drop(dead);
    let first = settled(dir.path(), &test, 60).await;
    assert_eq!((first.records, first.closed), (4, 1));
    assert_eq!(ids(&first), [1], "its server still knows it");
    assert_eq!(row(&test, 1).await.status, SessionStatus::Active);
    let crashed = row(&test, 2).await;
    assert_eq!(
        crashed.disconnect_reason.as_deref(),
        Some("error:ServerCrash")
    );
    assert_eq!(crashed.disconnected_at, Some(crashed.last_activity));
    assert_eq!(crashed.detected_at, Some(at(60)));
    assert_eq!(journals(dir.path()), 0);

    let again = settled(dir.path(), &test, 61).await;
    assert_eq!((again.records, again.closed), (0, 0));
    assert_eq!(row(&test, 1).await.total_requests, 1);
    assert_eq!(ids(&again), [1], "until somebody goes on with it");

    let late = settled(dir.path(), &test, 3_700).await;
    assert_eq!((late.closed, ids(&late)), (1, Vec::new()));
    let ended = row(&test, 1).await;
    assert_eq!(ended.disconnect_reason.as_deref(), Some("timeout"));
    assert_eq!(ended.disconnected_at, Some(ended.last_activity));
}

async fn two_that_find_the_same_sessions_do_not_both_take_them(on: On) {
    let (dir, mut test) = (
        tempfile::tempdir().expect("a directory"),
        TestStore::on(on).await,
    );
    let dead = journal(dir.path(), 7);
    test.fold(&[opened_by(1, 7, true), opened_by(2, 7, true)])
        .await;
    drop(dead);
    // Both look before either takes.
    let (one, other) = (
        settled(dir.path(), &test, 60).await,
        settled(dir.path(), &test, 60).await,
    );
    assert_eq!((ids(&one), ids(&other)), (vec![1, 2], vec![1, 2]));
    let taken =
        |settled: Settled, by| settled.take_over(&test.store, InstanceId(Uuid::from_u128(by)));
    let (one, other) = tokio::join!(taken(one, 8), taken(other, 9));
    let (one, other) = (one.expect("an answer"), other.expect("an answer"));
    assert_eq!(one.len() + other.len(), 2, "each goes to one");
    let live = test.store.live_sessions().await.expect("an answer");
    for session in live {
        let id = session.opened.session_id;
        let owner = session.opened.instance_id.0.as_u128();
        let mine = if owner == 8 { &one } else { &other };
        assert!(mine.iter().any(|taken| taken.opened.session_id == id));
    }
}

async fn what_lives_is_left_alone_however_long_it_was_quiet(on: On) {
    let (dir, mut test) = (
        tempfile::tempdir().expect("a directory"),
        TestStore::on(on).await,
    );
    let living = journal(dir.path(), 8);
    living.append(&[call(1, 1, 5)]).expect("written");
    test.fold(&[opened_by(1, 8, false)]).await;
    let none = settled(dir.path(), &test, 9_999_999).await;
    assert_eq!((none.records, none.closed, none.open.len()), (0, 0, 0));
    assert_eq!(row(&test, 1).await.status, SessionStatus::Active);
    drop(living);
    let gone = settled(dir.path(), &test, 9_999_999).await;
    assert_eq!((gone.records, gone.closed), (1, 1));
}

/// The word of an instance whose journal is on another machine.
async fn announce(test: &TestStore, instance: u128, valid_for: Duration) {
    let beat = Heartbeat {
        instance_id: InstanceId(Uuid::from_u128(instance)),
        kind: "serve".to_owned(),
        host: "elsewhere".to_owned(),
        pid: 1,
        version: "0".to_owned(),
        journal: "/elsewhere".to_owned(),
        started_at: at(0),
        backlog_bytes: 0,
        records_dropped: 0,
    };
    let announced = test.store.heartbeat(&beat, valid_for);
    announced.await.expect("announced");
}

async fn sessions_of_other_machines_are_left_alone_while_their_instance_gives_its_word(on: On) {
    if on == On::Sqlite {
        // The file is one directory's alone: there is no other machine.
        return;
    }
    let (dir, mut test) = (
        tempfile::tempdir().expect("a directory"),
        TestStore::on(on).await,
    );
    announce(&test, 99, HOUR).await;
    test.fold(&[
        opened_by(1, 99, false),
        opened_by(2, 99, true),
        call(2, 1, 5),
    ])
    .await;
    let none = settled(dir.path(), &test, 60).await;
    assert_eq!((none.closed, ids(&none)), (0, Vec::new()));
    // Its word has run out, by the clock of the database.
    announce(&test, 99, Duration::ZERO).await;
    let gone = settled(dir.path(), &test, 60).await;
    assert_eq!((gone.closed, ids(&gone)), (1, vec![2]));
    let crashed = row(&test, 1).await.disconnect_reason;
    assert_eq!(crashed.as_deref(), Some("error:ServerCrash"));
    let next = InstanceId(Uuid::from_u128(8));
    let taken = gone.take_over(&test.store, next).await.expect("an answer");
    assert_eq!(taken.len(), 1);
    let (_, known) = test.store.instances().await.expect("an answer");
    assert_eq!(known, [], "it owns nothing any more");
}

/// Rule: reason/after-a-crash
async fn sessions_of_an_instance_nobody_heard_of_end_when_their_time_is_over(on: On) {
    if on == On::Sqlite {
        return;
    }
    let (dir, mut test) = (
        tempfile::tempdir().expect("a directory"),
        TestStore::on(on).await,
    );
    test.fold(&[opened_by(1, 99, true), call(1, 1, 5)]).await;
    let soon = settled(dir.path(), &test, 60).await;
    assert_eq!((soon.closed, ids(&soon)), (0, Vec::new()));
    let late = settled(dir.path(), &test, 3_700).await;
    assert_eq!(late.closed, 1);
    let ended = row(&test, 1).await;
    assert_eq!(ended.disconnect_reason.as_deref(), Some("timeout"));
}

async fn damage_is_told_and_what_stands_before_it_counts(on: On) {
    let (dir, test) = (
        tempfile::tempdir().expect("a directory"),
        TestStore::on(on).await,
    );
    let dead = journal(dir.path(), 7);
    dead.append(&[opened_by(1, 7, true), call(1, 1, 5)])
        .expect("written");
    let segment = dead.dir().join("0000000000000001.journal");
    drop(dead);
    let mut bytes = std::fs::read(&segment).expect("a segment");
    bytes.extend_from_slice(b"torn");
    std::fs::write(&segment, bytes).expect("torn");
    let settled = settled(dir.path(), &test, 60).await;
    assert_eq!((settled.records, ids(&settled)), (2, vec![1]));
    assert_eq!(settled.damage.len(), 1);
    assert_eq!(
        (settled.damage[0].bytes, &settled.damage[0].path),
        (4, &segment)
    );
}
