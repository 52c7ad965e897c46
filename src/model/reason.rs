//! Why a session ended: exactly four forms, the errors from a closed list.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a session ended. Written and read as `client_disconnect`, `timeout`, `server_shutdown` or `error:<ErrorType>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum DisconnectReason {
    /// The client left: DELETE, end of stdin, a held stream it ended and did not reopen, or the close call of the API.
    ClientDisconnect,
    /// No activity for the session timeout.
    Timeout,
    /// This daemon stopped gracefully.
    ServerShutdown,
    /// Something broke.
    Error(ErrorType),
}

/// What broke, for [`DisconnectReason::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// No connection to the MCP server could be made.
    UpstreamUnreachable,
    /// The MCP server failed in the middle of its work.
    UpstreamError,
    /// The MCP server answered 404 for a session it had minted (MCP 2025-11-25, Transports, session management).
    SessionNotFound,
    /// The child process of a stdio server ended.
    ChildExit,
    /// One side broke the protocol.
    ProtocolError,
    /// The client's credentials ran out.
    AuthExpired,
    /// The client's quota ran out.
    QuotaExceeded,
    /// Found open at start, owned by an instance that is gone, and unable to go on.
    ServerCrash,
}

impl ErrorType {
    const ALL: [(Self, &'static str); 8] = [
        (Self::UpstreamUnreachable, "UpstreamUnreachable"),
        (Self::UpstreamError, "UpstreamError"),
        (Self::SessionNotFound, "SessionNotFound"),
        (Self::ChildExit, "ChildExit"),
        (Self::ProtocolError, "ProtocolError"),
        (Self::AuthExpired, "AuthExpired"),
        (Self::QuotaExceeded, "QuotaExceeded"),
        (Self::ServerCrash, "ServerCrash"),
    ];

    /// The name as it stands behind `error:`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, name)| name)
    }
}

impl DisconnectReason {
    /// Every reason there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let errors = ErrorType::ALL.iter().map(|(kind, _)| Self::Error(*kind));
        [Self::ClientDisconnect, Self::Timeout, Self::ServerShutdown]
            .into_iter()
            .chain(errors)
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientDisconnect => f.write_str("client_disconnect"),
            Self::Timeout => f.write_str("timeout"),
            Self::ServerShutdown => f.write_str("server_shutdown"),
            Self::Error(kind) => write!(f, "error:{}", kind.as_str()),
        }
    }
}

/// A text that is none of the four forms.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "'{0}' is no disconnect reason; allowed: client_disconnect, timeout, server_shutdown, error:<ErrorType>"
)]
pub struct ParseReasonError(pub String);

impl FromStr for DisconnectReason {
    type Err = ParseReasonError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "client_disconnect" => Ok(Self::ClientDisconnect),
            "timeout" => Ok(Self::Timeout),
            "server_shutdown" => Ok(Self::ServerShutdown),
            other => other
                .strip_prefix("error:")
                .and_then(|name| ErrorType::ALL.iter().find(|(_, known)| *known == name))
                .map(|(kind, _)| Self::Error(*kind))
                .ok_or_else(|| ParseReasonError(text.to_owned())),
        }
    }
}

impl From<DisconnectReason> for String {
    fn from(reason: DisconnectReason) -> Self {
        reason.to_string()
    }
}

impl TryFrom<String> for DisconnectReason {
    type Error = ParseReasonError;
    fn try_from(text: String) -> Result<Self, ParseReasonError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule: reason/closed-list
    #[test]
    fn every_reason_reads_back_as_it_was_written() {
        let plain = [
            DisconnectReason::ClientDisconnect,
            DisconnectReason::Timeout,
            DisconnectReason::ServerShutdown,
        ];
        let errors = ErrorType::ALL
            .iter()
            .map(|(kind, _)| DisconnectReason::Error(*kind));
        for reason in plain.into_iter().chain(errors) {
            assert_eq!(reason.to_string().parse(), Ok(reason));
        }
    }

    /// Rule: reason/closed-list
    #[test]
    fn these_are_the_reasons_that_there_are() {
        let names: Vec<_> = DisconnectReason::all()
            .map(|reason| reason.to_string())
            .collect();
        assert_eq!(
            names,
            [
                "client_disconnect",
                "timeout",
                "server_shutdown",
                "error:UpstreamUnreachable",
                "error:UpstreamError",
                "error:SessionNotFound",
                "error:ChildExit",
                "error:ProtocolError",
                "error:AuthExpired",
                "error:QuotaExceeded",
                "error:ServerCrash",
            ]
        );
        let page = include_str!("../../docs/TRACKING.md");
        for name in &names {
            let told = name.strip_prefix("error:").unwrap_or(name);
            assert!(page.contains(&format!("{told}`")), "{name}");
        }
    }

    /// Rule: reason/closed-list
    #[test]
    fn spellings_found_in_old_databases_are_not_ours() {
        for wrong in [
            "timeout_no_activity",
            "error:Unknown",
            "error:upstreamerror",
            "error: UpstreamError",
            "error",
            "error:",
            "",
            "Timeout",
        ] {
            assert!(wrong.parse::<DisconnectReason>().is_err(), "{wrong}");
        }
    }
}
