//! Listens, and hands connections to workers: one thread each, with a runtime and a pool of its own, so that a request
//! never changes its thread.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::pool::Pool;
use super::relay::Proxy;

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

struct Worker {
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
    let mut started = Vec::new();
    let mut threads = Vec::new();
    for number in 0..workers.get() {
        let (connections, incoming) = mpsc::unbounded_channel();
        let load = Arc::new(AtomicUsize::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (proxy, drain, stop, worker_load) =
            (proxy.clone(), drain.clone(), stop.clone(), load.clone());
        let thread = std::thread::Builder::new()
            .name(format!("relay-{number}"))
            .spawn(move || {
                runtime.block_on(work(proxy, incoming, worker_load, drain, stop));
            })?;
        threads.push(thread);
        started.push(Worker { connections, load });
    }
    let acceptor = tokio::spawn(accept(listener, started, drain.clone()));
    Ok(ServerHandle {
        drain,
        stop,
        acceptor,
        workers: threads,
    })
}

async fn accept(listener: TcpListener, workers: Vec<Worker>, drain: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = drain.cancelled() => return,
        };
        let handed = accepted.and_then(|(stream, from)| Ok((stream.into_std()?, from)));
        match handed {
            Ok(connection) => {
                if let Some(worker) = workers
                    .iter()
                    .min_by_key(|worker| worker.load.load(Ordering::Relaxed))
                {
                    worker.load.fetch_add(1, Ordering::Relaxed);
                    let _ = worker.connections.send(connection);
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

async fn work(
    proxy: Arc<Proxy>,
    mut incoming: mpsc::UnboundedReceiver<(std::net::TcpStream, SocketAddr)>,
    load: Arc<AtomicUsize>,
    drain: CancellationToken,
    stop: CancellationToken,
) {
    let (pool, open) = (Arc::new(Pool::default()), TaskTracker::new());
    loop {
        let next = tokio::select! {
            next = incoming.recv() => next,
            () = stop.cancelled() => break,
        };
        let Some((stream, from)) = next else { break };
        let (proxy, pool, load) = (proxy.clone(), pool.clone(), load.clone());
        let (drain, stop) = (drain.clone(), stop.clone());
        open.spawn(async move {
            tokio::select! {
                done = connection(proxy, stream, from, pool, drain) => {
                    if let Err(error) = done {
                        tracing::debug!(%from, %error, "a client's connection ended with an error");
                    }
                }
                () = stop.cancelled() => {}
            }
            load.fetch_sub(1, Ordering::Relaxed);
        });
    }
    open.close();
    tokio::select! {
        () = open.wait() => {}
        () = async { stop.cancelled().await; open.wait().await } => {}
    }
}

async fn connection(
    proxy: Arc<Proxy>,
    stream: std::net::TcpStream,
    from: SocketAddr,
    pool: Arc<Pool>,
    drain: CancellationToken,
) -> Result<(), super::BoxError> {
    stream.set_nonblocking(true)?;
    // Without it an event waits for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    let stream = TcpStream::from_std(stream)?;
    let principal: Arc<str> = from.ip().to_canonical().to_string().into();
    let service = service_fn(move |request| {
        let (proxy, pool, principal) = (proxy.clone(), pool.clone(), principal.clone());
        async move { Ok::<_, std::convert::Infallible>(proxy.answer(request, principal, &pool).await) }
    });
    let mut builder = http1::Builder::new();
    let serving = builder
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    tokio::select! {
        done = serving.as_mut() => return Ok(done?),
        () = drain.cancelled() => serving.as_mut().graceful_shutdown(),
    }
    Ok(serving.await?)
}
