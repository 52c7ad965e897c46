//! Tracking inside an MCP server, without a proxy and without a daemon.
//!
//! The same sessions and operations by the same rules (`docs/TRACKING.md`), in the same store, as durable: the record of an
//! operation is in the journal before the end of its answer goes on. [`Tracking::layer`] is for servers over streamable
//! HTTP, [`Tracking::wrap`] for rmcp servers over stdio or any other transport; `examples/tracked_server.rs` does both.
//! Owns the wiring that the daemon shares; decides nothing about sessions, which `tracking` does.
//!
//! ```no_run
//! # async fn example(service: axum::Router) -> Result<(), Box<dyn std::error::Error>> {
//! use archonctl::track::{Options, Tracking};
//!
//! let tracking = Tracking::start(Options::new("notes", "/var/lib/notes")).await?;
//! let app = axum::Router::new()
//!     .nest("/mcp", service)
//!     .layer(tracking.layer())
//!     .into_make_service_with_connect_info::<std::net::SocketAddr>();
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
//! axum::serve(listener, app).await?;
//! tracking.stop().await;
//! # Ok(())
//! # }
//! ```

mod background;
mod instances;
mod layer;
mod options;
mod transport;

#[cfg(test)]
mod tests;

pub(crate) use background::{make_data_dir, open_store, ship, sweep, sweep_every};
pub(crate) use instances::{Membership, SERVE};
pub use layer::{Principal, TrackLayer, TrackService};
pub use options::{Error, Options};
pub use transport::TrackedTransport;

pub use crate::tracking::{AnswerTap, RequestTap};

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rmcp::RoleServer;
use rmcp::transport::{IntoTransport, Transport};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::journal::{Journal, JournalOptions};
use crate::model::{Clock, InstanceId, SystemClock, UuidV7Source};
use crate::store::{Location, Store};
use crate::tracking::{Process, ProcessEnd, Server, Shipper, Tracker, journal_root, settle_dead};

/// How long this process's word that it is alive is good for.
const WORD: Duration = Duration::from_secs(30);

/// What the layers and transports of one server share.
pub(crate) struct Shared {
    tracker: Arc<Tracker>,
    server: Arc<Server>,
    request_timeout: Duration,
    /// Connections of wrapped transports, as long as they live.
    connections: Mutex<Vec<Weak<Process>>>,
    /// Whether nothing is tracked any more.
    stopped: AtomicBool,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    fn begin_connection(&self) -> Arc<Process> {
        let process = self
            .tracker
            .begin_connection(self.server.clone(), self.request_timeout);
        let process = Arc::new(process);
        let mut connections = self.lock();
        connections.retain(|known| known.strong_count() > 0);
        connections.push(Arc::downgrade(&process));
        process
    }

    fn connections(&self) -> Vec<Arc<Process>> {
        self.lock().iter().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Process>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody waits for an answer; streams that clients hold are not waited for.
    fn is_busy(&self) -> bool {
        let connections = self.connections();
        self.tracker.counters.in_progress.sum() > 0
            || connections.iter().any(|process| process.owes_answers())
    }
}

/// A server's own tracking, from [`Tracking::start`] to [`Tracking::stop`].
///
/// Dropped without a stop it is as if the process had been killed: nothing that was recorded is lost, and its sessions end as
/// `error:ServerCrash` with the next start or query.
#[must_use = "what is dropped tracks no more"]
pub struct Tracking {
    shared: Arc<Shared>,
    drain_timeout: Duration,
    running: Option<Running>,
}

impl fmt::Debug for Tracking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracking")
            .field("server", &self.shared.server)
            .finish_non_exhaustive()
    }
}

/// What runs behind it.
struct Running {
    store: Store,
    journal: Arc<Journal>,
    membership: Membership,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    shipper: JoinHandle<bool>,
    stop_shipping: CancellationToken,
}

impl Running {
    fn end_tasks(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Tracking {
    /// Opens the store (the embedded one is made and brought up to date), joins those that write to it, settles what others
    /// left behind that are gone, and starts what works behind the server: on its tokio runtime, and on one thread of its own
    /// that counts tokens and carries records into the store, so that neither holds up the server's.
    ///
    /// # Errors
    /// See [`Error`]. Nothing is left running then.
    pub async fn start(options: Options) -> Result<Self, Error> {
        options.check()?;
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::NoRuntime);
        }
        let data_dir = &options.data_dir;
        let location = Location::new(
            data_dir,
            options.database_url.as_deref(),
            options.database_schema.as_deref(),
        )?;
        make_data_dir(data_dir).map_err(|(done, source)| Error::DataDir {
            dir: data_dir.clone(),
            done,
            source,
        })?;
        let store = open_store(&location, false).await?;
        let instance = InstanceId(Uuid::now_v7());
        let root = journal_root(data_dir);
        let journal = Journal::create(&root, instance, JournalOptions::default())?;
        let journal = Arc::new(journal);
        let tracker = Arc::new(Tracker::new(
            options.tracker(),
            Arc::new(SystemClock),
            Arc::new(UuidV7Source),
            journal.clone(),
        ));
        // On a server other processes of the same name may see requests of the same sessions.
        tracker.set_shared(!store.is_embedded());
        let membership = Membership::new(
            instances::TRACK,
            &store,
            &tracker,
            &journal,
            data_dir.clone(),
            (WORD, options.session_timeout),
        );
        let begun = Self::begin(&options, &store, &tracker, &journal, membership).await;
        match begun {
            Ok(running) => Ok(Self {
                shared: Arc::new(Shared {
                    tracker,
                    server: Arc::new(Server {
                        name: options.server.into(),
                        survives_instance: false,
                    }),
                    request_timeout: options.request_timeout,
                    connections: Mutex::default(),
                    stopped: AtomicBool::new(false),
                }),
                drain_timeout: options.drain_timeout,
                running: Some(running),
            }
            .ticking(options.session_timeout.min(options.idle_after))),
            Err(error) => {
                // Nothing is in it, and nobody need wonder whose it was.
                if let Err(error) = journal.remove() {
                    tracing::debug!(%error, "the empty journal stays behind");
                }
                store.close().await;
                Err(error)
            }
        }
    }

    async fn begin(
        options: &Options,
        store: &Store,
        tracker: &Arc<Tracker>,
        journal: &Arc<Journal>,
        membership: Membership,
    ) -> Result<Running, Error> {
        // Before the first record: a session whose owner nobody has heard of belongs to nobody.
        membership.announce().await.map_err(Error::Store)?;
        // Sessions that can go on are left to a daemon: this process serves no other server's clients.
        let now = SystemClock.now();
        settle_dead(&options.data_dir, store, options.session_timeout, now).await?;
        let (shipper, _) = Shipper::new(journal.clone(), store.clone());
        let shipper = shipper
            .telling(tracker.clone())
            .counting(tracker.texts().clone());
        let stop_shipping = CancellationToken::new();
        let shipper = ship(shipper, stop_shipping.clone()).map_err(Error::Thread)?;
        let sweeper = sweep(tracker.clone(), membership.clone(), options.shortest());
        Ok(Running {
            store: store.clone(),
            journal: journal.clone(),
            tasks: vec![
                tokio::spawn(sweeper),
                tokio::spawn(membership.clone().keep()),
            ],
            membership,
            shipper,
            stop_shipping,
        })
    }

    /// Has the connections of wrapped transports looked after.
    fn ticking(mut self, shortest: Duration) -> Self {
        let shared = self.shared.clone();
        let every = sweep_every(shortest);
        let ticker = tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                for process in shared.connections() {
                    process.tick();
                }
            }
        });
        if let Some(running) = &mut self.running {
            running.tasks.push(ticker);
        }
        self
    }

    /// A layer for an HTTP service of MCP (rmcp's `StreamableHttpService`, an axum route). Put it on the MCP endpoint alone:
    /// what passes is taken for MCP.
    ///
    /// Sessions are scoped by who sends a request: a [`Principal`] in the request's extensions, else the remote address in
    /// axum's `ConnectInfo<SocketAddr>` (`into_make_service_with_connect_info`). Where neither is there, all clients count as
    /// one user, and those of the modern era with the same name and user agent share a session.
    #[must_use]
    pub fn layer(&self) -> TrackLayer {
        TrackLayer {
            shared: self.shared.clone(),
        }
    }

    /// An rmcp transport, tracked: `handler.serve(tracking.wrap((stdin(), stdout())))`. Each is a session of its own
    /// (derivation `process`); it ends as `client_disconnect` when the client ends its side, as `server_shutdown` when the
    /// server closes it first. Sizes of messages are those in which rmcp writes them down.
    pub fn wrap<T, E, A>(
        &self,
        transport: T,
    ) -> TrackedTransport<impl Transport<RoleServer, Error = E> + 'static + use<T, E, A>>
    where
        T: IntoTransport<RoleServer, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        TrackedTransport::new(transport.into_transport(), self.shared.clone())
    }

    /// Waits until what is under way is answered (streams that clients hold aside), `drain_timeout` at the most; ends every
    /// session that is open as `server_shutdown`, carries everything into the store, and ends. Call it once the server takes
    /// nothing new, and before held streams are cut off. What passes afterwards is not tracked.
    ///
    /// Says whether the store has everything; if not, the rest waits in the journal for the next start or query.
    pub async fn stop(mut self) -> bool {
        let until = Instant::now() + self.drain_timeout;
        while self.shared.is_busy() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let Some(running) = self.running.take() else {
            return false;
        };
        running.end_tasks();
        self.shared.stopped.store(true, Ordering::Release);
        for process in self.shared.connections() {
            process.end(&ProcessEnd::Stopped);
        }
        self.shared.tracker.shut_down(false);
        running.stop_shipping.cancel();
        let Running {
            store,
            journal,
            membership,
            shipper,
            ..
        } = running;
        let shipped = tokio::task::spawn_blocking(move || shipper.join()).await;
        let all = matches!(shipped, Ok(Ok(true)));
        if all {
            if let Err(error) = journal.remove() {
                tracing::warn!(%error, "the empty journal stays behind");
            }
            if let Err(error) = store.forget_journal(journal.instance()).await {
                tracing::warn!(%error, "the journal's position stays behind in the store");
            }
            if let Err(error) = membership.leave().await {
                tracing::warn!(%error, "the store believes for a while that this process is alive");
            }
        } else {
            tracing::warn!(
                "the store did not take everything; the rest waits in the journal for the next start"
            );
        }
        store.close().await;
        all
    }
}

impl Drop for Tracking {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.end_tasks();
            running.stop_shipping.cancel();
        }
    }
}
