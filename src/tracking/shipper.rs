//! Carries records from the journal to the store, in large batches.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::journal::{Batch, Journal, JournalError, Position, read_batch};
use crate::store::{JournalPosition, Store};

/// How long records gather before they are taken: the price of large batches, and well within the second that
/// `docs/TRACKING.md` promises.
const GATHER: Duration = Duration::from_millis(400);
/// Bytes of journal in one transaction, some ten thousand operations: what a transaction costs is spread thin by then,
/// and the records in memory stay a few megabytes.
const BATCH_BYTES: usize = 1 << 20;
/// Waits between tries while the store does not take records.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How often the store is tried during a graceful stop before the journal is left to the next start.
const LAST_TRIES: u32 = 8;

/// Moves this instance's records into the store.
#[derive(Debug)]
pub struct Shipper {
    journal: Arc<Journal>,
    store: Store,
    at: Position,
    trouble: Arc<Mutex<Option<String>>>,
}

/// What others may ask of a running shipper.
#[derive(Clone, Debug)]
pub struct ShipperHandle {
    trouble: Arc<Mutex<Option<String>>>,
}

impl ShipperHandle {
    /// What the store, or the journal, last answered when records could not be carried over; `None` while they can.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Shipper {
    /// A shipper from the beginning of `journal` to `store`.
    #[must_use]
    pub fn new(journal: Arc<Journal>, store: Store) -> (Self, ShipperHandle) {
        let trouble = Arc::new(Mutex::new(None));
        let handle = ShipperHandle {
            trouble: trouble.clone(),
        };
        (
            Self {
                journal,
                store,
                at: Position::default(),
                trouble,
            },
            handle,
        )
    }

    /// Carries records over until `stop` is cancelled, then all that is left. Says whether the store has everything.
    pub async fn run(mut self, stop: CancellationToken) -> bool {
        loop {
            tokio::select! {
                () = self.journal.appended() => {}
                () = stop.cancelled() => return self.ship_rest(&stop).await,
            }
            tokio::select! {
                () = tokio::time::sleep(GATHER) => {}
                () = stop.cancelled() => {}
            }
            self.ship(&stop).await;
        }
    }

    /// Carries over everything there is; false when it gave up.
    async fn ship_rest(&mut self, stop: &CancellationToken) -> bool {
        while self.at < self.journal.position() {
            if !self.ship(stop).await {
                return false;
            }
        }
        true
    }

    /// Carries over everything written before the call; false when it gave up. What is written meanwhile gathers for
    /// the next call: going on for it would end in ever smaller batches.
    async fn ship(&mut self, stop: &CancellationToken) -> bool {
        let until = self.journal.position();
        let (mut wait, mut tries) = (FIRST_WAIT, 0);
        while self.at < until {
            match self.ship_batch(until).await {
                Ok(()) => {
                    (wait, tries) = (FIRST_WAIT, 0);
                    self.say(None);
                }
                Err(error) => {
                    tries += 1;
                    tracing::warn!(%error, tries, "the store does not take records; they wait in the journal");
                    self.say(Some(error));
                    if stop.is_cancelled() && tries >= LAST_TRIES {
                        return false;
                    }
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
        true
    }

    /// Carries over one batch of what stands before `until`.
    async fn ship_batch(&mut self, until: Position) -> Result<(), String> {
        let batch = read_batch(self.journal.dir(), self.at, Some(until), BATCH_BYTES)
            .map_err(|error| error.to_string())?;
        report_damage(&batch);
        if !batch.records.is_empty() {
            let position = store_position(batch.next);
            let folded = self
                .store
                .fold(self.journal.instance(), &batch.records, position)
                .await;
            folded.map_err(|error| error.to_string())?;
        }
        if batch.next > self.at {
            self.at = batch.next;
        } else {
            // Somebody removed the files; no try will bring them back.
            tracing::warn!("records are no longer in the journal and do not reach the store");
            self.at = until;
        }
        let removed: Result<(), JournalError> = self.journal.shipped(self.at, batch.bytes);
        if let Err(error) = removed {
            // The records are in the store; a segment that stays behind is only read again after a crash.
            tracing::warn!(%error, "a segment could not be removed");
        }
        Ok(())
    }

    fn say(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// The journal's position in the store's words.
pub(super) fn store_position(position: Position) -> JournalPosition {
    JournalPosition {
        segment: position.segment,
        offset: position.offset,
    }
}

/// Tells of bytes that were left out.
pub(super) fn report_damage(batch: &Batch) {
    for damage in &batch.damage {
        let (path, offset, bytes, why) = (
            damage.path.display(),
            damage.offset,
            damage.bytes,
            damage.why,
        );
        tracing::warn!(%path, offset, bytes, why, "damaged bytes in the journal were left out");
    }
}
