//! How the daemon is, as `/health` tells it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One upstream server as last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpstreamHealth {
    /// Its name.
    pub name: String,
    /// Its address, without credentials; `built-in` for the daemon's own MCP server.
    pub url: String,
    /// False after a connection failed and until one works; null before the first try.
    pub reachable: Option<bool>,
}

/// What the proxy has turned down since the start, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejections {
    /// Requests that cannot be read (400).
    pub bad_request: u64,
    /// `Host` or `Origin` of somebody else (403).
    pub forbidden: u64,
    /// Heads over the limit (431).
    pub head_too_large: u64,
    /// Bodies over the limit (413).
    pub body_too_large: u64,
    /// Connections over the limit (503).
    pub too_many_connections: u64,
    /// Held streams over the limit (503).
    pub too_many_streams: u64,
    /// Heads that did not arrive in time (408).
    pub slow_head: u64,
    /// Bodies that did not arrive in time (408).
    pub slow_body: u64,
    /// Clients that did not read their answer in time, and were cut off.
    pub slow_reader: u64,
    /// Connections closed because no request came for long.
    pub idle_closed: u64,
}

/// The figures behind `/health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthView {
    /// Sessions not disconnected that this instance tracks.
    pub open_sessions: u64,
    /// Operations recorded since the start.
    pub operations_recorded: u64,
    /// Records that could not be written to the journal and are lost.
    pub records_dropped: u64,
    /// Bodies that passed but could not be read as JSON-RPC.
    pub bodies_unparsed: u64,
    /// Operations whose tokens were counted.
    #[serde(default)]
    pub operations_counted: u64,
    /// Operations whose tokens are an estimate by length alone.
    #[serde(default)]
    pub operations_estimated: u64,
    /// Bytes in the journal that the store has not taken yet.
    pub journal_backlog_bytes: u64,
    /// Whether the journal is at its bound: further records are dropped until the store takes some.
    #[serde(default)]
    pub journal_full: bool,
    /// What the store last answered when it would not take records; null while it does.
    pub store_error: Option<String>,
    /// Client connections that are open.
    #[serde(default)]
    pub connections: u64,
    /// Streams that clients hold open (GET, `subscriptions/listen`).
    #[serde(default)]
    pub held_streams: u64,
    /// What was turned down since the start.
    #[serde(default)]
    pub rejections: Rejections,
    /// The servers behind this daemon.
    pub upstreams: Vec<UpstreamHealth>,
}
