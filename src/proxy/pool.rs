//! Connections to the server, kept between requests: one pool for each worker, last in, first out.
//!
//! The last one used is the warmest and the least likely to have been closed; those that are too many stay at the
//! bottom until the server closes them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use super::BoxError;
use super::body::RequestBody;
use super::upstream::Remote;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Idle connections kept for each worker.
const MOST_IDLE: usize = 512;

/// The idle connections of one worker to one server.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<SendRequest<RequestBody>>>,
}

/// A connection in use.
pub(super) struct Lease {
    pub(super) sender: SendRequest<RequestBody>,
    /// Whether it has served a request before, so that the server may have closed it.
    pub(super) reused: bool,
    pool: Arc<Pool>,
}

impl Lease {
    /// The answer is over: another request may use the connection.
    pub(super) fn give_back(self) {
        let mut idle = self
            .pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !self.sender.is_closed() && idle.len() < MOST_IDLE {
            idle.push(self.sender);
        }
    }
}

impl Pool {
    /// A connection to `remote`: a kept one, or a new one.
    pub(super) async fn lease(self: &Arc<Self>, remote: &Remote) -> Result<Lease, BoxError> {
        while let Some(mut sender) = self.take_idle() {
            // One whose last answer has just been read may still be tidying up behind it.
            if sender.is_ready() || sender.ready().await.is_ok() {
                return Ok(Lease {
                    sender,
                    reused: true,
                    pool: self.clone(),
                });
            }
        }
        self.connect(remote).await
    }

    fn take_idle(&self) -> Option<SendRequest<RequestBody>> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    /// A new connection to `remote`.
    pub(super) async fn connect(self: &Arc<Self>, remote: &Remote) -> Result<Lease, BoxError> {
        let connecting = TcpStream::connect((&*remote.host, remote.port));
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, connecting)
            .await
            .map_err(|_| format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()))??;
        stream.set_nodelay(true)?;
        let sender = match &remote.tls {
            None => handshake(stream).await?,
            Some(tls) => {
                let name = ServerName::try_from(remote.host.to_string())?;
                handshake(tls.connect(name, stream).await?).await?
            }
        };
        Ok(Lease {
            sender,
            reused: false,
            pool: self.clone(),
        })
    }
}

async fn handshake<S>(stream: S) -> Result<SendRequest<RequestBody>, BoxError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // What breaks a connection breaks the request on it too, and is told there.
        let _ = connection.await;
    });
    sender.ready().await?;
    Ok(sender)
}
