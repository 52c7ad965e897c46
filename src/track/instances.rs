//! This process among others on the same store: its word that it is alive, and what becomes of those that are not.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::journal::{Journal, claim_dead};
use crate::model::{Clock, SystemClock, Timestamp};
use crate::store::{Heartbeat, InstanceRow, Store, StoreError};
use crate::tracking::{SettleError, Tracker, journal_root, settle_dead};

/// What the daemon is called among instances. Others relay for one client each and go on with nobody's sessions.
pub(crate) const SERVE: &str = "serve";
/// A server that tracks itself.
pub(crate) const TRACK: &str = "track";
/// A heartbeat that the store did not take this long is given up for the next.
const LONGEST_BEAT: Duration = Duration::from_secs(10);
/// Events are kept for so long, and so many of them (some 15 million); `docs/API.md` says so.
const EVENTS_KEPT: Duration = Duration::from_hours(24);
const EVENT_BYTES_KEPT: i64 = 256 << 20;
/// How often those go that are older.
const PRUNE_EVERY: Duration = Duration::from_mins(10);
/// How long a stop waits to hear who else there is.
const LAST_QUESTION: Duration = Duration::from_secs(1);

/// This process, as others know it.
#[derive(Clone)]
pub(crate) struct Membership {
    store: Store,
    tracker: Arc<Tracker>,
    journal: Arc<Journal>,
    data_dir: PathBuf,
    kind: &'static str,
    started_at: Timestamp,
    /// How long its word is good for.
    timeout: Duration,
    session_timeout: Duration,
    /// Other daemons, as last heard.
    others: Arc<AtomicUsize>,
}

impl Membership {
    /// The command `kind`, not announced yet.
    pub(crate) fn new(
        kind: &'static str,
        store: &Store,
        tracker: &Arc<Tracker>,
        journal: &Arc<Journal>,
        data_dir: PathBuf,
        (timeout, session_timeout): (Duration, Duration),
    ) -> Self {
        Self {
            store: store.clone(),
            tracker: tracker.clone(),
            journal: journal.clone(),
            data_dir,
            kind,
            started_at: SystemClock.now(),
            timeout,
            session_timeout,
            others: Arc::default(),
        }
    }

    /// Says that this process is alive.
    pub(crate) async fn announce(&self) -> Result<(), StoreError> {
        let beat = Heartbeat {
            instance_id: self.journal.instance(),
            kind: self.kind.to_owned(),
            host: host(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            journal: self.journal.dir().display().to_string(),
            started_at: self.started_at,
            backlog_bytes: self.journal.backlog_bytes(),
            records_dropped: self.tracker.counters.dropped.load(Ordering::Relaxed),
        };
        self.store.heartbeat(&beat, self.timeout).await
    }

    /// Settles what instances that are gone have left behind, and goes on with those of their sessions that can.
    pub(crate) async fn settle(&self) -> Result<(), SettleError> {
        // Judged by the clock that all instances share.
        let now = self.store.clock().await?;
        let settled = settle_dead(&self.data_dir, &self.store, self.session_timeout, now).await?;
        let (records, closed) = (settled.records, settled.closed);
        let taken = if settled.open.is_empty() {
            Vec::new()
        } else {
            let instance = self.journal.instance();
            settled.take_over(&self.store, instance).await?
        };
        let open = taken.len();
        self.tracker.adopt(taken);
        if records > 0 || closed > 0 || open > 0 {
            tracing::info!(
                records,
                closed,
                open,
                "settled what an instance that is gone had left behind"
            );
        }
        Ok(())
    }

    /// Asks who else serves on this store.
    pub(crate) async fn look_around(&self) -> Result<usize, StoreError> {
        let (clock, instances) = self.store.instances().await?;
        let own = self.journal.instance();
        // Of those whose journals are here, the lock tells more than their last word does.
        let (living, dead) = claim_dead(&journal_root(&self.data_dir)).unwrap_or_default();
        let is_there = |row: &&InstanceRow| {
            let here = living.contains(&row.instance_id);
            let gone = dead
                .iter()
                .any(|journal| journal.instance == row.instance_id);
            let alive = row.expires_at > clock && !gone;
            row.kind == SERVE
                && row.instance_id != own
                && if self.store.is_embedded() {
                    here
                } else {
                    alive
                }
        };
        let others = instances.iter().filter(is_there).count();
        self.others.store(others, Ordering::Relaxed);
        // On a server another may start at any moment; a file is shared by those that are there.
        self.tracker
            .set_shared(others > 0 || !self.store.is_embedded());
        Ok(others)
    }

    /// How many other daemons there are; as last heard, where the store does not answer.
    async fn others(&self) -> usize {
        match tokio::time::timeout(LAST_QUESTION, self.look_around()).await {
            Ok(Ok(others)) => others,
            _ => self.others.load(Ordering::Relaxed),
        }
    }

    /// Whether others go on when this process stops. If not, this is the last chance for what those have left behind that
    /// stopped just before.
    pub(crate) async fn others_go_on(&self) -> bool {
        if self.others().await > 0 {
            return true;
        }
        match tokio::time::timeout(LAST_QUESTION, self.settle()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "what others left behind is not settled"),
            Err(_) => tracing::debug!("what others left behind is not settled"),
        }
        false
    }

    /// Gives this process's word again and again, and looks after those whose word has run out. Ends never.
    pub(crate) async fn keep(self) {
        let every = self.timeout / 6;
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut pruned: Option<Instant> = None;
        loop {
            ticks.tick().await;
            let longest = LONGEST_BEAT.max(self.timeout);
            match tokio::time::timeout(longest, self.tick()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::debug!(%error, "the store does not hear of this instance");
                }
                Err(_) => tracing::debug!("the store did not hear of this instance in time"),
            }
            // Those that last have to.
            let lasts = self.kind == SERVE || self.kind == TRACK;
            if lasts && pruned.is_none_or(|at| at.elapsed() >= PRUNE_EVERY) {
                let pruning = self.store.prune_events(EVENTS_KEPT, EVENT_BYTES_KEPT);
                match tokio::time::timeout(longest, pruning).await {
                    Ok(Ok(())) => pruned = Some(Instant::now()),
                    Ok(Err(error)) => tracing::debug!(%error, "old events stay for now"),
                    Err(_) => tracing::debug!("old events stay for now"),
                }
            }
        }
    }

    async fn tick(&self) -> Result<(), SettleError> {
        self.announce().await?;
        if self.kind == SERVE {
            self.look_around().await?;
            self.settle().await?;
            self.store.forget_gone().await?;
        }
        Ok(())
    }

    /// Asks the store about sessions that clients name, and about those whose end is due by what this process saw; ends
    /// those that are over.
    pub(crate) async fn confirm(&self) {
        let named = self.tracker.named();
        if !named.is_empty() {
            let asked = self.store.live_sessions_of(&named);
            if let Ok(Ok(sessions)) = tokio::time::timeout(LONGEST_BEAT, asked).await {
                self.tracker.adopt(sessions);
            }
        }
        let doubtful = self.tracker.doubtful();
        if doubtful.is_empty() {
            return;
        }
        let asked = self.store.standings(&doubtful);
        match tokio::time::timeout(LONGEST_BEAT, asked).await {
            Ok(Ok(standings)) => self.tracker.confirm(&doubtful, &standings),
            Ok(Err(error)) => {
                tracing::debug!(%error, "sessions are not ended before the store says what others saw");
            }
            Err(_) => {
                tracing::debug!("sessions are not ended before the store says what others saw");
            }
        }
    }

    /// Takes this process's word back, once its records are in the store.
    pub(crate) async fn leave(&self) -> Result<(), StoreError> {
        self.store
            .instances_gone(&[self.journal.instance()])
            .await?;
        self.store.forget_gone().await
    }
}

/// The name of this machine.
fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}
