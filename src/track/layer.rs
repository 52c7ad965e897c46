//! The layer for a server over streamable HTTP.
//!
//! Shows each request and its answer to an exchange as they pass. Neither body is changed, gathered or delayed; to the head
//! of an answer `X-Archon-Session-Id` is added, as the proxy does.

use std::fmt::Display;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::tracking::{AnswerTap, Exchange, RequestFacts, RequestTap};

use super::Shared;

/// Who a request comes from where nothing says.
const UNKNOWN: &str = "unknown";

/// Who sends a request: put it into the request's extensions, in a layer outside of this one, where users sign in. Sessions
/// of two principals are never the same. Without it the remote address stands for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(pub Arc<str>);

/// Tracks the MCP server below it. Made by [`Tracking::layer`](super::Tracking::layer).
#[derive(Clone, Debug)]
pub struct TrackLayer {
    pub(super) shared: Arc<Shared>,
}

impl<S> Layer<S> for TrackLayer {
    type Service = TrackService<S>;

    fn layer(&self, inner: S) -> TrackService<S> {
        TrackService {
            inner,
            shared: self.shared.clone(),
        }
    }
}

/// An MCP server over streamable HTTP, tracked.
#[derive(Clone, Debug)]
pub struct TrackService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> TrackService<S> {
    /// Begins to follow a request; `None` once tracking has stopped.
    fn begin<B>(&self, request: &Request<B>) -> Option<Arc<Exchange>> {
        let shared = &self.shared;
        if shared.is_stopped() {
            return None;
        }
        let extensions = request.extensions();
        let principal = match extensions.get::<Principal>() {
            Some(Principal(principal)) => principal.clone(),
            None => match extensions.get::<ConnectInfo<SocketAddr>>() {
                Some(ConnectInfo(from)) => from.ip().to_canonical().to_string().into(),
                None => UNKNOWN.into(),
            },
        };
        let facts = RequestFacts::new(
            shared.server.clone(),
            principal,
            request.method().as_str(),
            shared.tracker.now(),
        );
        let facts = facts.with_headers(request.headers());
        Some(Arc::new(shared.tracker.begin(facts)))
    }
}

impl<S, B, R> Service<Request<B>> for TrackService<S>
where
    S: Service<Request<RequestTap<Pin<Box<B>>>>, Response = Response<R>>,
    S::Future: Send + 'static,
    B: Body<Data = Bytes>,
    R: Body<Data = Bytes>,
    R::Error: Display,
{
    type Response = Response<AnswerTap<Pin<Box<R>>>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let exchange = self.begin(&request);
        let shown = exchange.clone();
        let answering = self
            .inner
            .call(request.map(|body| RequestTap::new(Box::pin(body), shown)));
        Box::pin(async move {
            match answering.await {
                Ok(response) => Ok(AnswerTap::of(response.map(Box::pin), exchange)),
                Err(error) => {
                    if let Some(exchange) = &exchange {
                        exchange.answer_broken("the server failed before the answer");
                    }
                    Err(error)
                }
            }
        })
    }
}
