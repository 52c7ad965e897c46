//! The daemon: the only place that wires subsystems together. Starts them, drains them, stops them.

mod costs;
mod error;
mod logging;
mod otlp;
mod patient;
mod rest;
mod signals;
mod stdio;
mod tracking;

pub use error::StartError;
pub use logging::{init_logging, init_quiet_logging};
pub use stdio::{BridgeTo, run_bridge, run_stdio};

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api::health::health_json;
use crate::api::mcp_server::{self, McpServerDeps};
use crate::api::rest::RestDeps;
use crate::config::{self, DatabaseOptions, DatabaseUrl, InstanceOptions, ServeOptions};
use crate::journal::{Journal, JournalOptions};
use crate::model::{Clock, HealthView, InstanceId, SystemClock, Timestamp, UuidV7Source};
use crate::proxy::{
    self, Counters, Guard, Limits, LocalService, Proxy, ProxyOptions, RemoteOptions, ServerHandle,
    Upstream, Watch,
};
use crate::store::{Location, Store, StoreError};
use crate::track::{self, Membership, ship, sweep, sweep_every};
use crate::tracking::{
    Shipper, ShipperHandle, Tracker, TrackerOptions, count_tokens, journal_root,
};

use rest::RestServer;
use signals::Signals;

/// Name under which queries show the built-in MCP server.
pub const BUILT_IN: &str = "archonctl";

/// Runs the daemon until it is told to stop (SIGTERM, Ctrl-C).
///
/// # Errors
/// When it cannot start: a [`StartError`] where this machine is in the way (the data directory cannot be written, the
/// port is taken), a store's or journal's own error where those do not open.
pub fn run(options: &ServeOptions) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(serve(options))
}

async fn serve(options: &ServeOptions) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut signals = Signals::install().context("listening for signals")?;
    make_data_dir(&options.data_dir)?;
    let listener = bind(&options.listen).await?;
    let api_listener = match &options.api_listen {
        Some(listen) => Some(rest::bind(listen).await?),
        None => None,
    };
    let address = listener
        .local_addr()
        .context("reading the listener's address")?;
    let daemon = Daemon::start(options, listener, api_listener).await?;
    let ready_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    for (number, upstream) in daemon.proxy.upstreams.iter().enumerate() {
        let (upstream, several) = (upstream.health(), daemon.proxy.upstreams.len() > 1);
        if number == 0 {
            tracing::info!(data_dir = %options.data_dir.display(), store = daemon.store.location(), ready_ms, "relaying http://{address}/mcp to {} ({})", upstream.name, upstream.url);
        }
        if several {
            tracing::info!(
                "also http://{address}/mcp/{} to {} ({})",
                upstream.name,
                upstream.name,
                upstream.url
            );
        }
    }
    let tried = daemon.proxy.clone();
    tokio::spawn(async move {
        for upstream in &tried.upstreams {
            upstream.try_once().await;
        }
    });
    let why = signals.next().await;
    tracing::info!("{why}: finishing what is under way; again to stop at once");
    tokio::select! {
        () = daemon.drain(options.drain_timeout) => {}
        why = signals.next() => tracing::warn!("{why} again: stopping at once"),
    }
    daemon.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Makes the data directory, readable by its owner only, and checks that files can be made in it.
fn make_data_dir(dir: &Path) -> Result<(), StartError> {
    track::make_data_dir(dir).map_err(|(done, error)| StartError::data_dir(dir, done, error))
}

async fn bind(listen: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(listen)
        .await
        .map_err(|error| StartError::listen(listen, error))
}

/// Opens the database, brings the embedded one up to date, and makes sure that any other one is; `migrate` brings that up
/// to date as well.
async fn open_store(
    data_dir: &Path,
    database: &DatabaseOptions,
    migrate: bool,
) -> Result<Store, StoreError> {
    let url = database.url.as_ref().map(DatabaseUrl::expose);
    let location = Location::new(data_dir, url, database.schema.as_deref())?;
    track::open_store(&location, migrate).await
}

/// Tells how the daemon is.
type Health = Arc<dyn Fn() -> HealthView + Send + Sync>;

/// The running subsystems.
struct Daemon {
    proxy: Arc<Proxy>,
    server: ServerHandle,
    rest: Option<RestServer>,
    stopping: Arc<AtomicBool>,
    store: Store,
    journal: Arc<Journal>,
    sweeper: tokio::task::JoinHandle<()>,
    otlp: Option<otlp::Otlp>,
    membership: Membership,
    keeper: tokio::task::JoinHandle<()>,
    shipper: std::thread::JoinHandle<bool>,
    stop_shipping: CancellationToken,
}

impl Daemon {
    async fn start(
        options: &ServeOptions,
        listener: TcpListener,
        api_listener: Option<TcpListener>,
    ) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let started_at = clock.now();
        let store = open_store(&options.data_dir, &options.database, options.migrate).await?;
        let store = store.with_models(options.cost.models.clone());
        costs::tell(&store).await;
        // Before anything is made that would have to be taken back.
        let access = rest::access(options, api_listener.as_ref(), &store, &clock).await?;
        let instance = InstanceId(Uuid::now_v7());
        let root = journal_root(&options.data_dir);
        let journal = Arc::new(Journal::create(
            &root,
            instance,
            journal_options(&options.instance),
        )?);
        let tracker = Arc::new(Tracker::new(
            TrackerOptions {
                session_timeout: options.session_timeout,
                idle_after: options.idle_after,
                disconnect_grace: options.disconnect_grace,
                counted_text: options.cost.counted_text,
                ..TrackerOptions::default()
            },
            clock.clone(),
            Arc::new(UuidV7Source),
            journal.clone(),
        ));
        let membership = Membership::new(
            track::SERVE,
            &store,
            &tracker,
            &journal,
            options.data_dir.clone(),
            (options.instance.timeout, options.session_timeout),
        );
        if let Err(error) = Self::join(&membership).await {
            // Nothing is in it, and nobody need wonder whose it was.
            if let Err(error) = journal.remove() {
                tracing::debug!(%error, "the empty journal stays behind");
            }
            return Err(error);
        }

        let (shipper, handle) = Shipper::new(journal.clone(), store.clone());
        let shipper = shipper
            .telling(tracker.clone())
            .counting(tracker.texts().clone());
        let mcp_address = listener.local_addr()?;
        let guard_loopback = mcp_address.ip().is_loopback();
        let (proxy, health) = Self::wire_proxy(
            options,
            &store,
            &clock,
            started_at,
            &tracker,
            &journal,
            handle,
            guard_loopback,
        )?;
        let (otlp, shipper, stop_shipping) =
            start_shipping(options, instance, &tracker, &health, shipper)?;
        let workers = options
            .workers
            .or_else(|| std::thread::available_parallelism().ok())
            .unwrap_or(NonZeroUsize::MIN);
        let server = proxy::serve(&proxy, listener, workers).context("starting the workers")?;
        let stopping = Arc::new(AtomicBool::new(false));
        let deps = RestDeps {
            store: store.clone(),
            tracker: tracker.clone(),
            count_tokens: Some(Arc::new(|text, _| count_tokens(text))),
            clock: clock.clone(),
            started_at,
            session_timeout: options.session_timeout,
            mcp_address,
            health,
            stopping: told_by(&stopping),
            access,
            write_timeout: options.limits.write_timeout,
            end_streams: CancellationToken::new(),
        };
        let rest = api_listener.map(|listener| RestServer::start(listener, deps));
        let rest = rest.transpose()?;
        let sweeper = tokio::spawn(sweep(tracker, membership.clone(), shortest(options)));
        let keeper = tokio::spawn(membership.clone().keep());
        Ok(Self {
            proxy,
            server,
            rest,
            stopping,
            store,
            journal,
            sweeper,
            otlp,
            membership,
            keeper,
            shipper,
            stop_shipping,
        })
    }

    /// Says to others that this instance is there, before it opens or takes over any session, and settles what those left
    /// behind that are gone.
    async fn join(membership: &Membership) -> anyhow::Result<()> {
        membership.announce().await?;
        membership.look_around().await?;
        membership.settle().await?;
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the one place where everything meets"
    )]
    fn wire_proxy(
        options: &ServeOptions,
        store: &Store,
        clock: &Arc<dyn Clock>,
        started_at: Timestamp,
        tracker: &Arc<Tracker>,
        journal: &Arc<Journal>,
        shipper: ShipperHandle,
        guard_loopback: bool,
    ) -> anyhow::Result<(Arc<Proxy>, Health)> {
        let (health_tracker, health_journal) = (tracker.clone(), journal.clone());
        let counters = Arc::new(Counters::default());
        let counted = counters.clone();
        let own_health = move || HealthView {
            open_sessions: health_tracker.open_sessions() as u64,
            operations_recorded: health_tracker.counters.recorded.sum(),
            records_dropped: health_tracker.counters.dropped.load(Ordering::Relaxed),
            bodies_unparsed: health_tracker.counters.unparsed.load(Ordering::Relaxed),
            operations_counted: health_tracker.texts().counted(),
            operations_estimated: health_tracker.texts().estimated(),
            journal_backlog_bytes: health_journal.backlog_bytes(),
            journal_full: health_journal.is_full(),
            store_error: shipper.trouble(),
            connections: counted.connections(),
            held_streams: counted.streams(),
            rejections: counted.rejections(),
            upstreams: Vec::new(),
        };
        let own_health: Health = Arc::new(own_health);
        let remote = |upstream| Upstream::remote(&remote_options(options, upstream));
        let mut upstreams = options
            .upstreams
            .iter()
            .map(remote)
            .collect::<Result<Vec<_>, _>>()?;
        if upstreams.is_empty() {
            let service = built_in(options, store, clock, started_at, &own_health);
            upstreams.push(Upstream::local(BUILT_IN, service));
        }
        let health_clock = clock.clone();
        let watched: Vec<_> = upstreams.iter().map(Upstream::watch).collect();
        let whole_health: Health = Arc::new(move || {
            let mut view = own_health();
            view.upstreams = watched.iter().map(Watch::health).collect();
            view
        });
        let view = whole_health.clone();
        let health = move || {
            let uptime = health_clock.now().since(started_at).as_secs();
            Bytes::from(health_json(&view(), uptime).to_string())
        };
        let proxy_options = ProxyOptions {
            limits: limits(options),
            guard: Guard {
                loopback: guard_loopback,
                hosts: options.access.hosts.clone(),
                origins: options.access.origins.clone(),
            },
            public_url: options.access.public_url.as_deref().map(Into::into),
        };
        let proxy = Proxy {
            tracker: tracker.clone(),
            upstreams: upstreams.into(),
            options: proxy_options,
            counters,
            health: Box::new(health),
        };
        Ok((Arc::new(proxy), whole_health))
    }

    /// Takes nothing new, and waits until what is under way is done, `longest` at the most.
    async fn drain(&self, longest: Duration) {
        self.stopping.store(true, Ordering::Relaxed);
        self.server.drain();
        let under_way = &self.proxy.tracker.counters.in_progress;
        let until = Instant::now() + longest;
        while under_way.sum() > 0 {
            if Instant::now() >= until {
                tracing::warn!(
                    requests = under_way.sum(),
                    "the drain timeout is over; cutting them off"
                );
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Closes every session, carries everything into the store, and ends.
    async fn stop(self) {
        self.sweeper.abort();
        self.keeper.abort();
        let others = self.membership.others_go_on().await;
        // First of all: what is reported behind the ends of all sessions would open others.
        if let Some(rest) = self.rest {
            rest.stop().await;
        }
        // Before connections are cut, so that the sessions end for this reason and not as if their clients had left.
        self.proxy.tracker.shut_down(others);
        self.server.stop().await;
        self.stop_shipping.cancel();
        let shipped = tokio::task::spawn_blocking(move || self.shipper.join()).await;
        if let Some(otlp) = self.otlp
            && tokio::task::spawn_blocking(|| otlp.stop()).await.is_err()
        {
            tracing::error!("sending to the collector could not be stopped");
        }
        if let Ok(Ok(true)) = shipped {
            if let Err(error) = self.journal.remove() {
                tracing::warn!(%error, "the empty journal stays behind");
            }
            if let Err(error) = self.store.forget_journal(self.journal.instance()).await {
                tracing::warn!(%error, "the journal's position stays behind in the store");
            }
            if let Err(error) = self.membership.leave().await {
                tracing::warn!(%error, "the store believes for a while that this instance is alive");
            }
        } else {
            tracing::warn!(
                "the store did not take everything; the rest waits in the journal for the next start"
            );
        }
        self.store.close().await;
    }
}

fn remote_options(options: &ServeOptions, upstream: &config::Upstream) -> RemoteOptions {
    let headers = upstream.headers.iter();
    RemoteOptions {
        name: upstream.name.clone(),
        url: upstream.url.clone(),
        headers: headers
            .map(|(name, value)| (name.clone(), value.0.clone()))
            .collect(),
        request_timeout: upstream.request_timeout.unwrap_or(options.request_timeout),
        connect_timeout: upstream
            .connect_timeout
            .unwrap_or(options.limits.connect_timeout),
        ca_file: upstream.ca_file.clone(),
    }
}

fn limits(options: &ServeOptions) -> Limits {
    let limits = &options.limits;
    Limits {
        max_head: limits.max_head,
        max_body: limits.max_body,
        max_connections: limits.max_connections,
        max_streams: limits.max_streams,
        keep_alive_timeout: limits.keep_alive_timeout,
        head_timeout: limits.head_timeout,
        body_timeout: limits.body_timeout,
        write_timeout: limits.write_timeout,
    }
}

/// The shortest of the times by which sessions are judged.
fn shortest(options: &ServeOptions) -> Duration {
    let judged = options.session_timeout.min(options.idle_after);
    judged.min(options.disconnect_grace)
}

/// Asks a flag.
fn told_by(flag: &Arc<AtomicBool>) -> Arc<dyn Fn() -> bool + Send + Sync> {
    let flag = flag.clone();
    Arc::new(move || flag.load(Ordering::Relaxed))
}

/// How a journal is kept that is set up so.
fn journal_options(options: &InstanceOptions) -> JournalOptions {
    JournalOptions {
        max_backlog_bytes: options.journal_bound,
        fsync: options.journal_fsync,
        ..JournalOptions::default()
    }
}

/// Starts what carries records into the store, and what tells a collector of them, where one is named. Once the figures are
/// there; what was recorded until then waits in the journal.
fn start_shipping(
    options: &ServeOptions,
    instance: InstanceId,
    tracker: &Arc<Tracker>,
    health: &Health,
    shipper: Shipper,
) -> anyhow::Result<(
    Option<otlp::Otlp>,
    std::thread::JoinHandle<bool>,
    CancellationToken,
)> {
    let otlp = options.otlp.as_ref();
    let otlp = otlp.map(|otlp| otlp::Otlp::start(otlp, instance, tracker, health.clone()));
    let otlp = otlp
        .transpose()
        .context("setting up what sends to the collector")?;
    let shipper = match &otlp {
        Some(otlp) => shipper.also_telling(otlp.sink()),
        None => shipper,
    };
    let stop = CancellationToken::new();
    Ok((otlp, ship(shipper, stop.clone())?, stop))
}

/// The built-in MCP server as the proxy calls it.
fn built_in(
    options: &ServeOptions,
    store: &Store,
    clock: &Arc<dyn Clock>,
    started_at: Timestamp,
    health: &Health,
) -> LocalService {
    let service = Arc::new(mcp_server::service(McpServerDeps {
        store: store.clone(),
        clock: clock.clone(),
        started_at,
        session_timeout: options.session_timeout,
        health: health.clone(),
    }));
    Box::new(move |request| {
        let service = service.clone();
        Box::pin(async move {
            let response = service.handle(request).await;
            response.map(|body| body.map_err(|never| match never {}).boxed())
        })
    })
}
