//! Connections to the server, kept between requests: one pool for each worker, last in, first out.
//!
//! The last one used is the warmest and the least likely to have been closed; those that are too many stay at the
//! bottom until the server closes them.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::BoxError;
use super::buffer::Buffer;
use super::tls;
use super::upstream::Remote;

/// Idle connections kept for each worker.
const MOST_IDLE: usize = 512;

/// A connection to the server.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Reads what is there into `buffer`. Ready with 0 at the end of the stream.
    pub(super) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Buffer<'_>,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => buffer.poll_fill_tcp(cx, stream),
            Self::Tls(stream) => buffer.poll_fill(cx, stream),
        }
    }

    /// Whether nothing can have happened on this idle connection: the server has neither closed it nor sent anything.
    fn is_quiet(&mut self) -> bool {
        let mut byte = [0];
        match self {
            // Unlike `poll_read`, it never says that there is nothing only because the task has done much already.
            Self::Plain(stream) => stream
                .try_read(&mut byte)
                .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock),
            Self::Tls(stream) => {
                let mut cx = Context::from_waker(Waker::noop());
                let mut buffer = ReadBuf::new(&mut byte);
                Pin::new(stream)
                    .poll_read(&mut cx, &mut buffer)
                    .is_pending()
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// The idle connections of one worker to one server.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Stream>>,
}

impl Pool {
    /// A kept connection on which nothing has happened since; those on which something has are dropped.
    pub(super) fn take(&self) -> Option<Stream> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(mut stream) = idle.pop() {
            if stream.is_quiet() {
                return Some(stream);
            }
        }
        None
    }

    /// Keeps a connection whose last answer is over.
    pub(super) fn give_back(&self, stream: Stream) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(stream);
        }
    }
}

/// A new connection to `remote`.
pub(super) async fn connect(remote: &Remote) -> Result<Stream, BoxError> {
    let within = remote.connect_timeout;
    tokio::time::timeout(within, establish(remote))
        .await
        .map_err(|_| format!("no connection within {} s", within.as_secs_f64()))?
}

async fn establish(remote: &Remote) -> Result<Stream, BoxError> {
    let stream = TcpStream::connect((&*remote.host, remote.port)).await?;
    stream.set_nodelay(true)?;
    let Some(tls) = &remote.tls else {
        return Ok(Stream::Plain(stream));
    };
    let name = ServerName::try_from(remote.host.to_string())?;
    let secured = tls.connect(name, stream).await;
    let secured = secured.map_err(|error| tls::told(&error, &remote.host))?;
    Ok(Stream::Tls(Box::new(secured)))
}
