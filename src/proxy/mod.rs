//! Stands between MCP clients and MCP servers and relays every byte as it comes: over HTTP here, over stdio in `stdio`.
//!
//! A server behind a connection is reached by `relay`, which works on the bytes of HTTP/1.1 itself: heads are rewritten
//! by a line or two, bodies pass as they are. A server in this process is reached by `local`, through hyper. What a
//! request means is told to `tracking`, which never makes it fail. Nothing here holds a whole body, re-serialises or
//! reorders.

mod answers;
mod buffer;
mod guard;
mod http1;
mod local;
mod pool;
mod relay;
mod server;
pub mod stdio;
mod upstream;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::tracking::{RequestFacts, Tracker};

pub use local::{LocalBody, LocalService};
pub use server::{ServerHandle, serve};
pub use upstream::{Upstream, UpstreamError};

/// Any error of a body on its way through.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The path under which the MCP server is served.
const ENDPOINT: &str = "/mcp";

/// Settings of the proxy.
#[derive(Clone, Copy, Debug)]
pub struct ProxyOptions {
    /// How long a server may take to begin its answer.
    pub request_timeout: Duration,
    /// Whether the listener is on loopback, where requests that web pages of other sites could send are refused.
    pub guard_loopback: bool,
}

/// What every worker shares.
pub struct Proxy {
    /// Follows what passes.
    pub tracker: Arc<Tracker>,
    /// The server behind `/mcp`.
    pub upstream: Arc<Upstream>,
    /// Settings.
    pub options: ProxyOptions,
    /// Makes the body of `/health`.
    pub health: Box<dyn Fn() -> Bytes + Send + Sync>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy")
            .field("upstream", &self.upstream)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// What is known of a request for this server before its headers.
    fn facts(&self, principal: &Arc<str>, method: &str) -> RequestFacts {
        RequestFacts::new(
            self.upstream.server.clone(),
            principal.clone(),
            method,
            self.tracker.now(),
        )
    }
}

/// Whether `path` is the MCP endpoint.
fn is_endpoint(path: &str) -> bool {
    path == ENDPOINT || path == "/mcp/"
}

/// Whether `path` is answered by the proxy's own health.
fn is_health(path: &str) -> bool {
    path == "/health" || path == "/api/health"
}
