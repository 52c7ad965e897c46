//! Listens, and hands connections to workers: one thread each, with a runtime and a pool of its own, so that a request
//! never changes its thread.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::answers::OwnAnswer;
use super::buffer::Buffers;
use super::limits::Counters;
use super::pool::Pool;
use super::relay::{self, Standing, Worker};
use super::upstream::Place;
use super::{BoxError, Proxy, http2, local};

/// How to stop a running proxy.
#[derive(Debug)]
pub struct ServerHandle {
    /// Takes no more connections, and no more requests on those there are.
    drain: CancellationToken,
    /// Ends what is left.
    stop: CancellationToken,
    acceptor: tokio::task::JoinHandle<()>,
    workers: Vec<JoinHandle<()>>,
}

impl ServerHandle {
    /// Takes no more connections, and closes those there are as soon as their request is answered.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Ends everything at once, and waits for the workers' threads.
    pub async fn stop(self) {
        self.drain.cancel();
        self.stop.cancel();
        let _ = self.acceptor.await;
        let joined = tokio::task::spawn_blocking(move || {
            for worker in self.workers {
                let _ = worker.join();
            }
        });
        let _ = joined.await;
    }
}

/// Where the acceptor sends connections.
struct Seat {
    connections: mpsc::UnboundedSender<(std::net::TcpStream, SocketAddr)>,
    /// Open connections: the worker with the fewest gets the next.
    load: Arc<AtomicUsize>,
}

/// Serves `proxy` on `listener` with `workers` threads until the handle stops it.
///
/// # Errors
/// When a thread or its runtime cannot be started.
pub fn serve(
    proxy: &Arc<Proxy>,
    listener: TcpListener,
    workers: NonZeroUsize,
) -> std::io::Result<ServerHandle> {
    let (drain, stop) = (CancellationToken::new(), CancellationToken::new());
    let (mut seats, mut threads) = (Vec::new(), Vec::new());
    for number in 0..workers.get() {
        let (connections, incoming) = mpsc::unbounded_channel();
        let load = Arc::new(AtomicUsize::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let worker = Worker {
            proxy: proxy.clone(),
            pools: proxy.upstreams.iter().map(|_| Pool::default()).collect(),
            buffers: Buffers::default(),
            group: Arc::new(proxy.tracker.group()),
        };
        let (drain, stop, worker_load) = (drain.clone(), stop.clone(), load.clone());
        let thread = std::thread::Builder::new()
            .name(format!("relay-{number}"))
            .spawn(move || {
                runtime.block_on(work(Arc::new(worker), incoming, worker_load, drain, stop));
            })?;
        threads.push(thread);
        seats.push(Seat { connections, load });
    }
    let (counters, most) = (proxy.counters.clone(), proxy.options.limits.max_connections);
    let acceptor = tokio::spawn(accept(listener, seats, counters, most, drain.clone()));
    Ok(ServerHandle {
        drain,
        stop,
        acceptor,
        workers: threads,
    })
}

/// Connections over the limit that are told so at the same time.
const MOST_TURNED_AWAY: usize = 64;
/// How long each of them may take to hear it.
const TURN_AWAY: Duration = Duration::from_secs(2);

/// Says that there are too many connections, and closes this one.
async fn turn_away(stream: std::net::TcpStream, most: usize) {
    let message =
        format!("{most} connections are open, as many as are allowed (--max-connections)");
    let mut answer = OwnAnswer::error(
        StatusCode::SERVICE_UNAVAILABLE,
        "too-many-connections",
        &message,
        None,
    );
    answer.retry_after = Some(10);
    let mut bytes = Vec::new();
    answer.write(false, true, &mut bytes);
    let telling = async {
        let mut stream = TcpStream::from_std(stream)?;
        stream.write_all(&bytes).await?;
        stream.shutdown().await?;
        // Closing before the request has come would reset the connection, and the answer could be lost with it.
        let mut room = [0; 4 << 10];
        while stream.read(&mut room).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _ = tokio::time::timeout(TURN_AWAY, telling).await;
}

async fn accept(
    listener: TcpListener,
    seats: Vec<Seat>,
    counters: Arc<Counters>,
    most: usize,
    drain: CancellationToken,
) {
    let mut turned_away = Vec::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = drain.cancelled() => return,
        };
        let handed = accepted.and_then(|(stream, from)| Ok((stream.into_std()?, from)));
        match handed {
            Ok(connection) => {
                let open = counters.connections.fetch_add(1, Ordering::Relaxed);
                if open >= most {
                    counters.connections.fetch_sub(1, Ordering::Relaxed);
                    counters.too_many_connections.add();
                    turned_away.retain(|task: &AbortHandle| !task.is_finished());
                    // Those that are too many for that as well are just closed.
                    if turned_away.len() < MOST_TURNED_AWAY {
                        turned_away
                            .push(tokio::spawn(turn_away(connection.0, most)).abort_handle());
                    }
                    continue;
                }
                if let Some(seat) = seats
                    .iter()
                    .min_by_key(|seat| seat.load.load(Ordering::Relaxed))
                {
                    seat.load.fetch_add(1, Ordering::Relaxed);
                    let _ = seat.connections.send(connection);
                }
            }
            Err(error) => {
                // Out of file descriptors, mostly: waiting lets some go.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// A connection being served.
struct Open {
    task: AbortHandle,
    standing: Arc<Standing>,
    /// The wait for a request that was seen last, and since when.
    idle: Option<(u32, Instant)>,
}

impl Open {
    /// Takes no further request; cuts it if it is between two.
    fn drain(&self) {
        self.standing.draining.store(true, Ordering::SeqCst);
        if self.standing.idle().is_some() {
            self.task.abort();
        }
    }
}

impl Open {
    /// Ends it if it has been waiting for a request for `longest`; says whether it did.
    fn expire(&mut self, now: Instant, longest: Duration) -> bool {
        let turn = self.standing.idle();
        match (turn, self.idle) {
            (Some(turn), Some((seen, since))) if turn == seen => {
                let over = now.duration_since(since) >= longest;
                if over {
                    self.task.abort();
                }
                over
            }
            (turn, _) => {
                self.idle = turn.map(|turn| (turn, now));
                false
            }
        }
    }
}

/// Serves what the acceptor sends until it is stopped. Connections are told to drain from here, so that they need not
/// look out for it between any two bytes.
async fn work(
    worker: Arc<Worker>,
    mut incoming: mpsc::UnboundedReceiver<(std::net::TcpStream, SocketAddr)>,
    load: Arc<AtomicUsize>,
    drain: CancellationToken,
    stop: CancellationToken,
) {
    let (mut tasks, mut open) = (JoinSet::new(), HashMap::<Id, Open>::new());
    let longest = worker.proxy.options.limits.keep_alive_timeout;
    let every = (longest / 4).clamp(Duration::from_millis(20), Duration::from_secs(1));
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            next = incoming.recv() => {
                let Some((stream, from)) = next else { break };
                let standing = Arc::new(Standing::default());
                let serving = connection(worker.clone(), stream, from, standing.clone(), drain.clone());
                let task = tasks.spawn(async move {
                    if let Err(error) = serving.await {
                        tracing::debug!(%from, %error, "a client's connection ended with an error");
                    }
                });
                open.insert(task.id(), Open { task, standing, idle: None });
            }
            Some(ended) = tasks.join_next_with_id() => {
                let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                open.remove(&id);
                load.fetch_sub(1, Ordering::Relaxed);
                worker.proxy.counters.connections.fetch_sub(1, Ordering::Relaxed);
            }
            _ = ticks.tick(), if !open.is_empty() => {
                // Looked for from here, so that a connection need not set a timer between any two requests.
                let now = Instant::now();
                for connection in open.values_mut() {
                    if connection.expire(now, longest) {
                        worker.proxy.counters.idle_closed.add();
                    }
                }
            }
            () = drain.cancelled() => break,
        }
    }
    open.values().for_each(Open::drain);
    tokio::select! {
        () = async { while tasks.join_next().await.is_some() {} } => {}
        () = stop.cancelled() => {}
    }
    tasks.shutdown().await;
}

async fn connection(
    worker: Arc<Worker>,
    stream: std::net::TcpStream,
    from: SocketAddr,
    standing: Arc<Standing>,
    drain: CancellationToken,
) -> Result<(), BoxError> {
    stream.set_nonblocking(true)?;
    // Without it an event waits for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    let stream = TcpStream::from_std(stream)?;
    let principal: Arc<str> = from.ip().to_canonical().to_string().into();
    let upstream = worker.proxy.upstreams.first();
    match upstream.map(|upstream| &upstream.place) {
        Some(Place::Local(_)) => local::connection(&worker.proxy, stream, principal, drain).await,
        Some(_) => {
            // How it ended has been told to whoever has to know.
            let served = relay::connection(&worker, stream, principal.clone(), &standing).await;
            match served {
                Ok(Some((stream, read))) => {
                    http2::connection(worker.clone(), stream, read, principal, drain).await
                }
                _ => Ok(()),
            }
        }
        None => Ok(()),
    }
}
