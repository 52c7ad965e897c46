//! Stands between MCP clients and MCP servers over HTTP and relays every byte as it comes.
//!
//! Works on streaming bodies and taps them; never holds a whole body, re-serialises or reorders. What a request means
//! is told to `tracking`, which never makes it fail.

mod answers;
mod body;
mod guard;
mod local;
mod pool;
mod relay;
mod server;
mod upstream;

pub use local::{LocalBody, LocalService};
pub use relay::{Proxy, ProxyOptions};
pub use server::{ServerHandle, serve};
pub use upstream::{Upstream, UpstreamError};

/// Any error of a body on its way through.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
