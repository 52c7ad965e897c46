//! The REST API: paths, parameters and answers of the contract (`docs/API.md`).
//!
//! Owns what is read from a request and which report answers it. Holds no SQL and works nothing out: that is `reports`.

mod access;
mod answers;
mod endpoints;
mod error;
mod events;
mod guard;
mod openapi;
mod page;
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
use tokio_util::sync::CancellationToken;

use serde_json::Value;

use crate::auth::Login;
use crate::model::{Clock, HealthView, Timestamp};
use crate::reports::Digest;
use crate::store::Store;
use crate::tracking::Tracker;

pub use error::ApiError;

use access::Refusals;

/// How many tokens a text is for a model, where one is named; `None` where that cannot be told.
pub type TokenCounter = Arc<dyn Fn(&str, Option<&str>) -> Option<u32> + Send + Sync>;

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
    /// Who may ask.
    pub access: Access,
    /// How long a reader of events may take for a piece of them; a slower one is cut off.
    pub write_timeout: Duration,
    /// Ends the streams of events.
    pub end_streams: CancellationToken,
}

/// Who may ask.
#[derive(Default)]
pub struct Access {
    /// Whether only pages and programs of this machine may ask: where the API listens on loopback.
    pub guard_loopback: bool,
    /// The door where it listens elsewhere; without one nobody is asked who they are.
    pub login: Option<Login>,
    /// Sites whose pages may use it, `scheme://host[:port]`.
    pub cors_origins: Vec<String>,
}

/// What handlers share.
struct Api {
    deps: RestDeps,
    digest: Digest,
    refusals: Refusals,
    feed: Arc<events::Feed>,
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
    let feed = events::Feed::new(deps.store.clone());
    let api = Arc::new(Api {
        deps,
        feed,
        digest: Digest::default(),
        refusals: Refusals::default(),
    });
    let router = endpoints::endpoints()
        .into_router()
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(DefaultBodyLimit::max(report::LONGEST_BODY))
        .layer(middleware::from_fn_with_state(api.clone(), access::let_in))
        .layer(middleware::from_fn_with_state(api.clone(), guard::keep_out));
    // Outside of both: browsers ask what they may do without saying who they are.
    let router = match access::cors(&api.deps.access.cors_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router
        .layer(middleware::from_fn_with_state(api.clone(), access::count))
        .with_state(api)
}

/// The API as an OpenAPI 3.1 document.
#[must_use]
pub fn openapi_document() -> Value {
    endpoints::endpoints().document()
}

/// The API's types as a JSON Schema.
#[must_use]
pub fn json_schema() -> Value {
    openapi::json_schema(&openapi_document())
}

/// The API's types in TypeScript.
#[must_use]
pub fn typescript() -> String {
    openapi::typescript(&openapi_document())
}
