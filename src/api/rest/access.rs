//! Who gets in where the API listens elsewhere than on loopback, and what is answered to those who do not.
//!
//! Owns the headers, statuses and counts of that. Who somebody is, `auth` says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{Api, ApiError};
use crate::auth::{Refused, Scope};

/// Where orchestrators ask, who have no token.
const OPEN: [&str; 2] = ["/health/live", "/health/ready"];

/// How long browsers may remember what they may do.
const REMEMBERED: Duration = Duration::from_mins(10);

/// What has to be allowed for a method.
pub(super) fn scope_of(method: &Method) -> Scope {
    if method.is_safe() {
        Scope::Read
    } else {
        Scope::Write
    }
}

/// Whether nobody is asked who they are at `path`.
pub(super) fn is_open(path: &str) -> bool {
    OPEN.contains(&path)
}

/// Marks requests of those whom nobody has asked who they are, where others are asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stranger;

/// The token of a request: `None` where none is shown, an error where what is shown is none.
fn shown(headers: &HeaderMap) -> Option<Result<&str, &'static str>> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let first = all.next()?;
    if all.next().is_some() {
        return Some(Err("there is more than one Authorization header"));
    }
    let (scheme, token) = first.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let token = token.trim_matches(' ');
    let sound = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    Some(
        sound
            .then_some(token)
            .ok_or("what stands behind Bearer is no token"),
    )
}

fn unauthorized(why: Option<&str>) -> ApiError {
    let challenge = match why {
        // Who shows nothing is told no error (RFC 6750, section 3.1).
        None => "Bearer realm=\"archonctl\"".to_owned(),
        Some(why) => format!(
            "Bearer realm=\"archonctl\", error=\"invalid_token\", error_description=\"{why}\""
        ),
    };
    let detail = format!(
        "{}; a token is needed here (Authorization: Bearer …), `archonctl token create` makes one",
        why.unwrap_or("no token was sent")
    );
    ApiError::challenge(StatusCode::UNAUTHORIZED, challenge, detail)
}

async fn check(
    api: &Api,
    method: &Method,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<(), ApiError> {
    let Some(login) = &api.deps.access.login else {
        return Ok(());
    };
    let token = match shown(headers) {
        None => return Err(unauthorized(None)),
        Some(Err(why)) => return Err(unauthorized(Some(why))),
        Some(Ok(token)) => token,
    };
    let principal = login.principal(token, address).await;
    let principal = principal.map_err(|refused| match refused {
        Refused::Wrong(why) => {
            tracing::debug!(%address, why, "somebody did not get into the API");
            unauthorized(Some(why))
        }
        Refused::TooMany(wait) => {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let detail =
                format!("there were too many wrong tokens from this address; wait {seconds} s");
            ApiError::too_many(seconds, detail)
        }
        Refused::Store(error) => error.into(),
    })?;
    let scope = scope_of(method);
    if principal.scopes.allow(scope) {
        return Ok(());
    }
    let has = match principal.scopes.to_string() {
        none if none.is_empty() => "none".to_owned(),
        words => words,
    };
    let challenge =
        format!("Bearer realm=\"archonctl\", error=\"insufficient_scope\", scope=\"{scope}\"");
    let detail = format!("the scope '{scope}' is needed for this; the token has: {has}");
    Err(ApiError::challenge(
        StatusCode::FORBIDDEN,
        challenge,
        detail,
    ))
}

/// Lets those in who may do what they ask for.
pub(super) async fn let_in(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Response {
    if api.deps.access.login.is_some() && is_open(request.uri().path()) {
        request.extensions_mut().insert(Stranger);
        return next.run(request).await;
    }
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = from.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |from| from.0.ip());
    let (parts, body) = request.into_parts();
    match check(&api, &parts.method, &parts.headers, address).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refused) => refused.into_response(),
    }
}

/// How often somebody was turned away, by the status they got.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    unauthorized: AtomicU64,
    forbidden: AtomicU64,
    too_many: AtomicU64,
}

impl Refusals {
    fn of(&self, status: StatusCode) -> Option<&AtomicU64> {
        match status {
            StatusCode::UNAUTHORIZED => Some(&self.unauthorized),
            StatusCode::FORBIDDEN => Some(&self.forbidden),
            StatusCode::TOO_MANY_REQUESTS => Some(&self.too_many),
            _ => None,
        }
    }

    /// Each status and how often.
    pub(super) fn counts(&self) -> [(&'static str, u64); 3] {
        [
            ("401", &self.unauthorized),
            ("403", &self.forbidden),
            ("429", &self.too_many),
        ]
        .map(|(status, count)| (status, count.load(Ordering::Relaxed)))
    }
}

/// Counts who is turned away.
pub(super) async fn count(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if let Some(count) = api.refusals.of(response.status()) {
        count.fetch_add(1, Ordering::Relaxed);
    }
    response
}

/// What pages of `origins` may do; `None` where none is named.
pub(super) fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    // They were checked with the settings: what is no value of a header is no origin.
    let origins = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok());
    Some(
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::GET, Method::HEAD, Method::POST])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                HeaderName::from_static("last-event-id"),
            ])
            .expose_headers([header::RETRY_AFTER, header::WWW_AUTHENTICATE])
            .max_age(REMEMBERED),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_one_header_of_one_scheme() {
        for (values, expected) in [
            (&[][..], None),
            (&["Bearer abc"], Some(Ok("abc"))),
            (&["bearer  a.b-c_d~e+f/g="], Some(Ok("a.b-c_d~e+f/g="))),
            (&["Basic dXNlcjpwYXNz"], None),
            (&["Bearer"], None),
            (&["Bearer "], Some(Err(()))),
            (&["Bearer a b"], Some(Err(()))),
            (&["Bearer a", "Bearer b"], Some(Err(()))),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            let found = shown(&headers).map(|token| token.map_err(|_| ()));
            assert_eq!(found, expected, "{values:?}");
        }
    }
}
