//! The built-in MCP server: what was tracked, as tools for a model.
//!
//! Speaks every protocol revision rmcp knows over streamable HTTP: legacy ones with sessions it mints itself,
//! 2026-07-28 without. Owns the handshake and the routing of calls; `tools` owns the tools, `arguments` what they
//! accept. Checks neither `Host` nor `Origin` nor who calls: the proxy in front of it does, as for every server.

mod arguments;
mod tools;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};

use self::arguments::Arguments;
use self::tools::TOOLS;
use crate::model::{Clock, HealthView, Timestamp};
use crate::store::Store;

const INSTRUCTIONS: &str = "Tools over what archonctl tracked of MCP traffic: sessions (one client working with one \
server for a while), their requests, why they ended, and who used what. All tools only read. Start with session_info or \
list_sessions; session_details takes an id from there. Times are RFC 3339 in UTC, durations whole seconds unless a name \
says otherwise; token counts and cost are estimates.";

/// Bytes of a request's body at the most. The largest sensible one is an `initialize` with a client's capabilities.
const MAX_REQUEST_BYTES: usize = 256 * 1024;

/// How often a comment goes out on an open event stream, so that nothing between takes it for dead.
const SSE_KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How much longer rmcp keeps one of its sessions than the tracker does. Were it the shorter one, a client would
/// meet 404 and the session end as `error:SessionNotFound` where `timeout` is the truth.
const SESSION_MARGIN: Duration = Duration::from_mins(1);

/// What the built-in MCP server needs.
#[derive(Clone)]
pub struct McpServerDeps {
    /// Where the answers come from.
    pub store: Store,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// When this daemon started.
    pub started_at: Timestamp,
    /// After how long without activity the tracker ends a session.
    pub session_timeout: Duration,
    /// The figures behind `/health`, as they are when it is called. Must not block.
    pub health: Arc<dyn Fn() -> HealthView + Send + Sync>,
}

impl McpServerDeps {
    /// Whole seconds since the start.
    fn uptime_seconds(&self) -> u64 {
        self.clock.now().since(self.started_at).as_secs()
    }
}

impl fmt::Debug for McpServerDeps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpServerDeps")
            .field("store", &self.store)
            .field("started_at", &self.started_at)
            .field("session_timeout", &self.session_timeout)
            .finish_non_exhaustive()
    }
}

/// The built-in server as the proxy calls it, in process.
///
/// `service.handle(request).await` takes an `http::Request<B>` of any `B: http_body::Body + Send + 'static` whose
/// error can be displayed (hyper's `Incoming` is one) and gives an
/// `http::Response<http_body_util::combinators::BoxBody<bytes::Bytes, Infallible>>`; it cannot fail. It is a
/// `tower_service::Service` too, with the same types, always ready. Cloning it is cheap and shares the sessions.
///
/// It may be called from any thread and runtime. A legacy session's task runs on the runtime that answered its
/// `initialize`, and ends with that runtime. `service.config.cancellation_token` ends all sessions and streams.
pub type McpService = StreamableHttpService<TrackerServer, LocalSessionManager>;

/// The built-in MCP server over `deps`.
///
/// Modern requests are answered as plain JSON, legacy ones as an event stream (rmcp offers them nothing else while
/// they have sessions). Any `Host` and `Origin` will do: whoever exposes this must have checked them. But rmcp answers
/// 400 to a request that carries neither a `Host` header nor an authority in its URI.
#[must_use]
pub fn service(deps: McpServerDeps) -> McpService {
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(deps.session_timeout.saturating_add(SESSION_MARGIN));
    let config = StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_sse_keep_alive(Some(SSE_KEEP_ALIVE))
        .with_max_request_body_bytes(MAX_REQUEST_BYTES)
        .disable_allowed_hosts()
        .disable_allowed_origins();
    let server = TrackerServer {
        deps: Arc::new(deps),
        tools: TOOLS.iter().map(tools::Declaration::tool).collect(),
    };
    StreamableHttpService::new(move || Ok(server.clone()), Arc::new(sessions), config)
}

/// What answers MCP requests once the transport has taken them apart. Made by [`service`].
#[derive(Clone, Debug)]
pub struct TrackerServer {
    deps: Arc<McpServerDeps>,
    /// Built once: rmcp makes a server for every modern request.
    tools: Arc<[Tool]>,
}

impl ServerHandler for TrackerServer {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(
                Implementation::new("archonctl", env!("CARGO_PKG_VERSION"))
                    .with_title("archonctl session tracker"),
            )
            .with_instructions(INSTRUCTIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.to_vec()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = TOOLS.iter().find(|tool| tool.name == request.name) else {
            // A protocol error by the specification (MCP 2025-11-25, Tools, error handling).
            return Err(ErrorData::invalid_params(
                format!("Unknown tool: {}", request.name),
                None,
            ));
        };
        let result = match Arguments::check(tool.parameters, request.arguments.as_ref()) {
            Ok(arguments) => tools::answer(&self.deps, tool, &arguments).await,
            Err(faults) => tools::tool_error(faults),
        };
        Ok(result.into())
    }
}
