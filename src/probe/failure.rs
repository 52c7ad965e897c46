//! What can stand between a client and a server, and the words for it.
//!
//! Owns telling one failure from another, and the hint each one gets. Makes no request.

use std::error::Error;
use std::io;
use std::time::Duration;

use rmcp::transport::streamable_http_client::StreamableHttpError;

use super::report::StepError;

/// Why a request got no answer that is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing listens there.
    Refused,
    /// No connection, for another reason.
    Unreachable(String),
    /// A connection, but no complete answer.
    Broken(String),
    /// An HTTP status that means no.
    Status(u16, String),
    /// Something else than MCP came back.
    NotMcp(String),
    /// Nothing came back in time.
    Silent(Duration),
}

impl Failure {
    /// Whether another protocol era could not fare better.
    pub(super) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Refused | Self::Unreachable(_) | Self::Status(401 | 403 | 407, _)
        )
    }

    /// What the failure of a plain HTTP request was.
    pub(super) fn of_request(error: &reqwest::Error) -> Self {
        let cause = innermost(error);
        if let Some(status) = error.status() {
            return Self::Status(status.as_u16(), String::new());
        }
        if let Some(io) = io_error(error)
            && io.kind() == io::ErrorKind::ConnectionRefused
        {
            return Self::Refused;
        }
        if error.is_connect() {
            return Self::Unreachable(cause);
        }
        Self::Broken(cause)
    }

    /// What the failure of a request made by rmcp's client was.
    pub(super) fn of_mcp(error: &StreamableHttpError<reqwest::Error>) -> Self {
        match error {
            StreamableHttpError::Client(error) => Self::of_request(error),
            StreamableHttpError::AuthRequired(challenge) => {
                Self::Status(401, challenge.www_authenticate_header.clone())
            }
            StreamableHttpError::InsufficientScope(challenge) => {
                Self::Status(403, challenge.www_authenticate_header.clone())
            }
            StreamableHttpError::HttpStatus(error) => Self::Status(error.status, String::new()),
            StreamableHttpError::UnexpectedServerResponse(text) => {
                status_in(text).unwrap_or_else(|| Self::NotMcp(shortened(text)))
            }
            StreamableHttpError::UnexpectedContentType(kind) => Self::NotMcp(format!(
                "content type {}",
                kind.as_deref().unwrap_or("missing")
            )),
            other => Self::NotMcp(shortened(&other.to_string())),
        }
    }

    /// The failure in words, for a request to `url`.
    pub(super) fn told(&self, url: &str) -> StepError {
        match self {
            Self::Refused => StepError::new(
                format!("connection refused by {url}: nothing listens there"),
                "is `archonctl serve` running? Start it with `archonctl serve`, or give the URL it listens on",
            ),
            Self::Unreachable(cause) => StepError::new(
                format!("no connection to {url}: {cause}"),
                "check the host's name, the port, and for https the certificate; is `archonctl serve` running?",
            ),
            Self::Broken(cause) => StepError::new(
                format!("the connection to {url} broke: {cause}"),
                "try again; if it stays so, look into the server's log",
            ),
            Self::Status(401, challenge) => StepError::new(
                format!("{url} answered 401 Unauthorized{}", challenged(challenge)),
                "the server wants credentials; this test sends none but those in the URL",
            ),
            Self::Status(403, challenge) => StepError::new(
                format!("{url} answered 403 Forbidden{}", challenged(challenge)),
                "the server knows this client and refuses it, or refuses its Host or Origin: look at its list of \
                 allowed hosts, and at the rights of the user",
            ),
            Self::Status(404, _) => StepError::new(
                format!("{url} answered 404 Not Found"),
                "is the path right? MCP endpoints mostly end in /mcp",
            ),
            Self::Status(status @ 300..=399, _) => StepError::new(
                format!("{url} answered {status}, a redirect, which is not followed"),
                "give the URL it redirects to",
            ),
            Self::Status(status @ 502..=504, text) => StepError::new(
                format!("{url} answered {status}{}", quoted(text)),
                "a relay stands there and its server does not answer: is that one running?",
            ),
            Self::Status(status, text) => StepError::new(
                format!("{url} answered {status}{}", quoted(text)),
                "look into the server's log",
            ),
            Self::NotMcp(what) => StepError::new(
                format!("{url} does not answer as an MCP server: {what}"),
                "is this the MCP endpoint, and does it speak streamable HTTP?",
            ),
            Self::Silent(after) => StepError::new(
                format!("{url} did not answer within {after:?}"),
                "the server is busy or hangs; give it longer with --timeout, or look into its log",
            ),
        }
    }
}

fn challenged(challenge: &str) -> String {
    if challenge.is_empty() {
        String::new()
    } else {
        format!(" ({})", shortened(challenge))
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {}", shortened(text))
    }
}

/// rmcp 3.11 hands a status without a challenge or JSON-RPC error on in words: `HTTP 401 Unauthorized: body`.
fn status_in(text: &str) -> Option<Failure> {
    let rest = text.strip_prefix("HTTP ")?;
    let status = rest.get(..3)?.parse().ok()?;
    let body = rest.split_once(": ").map_or("", |(_, body)| body);
    Some(Failure::Status(status, shortened(body)))
}

/// The cause at the bottom: those above it only say that there is one.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    shortened(&error.to_string())
}

fn io_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// One line of no more than 200 characters, without control characters: it comes from a stranger and goes to a
/// terminal.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 200;
    let clean = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    let mut line: String = text.trim().chars().take(LONGEST).map(clean).collect();
    if text.trim().chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_status_told_in_words_is_found() {
        assert_eq!(
            status_in("HTTP 401 Unauthorized: {\"error\":\"no\"}"),
            Some(Failure::Status(401, "{\"error\":\"no\"}".to_owned()))
        );
        assert_eq!(status_in("expect json"), None);
        assert_eq!(status_in("HTTP x"), None);
    }

    #[test]
    fn foreign_text_is_one_short_line() {
        assert_eq!(shortened("a\r\n\u{1b}[31mb"), "a   [31mb");
        assert_eq!(shortened(&"ä".repeat(300)).chars().count(), 201);
    }
}
