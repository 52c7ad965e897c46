//! The REST API: paths, parameters and answers of the contract (`docs/API.md`).
//!
//! Owns what is read from a request and which report answers it. Holds no SQL and works nothing out: that is `reports`.

mod answers;
mod error;
mod guard;
mod parameters;
mod read;
mod report;
mod write;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};

use crate::model::{Clock, HealthView, Timestamp};
use crate::reports::Digest;
use crate::store::Store;
use crate::tracking::Tracker;

pub use error::ApiError;

/// How many tokens a text is for a model, where one is named.
pub type TokenCounter = Arc<dyn Fn(&str, Option<&str>) -> u32 + Send + Sync>;

/// What the API needs of the rest of the daemon.
pub struct RestDeps {
    /// Where sessions and operations are.
    pub store: Store,
    /// Takes what servers report.
    pub tracker: Arc<Tracker>,
    /// Counts the tokens of texts that servers report; without one, only counts are taken.
    pub count_tokens: Option<TokenCounter>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// When the daemon started.
    pub started_at: Timestamp,
    /// After how long without activity a session ends.
    pub session_timeout: Duration,
    /// Where the daemon relays MCP.
    pub mcp_address: SocketAddr,
    /// The figures of `/health`.
    pub health: Arc<dyn Fn() -> HealthView + Send + Sync>,
    /// Whether the daemon is about to stop.
    pub stopping: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Whether only pages and programs of this machine may ask: where the API listens on loopback.
    pub guard_loopback: bool,
}

/// What handlers share.
struct Api {
    deps: RestDeps,
    digest: Digest,
}

impl Api {
    fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    fn uptime_seconds(&self) -> u64 {
        self.now().since(self.deps.started_at).as_secs()
    }
}

/// The API as a service.
pub fn router(deps: RestDeps) -> Router {
    let api = Arc::new(Api {
        deps,
        digest: Digest::default(),
    });
    Router::new()
        .route("/health", get(read::health))
        .route("/api/health", get(read::health))
        .route("/health/live", get(read::live))
        .route("/health/ready", get(read::ready))
        .route("/api/mcp/health", get(read::mcp_health))
        .route("/api/mcp/status", get(read::status))
        .route("/api/mcp/config", get(read::config))
        .route("/api/mcp/clients", get(read::clients))
        .route(
            "/api/mcp/sessions",
            get(read::sessions).post(write::open_session),
        )
        .route("/api/mcp/sessions/health", get(read::sessions_health))
        .route("/api/mcp/sessions/disconnected", get(read::disconnected))
        .route("/api/mcp/sessions/{session_id}", get(read::session))
        .route(
            "/api/mcp/sessions/{session_id}/requests",
            post(write::requests),
        )
        .route(
            "/api/mcp/sessions/{session_id}/heartbeat",
            post(write::heartbeat),
        )
        .route(
            "/api/mcp/sessions/{session_id}/close",
            post(write::close_session),
        )
        .route("/api/mcp/usage/summary", get(read::usage_summary))
        .route("/api/mcp/pricing", get(read::pricing))
        .route("/api/mcp/errors", get(read::errors))
        .route("/api/mcp/analytics", get(read::analytics))
        .route("/api/mcp/logs", get(read::logs))
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(DefaultBodyLimit::max(report::LONGEST_BODY))
        .layer(middleware::from_fn_with_state(api.clone(), guard::keep_out))
        .with_state(api)
}
