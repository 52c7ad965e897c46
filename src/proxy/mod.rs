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
mod http2;
mod limits;
mod local;
mod pool;
mod relay;
mod route;
mod server;
pub mod stdio;
mod tls;
mod upstream;

use std::sync::Arc;

use bytes::Bytes;

use crate::tracking::{RequestFacts, Tracker};

pub use guard::Guard;
pub use limits::{Counters, Limits};
pub use local::{LocalBody, LocalService};
pub use server::{ServerHandle, serve};
pub use upstream::{RemoteOptions, Upstream, UpstreamError, Watch};

/// Any error of a body on its way through.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The path under which the MCP server is served.
const ENDPOINT: &str = "/mcp";

/// Settings of the proxy.
#[derive(Clone, Debug)]
pub struct ProxyOptions {
    /// Bounds on what clients may send and hold.
    pub limits: Limits,
    /// Who may ask.
    pub guard: Guard,
    /// `scheme://host[:port]` under which clients reach the proxy, where that is not what they write into `Host`.
    pub public_url: Option<Box<str>>,
}

/// What every worker shares.
pub struct Proxy {
    /// Follows what passes.
    pub tracker: Arc<Tracker>,
    /// The servers, each behind `/mcp/NAME`, the first also behind `/mcp`. Never empty. A server in this process is the
    /// only one.
    pub upstreams: Box<[Upstream]>,
    /// Settings.
    pub options: ProxyOptions,
    /// What is open, and what was turned down.
    pub counters: Arc<Counters>,
    /// Makes the body of `/health`.
    pub health: Box<dyn Fn() -> Bytes + Send + Sync>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy")
            .field("upstreams", &self.upstreams)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// What is known of a request for `upstream` before its headers.
    fn facts(&self, upstream: &Upstream, principal: &Arc<str>, method: &str) -> RequestFacts {
        RequestFacts::new(
            upstream.server.clone(),
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
