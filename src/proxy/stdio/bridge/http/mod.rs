//! A small HTTP/1.1 client: one server, connections kept between requests, and an exact answer to the question whether a
//! request may be sent again.
//!
//! The headers that the user gave go to this server and nowhere else, and are never shown.

mod answer;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::proxy::tls;

use answer::Head;

pub(super) use answer::Response;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Idle connections kept.
const MOST_IDLE: usize = 16;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// There was no connection: nothing was sent.
    #[error("{0}")]
    Connect(String),
    /// The request was on its way; nobody knows whether the server has read it.
    #[error("{0}")]
    Broken(String),
}

/// Why a URL is no server to forward to.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It is none, or of another scheme.
    #[error("this is no URL of a server: write http://HOST:PORT/PATH or https://HOST/PATH")]
    Url,
    /// The machine's certificates could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// A header that the user gave. Its value may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Vec<u8>,
}

impl fmt::Debug for OwnHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ***", self.name)
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The server, and the connections to it.
pub(super) struct Http {
    host: Box<str>,
    port: u16,
    tls: Option<TlsConnector>,
    authority: Box<str>,
    /// Path and query; another one once the server has said so.
    path: Mutex<Box<str>>,
    own_headers: Vec<OwnHeader>,
    idle: Mutex<Vec<Box<dyn Stream>>>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

/// A request.
pub(super) struct Request<'a> {
    pub(super) method: &'static str,
    /// Beside those that every request has.
    pub(super) headers: &'a [(&'static str, Vec<u8>)],
    /// Headers whose names are not known beforehand.
    pub(super) named: &'a [(String, Vec<u8>)],
    pub(super) body: &'a [u8],
}

impl Http {
    /// The server at `url`.
    pub(super) fn new(url: &str, own_headers: Vec<OwnHeader>) -> Result<Self, TargetError> {
        let uri: Uri = url.parse().map_err(|_| TargetError::Url)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(TargetError::Url);
        };
        let secure = *scheme == Scheme::HTTPS;
        if !secure && *scheme != Scheme::HTTP {
            return Err(TargetError::Url);
        }
        let tls = if secure {
            Some(
                tls::connector("bridge", None)
                    .map_err(|error| TargetError::Tls(error.to_string()))?,
            )
        } else {
            None
        };
        let bare_host = authority.host().trim_matches(['[', ']']);
        let path = uri
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        Ok(Self {
            host: bare_host.into(),
            port: authority
                .port_u16()
                .unwrap_or(if secure { 443 } else { 80 }),
            tls,
            authority: authority.as_str().into(),
            path: Mutex::new(path.into()),
            own_headers,
            idle: Mutex::default(),
        })
    }

    /// Where requests go, without the query, which may hold secrets.
    pub(super) fn shown(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let path = self.path();
        let path = path.split('?').next().unwrap_or_default();
        format!("{scheme}://{}{path}", self.authority)
    }

    fn path(&self) -> Box<str> {
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        path.clone()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Box<dyn Stream>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server says that it is at `location`. Followed on the same host only, since the user's headers are meant for
    /// that one; says whether it was.
    pub(super) fn moved(&self, location: &[u8]) -> bool {
        let Ok(location) = std::str::from_utf8(location) else {
            return false;
        };
        let path = if location.starts_with('/') && !location.starts_with("//") {
            location
        } else {
            let scheme = if self.tls.is_some() { "https" } else { "http" };
            let origin = format!("{scheme}://{}", self.authority);
            match location.strip_prefix(&origin) {
                Some(path) if path.starts_with('/') => path,
                _ => return false,
            }
        };
        let fits = path.bytes().all(|byte| byte.is_ascii_graphic());
        if fits {
            *self.path.lock().unwrap_or_else(PoisonError::into_inner) = path.into();
        }
        fits
    }

    /// Sends `request`. `written` is called when all of it is on its way, or when there is no connection to send it on.
    ///
    /// A request that met a kept connection which the server had closed is sent once more on a new one, if no byte of an
    /// answer had come.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: &Request<'_>,
        written: &mut (dyn FnMut() + Send),
    ) -> Result<Response, SendError> {
        let bytes = self.written_out(request);
        if let Some(kept) = self.kept().await {
            match self.exchange(kept, &bytes, written).await {
                Ok(response) => return Ok(response),
                Err(Failure::BeforeAnswer(_)) => {}
                Err(Failure::Broken(why)) => return Err(SendError::Broken(why)),
            }
        }
        let stream = match self.connect().await {
            Ok(stream) => stream,
            Err(error) => {
                written();
                return Err(SendError::Connect(error.to_string()));
            }
        };
        let exchanged = self.exchange(stream, &bytes, written).await;
        exchanged.map_err(|failure| match failure {
            Failure::BeforeAnswer(why) | Failure::Broken(why) => SendError::Broken(why),
        })
    }

    fn written_out(&self, request: &Request<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(512 + request.body.len());
        let start = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: archonctl/{}\r\n",
            request.method,
            self.path(),
            self.authority,
            env!("CARGO_PKG_VERSION")
        );
        out.extend_from_slice(start.as_bytes());
        let mut line = |name: &str, value: &[u8]| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        };
        for (name, value) in request.headers {
            line(name, value);
        }
        for (name, value) in request.named {
            line(name, value);
        }
        for header in &self.own_headers {
            line(&header.name, &header.value);
        }
        if request.method == "POST" {
            line("Content-Type", b"application/json");
            line("Content-Length", request.body.len().to_string().as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(request.body);
        out
    }

    /// A kept connection on which nothing has happened since.
    async fn kept(&self) -> Option<Box<dyn Stream>> {
        loop {
            let mut stream = self.idle().pop()?;
            // Outside of the budget of this task, at whose end every connection would look quiet.
            let quiet = tokio::task::unconstrained(poll_fn(|cx| {
                let mut byte = [0];
                let mut buffer = ReadBuf::new(&mut byte);
                Poll::Ready(
                    Pin::new(&mut stream)
                        .poll_read(cx, &mut buffer)
                        .is_pending(),
                )
            }));
            if quiet.await {
                return Some(stream);
            }
        }
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let late = |_| {
            let secs = CONNECT_TIMEOUT.as_secs();
            io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no connection within {secs} s"),
            )
        };
        let connecting = TcpStream::connect((&*self.host, self.port));
        let stream = timeout(CONNECT_TIMEOUT, connecting).await.map_err(late)??;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let name = ServerName::try_from(self.host.to_string()).map_err(io::Error::other)?;
        let securing = tls.connect(name, stream);
        let secured = timeout(CONNECT_TIMEOUT, securing).await.map_err(late)??;
        Ok(Box::new(secured))
    }

    async fn exchange(
        self: &Arc<Self>,
        mut stream: Box<dyn Stream>,
        bytes: &[u8],
        written: &mut (dyn FnMut() + Send),
    ) -> Result<Response, Failure> {
        let sent = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        // A server may refuse a body before it has read it, and answer all the same.
        let sent = sent.await;
        if sent.is_ok() {
            written();
        }
        let mut read = Vec::with_capacity(1_024);
        loop {
            if let Some((length, head)) = Head::read(&read).map_err(Failure::Broken)? {
                read.drain(..length);
                if head.status < 200 {
                    continue;
                }
                return Response::new(self.clone(), head, stream, read, sent.is_ok())
                    .map_err(Failure::Broken);
            }
            let why = match stream.read_buf(&mut read).await {
                Ok(0) => "the server closed the connection".to_owned(),
                Ok(_) => continue,
                Err(error) => error.to_string(),
            };
            return Err(if read.is_empty() {
                Failure::BeforeAnswer(why)
            } else {
                Failure::Broken(why)
            });
        }
    }
}

/// Why an exchange on one connection failed.
enum Failure {
    /// Before a byte of an answer had come.
    BeforeAnswer(String),
    /// In the middle of an answer.
    Broken(String),
}
