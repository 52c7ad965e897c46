//! The MCP side of the test: agreeing on a revision, and listing tools, with rmcp's client.
//!
//! Owns the order of attempts: the modern era first, then `initialize`, whatever the first answer was. rmcp's own
//! `Auto` mode gives up on some answers of old servers (500, 202), so each era is asked for by itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use rmcp::RoleClient;
use rmcp::model::{
    ClientCapabilities, ClientConfig, ClientJsonRpcMessage, Implementation, ProtocolVersion,
};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, ClientServiceExt, RunningService, ServiceError,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::BoxedSseResponse;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
    StreamableHttpPostResponse, StreamableHttpResponseLimits,
};

use super::ProbeOptions;
use super::failure::{Failure, shortened};
use super::report::StepError;
use super::requests::Target;
use crate::model::Era;

type Headers = HashMap<HeaderName, HeaderValue>;
type HttpError = StreamableHttpError<reqwest::Error>;

/// What passed by on the wire that rmcp does not tell.
#[derive(Debug, Default)]
struct Seen {
    /// The last request that failed, and how.
    failure: Option<Failure>,
    /// The `Mcp-Session-Id` the server minted.
    session_id: Option<String>,
}

/// The HTTP client rmcp works with, watched. It also keeps rmcp from sending its own `DELETE`, whose answer nobody
/// would see: the test sends one itself.
#[derive(Clone, Debug)]
struct Watched {
    inner: reqwest::Client,
    seen: Arc<Mutex<Seen>>,
}

impl Watched {
    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl StreamableHttpClient for Watched {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(
            uri,
            message,
            session_id,
            auth_header,
            headers,
            limits,
        )
        .await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        let answer = self
            .inner
            .post_message_with_response_limits(
                uri,
                message,
                session_id,
                auth_header,
                headers,
                limits,
            )
            .await;
        match &answer {
            Ok(
                StreamableHttpPostResponse::Json(_, Some(id))
                | StreamableHttpPostResponse::Sse(_, Some(id)),
            ) => self.note(|seen| seen.session_id = Some(id.clone())),
            Ok(_) => {}
            Err(error) => self.note(|seen| seen.failure = Some(Failure::of_mcp(error))),
        }
        answer
    }

    async fn delete_session(
        &self,
        _uri: Arc<str>,
        _session_id: Arc<str>,
        _auth_header: Option<String>,
        _headers: Headers,
    ) -> Result<(), HttpError> {
        Ok(())
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        headers: Headers,
    ) -> Result<BoxedSseResponse, HttpError> {
        self.inner
            .get_stream(uri, session_id, last_event_id, auth_header, headers)
            .await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        headers: Headers,
        max_sse_event_size: usize,
    ) -> Result<BoxedSseResponse, HttpError> {
        self.inner
            .get_stream_with_max_sse_event_size(
                uri,
                session_id,
                last_event_id,
                auth_header,
                headers,
                max_sse_event_size,
            )
            .await
    }
}

/// A server that agreed on a revision.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) era: Era,
    service: RunningService<RoleClient, ClientConfig>,
    seen: Arc<Mutex<Seen>>,
    shown: String,
}

/// Connects: `server/discover` under 2026-07-28, and on any refusal `initialize`.
///
/// # Errors
/// When nobody is there, when credentials are wanted, or when neither era is answered.
pub(super) async fn connect(
    target: &Target,
    options: &ProbeOptions,
) -> Result<Connection, StepError> {
    let modern = match attempt(target, options, Era::Modern).await {
        Ok(connection) => return Ok(connection),
        Err(failure) if failure.is_final() => return Err(failure.told(&target.shown)),
        Err(failure) => failure,
    };
    let legacy = match attempt(target, options, Era::Legacy).await {
        Ok(connection) => return Ok(connection),
        Err(failure) => failure,
    };
    let mut error = legacy.told(&target.shown);
    if modern != legacy {
        error.message = format!(
            "neither era was agreed on; initialize: {}; server/discover: {}",
            error.message,
            modern.told(&target.shown).message
        );
    }
    Err(error)
}

async fn attempt(target: &Target, options: &ProbeOptions, era: Era) -> Result<Connection, Failure> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let watched = Watched {
        inner: target.client.clone(),
        seen: Arc::clone(&seen),
    };
    let mut config = StreamableHttpClientTransportConfig::with_uri(target.url.as_str());
    // The test wants to see a lost session, not a new one in its place.
    config.reinit_on_expired_session = false;
    let transport = StreamableHttpClientTransport::with_client(watched, config);
    let (lifecycle, version) = match era {
        Era::Modern => (
            ClientLifecycleMode::Discover {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            },
            ProtocolVersion::V_2026_07_28,
        ),
        Era::Legacy => (
            ClientLifecycleMode::Initialize,
            ProtocolVersion::LATEST_WITH_INITIALIZE,
        ),
    };
    let client = ClientConfig::new(
        ClientCapabilities::default(),
        Implementation::new("archonctl", env!("CARGO_PKG_VERSION")),
    )
    .with_protocol_version(version);
    let serving = client.serve_with_lifecycle(transport, lifecycle);
    match tokio::time::timeout(options.timeout, serving).await {
        Ok(Ok(service)) => Ok(Connection {
            era,
            service,
            seen,
            shown: target.shown.clone(),
        }),
        Ok(Err(error)) => Err(refusal(&error, take_failure(&seen))),
        Err(_) => Err(Failure::Silent(options.timeout)),
    }
}

fn take_failure(seen: &Mutex<Seen>) -> Option<Failure> {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.failure.take()
}

/// What was seen on the wire says more than what became of it in rmcp.
fn refusal(error: &ClientInitializeError, seen: Option<Failure>) -> Failure {
    seen.unwrap_or_else(|| match error {
        ClientInitializeError::JsonRpcError(error) => Failure::NotMcp(format!(
            "error {}, {}",
            error.code.0,
            shortened(&error.message)
        )),
        ClientInitializeError::ExpectedInitResponse(_)
        | ClientInitializeError::ExpectedInitResult(_) => {
            Failure::NotMcp("an answer of another shape than the handshake's".to_owned())
        }
        other => Failure::NotMcp(shortened(&other.to_string())),
    })
}

impl Connection {
    /// The revision agreed on.
    pub(super) fn protocol_version(&self) -> String {
        let info = self.service.peer_info();
        info.map(|info| info.protocol_version.to_string())
            .unwrap_or_default()
    }

    /// The server's name and version, as far as it gave them.
    pub(super) fn server(&self) -> (Option<String>, Option<String>) {
        let info = self.service.peer_info();
        let server = info.and_then(|info| info.server_info.clone());
        server.map_or((None, None), |server| {
            (
                Some(shortened(&server.name)),
                Some(shortened(&server.version)),
            )
        })
    }

    /// What was agreed on, in one line.
    pub(super) fn describe(&self) -> String {
        let (name, version) = self.server();
        let session = match (self.era, self.session_id()) {
            (Era::Legacy, None) => ", no session id",
            _ => "",
        };
        format!(
            "{} era, revision {}{session}; {} {}",
            self.era,
            self.protocol_version(),
            name.as_deref().unwrap_or("a server without a name"),
            version.unwrap_or_default()
        )
        .trim_end()
        .to_owned()
    }

    /// The `Mcp-Session-Id` the server minted.
    pub(super) fn session_id(&self) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.session_id.clone()
    }

    /// The names of all tools, on all pages; none where the server offers no tools and refuses to list them.
    ///
    /// # Errors
    /// When the server does not list them in time.
    pub(super) async fn list_tools(&mut self, timeout: Duration) -> Result<Vec<String>, StepError> {
        let listing = self.service.list_all_tools();
        let error = match tokio::time::timeout(timeout, listing).await {
            Ok(Ok(tools)) => {
                return Ok(tools.iter().map(|tool| shortened(&tool.name)).collect());
            }
            Ok(Err(error)) => error,
            Err(_) => return Err(Failure::Silent(timeout).told(&self.shown)),
        };
        if let Some(failure) = take_failure(&self.seen) {
            return Err(failure.told(&self.shown));
        }
        let info = self.service.peer_info();
        let offers_tools = info.is_none_or(|info| info.capabilities.tools.is_some());
        if !offers_tools && matches!(&error, ServiceError::McpError(_)) {
            return Ok(Vec::new());
        }
        let why = match &error {
            ServiceError::McpError(error) => {
                format!("error {}, {}", error.code.0, shortened(&error.message))
            }
            other => shortened(&other.to_string()),
        };
        Err(StepError::new(
            format!("{} did not list its tools: {why}", self.shown),
            "it says that it offers tools: look into its log",
        ))
    }

    /// Ends the streams of this connection; gives up waiting for it after `timeout`.
    pub(super) async fn close(mut self, timeout: Duration) {
        let _ = self.service.close_with_timeout(timeout).await;
    }
}
