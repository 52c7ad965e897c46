//! HTTP/2 in front (RFC 9113, prior knowledge): each stream becomes a connection of HTTP/1.1 inside this process, and is
//! relayed, tracked and bounded like any other. Frames, flow control and header compression are hyper's.

mod pipe;
mod request;

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::BoxError;
use super::http1::{ResponseHead, no_headers};
use super::relay::{self, Standing, Worker};

use pipe::{Body, pipe};

/// Streams that one connection may have open.
const MOST_STREAMS: u32 = 128;
/// Bytes of a request's body that may wait on one stream, and on one connection.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// Serves one client, of whose connection `read` has been read already, until it leaves or nothing happens for long.
pub(super) async fn connection(
    worker: Arc<Worker>,
    stream: TcpStream,
    read: Vec<u8>,
    principal: Arc<str>,
    drain: CancellationToken,
) -> Result<(), BoxError> {
    let limits = worker.proxy.options.limits;
    // Streams begun, and streams open.
    let (begun, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, standing) = (begun.clone(), open.clone());
    let of_streams = worker.clone();
    let service = service_fn(move |request| {
        counted.fetch_add(1, Ordering::Relaxed);
        standing.fetch_add(1, Ordering::Relaxed);
        let open = Open(standing.clone());
        let (worker, principal) = (of_streams.clone(), principal.clone());
        async move { Ok::<_, Infallible>(answer(worker, principal, request, open).await) }
    });
    let most_head = u32::try_from(limits.max_head).unwrap_or(u32::MAX);
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(most_head)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(STREAM_WINDOW as usize)
        // A client that is gone without a word is found out; one that does not read is as well.
        .keep_alive_interval(Some(limits.keep_alive_timeout))
        .keep_alive_timeout(limits.write_timeout);
    let serving = builder.serve_connection(
        TokioIo::new(Begun {
            read,
            at: 0,
            stream,
        }),
        service,
    );
    tokio::pin!(serving);
    let mut seen = 0;
    let idle = idle(limits.keep_alive_timeout, move || {
        let now = begun.load(Ordering::Relaxed);
        let quiet = open.load(Ordering::Relaxed) == 0 && now == seen;
        seen = now;
        quiet
    });
    tokio::select! {
        done = serving.as_mut() => return Ok(done?),
        () = drain.cancelled() => {}
        () = idle => worker.proxy.counters.idle_closed.add(),
    }
    serving.as_mut().graceful_shutdown();
    Ok(serving.await?)
}

/// Waits until `quiet` is true at two looks, one timeout apart.
async fn idle(longest: Duration, mut quiet: impl FnMut() -> bool) {
    loop {
        tokio::time::sleep(longest).await;
        if quiet() {
            return;
        }
    }
}

/// One open stream.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Ends a task with whoever needs it.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn answer(
    worker: Arc<Worker>,
    principal: Arc<str>,
    request: Request<Incoming>,
    open: Open,
) -> Response<Body> {
    let to_head = request.method() == http::Method::HEAD;
    let (inside, outside, spoiled) = pipe();
    // To its end, so that what has to be said when the client leaves is said.
    tokio::spawn(async move {
        let standing = Standing::default();
        let _ = relay::connection(&worker, inside, principal, &standing).await;
    });
    let (mut reader, writer) = tokio::io::split(outside);
    let sender = tokio::spawn(request::send(request, writer));
    let sender = Task(sender.abort_handle());
    let mut read = Vec::with_capacity(4 << 10);
    loop {
        match reader.read_buf(&mut read).await {
            Ok(1..) => {}
            _ => return failed(),
        }
        let mut room = no_headers!();
        match ResponseHead::read(&read, &mut room, to_head) {
            Ok(None) => {}
            Ok(Some(head)) if (100..200).contains(&head.status) => {
                let length = head.length;
                read.drain(..length);
            }
            Ok(Some(head)) => {
                let Ok(status) = StatusCode::from_u16(head.status) else {
                    return failed();
                };
                let mut response = Response::new(());
                *response.status_mut() = status;
                for (name, value) in head.passing() {
                    if let (Ok(name), Ok(value)) = (
                        HeaderName::from_bytes(name.as_bytes()),
                        HeaderValue::from_bytes(value),
                    ) {
                        response.headers_mut().append(name, value);
                    }
                }
                let (framing, length) = (head.framing, head.length);
                let rest = read.split_off(length);
                return response
                    .map(|()| Body::new(reader, &rest, framing, spoiled, (sender, open)));
            }
            Err(_) => return failed(),
        }
    }
}

/// What a client is told whose stream broke before its answer began.
fn failed() -> Response<Body> {
    let mut response = Response::new(Body::broken());
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

/// A connection of which something has been read already.
struct Begun {
    read: Vec<u8>,
    at: usize,
    stream: TcpStream,
}

impl AsyncRead for Begun {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.at < this.read.len() {
            let count = buffer.remaining().min(this.read.len() - this.at);
            buffer.put_slice(&this.read[this.at..this.at + count]);
            this.at += count;
            if this.at == this.read.len() {
                (this.read, this.at) = (Vec::new(), 0);
            }
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Begun {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
