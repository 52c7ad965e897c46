//! The answers that the bridge makes itself: what went wrong, as a JSON-RPC error in the client's hands.

use super::message::{Message, answer_with_error, error_line, read};
use super::pass::Waiting;
use super::{Bridge, lock};

/// The connection, or the other side of it (-32000 to -32019 are an implementation's own).
pub(super) const CONNECTION: i64 = -32_000;
/// No answer in time, as the official SDKs number it.
pub(super) const TIMED_OUT: i64 = -32_001;
/// JSON-RPC 2.0, section 5.1.
pub(super) const PARSE_ERROR: i64 = -32_700;
/// The same.
pub(super) const INVALID_REQUEST: i64 = -32_600;
/// The same: the server's answer is none.
pub(super) const INTERNAL: i64 = -32_603;
/// `HeaderMismatch` of revision 2026-07-28.
pub(super) const HEADER_MISMATCH: i64 = -32_020;

/// `UnsupportedProtocolVersion` of the same.
pub(super) const UNSUPPORTED_VERSION: i64 = -32_022;

/// How much of a text that is no JSON-RPC is told.
const LONGEST_TOLD: usize = 300;

/// Why a request has no answer of its server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server could not be reached; nothing was sent.
    Unreachable(String),
    /// The connection broke; nobody knows whether the server has read the request.
    Broken(String),
    /// The server did not begin an answer in time.
    TimedOut,
    /// The server's answer is no answer.
    Nonsense(String),
    /// There is more to do than is taken on.
    TooMany,
}

impl Failure {
    /// The error line for request `id`, raw.
    pub(super) fn line(&self, id: &str, url: &str) -> Vec<u8> {
        let (code, message) = match self {
            Self::Unreachable(why) => (
                CONNECTION,
                format!("the MCP server at {url} cannot be reached: {why}"),
            ),
            Self::Broken(why) => (
                CONNECTION,
                format!("the connection to the MCP server at {url} broke before its answer: {why}"),
            ),
            Self::TimedOut => (
                TIMED_OUT,
                format!("the MCP server at {url} did not answer in time"),
            ),
            Self::Nonsense(why) => (INTERNAL, format!("the MCP server at {url} {why}")),
            Self::TooMany => (CONNECTION, "too many requests are under way".to_owned()),
        };
        error_line(Some(id), code, &message)
    }
}

/// The JSON-RPC error in the body of an HTTP error, with its code.
pub(super) fn error_in(body: &[u8]) -> Option<(i64, String)> {
    let message = read(body).ok()?.pop()?;
    let error = message.error?;
    let code = serde_json::from_str::<serde_json::Value>(error.get())
        .ok()?
        .get("code")?
        .as_i64()?;
    Some((code, error.get().to_owned()))
}

/// The line that tells request `request`, which the client knows as `id`, of the HTTP error `status`: the server's own
/// error where it sent one.
pub(super) fn of_status(status: u16, body: &[u8], id: &str, request: &Message) -> Vec<u8> {
    let id = Some(id);
    let reason = ::http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("");
    if let Some((code, error)) = error_in(body) {
        let is_probe = request.is("server/discover");
        if code == CONNECTION && request.modern.is_some() && !is_probe {
            let value: serde_json::Value = serde_json::from_str(&error).unwrap_or_default();
            let said = value.get("message").and_then(|said| said.as_str());
            let message = format!(
                "{} (HTTP {status}; this request is of revision {}, and the server seems to know earlier ones only)",
                said.unwrap_or("refused"),
                request.modern.as_deref().unwrap_or_default(),
            );
            return error_line(id, code, &message);
        }
        return answer_with_error(id, &error);
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let told: String = text.chars().take(LONGEST_TOLD).collect();
    let mut message = format!("HTTP {status} {reason}").trim_end().to_owned();
    if !told.is_empty() && !told.starts_with('<') {
        message = format!("{message}: {told}");
    }
    match status {
        401 | 403 => message.push_str(
            "; credentials are given with --header 'Authorization: env:NAME' or --header-file FILE",
        ),
        404 | 405 => message.push_str("; is this the URL of the server's MCP endpoint?"),
        301..=308 => message.push_str("; the server has moved to another host: use its new URL"),
        _ => {}
    }
    error_line(id, CONNECTION, &message)
}

impl Bridge {
    /// Tells the requests that wait that there is no answer. Nobody waits for those that were cancelled.
    pub(super) async fn fail(&self, waiting: &mut Waiting, failure: &Failure) {
        let url = self.http.shown();
        let own = waiting.is_own();
        let given_up = waiting.named();
        if own {
            tracing::debug!(
                ?failure,
                "the server did not answer a request of the bridge's own"
            );
            return;
        }
        if given_up.is_empty() {
            tracing::warn!(
                ?failure,
                "a notification or response did not reach the server"
            );
        }
        for (id, _) in given_up {
            if lock(&self.cancelled).contains(&id) {
                continue;
            }
            match (failure, &self.process) {
                (Failure::TimedOut, Some(process)) => process.timed_out(id.as_bytes()),
                (Failure::TooMany, _) | (_, None) => {}
                (_, Some(process)) => process.opens_none(id.as_bytes()),
            }
            self.output.say(failure.line(&id, &url)).await;
        }
    }

    /// Tells the requests that wait of the HTTP error that they met.
    pub(super) async fn refuse(&self, waiting: &mut Waiting, status: u16, body: &[u8]) {
        let own = waiting.is_own();
        let refused = waiting.named();
        if own {
            tracing::debug!(status, "the server refused a request of the bridge's own");
            return;
        }
        if refused.is_empty() {
            tracing::warn!(status, "the server did not take a notification or response");
        }
        for (id, request) in &refused {
            let is_probe = request.is("server/discover") && (400..500).contains(&status);
            if let (true, Some(process)) = (is_probe, &self.process) {
                process.opens_none(id.as_bytes());
            }
            self.output.say(of_status(status, body, id, request)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Message {
        read(line.as_bytes()).expect("a request").remove(0)
    }

    fn told(status: u16, body: &str, line: &str) -> serde_json::Value {
        let request = request(line);
        let id = request.id.as_deref().expect("an id");
        let line = of_status(status, body.as_bytes(), id, &request);
        serde_json::from_slice(&line).expect("JSON")
    }

    const LIST: &str = r#"{"id":"x","method":"tools/list"}"#;

    #[test]
    fn a_servers_own_error_is_passed_on_with_the_requests_id() {
        let body = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}}}"#;
        let answer = told(400, body, LIST);
        assert_eq!(answer["id"], "x");
        assert_eq!(answer["error"]["data"]["supported"][0], "2026-07-28");
    }

    #[test]
    fn a_legacy_servers_refusal_of_a_modern_request_says_so() {
        let body = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: no session"}}"#;
        let modern = r#"{"id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        let answer = told(400, body, modern);
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(message.contains("no session") && message.contains("earlier ones only"));
        let probe = modern.replace("tools/list", "server/discover");
        let answer = told(400, body, &probe);
        assert_eq!(answer["error"]["message"], "Bad Request: no session");
    }

    #[test]
    fn other_errors_are_told_in_a_sentence() {
        for (status, body, message) in [
            (502, "upstream down", "HTTP 502 Bad Gateway: upstream down"),
            (503, "<html>no</html>", "HTTP 503 Service Unavailable"),
            (401, "", "HTTP 401 Unauthorized; credentials are given"),
            (404, "", "MCP endpoint?"),
            (799, "{\"a\":1}", "HTTP 799: {\"a\":1}"),
        ] {
            let answer = told(status, body, LIST);
            let said = answer["error"]["message"].as_str().expect("a message");
            assert!(said.contains(message), "{said}");
        }
    }
}
