//! What a request's head says.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, header};

use crate::model::{Era, SessionId, Timestamp};
use crate::wire::{self, BodyKind};

/// An MCP server behind this daemon.
#[derive(Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name, as queries show it.
    pub name: Box<str>,
    /// Whether its sessions outlive this process.
    pub survives_instance: bool,
}

/// The HTTP methods that mean something in MCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    /// A JSON-RPC message, or a batch.
    Post,
    /// A stream from server to client.
    Get,
    /// The client leaves.
    Delete,
    /// Anything else: passed on, never part of a session.
    Other,
}

/// What is known of a request before its body. Header values are shared with the request, not copied.
#[derive(Debug)]
pub struct RequestFacts {
    /// Whom it is for.
    pub server: Arc<Server>,
    /// Who sends it: the verified user, else the remote address.
    pub principal: Arc<str>,
    /// Its HTTP method.
    pub method: HttpMethod,
    /// When its first byte was seen.
    pub started_at: Timestamp,
    /// How its body is to be read.
    pub body: BodyKind,
    pub(super) mcp_session: Option<HeaderValue>,
    pub(super) protocol_version: Option<HeaderValue>,
    pub(super) user_agent: Option<HeaderValue>,
    pub(super) archon_session: Option<SessionId>,
    pub(super) baggage_session: Option<Box<str>>,
    pub(super) trace_id: Option<Box<str>>,
}

impl RequestFacts {
    /// Reads a request's head.
    #[must_use]
    pub fn read(
        server: Arc<Server>,
        principal: Arc<str>,
        method: &Method,
        headers: &HeaderMap,
        started_at: Timestamp,
    ) -> Self {
        let method = match *method {
            Method::POST => HttpMethod::Post,
            Method::GET => HttpMethod::Get,
            Method::DELETE => HttpMethod::Delete,
            _ => HttpMethod::Other,
        };
        let archon_session = headers
            .get(wire::ARCHON_SESSION_ID)
            .and_then(|id| id.to_str().ok()?.parse().ok());
        Self {
            server,
            principal,
            method,
            started_at,
            body: wire::body_kind(headers),
            mcp_session: headers
                .get(wire::MCP_SESSION_ID)
                .filter(|id| !id.is_empty())
                .cloned(),
            protocol_version: headers.get(wire::MCP_PROTOCOL_VERSION).cloned(),
            user_agent: headers.get(header::USER_AGENT).cloned(),
            archon_session,
            baggage_session: wire::baggage_session(headers).map(Into::into),
            trace_id: wire::trace_id(headers).map(Into::into),
        }
    }

    /// The protocol revision that the head names.
    pub(super) fn version(&self) -> Option<&str> {
        self.protocol_version
            .as_ref()
            .and_then(|version| version.to_str().ok())
    }

    /// The era that the head tells, where it tells one.
    pub(super) fn era(&self) -> Option<Era> {
        self.version().map(wire::era_of)
    }
}

/// A header value as text; bytes outside ASCII, which HTTP leaves without meaning, are taken as UTF-8 as far as they
/// are.
pub(super) fn text(value: Option<&HeaderValue>) -> Option<Box<str>> {
    value.map(|value| String::from_utf8_lossy(value.as_bytes()).into())
}
