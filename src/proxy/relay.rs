//! One request through the proxy.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::tracking::{Exchange, Failure, RequestFacts, Tracker};
use crate::wire;

use super::answers;
use super::body::{AnswerBody, RequestBody, Tap, replayable};
use super::guard;
use super::pool::{Lease, Pool};
use super::upstream::{Place, Remote, Upstream};

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

/// The path under which the MCP server is served.
const ENDPOINT: &str = "/mcp";

impl Proxy {
    /// Answers one request from `principal`, using `pool` for connections to the server.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        principal: Arc<str>,
        pool: &Arc<Pool>,
    ) -> Response<AnswerBody> {
        if self.options.guard_loopback
            && let Some(why) = guard::refusal(request.headers())
        {
            return answers::error(StatusCode::FORBIDDEN, "origin-refused", why, None);
        }
        let path = request.uri().path();
        if matches!(path, "/health" | "/api/health") {
            return self.own_health(request.method());
        }
        let endpoint = path == ENDPOINT || path == "/mcp/";
        if !endpoint && matches!(self.upstream.place, Place::Local(_)) {
            let message = format!("nothing is served at {path}; the MCP endpoint is {ENDPOINT}");
            return answers::error(StatusCode::NOT_FOUND, "no-such-path", &message, None);
        }
        let exchange = endpoint.then(|| {
            let server = self.upstream.server.clone();
            let now = self.tracker.now();
            let facts =
                RequestFacts::read(server, principal, request.method(), request.headers(), now);
            Arc::new(self.tracker.begin(facts))
        });
        match &self.upstream.place {
            Place::Remote(remote) => self.forward(request, remote, pool, exchange).await,
            Place::Local(service) => {
                let exchange =
                    exchange.unwrap_or_else(|| unreachable!("only the endpoint gets here"));
                let (parts, body) = request.into_parts();
                let (body, _) = RequestBody::live(body, exchange.clone());
                let mut response = service(Request::from_parts(parts, BodyExt::boxed(body))).await;
                if let Some(id) = exchange.answer_head(response.status(), response.headers()) {
                    response.headers_mut().insert(wire::ARCHON_SESSION_ID, id);
                }
                response.map(|inner| AnswerBody::Local {
                    inner,
                    tap: Tap::new(exchange),
                })
            }
        }
    }

    fn own_health(&self, method: &Method) -> Response<AnswerBody> {
        if *method == Method::GET || *method == Method::HEAD {
            return answers::json(StatusCode::OK, "health", (self.health)());
        }
        answers::error(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "/health answers GET",
            None,
        )
    }

    async fn forward(
        &self,
        request: Request<Incoming>,
        remote: &Remote,
        pool: &Arc<Pool>,
        exchange: Option<Arc<Exchange>>,
    ) -> Response<AnswerBody> {
        let (mut parts, body) = request.into_parts();
        parts.uri = target(&parts.uri, remote, exchange.is_some());
        parts.version = Version::HTTP_11;
        strip_hop_by_hop(&mut parts.headers);
        parts.headers.insert(header::HOST, remote.authority.clone());
        // Requests outside the endpoint (authorisation metadata, for one) pass untracked.
        let untracked = exchange.is_none();
        let exchange = exchange.unwrap_or_else(|| {
            let facts = RequestFacts::read(
                self.upstream.server.clone(),
                Arc::from(""),
                &Method::OPTIONS,
                &HeaderMap::new(),
                self.tracker.now(),
            );
            Arc::new(self.tracker.begin(facts))
        });
        let sending = self.send(parts, body, remote, pool, &exchange);
        let sent = match tokio::time::timeout(self.options.request_timeout, sending).await {
            Ok(sent) => sent,
            Err(_) => return self.timed_out(&exchange),
        };
        let (mut response, lease) = match sent {
            Ok(sent) => sent,
            Err(why) => return self.unreachable(&exchange, &why),
        };
        if self.upstream.note_reachable(true) {
            tracing::info!(server = %self.upstream.server.name, "the server answers");
        }
        strip_hop_by_hop(response.headers_mut());
        if !untracked && let Some(id) = exchange.answer_head(response.status(), response.headers())
        {
            response.headers_mut().insert(wire::ARCHON_SESSION_ID, id);
        }
        response.map(|inner| AnswerBody::remote(inner, exchange, lease))
    }

    /// Sends a request, once more if it met a kept connection that the server had closed.
    async fn send(
        &self,
        parts: http::request::Parts,
        body: Incoming,
        remote: &Remote,
        pool: &Arc<Pool>,
        exchange: &Arc<Exchange>,
    ) -> Result<(Response<Incoming>, Lease), String> {
        let mut lease = pool
            .lease(remote)
            .await
            .map_err(|error| error.to_string())?;
        let again = lease.reused.then(|| parts.clone());
        let (body, passed) = RequestBody::live(body, exchange.clone());
        let error = match lease
            .sender
            .send_request(Request::from_parts(parts, body))
            .await
        {
            Ok(response) => return Ok((response, lease)),
            Err(error) => error,
        };
        let no_byte_came = !error.is_parse() && !error.is_timeout() && !error.is_user();
        if let (Some(parts), true) = (again, no_byte_came)
            && let Some(frames) = replayable(&passed)
        {
            let mut fresh = pool
                .connect(remote)
                .await
                .map_err(|error| error.to_string())?;
            let request = Request::from_parts(parts, RequestBody::again(frames));
            return match fresh.sender.send_request(request).await {
                Ok(response) => Ok((response, fresh)),
                Err(error) => Err(describe(&error)),
            };
        }
        Err(describe(&error))
    }

    fn unreachable(&self, exchange: &Exchange, why: &str) -> Response<AnswerBody> {
        let server = &self.upstream.server.name;
        if self.upstream.note_reachable(false) {
            tracing::warn!(%server, why, "the server cannot be reached");
        }
        let message = format!("the MCP server '{server}' cannot be reached: {why}");
        let id = exchange.failed(Failure::Unreachable(message.clone()));
        answers::error(
            StatusCode::BAD_GATEWAY,
            "upstream-unreachable",
            &message,
            id.as_deref(),
        )
    }

    fn timed_out(&self, exchange: &Exchange) -> Response<AnswerBody> {
        let id = exchange.failed(Failure::TimedOut);
        let seconds = self.options.request_timeout.as_secs_f64();
        let message = format!(
            "the MCP server '{}' did not answer within {seconds} s",
            self.upstream.server.name
        );
        answers::error(
            StatusCode::GATEWAY_TIMEOUT,
            "upstream-timeout",
            &message,
            id.as_deref(),
        )
    }
}

/// What hyper says of a failed request, with the cause that it wraps.
fn describe(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// The request target at the server: its own path for the endpoint, else the same path.
fn target(uri: &Uri, remote: &Remote, endpoint: bool) -> Uri {
    if !endpoint {
        return uri
            .path_and_query()
            .cloned()
            .map(Uri::from)
            .unwrap_or_default();
    }
    match uri.query() {
        None => Uri::from(remote.path.clone()),
        Some(query) => {
            let joint = if remote.path.query().is_some() {
                '&'
            } else {
                '?'
            };
            let joined = format!("{}{joint}{query}", remote.path);
            joined
                .parse::<PathAndQuery>()
                .map_or_else(|_| Uri::from(remote.path.clone()), Uri::from)
        }
    }
}

/// Drops the headers that belong to one connection only (RFC 9110, section 7.6.1).
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if !headers.keys().any(wire::is_hop_by_hop) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(',').filter_map(|name| name.trim().parse().ok()))
        .collect();
    for name in named {
        headers.remove(name);
    }
    let own: Vec<HeaderName> = headers
        .keys()
        .filter(|name| wire::is_hop_by_hop(name))
        .cloned()
        .collect();
    for name in own {
        headers.remove(name);
    }
}
