//! Records of one worker that are written together: completions of one wake-up share one write.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use crate::model::Record;

use super::format::encode;
use super::{Journal, JournalError};

/// Gathers the records of one worker. Nothing that an added record stands for may be released before
/// [`Group::settle`] has returned.
#[derive(Debug)]
pub struct Group {
    journal: Arc<Journal>,
    pending: Mutex<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    frames: Vec<u8>,
    records: u64,
    /// Raised by every write.
    round: u64,
}

impl Group {
    /// A group in front of `journal`.
    #[must_use]
    pub fn new(journal: Arc<Journal>) -> Self {
        Self {
            journal,
            pending: Mutex::default(),
        }
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a record to those that are written next.
    ///
    /// # Errors
    /// When the format cannot hold it.
    pub fn add(&self, record: &Record) -> Result<(), JournalError> {
        let mut pending = self.pending();
        encode(record, &mut pending.frames)?;
        pending.records += 1;
        Ok(())
    }

    /// Writes what has been added.
    ///
    /// # Errors
    /// When the write fails; how many records are lost, and why.
    pub fn write(&self) -> Result<(), (u64, JournalError)> {
        let mut pending = self.pending();
        if pending.frames.is_empty() {
            return Ok(());
        }
        let written = self.journal.append_frames(&pending.frames);
        let records = std::mem::take(&mut pending.records);
        pending.round += 1;
        pending.frames.clear();
        written.map_err(|error| (records, error))
    }

    /// Waits until everything added so far has been written. Whoever is ready at this moment goes first and adds its
    /// own; then the first to come back writes for all.
    pub async fn settle(&self, write: impl FnOnce(&Self)) {
        let round = self.pending().round;
        let mut waited = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        if self.pending().round == round {
            write(self);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Err((lost, error)) = self.write() {
            tracing::error!(%error, lost, "the last records of a worker were lost");
        }
    }
}
