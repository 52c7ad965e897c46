//! An MCP server behind this daemon.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::model::UpstreamHealth;
use crate::tracking::Server;

use super::local::LocalService;

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
}

impl Remote {
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
    reachable: AtomicU8,
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
    /// The server at `url`, known to queries as `name`. Nothing is connected yet.
    ///
    /// # Errors
    /// When `url` is no http or https URL with a host, or TLS cannot be set up.
    pub fn remote(name: &str, url: &str) -> Result<Self, UpstreamError> {
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
        let remote = Remote {
            host: bare_host.into(),
            port,
            tls: secure.then(tls_connector).transpose()?,
            authority: named.as_bytes().into(),
            path: uri.path_and_query().cloned().ok_or_else(wrong)?,
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
            reachable: AtomicU8::new(0),
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
            reachable: AtomicU8::new(1),
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

pub(super) fn tls_connector() -> Result<TlsConnector, UpstreamError> {
    use rustls_platform_verifier::ConfigVerifierExt;
    let mut config = rustls::ClientConfig::with_platform_verifier()
        .map_err(|error| UpstreamError::Tls(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_credentials() {
        let upstream =
            Upstream::remote("docs", "http://user:secret@localhost:3001/mcp").expect("a URL");
        assert_eq!(upstream.health().url, "http://localhost:3001/mcp");
        assert!(!format!("{upstream:?}").contains("secret"));
    }

    #[test]
    fn what_is_no_http_url_is_refused() {
        for wrong in ["localhost:3001", "ftp://x/", "/mcp", "http://", ""] {
            assert!(Upstream::remote("x", wrong).is_err(), "{wrong}");
        }
    }
}
