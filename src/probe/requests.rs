//! The plain HTTP requests of the test: `/health`, and the `DELETE` that takes leave.
//!
//! Owns the HTTP client all requests of a run share, and with it the headers that name the run. Speaks no MCP.

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use serde_json::{Value, from_slice};

use super::ProbeOptions;
use super::failure::{Failure, innermost, shortened};
use super::report::{Outcome, StepError};

/// Bytes of `/health` that are read at the most; archonctl's is far smaller.
const MAX_HEALTH_BYTES: usize = 256 * 1024;

/// Where the run goes and the client it goes with.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) url: Url,
    /// The same without credentials.
    pub(super) shown: String,
    pub(super) client: Client,
}

/// `url` without credentials; unchanged where it is no URL.
pub(super) fn shown_url(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            // Both only fail for URLs without a host, which have no credentials either.
            let _ = parsed.set_username("");
            let _ = parsed.set_password(None);
            parsed.into()
        }
        _ => url.to_owned(),
    }
}

impl Target {
    /// # Errors
    /// When the URL is none that MCP can be spoken over, or TLS cannot be set up.
    pub(super) fn new(options: &ProbeOptions) -> Result<Self, StepError> {
        let shown = shown_url(&options.url);
        let no_url = |why: String| {
            StepError::new(
                format!("'{}' is no URL to test: {why}", shortened(&shown)),
                format!("give an http or https URL, such as {}", super::DEFAULT_URL),
            )
        };
        let url = Url::parse(&options.url).map_err(|error| no_url(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(no_url(format!("its scheme is {}", url.scheme())));
        }
        // A proxy of the environment is no road to this very machine.
        let loopback = match url.host_str() {
            Some(host) => {
                let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
                host == "localhost" || address.is_ok_and(|address| address.is_loopback())
            }
            None => return Err(no_url("it names no host".to_owned())),
        };
        let mut builder = Client::builder()
            .user_agent(options.user_agent())
            .default_headers(baggage(options))
            // A redirected POST is no POST any more, and credentials must not follow it.
            .redirect(redirect::Policy::none());
        if loopback {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            StepError::new(
                format!("the HTTP client could not be set up: {}", innermost(&error)),
                "look at the system's certificate store",
            )
        })?;
        Ok(Self { url, shown, client })
    }
}

/// W3C Baggage with `session.id`: a modern request has no other way to say which session it belongs to.
fn baggage(options: &ProbeOptions) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // A UUID is made of characters every header may hold.
    if let Ok(value) = HeaderValue::try_from(format!("session.id={}", options.run_id)) {
        headers.insert("baggage", value);
    }
    headers
}

async fn send(request: RequestBuilder, options: &ProbeOptions) -> Result<Response, Failure> {
    match tokio::time::timeout(options.timeout, request.send()).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(Failure::of_request(&error)),
        Err(_) => Err(Failure::Silent(options.timeout)),
    }
}

/// Asks `/health` of the origin. Also says whether there is anybody there to go on with.
pub(super) async fn health(target: &Target, options: &ProbeOptions) -> (Outcome, bool) {
    let mut url = target.url.clone();
    url.set_path("/health");
    url.set_query(None);
    url.set_fragment(None);
    let shown = shown_url(url.as_str());
    let asked = async {
        let response = send(target.client.get(url), options).await?;
        let status = response.status();
        let body = tokio::time::timeout(options.timeout, read(response))
            .await
            .map_err(|_| Failure::Silent(options.timeout))??;
        Ok::<_, Failure>((status, from_slice::<Value>(&body).ok()))
    };
    let (status, body) = match asked.await {
        Ok(answer) => answer,
        Err(failure) => {
            let reached = !matches!(
                failure,
                Failure::Refused | Failure::Unreachable(_) | Failure::Silent(_)
            );
            // What breaks off here may still be an MCP server that has no such page.
            if reached && !options.expect_archonctl {
                return (
                    Outcome(Ok("no /health page; not archonctl".to_owned())),
                    true,
                );
            }
            return (Outcome(Err(failure.told(&shown))), reached);
        }
    };
    let archonctl = body.filter(|body| body["service"] == "archon-mcp");
    let outcome = match archonctl {
        Some(body) => judge(&body, &shown),
        None if options.expect_archonctl => Err(StepError::new(
            format!("{shown} answered {status}, but not as archonctl does"),
            "another server listens there: give the URL of `archonctl serve`, or test that server directly with \
             --any-server",
        )),
        None => Ok(format!("{status} from {shown}; not archonctl")),
    };
    (Outcome(outcome), true)
}

/// Reads a body of bounded length.
async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| Failure::of_request(&error))?
    {
        if body.len() + chunk.len() > MAX_HEALTH_BYTES {
            return Err(Failure::Broken("an answer that does not end".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn judge(body: &Value, shown: &str) -> Result<String, StepError> {
    let status = body["status"].as_str().unwrap_or("unknown");
    let reasons: Vec<_> = body["health"]["reasons"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(shortened)
        .collect();
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(": {}", reasons.join("; "))
    };
    if body["success"] == true {
        let uptime = body["uptime_seconds"].as_u64().unwrap_or_default();
        Ok(format!("archonctl is {status}, up {uptime} s{reasons}"))
    } else {
        Err(StepError::new(
            format!("archonctl at {shown} says it is {status}{reasons}"),
            "look into its log",
        ))
    }
}

/// How the session that is left was carried.
#[derive(Debug)]
pub(super) struct Leaving {
    /// The `Mcp-Session-Id` of a legacy session whose server minted one.
    pub(super) session_header: Option<String>,
    /// The revision agreed on.
    pub(super) protocol_version: String,
}

/// Takes leave with a `DELETE` (MCP 2025-11-25, Transports, session management), and gives what archonctl called
/// the session.
///
/// Without a session id the protocol has no such thing. The request is sent all the same: archonctl takes a
/// `DELETE` that names its session in `baggage` for the client leaving, and whatever the server behind answers
/// will do.
pub(super) async fn leave(
    target: &Target,
    left: &Leaving,
    options: &ProbeOptions,
) -> (Outcome, Option<String>) {
    let mut request = target
        .client
        .delete(target.url.clone())
        .header("MCP-Protocol-Version", &left.protocol_version);
    if let Some(id) = &left.session_header {
        request = request.header("Mcp-Session-Id", id);
    }
    let response = match send(request, options).await {
        Ok(response) => response,
        Err(failure) => return (Outcome(Err(failure.told(&target.shown))), None),
    };
    let status = response.status();
    let named = response.headers().get("X-Archon-Session-Id");
    let named = named.and_then(|id| id.to_str().ok()).map(str::to_owned);
    let outcome = match (&left.session_header, status) {
        (_, StatusCode::METHOD_NOT_ALLOWED) => {
            Ok("left; the server keeps no list (405)".to_owned())
        }
        (_, status) if status.is_success() => Ok(format!("left ({})", status.as_u16())),
        (Some(_), StatusCode::NOT_FOUND) => Err(StepError::new(
            "the server did not know its own session any more (404)",
            "it was restarted, ended the session early, or several servers answer at this address",
        )),
        (None, status) if status.is_client_error() => Ok(format!(
            "left; nothing to end at the server ({})",
            status.as_u16()
        )),
        (_, status) => Err(Failure::Status(status.as_u16(), String::new()).told(&target.shown)),
    };
    (Outcome(outcome), named)
}
