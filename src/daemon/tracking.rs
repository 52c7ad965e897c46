//! Tracking without a daemon, for commands that relay one client: a journal of this process's own, and a thread that
//! carries it into the store.
//!
//! The journal is there before the first byte passes. The store is opened only when there is something to carry, and
//! never waited for: what it has not taken at the end stays in the journal for whoever comes next.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::{DatabaseOptions, StdioOptions};
use crate::journal::Journal;
use crate::model::{Clock, InstanceId, ModelRules, SystemClock, UuidV7Source};
use crate::store::Store;
use crate::track::Membership;
use crate::tracking::{Shipper, Tracker, TrackerOptions, journal_root, settle_dead};

/// How long the end of this process may be put off by the store.
const LAST_CARRYING: Duration = Duration::from_secs(1);
/// Waits between tries to open the store.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What others left behind is settled so long after the start, if nothing was recorded before: a process that is started
/// only to be looked at never opens the store.
const SETTLE_AFTER: Duration = Duration::from_secs(2);

/// A tracker and what carries its records away.
pub(super) struct Tracking {
    /// Follows what passes.
    pub(super) tracker: Arc<Tracker>,
    stop: CancellationToken,
    over: Receiver<()>,
}

impl Tracking {
    /// Starts tracking for the command `kind` on the data directory that `options` name, which is made if it is not there.
    pub(super) fn start(kind: &'static str, options: &StdioOptions) -> anyhow::Result<Self> {
        super::make_data_dir(&options.data_dir)?;
        let instance = InstanceId(Uuid::now_v7());
        let root = journal_root(&options.data_dir);
        let journal = Arc::new(Journal::create(
            &root,
            instance,
            super::journal_options(&options.instance),
        )?);
        let tracker = Arc::new(Tracker::new(
            TrackerOptions {
                session_timeout: options.session_timeout,
                idle_after: options.idle_after,
                counted_text: options.cost.counted_text,
                ..TrackerOptions::default()
            },
            Arc::new(SystemClock),
            Arc::new(UuidV7Source),
            journal.clone(),
        ));
        let stop = CancellationToken::new();
        let (tell, over) = channel();
        let carrier = Carrier {
            data_dir: options.data_dir.clone(),
            database: options.database.clone(),
            session_timeout: options.session_timeout,
            instance_timeout: options.instance.timeout,
            models: options.cost.models.clone(),
            kind,
            tracker: tracker.clone(),
            journal,
            stop: stop.clone(),
        };
        std::thread::Builder::new()
            .name("shipper".to_owned())
            .spawn(move || {
                carrier.run();
                // Nobody may be waiting any more.
                let _ = tell.send(());
            })
            .context("starting the thread that carries records to the store")?;
        Ok(Self {
            tracker,
            stop,
            over,
        })
    }

    /// Carries what there is into the store, as far as that takes no time worth waiting for.
    pub(super) fn stop(self) {
        self.stop.cancel();
        if let Err(RecvTimeoutError::Timeout) = self.over.recv_timeout(LAST_CARRYING) {
            tracing::debug!("the store was not quick enough; the rest waits in the journal");
        }
    }
}

struct Carrier {
    data_dir: PathBuf,
    database: DatabaseOptions,
    session_timeout: Duration,
    instance_timeout: Duration,
    models: ModelRules,
    kind: &'static str,
    tracker: Arc<Tracker>,
    journal: Arc<Journal>,
    stop: CancellationToken,
}

impl Carrier {
    fn run(self) {
        match tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime.block_on(self.carry()),
            Err(error) => {
                tracing::warn!(%error, "records wait in the journal for the next start or query");
            }
        }
    }

    async fn carry(self) {
        tokio::select! {
            () = self.journal.appended() => {}
            () = tokio::time::sleep(SETTLE_AFTER) => {}
            () = self.stop.cancelled() => {}
        }
        if self.stop.is_cancelled() && self.journal.backlog_bytes() == 0 {
            self.remove_journal();
            return;
        }
        let Some(store) = self.open_store().await else {
            return;
        };
        let membership = Membership::new(
            self.kind,
            &store,
            &self.tracker,
            &self.journal,
            self.data_dir.clone(),
            (self.instance_timeout, self.session_timeout),
        );
        // Before the first record: a session whose owner nobody has heard of belongs to nobody.
        if let Err(error) = membership.announce().await {
            tracing::debug!(%error, "the store does not hear of this instance");
        }
        let keeper = tokio::spawn(membership.clone().keep());
        // Side by side: what others left behind must not stand in front of this process's own records when it ends.
        tokio::join!(
            self.ship(&store, &membership),
            settle(&self.data_dir, &store, self.session_timeout)
        );
        keeper.abort();
        store.close().await;
    }

    /// Carries records over until this process ends.
    async fn ship(&self, store: &Store, membership: &Membership) {
        let (shipper, _) = Shipper::new(self.journal.clone(), store.clone());
        let shipper = shipper.counting(self.tracker.texts().clone());
        if shipper.run(self.stop.clone()).await {
            self.remove_journal();
            if let Err(error) = store.forget_journal(self.journal.instance()).await {
                tracing::debug!(%error, "the journal's position stays behind in the store");
            }
            if let Err(error) = membership.leave().await {
                tracing::debug!(%error, "the store believes for a while that this process is alive");
            }
        }
    }

    /// The store, as soon as it opens; `None` when this process ends before.
    async fn open_store(&self) -> Option<Store> {
        let mut wait = FIRST_WAIT;
        loop {
            match super::open_store(&self.data_dir, &self.database, false).await {
                Ok(store) => return Some(store.with_models(self.models.clone())),
                Err(error) if self.stop.is_cancelled() => {
                    tracing::debug!(%error, "the store does not open; records wait in the journal");
                    return None;
                }
                Err(error) => {
                    tracing::warn!(%error, "the store does not open; records wait in the journal");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => wait = (wait * 4).min(LONGEST_WAIT),
                () = self.stop.cancelled() => {}
            }
        }
    }

    fn remove_journal(&self) {
        if let Err(error) = self.journal.remove() {
            tracing::debug!(%error, "the empty journal stays behind");
        }
    }
}

async fn settle(data_dir: &Path, store: &Store, session_timeout: Duration) {
    // Sessions that can go on are left to a daemon: this process serves no other client.
    let settled = settle_dead(data_dir, store, session_timeout, SystemClock.now()).await;
    if let Err(error) = settled {
        tracing::warn!(%error, "what an instance that is gone left behind could not be settled");
    }
}
