//! What a request's head says.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderMap, StatusCode, header};

use crate::model::{Era, SessionId, Timestamp};
use crate::wire::{self, BodyKind, Coding};

use super::channel::Channel;

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

impl HttpMethod {
    fn of(method: &str) -> Self {
        match method {
            "POST" => Self::Post,
            "GET" => Self::Get,
            "DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }
}

/// Headers of the request before.
#[derive(Debug, Default)]
struct Before {
    mcp_session: Option<Box<[u8]>>,
    protocol_version: Option<Box<str>>,
    user_agent: Option<Box<[u8]>>,
}

/// What is known of a request before its body.
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
    content_type: Option<BodyKind>,
    pub(super) coding: Coding,
    pub(super) mcp_session: Option<Box<[u8]>>,
    pub(super) protocol_version: Option<Box<str>>,
    pub(super) user_agent: Option<Box<[u8]>>,
    /// The same three of the request before: a client repeats them, and what is repeated is not copied again.
    before: Before,
    pub(super) archon_session: Option<SessionId>,
    pub(super) baggage_session: Option<Box<str>>,
    pub(super) trace_id: Option<Box<str>>,
    /// `Mcp-Method` and `Mcp-Name`, in memory that stays: they are wanted only where the body cannot be read.
    mcp_method: Vec<u8>,
    mcp_name: Vec<u8>,
    /// The event stream that answers this request (MCP 2024-11-05).
    pub(super) channel: Option<Arc<Channel>>,
}

impl RequestFacts {
    /// A request without any header yet; show it each with [`RequestFacts::header`].
    #[must_use]
    pub fn new(
        server: Arc<Server>,
        principal: Arc<str>,
        method: &str,
        started_at: Timestamp,
    ) -> Self {
        Self {
            server,
            principal,
            method: HttpMethod::of(method),
            started_at,
            content_type: None,
            coding: Coding::Identity,
            mcp_session: None,
            protocol_version: None,
            user_agent: None,
            before: Before::default(),
            archon_session: None,
            baggage_session: None,
            trace_id: None,
            mcp_method: Vec::new(),
            mcp_name: Vec::new(),
            channel: None,
        }
    }

    /// Says that `channel` answers this request, and not the answer to its POST.
    pub fn answered_on(&mut self, channel: Arc<Channel>) {
        self.channel = Some(channel);
    }

    /// Another request of the same client for the same server, without any header yet.
    pub(super) fn restart(&mut self, method: &str, started_at: Timestamp) {
        self.method = HttpMethod::of(method);
        self.started_at = started_at;
        (self.content_type, self.coding) = (None, Coding::Identity);
        self.channel = None;
        self.mcp_method.clear();
        self.mcp_name.clear();
        self.before = Before {
            mcp_session: self.mcp_session.take(),
            protocol_version: self.protocol_version.take(),
            user_agent: self.user_agent.take(),
        };
        (self.archon_session, self.baggage_session, self.trace_id) = (None, None, None);
    }

    /// Takes note of a header.
    pub fn header(&mut self, name: &str, value: &[u8]) {
        // By length first: most headers are none of these, and this is done for each of every request. Then in the two
        // spellings that nearly everybody uses, before all others.
        let is = |usual: &str, lower: &str| {
            name == lower || name == usual || name.eq_ignore_ascii_case(lower)
        };
        match name.len() {
            7 if is("Baggage", "baggage") => {
                if let Some(named) = as_text(value).and_then(wire::baggage_session) {
                    self.baggage_session = Some(named.into());
                }
            }
            8 if is("Mcp-Name", "mcp-name") => {
                self.mcp_name.clear();
                self.mcp_name.extend_from_slice(value);
            }
            10 if is("Mcp-Method", "mcp-method") => {
                self.mcp_method.clear();
                self.mcp_method.extend_from_slice(value);
            }
            10 if is("User-Agent", "user-agent") => {
                self.user_agent = Some(repeated(&mut self.before.user_agent, value));
            }
            11 if is("Traceparent", "traceparent") => {
                self.trace_id = as_text(value).and_then(wire::trace_id).map(Into::into);
            }
            12 if is("Content-Type", "content-type") => {
                self.content_type = Some(wire::body_kind(Some(value), None));
            }
            14 if is("Mcp-Session-Id", "mcp-session-id") && !value.is_empty() => {
                self.mcp_session = Some(repeated(&mut self.before.mcp_session, value));
            }
            16 if is("Content-Encoding", "content-encoding") => {
                self.coding = Coding::of(Some(value));
            }
            19 if is("X-Archon-Session-Id", "x-archon-session-id") => {
                self.archon_session = as_text(value).and_then(|id| id.parse().ok());
            }
            20 if is("MCP-Protocol-Version", "mcp-protocol-version") => {
                self.protocol_version = match self.before.protocol_version.take() {
                    Some(before) if before.as_bytes() == value => Some(before),
                    _ => as_text(value).map(Into::into),
                };
            }
            _ => {}
        }
    }

    /// Takes note of all of `headers`.
    #[must_use]
    pub fn with_headers(mut self, headers: &HeaderMap) -> Self {
        for (name, value) in headers {
            self.header(name.as_str(), value.as_bytes());
        }
        self
    }

    /// What `Mcp-Method` and `Mcp-Name` say of a request of the modern era (MCP 2026-07-28, Transports), for where its
    /// body cannot be read.
    pub(super) fn mirrored(&self) -> Option<(&str, Option<Cow<'_, str>>)> {
        let method = as_text(&self.mcp_method).filter(|method| !method.is_empty())?;
        let name = as_text(&self.mcp_name).filter(|name| !name.is_empty());
        (self.era() == Some(Era::Modern)).then(|| (method, name.map(wire::header_value)))
    }

    /// How the body is to be read.
    pub(super) fn body(&self) -> BodyKind {
        self.content_type
            .filter(|_| self.coding != Coding::Other)
            .unwrap_or(BodyKind::Opaque)
    }

    /// The protocol revision that the head names.
    pub(super) fn version(&self) -> Option<&str> {
        self.protocol_version.as_deref()
    }

    /// The era that the head tells, where it tells one.
    pub(super) fn era(&self) -> Option<Era> {
        self.version().map(wire::era_of)
    }

    /// The user agent, empty where there is none.
    pub(super) fn agent(&self) -> &[u8] {
        self.user_agent.as_deref().unwrap_or_default()
    }
}

/// What the head of an answer says.
#[derive(Clone, Copy, Debug)]
pub struct AnswerFacts<'a> {
    /// The HTTP status.
    pub status: StatusCode,
    /// How the body is to be read.
    pub body: BodyKind,
    /// How it is compressed.
    pub coding: Coding,
    /// `Mcp-Session-Id`.
    pub minted: Option<&'a [u8]>,
}

impl<'a> AnswerFacts<'a> {
    /// Reads the head of an answer.
    #[must_use]
    pub fn read(status: StatusCode, headers: &'a HeaderMap) -> Self {
        let value = |name: http::HeaderName| headers.get(name).map(http::HeaderValue::as_bytes);
        let body = wire::body_kind(value(header::CONTENT_TYPE), value(header::CONTENT_ENCODING));
        Self {
            status,
            body,
            coding: Coding::of(value(header::CONTENT_ENCODING)),
            minted: value(wire::MCP_SESSION_ID),
        }
    }
}

/// `value`, in the memory of `before` if that is the same.
fn repeated(before: &mut Option<Box<[u8]>>, value: &[u8]) -> Box<[u8]> {
    match before.take() {
        Some(before) if *before == *value => before,
        _ => value.into(),
    }
}

fn as_text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok()
}

/// A header value as text; bytes outside ASCII, which HTTP leaves without meaning, are taken as UTF-8 as far as they
/// are.
pub(super) fn text(value: Option<&[u8]>) -> Option<Box<str>> {
    value.map(|value| String::from_utf8_lossy(value).into())
}
