//! Listens, and hands connections to workers: one thread each, with a runtime and a pool of its own, so that a request
//! never changes its thread.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio_util::sync::CancellationToken;

use super::buffer::Buffers;
use super::pool::Pool;
use super::relay::{self, Standing, Worker};
use super::upstream::Place;
use super::{BoxError, Proxy, local};

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
            pool: Pool::default(),
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
    let acceptor = tokio::spawn(accept(listener, seats, drain.clone()));
    Ok(ServerHandle {
        drain,
        stop,
        acceptor,
        workers: threads,
    })
}

async fn accept(listener: TcpListener, seats: Vec<Seat>, drain: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = drain.cancelled() => return,
        };
        let handed = accepted.and_then(|(stream, from)| Ok((stream.into_std()?, from)));
        match handed {
            Ok(connection) => {
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
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

/// A connection being served.
struct Open {
    task: AbortHandle,
    standing: Arc<Standing>,
}

impl Open {
    /// Takes no further request; cuts it if it is between two.
    fn drain(&self) {
        self.standing.draining.store(true, Ordering::SeqCst);
        if self.standing.idle.load(Ordering::SeqCst) {
            self.task.abort();
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
                open.insert(task.id(), Open { task, standing });
            }
            Some(ended) = tasks.join_next_with_id() => {
                let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                open.remove(&id);
                load.fetch_sub(1, Ordering::Relaxed);
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
    match &worker.proxy.upstream.place {
        Place::Remote(remote) => {
            // How it ended has been told to whoever has to know.
            let _ = relay::connection(&worker, remote, stream, principal, &standing).await;
            Ok(())
        }
        Place::Local(service) => {
            local::connection(&worker.proxy, service, stream, principal, drain).await
        }
    }
}
