//! Looks at the journals there are without taking anything from them.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::model::InstanceId;

use super::claim::LOCK_FILE;
use super::format::Position;
use super::reader::{Damage, read_batch, segments};
use super::{JournalError, io_error};

/// Bytes that are read at a time.
const BATCH_BYTES: usize = 1 << 20;

/// What a journal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Whose it is.
    pub instance: InstanceId,
    /// Where it is.
    pub dir: PathBuf,
    /// Whether its instance lives.
    pub alive: bool,
    /// Its files.
    pub segments: usize,
    /// Bytes of its files.
    pub bytes: u64,
    /// Records behind the position that was asked from.
    pub records: u64,
    /// Bytes of them.
    pub record_bytes: u64,
    /// What cannot be read as records. A record that a living instance is writing at this moment is none.
    pub damage: Vec<Damage>,
    /// Why it could not be read to its end.
    pub unreadable: Option<String>,
}

/// The journals below `root`: their directories, by instance. One that does not exist holds none.
///
/// # Errors
/// When `root` cannot be read.
pub fn journals(root: &Path) -> Result<Vec<(InstanceId, PathBuf)>, JournalError> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io_error("reading", root))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io_error("reading", root))?;
        let name = entry.file_name();
        if let Some(instance) = name.to_str().and_then(|name| name.parse().ok()) {
            found.push((instance, entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads the journal of `instance` in `dir` from `from` on, and changes nothing.
#[must_use]
pub fn inspect(instance: InstanceId, dir: &Path, from: Position) -> Inspection {
    let alive = is_alive(dir);
    let mut found = Inspection {
        instance,
        dir: dir.to_owned(),
        alive,
        segments: 0,
        bytes: 0,
        records: 0,
        record_bytes: 0,
        damage: Vec::new(),
        unreadable: None,
    };
    if let Err(error) = read(&mut found, from) {
        found.unreadable = Some(error.to_string());
    }
    if alive {
        // The last thing in the last file is being written.
        found
            .damage
            .retain(|damage| damage.why != super::reader::TORN);
    }
    found
}

fn read(found: &mut Inspection, from: Position) -> Result<(), JournalError> {
    let files = segments(&found.dir)?;
    found.segments = files.len();
    for (_, path) in &files {
        // One that was taken meanwhile.
        found.bytes += fs::metadata(path).map_or(0, |file| file.len());
    }
    let mut at = from;
    loop {
        let batch = read_batch(&found.dir, at, None, BATCH_BYTES)?;
        if batch.next == at {
            return Ok(());
        }
        found.records += batch.records.len() as u64;
        found.record_bytes += batch.bytes;
        found.damage.extend(batch.damage);
        at = batch.next;
    }
}

/// Whether somebody holds the lock of the journal in `dir`.
fn is_alive(dir: &Path) -> bool {
    let Ok(lock) = File::open(dir.join(LOCK_FILE)) else {
        return false;
    };
    // Shared, and let go of at once: whoever wants it for good finds it free.
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}
