//! Damage at random: what a reader gives is what was written, and nothing panics.

use std::fs;

use uuid::Uuid;

use super::format::segment_name;
use super::*;
use crate::model::made_up::with_random_bytes;
use crate::model::{InstanceId, Record, SessionId, SessionTouched, Timestamp};

fn written() -> Vec<Record> {
    (0..8_u32)
        .map(|number| {
            Record::SessionTouched(SessionTouched {
                session_id: SessionId(Uuid::from_u128(u128::from(number))),
                at: Timestamp::from_micros(i64::from(number)),
                notifications: number,
            })
        })
        .collect()
}

/// Reads all of `segment`; an error is one that says that this is no segment.
fn read(dir: &std::path::Path, segment: &[u8]) -> Option<Vec<Record>> {
    fs::write(dir.join(segment_name(1)), segment).expect("written");
    let (mut records, mut at) = (Vec::new(), Position::default());
    loop {
        let batch = read_batch(dir, at, None, 64).ok()?;
        if batch.records.is_empty() && batch.next == at {
            return Some(records);
        }
        assert!(batch.next > at, "it goes on");
        at = batch.next;
        records.extend(batch.records);
    }
}

#[test]
fn fuzz_journal_reader() {
    let root = tempfile::tempdir().expect("a directory");
    let journal = Journal::create(
        root.path(),
        InstanceId(Uuid::from_u128(7)),
        JournalOptions::default(),
    );
    let journal = journal.expect("a journal");
    let whole = written();
    journal.append(&whole).expect("appended");
    let (_, path) = segments(journal.dir()).expect("listed").remove(0);
    let sound = fs::read(path).expect("read");
    let dir = tempfile::tempdir().expect("a directory");
    assert_eq!(read(dir.path(), &sound), Some(whole.clone()));

    with_random_bytes(|damage: &[u8]| {
        // Bytes as they are, behind a sound header; then a sound segment in which they say what is overwritten.
        let behind_header = [&sound[..40], damage].concat();
        read(dir.path(), &behind_header);
        let mut segment = sound.clone();
        for edit in damage.chunks_exact(3) {
            let at = (usize::from(edit[0]) << 8 | usize::from(edit[1])) % segment.len();
            match edit[2] {
                0 => segment.truncate(at.max(1)),
                byte => segment[at] = byte,
            }
        }
        if let Some(records) = read(dir.path(), &segment) {
            let mut known = whole.iter();
            for record in &records {
                assert!(
                    known.any(|known| known == record),
                    "{record:?} was never written"
                );
            }
        }
    });
}
