//! Finds the journals of instances that are gone, and takes hold of them.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::model::InstanceId;

use super::{JournalError, io_error};

/// The file whose lock says that the instance lives.
pub(super) const LOCK_FILE: &str = "lock";

/// The journal of an instance that is gone. Nobody else can claim it while this value lives.
#[derive(Debug)]
pub struct ClaimedJournal {
    /// The instance.
    pub instance: InstanceId,
    /// Where its segments are.
    pub dir: PathBuf,
    _lock: File,
}

impl ClaimedJournal {
    /// Removes the journal; its records are in the store.
    ///
    /// # Errors
    /// When the directory cannot be removed.
    pub fn remove(self) -> Result<(), JournalError> {
        fs::remove_dir_all(&self.dir).map_err(io_error("removing", &self.dir))
    }
}

/// The instances below `root` that live, and the journals of those that do not, claimed.
///
/// # Errors
/// When `root` or a lock cannot be read. A `root` that does not exist holds none.
pub fn claim_dead(root: &Path) -> Result<(Vec<InstanceId>, Vec<ClaimedJournal>), JournalError> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
        entries => entries.map_err(io_error("reading", root))?,
    };
    let (mut living, mut dead) = (Vec::new(), Vec::new());
    for entry in entries {
        let entry = entry.map_err(io_error("reading", root))?;
        let Some(instance) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<InstanceId>().ok())
        else {
            continue;
        };
        let dir = entry.path();
        let lock_path = dir.join(LOCK_FILE);
        // Somebody else may have settled and removed it since the directory was listed.
        let lock = match File::open(&lock_path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            lock => lock.map_err(io_error("opening", &lock_path))?,
        };
        match lock.try_lock() {
            Ok(()) => dead.push(ClaimedJournal {
                instance,
                dir,
                _lock: lock,
            }),
            Err(fs::TryLockError::WouldBlock) => living.push(instance),
            Err(fs::TryLockError::Error(error)) => {
                return Err(io_error("locking", &lock_path)(error));
            }
        }
    }
    Ok((living, dead))
}
