//! Keeps web pages of other sites away from an API that listens on loopback: they send their own `Origin`, and after DNS
//! rebinding their own `Host`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Api, ApiError};

pub(super) async fn keep_out(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    if api.deps.guard_loopback
        && let Some(why) = refusal(request.headers())
    {
        return ApiError::new(StatusCode::FORBIDDEN, why).into_response();
    }
    next.run(request).await
}

/// Whether `host`, with or without a port, names this machine's loopback.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn refusal(headers: &HeaderMap) -> Option<&'static str> {
    let texts = |name| headers.get_all(name).iter().map(|value| value.to_str());
    if !texts(header::HOST).all(|host| host.is_ok_and(is_loopback)) {
        return Some("the Host header does not name this machine's loopback");
    }
    let local = |origin: &str| {
        origin
            .parse::<Uri>()
            .is_ok_and(|origin| origin.host().is_some_and(is_loopback))
    };
    let here = texts(header::ORIGIN).all(|origin| origin.is_ok_and(local));
    (!here).then_some("the Origin header names a site that is not on this machine")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_pages_and_names_of_this_machine_get_in() {
        for (host, origin, allowed) in [
            ("127.0.0.1:8181", None, true),
            ("localhost:8181", Some("http://localhost:3737"), true),
            ("[::1]:8181", Some("http://[::1]:3000"), true),
            ("evil.example:8181", None, false),
            ("localhost.evil.example", None, false),
            ("127.0.0.1:8181", Some("https://evil.example"), false),
            ("127.0.0.1:8181", Some("null"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(refusal(&headers).is_none(), allowed, "{host} {origin:?}");
        }
    }
}
