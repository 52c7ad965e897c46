//! Carries records from the journal to the store, in large batches.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::journal::{Batch, Journal, JournalError, Position, read_batch};
use crate::model::Record;
use crate::store::{JournalPosition, Store};

use super::texts::Texts;
use super::tracker::Tracker;

/// How long records gather before they are taken: the price of large batches, and well within the second that
/// `docs/TRACKING.md` promises.
pub(super) const GATHER: Duration = Duration::from_millis(400);
/// Bytes of journal in one transaction, some twenty thousand operations: what a busy daemon gathers goes in one (half as much
/// in each costs every call 2 per cent more), and the records in memory stay some ten megabytes.
const BATCH_BYTES: usize = 2 << 20;
/// Waits between tries while the store does not take records.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long the store may take during a graceful stop before the journal is left to the next start.
const LAST_PATIENCE: Duration = Duration::from_secs(15);

/// Is told of records that the store has taken. Must not wait.
pub type Told = Arc<dyn Fn(&[Record]) + Send + Sync>;

/// Moves this instance's records into the store.
pub struct Shipper {
    journal: Arc<Journal>,
    store: Store,
    at: Position,
    trouble: Arc<Mutex<Option<String>>>,
    tracker: Option<Arc<Tracker>>,
    texts: Option<Arc<Texts>>,
    told: Option<Told>,
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

impl fmt::Debug for Shipper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shipper")
            .field("journal", &self.journal)
            .field("at", &self.at)
            .finish_non_exhaustive()
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
                tracker: None,
                texts: None,
                told: None,
            },
            handle,
        )
    }

    /// Lets `tracker` learn what the store says to its records.
    #[must_use]
    pub fn telling(mut self, tracker: Arc<Tracker>) -> Self {
        self.tracker = Some(tracker);
        self
    }

    /// Counts the tokens of `texts` on its way.
    #[must_use]
    pub fn counting(mut self, texts: Arc<Texts>) -> Self {
        self.texts = Some(texts);
        self
    }

    /// Tells `told` of records once the store has them.
    #[must_use]
    pub fn also_telling(mut self, told: Told) -> Self {
        self.told = Some(told);
        self
    }

    /// Carries records over until `stop` is cancelled, then all that is left. Says whether the store has everything.
    pub async fn run(mut self, stop: CancellationToken) -> bool {
        while !stop.is_cancelled() {
            tokio::select! {
                () = self.journal.appended() => {}
                () = stop.cancelled() => break,
            }
            tokio::select! {
                () = tokio::time::sleep(GATHER) => {}
                () = stop.cancelled() => {}
            }
            // A store that does not answer must not hold up a stop. What is given up here is not lost: the store has it
            // or not, and its position tells.
            tokio::select! {
                () = self.ship(&stop) => {}
                () = patience_is_over(&stop) => return false,
            }
        }
        let rest = self.ship_rest();
        tokio::time::timeout(LAST_PATIENCE, rest).await.is_ok()
    }

    /// Carries over everything there is.
    async fn ship_rest(&mut self) {
        let never = CancellationToken::new();
        while self.at < self.journal.position() {
            self.ship(&never).await;
        }
    }

    /// Carries over everything written before the call, or what of it the store takes until `stop`. What is written
    /// meanwhile gathers for the next call: going on for it would end in ever smaller batches.
    async fn ship(&mut self, stop: &CancellationToken) {
        let until = self.journal.position();
        // What is to be read has its texts there by now: they come before the record.
        let round = self.count();
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
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = stop.cancelled() => return,
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                    // Others come meanwhile, and need the room.
                    self.count();
                }
            }
        }
        if let Some(texts) = &self.texts {
            texts.forget_before(round);
        }
    }

    /// Carries over one batch of what stands before `until`.
    async fn ship_batch(&mut self, until: Position) -> Result<(), String> {
        let mut batch = read_batch(self.journal.dir(), self.at, Some(until), BATCH_BYTES)
            .map_err(|error| error.to_string())?;
        report_damage(&batch);
        if !batch.records.is_empty() {
            if let Some(texts) = &self.texts {
                texts.fill(&mut batch.records);
            }
            let position = store_position(batch.next);
            let began = Instant::now();
            let folded = self
                .store
                .fold(self.journal.instance(), &batch.records, position)
                .await;
            let folded = folded.map_err(|error| with_causes(&error))?;
            if let Some(tracker) = &self.tracker {
                tracker.learn(&folded);
                tracker.metrics.stored(&batch.records, began.elapsed());
            }
            if let Some(told) = &self.told {
                told(&batch.records);
            }
            if let Some(texts) = &self.texts {
                texts.forget(&batch.records);
            }
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

    /// Counts the texts that wait; says how often that has been done.
    fn count(&self) -> u64 {
        self.texts.as_ref().map_or(0, |texts| texts.count())
    }

    fn say(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// Never before `stop`, and so long after it as a stop may take.
async fn patience_is_over(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(LAST_PATIENCE).await;
}

/// An error and its causes in one line; a cause that is said already is left out.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
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
