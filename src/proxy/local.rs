//! An MCP server in this process, served through hyper and tapped like one behind a connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::tracking::{AnswerTap, Failure, RequestTap};
use crate::wire;

use super::answers::OwnAnswer;
use super::upstream::Place;
use super::{BoxError, Proxy, is_endpoint, is_health};

/// A body on its way to or from a server in this process.
pub type LocalBody = BoxBody<Bytes, BoxError>;

/// What answers the requests for a server in this process.
pub type LocalService = Box<
    dyn Fn(Request<LocalBody>) -> Pin<Box<dyn Future<Output = Response<LocalBody>> + Send>>
        + Send
        + Sync,
>;

/// Serves one client until it leaves, or until `drain` is cancelled and its request is answered.
pub(super) async fn connection(
    proxy: &Arc<Proxy>,
    stream: TcpStream,
    principal: Arc<str>,
    drain: CancellationToken,
) -> Result<(), BoxError> {
    let served = proxy.clone();
    let answer = service_fn(move |request| {
        let (proxy, principal) = (served.clone(), principal.clone());
        async move { Ok::<_, Infallible>(answer(&proxy, request, principal).await) }
    });
    let limits = &proxy.options.limits;
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.keep_alive_timeout);
    let serving = builder.serve_connection(TokioIo::new(stream), answer);
    tokio::pin!(serving);
    tokio::select! {
        done = serving.as_mut() => return done,
        () = drain.cancelled() => serving.as_mut().graceful_shutdown(),
    }
    serving.await
}

async fn answer(
    proxy: &Proxy,
    request: Request<Incoming>,
    principal: Arc<str>,
) -> Response<AnswerBody> {
    let value = |name: header::HeaderName| request.headers().get(name).map(HeaderValue::as_bytes);
    let named = request
        .uri()
        .authority()
        .map(|named| named.as_str().as_bytes());
    let host = value(header::HOST).or(named);
    let path = request.uri().path();
    if let Some(why) = proxy.options.guard.refusal(host, value(header::ORIGIN)) {
        proxy.counters.forbidden.add();
        if let (true, Some(upstream)) = (is_endpoint(path), proxy.upstreams.first()) {
            let facts = proxy.facts(upstream, &principal, request.method().as_str());
            let exchange = proxy.tracker.begin(facts.with_headers(request.headers()));
            exchange.failed(Failure::Refused(why.to_owned()));
        }
        return own(OwnAnswer::error(
            StatusCode::FORBIDDEN,
            "origin-refused",
            why,
            None,
        ));
    }
    if is_health(path) {
        return own(OwnAnswer::health(request.method().as_str(), &proxy.health));
    }
    if !is_endpoint(path) {
        let message = format!(
            "nothing is served at {path}; the MCP endpoint is {}",
            super::ENDPOINT
        );
        return own(OwnAnswer::error(
            StatusCode::NOT_FOUND,
            "no-such-path",
            &message,
            None,
        ));
    }
    let local = proxy
        .upstreams
        .first()
        .and_then(|upstream| match &upstream.place {
            Place::Local(service) => Some((upstream, service)),
            Place::Remote(_) => None,
        });
    let Some((upstream, service)) = local else {
        let message = "there is no server in this process";
        return own(OwnAnswer::error(
            StatusCode::NOT_FOUND,
            "no-such-path",
            message,
            None,
        ));
    };
    let facts = proxy
        .facts(upstream, &principal, request.method().as_str())
        .with_headers(request.headers());
    let exchange = Arc::new(proxy.tracker.begin(facts));
    let tapped = exchange.clone();
    let request = request.map(|inner| {
        let tap = RequestTap::new(inner, Some(tapped));
        tap.map_err(BoxError::from).boxed()
    });
    let response = service(request).await;
    AnswerTap::of(response, Some(exchange)).map(AnswerBody::Tapped)
}

fn own(answer: OwnAnswer) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::Own(Full::new(answer.body)));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(wire::ANSWERED_BY, HeaderValue::from_static(answer.reason));
    response
}

/// An answer's body on its way to the client.
enum AnswerBody {
    Tapped(AnswerTap<LocalBody>),
    Own(Full<Bytes>),
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Own(inner) => Pin::new(inner)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(Into::into))),
            Self::Tapped(inner) => Pin::new(inner).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(inner) => inner.is_end_stream(),
            Self::Tapped(inner) => inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(inner) => inner.size_hint(),
            Self::Tapped(inner) => inner.size_hint(),
        }
    }
}
