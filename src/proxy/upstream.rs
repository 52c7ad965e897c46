//! An MCP server behind this daemon.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::model::UpstreamHealth;
use crate::tracking::Server;

use super::guard::is_loopback;
use super::http1::Added;
use super::local::LocalService;
use super::tls;

/// How long the first try to connect may take.
const TRY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why an address is no upstream.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// Not a URL with scheme and host.
    #[error("'{0}' is no upstream URL: write http://HOST:PORT/PATH or https://HOST/PATH")]
    Url(String),
    /// The machine's certificates could not be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// A file with certificates is no such thing.
    #[error("the certificates in {} (tls.ca_file of '{name}') cannot be used: {why}", .file.display())]
    CaFile {
        /// Whose.
        name: String,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// How a server behind a connection is reached.
#[derive(Clone)]
pub struct RemoteOptions {
    /// The name that queries show.
    pub name: String,
    /// URL of its MCP endpoint.
    pub url: String,
    /// Headers that requests to it get, in place of the client's own.
    pub headers: Vec<(String, String)>,
    /// How long it may take to begin an answer.
    pub request_timeout: Duration,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// PEM file with the certificates that are trusted in place of the machine's own.
    pub ca_file: Option<PathBuf>,
}

impl RemoteOptions {
    /// The server at `url`, with nothing special about it.
    #[must_use]
    pub fn new(name: &str, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            request_timeout: Duration::from_mins(5),
            connect_timeout: Duration::from_secs(10),
            ca_file: None,
        }
    }
}

impl fmt::Debug for RemoteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest may hold credentials.
        f.debug_struct("RemoteOptions")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Where the server is.
pub(super) enum Place {
    /// At the other end of a connection.
    Remote(Remote),
    /// In this process.
    Local(LocalService),
}

pub(super) struct Remote {
    pub(super) host: Box<str>,
    pub(super) port: u16,
    pub(super) tls: Option<TlsConnector>,
    /// Value of `Host` on requests to it.
    pub(super) authority: Box<[u8]>,
    /// Path of its MCP endpoint.
    pub(super) path: PathAndQuery,
    /// Headers of our own on requests to it.
    pub(super) added: Added,
    /// The same for a document that has to be read here: it must come uncompressed.
    pub(super) plainly: Added,
    pub(super) request_timeout: Duration,
    pub(super) connect_timeout: Duration,
}

impl Remote {
    /// Whether `uri` names this server, whatever it names there. Loopback has several names.
    pub(super) fn is_origin_of(&self, uri: &Uri) -> bool {
        let (usual, secure) = match uri.scheme_str() {
            Some("http") => (80, false),
            Some("https") => (443, true),
            _ => return false,
        };
        let Some(host) = uri.host() else {
            return false;
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let same_host =
            bare.eq_ignore_ascii_case(&self.host) || (is_loopback(host) && is_loopback(&self.host));
        secure == self.tls.is_some() && uri.port_u16().unwrap_or(usual) == self.port && same_host
    }

    /// Gives `with` the path of the MCP endpoint and the query for a request that came with `query` (its `?` included,
    /// or empty).
    pub(super) fn target(&self, query: &str, with: impl FnOnce(&str, &str)) {
        match self.path.query() {
            None => with(self.path.path(), query),
            Some(own) if query.is_empty() => with(self.path.path(), &format!("?{own}")),
            Some(own) => with(
                self.path.path(),
                &format!("?{own}&{}", query.trim_start_matches('?')),
            ),
        }
    }
}

/// An MCP server behind this daemon.
pub struct Upstream {
    pub(super) server: Arc<Server>,
    pub(super) place: Place,
    url: String,
    /// 0 not tried yet, 1 reachable, 2 not.
    reachable: Arc<AtomicU8>,
}

/// Looks at a server's health from elsewhere.
#[derive(Clone, Debug)]
pub struct Watch {
    server: Arc<Server>,
    url: String,
    reachable: Arc<AtomicU8>,
}

impl Watch {
    /// How it was last seen.
    #[must_use]
    pub fn health(&self) -> UpstreamHealth {
        let reachable = match self.reachable.load(Ordering::Relaxed) {
            0 => None,
            seen => Some(seen == 1),
        };
        UpstreamHealth {
            name: self.server.name.to_string(),
            url: self.url.clone(),
            reachable,
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("server", &self.server)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Upstream {
    /// A server behind a connection. Nothing is connected yet.
    ///
    /// # Errors
    /// When the URL is no http or https URL with a host, or TLS cannot be set up.
    pub fn remote(options: &RemoteOptions) -> Result<Self, UpstreamError> {
        let (name, url) = (&*options.name, &*options.url);
        let wrong = || UpstreamError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(wrong());
        };
        let secure = *scheme == Scheme::HTTPS;
        if !secure && *scheme != Scheme::HTTP {
            return Err(wrong());
        }
        let bare_host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let port = authority
            .port_u16()
            .unwrap_or(if secure { 443 } else { 80 });
        let named = authority.as_str().rsplit('@').next().unwrap_or_default();
        let identity = ("Accept-Encoding".to_owned(), "identity".to_owned());
        let others = options
            .headers
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case(&identity.0));
        let plainly: Vec<_> = others.cloned().chain([identity.clone()]).collect();
        let remote = Remote {
            host: bare_host.into(),
            port,
            tls: secure
                .then(|| tls::connector(name, options.ca_file.as_deref()))
                .transpose()?,
            authority: named.as_bytes().into(),
            path: uri.path_and_query().cloned().ok_or_else(wrong)?,
            added: Added::new(&options.headers),
            plainly: Added::new(&plainly),
            request_timeout: options.request_timeout,
            connect_timeout: options.connect_timeout,
        };
        let shown = format!("{scheme}://{named}{}", remote.path);
        let server = Server {
            name: name.into(),
            survives_instance: true,
        };
        Ok(Self {
            server: Arc::new(server),
            place: Place::Remote(remote),
            url: shown,
            reachable: Arc::new(AtomicU8::new(0)),
        })
    }

    /// A server in this process. Its sessions end with the process.
    #[must_use]
    pub fn local(name: &str, service: LocalService) -> Self {
        let server = Server {
            name: name.into(),
            survives_instance: false,
        };
        Self {
            server: Arc::new(server),
            place: Place::Local(service),
            url: "built-in".to_owned(),
            reachable: Arc::new(AtomicU8::new(1)),
        }
    }

    /// Path of its MCP endpoint.
    pub(super) fn path(&self) -> &str {
        match &self.place {
            Place::Remote(remote) => remote.path.path(),
            Place::Local(_) => super::ENDPOINT,
        }
    }

    /// Notes whether the last connection worked; true when that is news.
    pub(super) fn note_reachable(&self, reachable: bool) -> bool {
        let now = if reachable { 1 } else { 2 };
        // Read first: this stands on the path of every request, and the answer hardly ever changes.
        self.reachable.load(Ordering::Relaxed) != now
            && self.reachable.swap(now, Ordering::Relaxed) != now
    }

    /// Tries to connect once, and notes and tells whether it worked. A server that is away is no error: it may come.
    pub async fn try_once(&self) {
        let Place::Remote(remote) = &self.place else {
            return;
        };
        let connecting = TcpStream::connect((&*remote.host, remote.port));
        let why = match tokio::time::timeout(TRY_TIMEOUT, connecting).await {
            Ok(Ok(_)) => {
                self.note_reachable(true);
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no connection within {} s", TRY_TIMEOUT.as_secs()),
        };
        if self.note_reachable(false) {
            let (server, url) = (&self.server.name, &self.url);
            tracing::warn!(%server, %url, why, "the server cannot be reached; requests get 502 until it can");
        }
    }

    /// A look at its health from elsewhere.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch {
            server: self.server.clone(),
            url: self.url.clone(),
            reachable: self.reachable.clone(),
        }
    }

    /// How it was last seen.
    #[must_use]
    pub fn health(&self) -> UpstreamHealth {
        self.watch().health()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_credentials() {
        let upstream = Upstream::remote(&RemoteOptions::new(
            "docs",
            "http://user:secret@localhost:3001/mcp",
        ))
        .expect("a URL");
        assert_eq!(upstream.health().url, "http://localhost:3001/mcp");
        assert!(!format!("{upstream:?}").contains("secret"));
    }

    #[test]
    fn what_is_no_http_url_is_refused() {
        for wrong in ["localhost:3001", "ftp://x/", "/mcp", "http://", ""] {
            assert!(
                Upstream::remote(&RemoteOptions::new("x", wrong)).is_err(),
                "{wrong}"
            );
        }
    }
}
