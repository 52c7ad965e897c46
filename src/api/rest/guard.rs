//! Keeps web pages of other sites away: they send their own `Origin`, and after DNS rebinding, which matters where the API
//! listens on loopback, their own `Host`. Sites that are named may.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Api, ApiError};

pub(super) async fn keep_out(
    State(api): State<Arc<Api>>,
    request: Request,
    next: Next,
) -> Response {
    let access = &api.deps.access;
    let (headers, named) = (request.headers(), &access.cors_origins);
    let why = if access.guard_loopback {
        refusal(request.method(), headers, named)
    } else {
        foreign(headers, named)
    };
    if let Some(why) = why {
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

/// The sites that a request comes from.
fn origins(headers: &HeaderMap) -> impl Iterator<Item = Option<&str>> {
    let origins = headers.get_all(header::ORIGIN).iter();
    origins.map(|origin| origin.to_str().ok())
}

fn is_named(origin: &str, named: &[String]) -> bool {
    named.iter().any(|known| known.eq_ignore_ascii_case(origin))
}

/// Where everybody may ask who can say who they are: pages of sites that are not named have nothing to say. A page of the API's own
/// comes from the host that it asks.
fn foreign(headers: &HeaderMap, named: &[String]) -> Option<&'static str> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let own = |origin: &str| {
        let of = origin.split_once("://").map(|(_, of)| of);
        of.zip(host)
            .is_some_and(|(of, host)| of.eq_ignore_ascii_case(host))
    };
    let known =
        origins(headers).all(|origin| origin.is_some_and(|one| own(one) || is_named(one, named)));
    (!known).then_some("the Origin header names a site that is not one of --api-cors-origin")
}

/// Pages of this machine may read; only programs, and the page that this API serves itself, may write.
fn refusal(method: &Method, headers: &HeaderMap, named: &[String]) -> Option<&'static str> {
    let texts = |name| headers.get_all(name).iter().map(|value| value.to_str());
    if !texts(header::HOST).all(|host| host.is_ok_and(is_loopback)) {
        return Some("the Host header does not name this machine's loopback");
    }
    let is_of_named = |origin: Option<&str>| origin.is_some_and(|one| is_named(one, named));
    if headers.contains_key(header::ORIGIN) && origins(headers).all(is_of_named) {
        return None;
    }
    let local = |origin: &str| {
        origin
            .parse::<Uri>()
            .is_ok_and(|origin| origin.host().is_some_and(is_loopback))
    };
    let here = texts(header::ORIGIN).all(|origin| origin.is_ok_and(local));
    if !here {
        return Some("the Origin header names a site that is not on this machine");
    }
    if method.is_safe() {
        return None;
    }
    let own = |origin: &str| {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let named = origin.strip_prefix("http://");
        host.zip(named)
            .is_some_and(|(host, named)| named.eq_ignore_ascii_case(host))
    };
    // `Sec-Fetch-Site` (W3C Fetch Metadata, section 2.4) is the browser's own word, where it has one.
    let same = texts(header::HeaderName::from_static("sec-fetch-site"))
        .all(|site| matches!(site, Ok("same-origin" | "none")));
    let own = same && texts(header::ORIGIN).all(|origin| origin.is_ok_and(own));
    (!own).then_some("pages of another origin may not write")
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
            let read = refusal(&Method::GET, &headers, &[]);
            assert_eq!(read.is_none(), allowed, "{host} {origin:?}");
        }
    }

    #[test]
    fn only_programs_and_the_page_of_the_api_itself_may_write() {
        for (origin, site, allowed) in [
            (None, None, true),
            (Some("http://127.0.0.1:8181"), None, true),
            (Some("http://127.0.0.1:8181"), Some("same-origin"), true),
            (Some("http://127.0.0.1:3737"), None, false),
            (Some("http://localhost:8181"), None, false),
            (Some("https://127.0.0.1:8181"), None, false),
            (None, Some("cross-site"), false),
            (None, Some("same-site"), false),
            (None, Some("none"), true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8181"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            let write = refusal(&Method::POST, &headers, &[]);
            assert_eq!(write.is_none(), allowed, "{origin:?} {site:?}");
        }
    }

    #[test]
    fn pages_of_sites_that_are_named_may_as_well_and_no_others() {
        let named = ["https://dash.example".to_owned()];
        for (host, origin, on_loopback, elsewhere) in [
            ("127.0.0.1:8181", Some("https://dash.example"), true, true),
            ("10.0.0.7:8181", Some("https://dash.example"), false, true),
            ("10.0.0.7:8181", Some("http://10.0.0.7:8181"), false, true),
            ("10.0.0.7:8181", Some("http://10.0.0.7:9000"), false, false),
            ("10.0.0.7:8181", Some("https://evil.example"), false, false),
            ("10.0.0.7:8181", Some("null"), false, false),
            ("10.0.0.7:8181", None, false, true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            let loopback = refusal(&Method::POST, &headers, &named);
            assert_eq!(loopback.is_none(), on_loopback, "{host} {origin:?}");
            assert_eq!(
                foreign(&headers, &named).is_none(),
                elsewhere,
                "{host} {origin:?}"
            );
        }
    }
}
