//! What the journal promises: order, whole records, survival of a torn tail, one owner.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use uuid::Uuid;

use super::*;
use crate::model::{InstanceId, Record, SessionId, SessionTouched, Timestamp};

fn touched(number: u128) -> Record {
    let at = Timestamp::from_micros(i64::try_from(number).expect("small"));
    Record::SessionTouched(SessionTouched {
        session_id: SessionId(Uuid::from_u128(number)),
        at,
        notifications: 1,
    })
}

fn read_all(dir: &Path, most_bytes: usize) -> (Vec<Record>, Vec<Damage>) {
    let (mut records, mut damage, mut at) = (Vec::new(), Vec::new(), Position::default());
    loop {
        let batch = read_batch(dir, at, None, most_bytes).expect("readable");
        damage.extend(batch.damage);
        if batch.records.is_empty() && batch.next == at {
            return (records, damage);
        }
        records.extend(batch.records);
        at = batch.next;
    }
}

fn journal(root: &Path, segment_bytes: u64) -> Journal {
    let options = JournalOptions {
        segment_bytes,
        ..JournalOptions::default()
    };
    Journal::create(root, InstanceId(Uuid::from_u128(7)), options).expect("a journal")
}

#[test]
fn records_come_back_in_order_across_segments_and_batches() {
    let root = tempfile::tempdir().expect("a directory");
    let journal = journal(root.path(), 300);
    let written: Vec<Record> = (0..100).map(touched).collect();
    for pair in written.chunks(2) {
        journal.append(pair).expect("appended");
    }
    assert!(segments(journal.dir()).expect("listed").len() > 5);
    for most_bytes in [1, 50, 1_000, 1 << 20] {
        let (records, damage) = read_all(journal.dir(), most_bytes);
        assert_eq!(records, written, "{most_bytes}");
        assert_eq!(damage, []);
    }
}

/// Rule: durability/until-committed
#[test]
fn shipping_removes_whole_segments_and_lowers_the_backlog() {
    let root = tempfile::tempdir().expect("a directory");
    let journal = journal(root.path(), 100);
    for number in 0..20 {
        journal.append(&[touched(number)]).expect("appended");
    }
    let mut at = Position::default();
    while journal.backlog_bytes() > 0 {
        let batch = read_batch(journal.dir(), at, Some(journal.position()), 64).expect("readable");
        at = batch.next;
        journal.shipped(at, batch.bytes).expect("shipped");
    }
    assert_eq!(segments(journal.dir()).expect("listed").len(), 1);
}

#[test]
fn a_torn_tail_is_cut_at_the_last_whole_record_and_reported() {
    let root = tempfile::tempdir().expect("a directory");
    let journal = journal(root.path(), 1 << 20);
    journal.append(&[touched(1), touched(2)]).expect("appended");
    let whole = journal.position().offset;
    journal.append(&[touched(3)]).expect("appended");
    let (_, path) = segments(journal.dir()).expect("listed").remove(0);
    let end = journal.position().offset;
    for cut in whole + 1..end {
        OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_len(cut))
            .expect("cut");
        let (records, damage) = read_all(journal.dir(), 1 << 20);
        assert_eq!(records, [touched(1), touched(2)]);
        assert_eq!((damage[0].offset, damage[0].bytes), (whole, cut - whole));
    }
}

#[test]
fn a_header_cut_short_is_left_out_and_what_follows_counts() {
    let root = tempfile::tempdir().expect("a directory");
    let journal = journal(root.path(), 100);
    for number in 0..4 {
        journal.append(&[touched(number)]).expect("appended");
    }
    let (first, path) = segments(journal.dir()).expect("listed").remove(0);
    for cut in [39, 1, 0] {
        let file = OpenOptions::new().write(true).open(&path);
        file.and_then(|file| file.set_len(cut)).expect("cut");
        let (records, damage) = read_all(journal.dir(), 1 << 20);
        assert_eq!(records.last(), Some(&touched(3)), "behind segment {first}");
        assert_eq!(damage.len(), usize::from(cut > 0));
    }
}

#[test]
fn a_flipped_bit_is_noticed_and_what_stands_before_it_counts() {
    let root = tempfile::tempdir().expect("a directory");
    let journal = journal(root.path(), 1 << 20);
    journal.append(&[touched(1)]).expect("appended");
    let second = journal.position().offset;
    journal.append(&[touched(2)]).expect("appended");
    let (_, path) = segments(journal.dir()).expect("listed").remove(0);
    let mut file = OpenOptions::new().write(true).open(path).expect("opened");
    file.seek(SeekFrom::Start(second + 10)).expect("sought");
    file.write_all(&[0xff]).expect("written");
    let (records, damage) = read_all(journal.dir(), 1 << 20);
    assert_eq!(records, [touched(1)]);
    assert_eq!(damage.len(), 1);
}

/// Rule: durability/bounded
#[test]
fn a_full_backlog_refuses_and_keeps_what_it_has() {
    let root = tempfile::tempdir().expect("a directory");
    let options = JournalOptions {
        max_backlog_bytes: 64,
        ..JournalOptions::default()
    };
    let journal =
        Journal::create(root.path(), InstanceId(Uuid::from_u128(7)), options).expect("a journal");
    journal.append(&[touched(1)]).expect("appended");
    assert!(matches!(
        journal.append(&[touched(2), touched(3)]),
        Err(JournalError::Full { .. })
    ));
    assert_eq!(read_all(journal.dir(), 1 << 20).0, [touched(1)]);
    assert!(journal.is_full());
    let waiting = journal.backlog_bytes();
    journal
        .shipped(journal.position(), waiting)
        .expect("shipped");
    assert!(!journal.is_full());
    journal.append(&[touched(2)]).expect("appended");
}

/// Rule: durability/one-owner
#[test]
fn only_the_journal_of_a_dead_instance_can_be_claimed_and_only_once() {
    let root = tempfile::tempdir().expect("a directory");
    let living = journal(root.path(), 1 << 20);
    let (alive, dead) = claim_dead(root.path()).expect("listed");
    assert_eq!(
        (alive.as_slice(), dead.len()),
        (&[living.instance()][..], 0)
    );
    drop(living);
    let (_, claimed) = claim_dead(root.path()).expect("listed");
    assert_eq!(claimed.len(), 1);
    assert_eq!(
        claim_dead(root.path()).expect("listed").1.len(),
        0,
        "claimed already"
    );
    for journal in claimed {
        journal.remove().expect("removed");
    }
    assert_eq!(claim_dead(root.path()).expect("listed").0.len(), 0);
}

#[test]
fn a_segment_of_another_version_is_refused_by_name() {
    let root = tempfile::tempdir().expect("a directory");
    let journal = journal(root.path(), 1 << 20);
    let (_, path) = segments(journal.dir()).expect("listed").remove(0);
    let mut file = OpenOptions::new().write(true).open(path).expect("opened");
    file.seek(SeekFrom::Start(8)).expect("sought");
    file.write_all(&9_u32.to_le_bytes()).expect("written");
    let error = read_batch(journal.dir(), Position::default(), None, 1 << 20).expect_err("refused");
    assert!(error.to_string().contains("format version 9"), "{error}");
}
