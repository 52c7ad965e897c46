//! How the daemon is, as `/health` tells it.

use serde::{Deserialize, Serialize};

/// One upstream server as last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamHealth {
    /// Its name.
    pub name: String,
    /// Its address, without credentials; `built-in` for the daemon's own MCP server.
    pub url: String,
    /// False after a connection failed and until one works; null before the first try.
    pub reachable: Option<bool>,
}

/// The figures behind `/health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// Sessions not disconnected that this instance tracks.
    pub open_sessions: u64,
    /// Operations recorded since the start.
    pub operations_recorded: u64,
    /// Records that could not be written to the journal and are lost.
    pub records_dropped: u64,
    /// Bodies that passed but could not be read as JSON-RPC.
    pub bodies_unparsed: u64,
    /// Bytes in the journal that the store has not taken yet.
    pub journal_backlog_bytes: u64,
    /// What the store last answered when it would not take records; null while it does.
    pub store_error: Option<String>,
    /// The servers behind this daemon.
    pub upstreams: Vec<UpstreamHealth>,
}
