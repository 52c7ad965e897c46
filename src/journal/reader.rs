//! Reads records back, in batches, up to a position or to the last whole one.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::model::Record;

use super::format::{Frame, HEADER_BYTES, Position, check_header, decode, segment_number};
use super::{JournalError, io_error};

/// What is wrong with the last record of a process that died while writing it.
pub(super) const TORN: &str = "a record that was not written to its end";

/// Bytes that could not be read as records and were left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub path: PathBuf,
    /// Where the damage begins.
    pub offset: u64,
    /// How many bytes are left out.
    pub bytes: u64,
    /// What is wrong with them.
    pub why: &'static str,
}

/// Records read in one go.
#[derive(Debug, Default)]
pub struct Batch {
    /// The records, in the order they were written.
    pub records: Vec<Record>,
    /// Behind the last of them.
    pub next: Position,
    /// Bytes of their frames.
    pub bytes: u64,
    /// What was left out on the way.
    pub damage: Vec<Damage>,
}

/// The segments in `dir`, in order. A directory that is gone has none.
///
/// # Errors
/// When the directory cannot be read.
pub fn segments(dir: &Path) -> Result<Vec<(u64, PathBuf)>, JournalError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io_error("reading", dir))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io_error("reading", dir))?;
        if let Some(number) = entry.file_name().to_str().and_then(segment_number) {
            found.push((number, entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads on from `from`, about `most_bytes` at the most. With `until`, the writer lives and nothing behind it is
/// looked at; without, the journal is dead and is read to its end, leaving out what is damaged. An empty batch whose
/// `next` is `from` says that there is no more.
///
/// # Errors
/// When a file cannot be read, or is no segment of a version that this program knows.
pub fn read_batch(
    dir: &Path,
    from: Position,
    until: Option<Position>,
    most_bytes: usize,
) -> Result<Batch, JournalError> {
    let mut batch = Batch {
        next: from,
        ..Batch::default()
    };
    for (number, path) in segments(dir)? {
        if number < from.segment || until.is_some_and(|until| number > until.segment) {
            continue;
        }
        if number > batch.next.segment {
            batch.next = Position {
                segment: number,
                offset: 0,
            };
        }
        let end = until
            .filter(|until| until.segment == number)
            .map(|until| until.offset);
        read_segment(&path, end, most_bytes, &mut batch)?;
        if !batch.records.is_empty() {
            return Ok(batch);
        }
    }
    Ok(batch)
}

fn read_segment(
    path: &Path,
    end: Option<u64>,
    most_bytes: usize,
    batch: &mut Batch,
) -> Result<(), JournalError> {
    let file = File::open(path).map_err(io_error("opening", path))?;
    let length = file.metadata().map_err(io_error("reading", path))?.len();
    let end = end.unwrap_or(length).min(length);
    if batch.next.offset < HEADER_BYTES {
        if length < HEADER_BYTES {
            // Its writer died while making it: a header cut short holds no record.
            if length > 0 {
                batch.damage.push(Damage {
                    path: path.to_owned(),
                    offset: 0,
                    bytes: length,
                    why: "a header that was not written to its end",
                });
                batch.next.offset = length;
            }
            return Ok(());
        }
        let mut header = vec![0; usize::try_from(length.min(HEADER_BYTES)).unwrap_or_default()];
        file.read_exact_at(&mut header, 0)
            .map_err(io_error("reading", path))?;
        check_header(&header).map_err(|why| JournalError::Foreign {
            path: path.to_owned(),
            why,
        })?;
        batch.next.offset = HEADER_BYTES;
    }
    let mut wanted = most_bytes;
    loop {
        let start = batch.next.offset;
        let available = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; available.min(wanted)];
        file.read_exact_at(&mut bytes, start)
            .map_err(io_error("reading", path))?;
        let mut at = 0;
        let stop = loop {
            if at == bytes.len() {
                return Ok(());
            }
            match decode(&bytes[at..]) {
                Frame::Whole(record, length) => {
                    batch.records.push(*record);
                    at += length;
                    batch.bytes += length as u64;
                    batch.next.offset += length as u64;
                }
                Frame::Partial(needed) if at + needed <= available => break Err(needed),
                Frame::Partial(_) => break Ok(TORN),
                Frame::Damaged(why) => break Ok(why),
            }
        };
        match stop {
            // The batch is full, or the next record is longer than all of it.
            Err(_) if at > 0 => return Ok(()),
            Err(needed) => wanted = needed,
            Ok(why) => {
                let offset = batch.next.offset;
                batch.damage.push(Damage {
                    path: path.to_owned(),
                    offset,
                    bytes: end.saturating_sub(offset),
                    why,
                });
                batch.next.offset = end;
                return Ok(());
            }
        }
    }
}
