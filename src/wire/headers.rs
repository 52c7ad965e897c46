//! Header rules of HTTP and of MCP's streamable HTTP transport.

use http::header::{self, HeaderMap, HeaderName};

/// Minted by legacy servers (MCP 2025-11-25, Transports, session management).
pub const MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// The revision a request is made under (MCP 2025-06-18 and later, Transports).
pub const MCP_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// The JSON-RPC method, repeated for intermediaries (MCP 2026-07-28, Transports).
pub const MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// The tool, prompt or resource, repeated for intermediaries (MCP 2026-07-28, Transports).
pub const MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");
/// The tracked session, given on answers and honoured on requests.
pub const ARCHON_SESSION_ID: HeaderName = HeaderName::from_static("x-archon-session-id");
/// Marks answers that the proxy made itself; its value says why.
pub const ANSWERED_BY: HeaderName = HeaderName::from_static("x-archon-answer");

/// Whether a header belongs to one connection only and is not relayed (RFC 9110, section 7.6.1). Those that
/// `Connection` names are the caller's to drop.
#[must_use]
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
    *name == header::CONNECTION
        || *name == header::TRANSFER_ENCODING
        || *name == header::UPGRADE
        || *name == header::TE
        || *name == header::TRAILER
        || *name == KEEP_ALIVE
        || *name == PROXY_CONNECTION
}

/// How a body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// One JSON text.
    Json,
    /// Server-sent events.
    EventStream,
    /// Nothing that can be read here: another type, or compressed.
    Opaque,
}

/// How the body that `headers` describe is to be read.
#[must_use]
pub fn body_kind(headers: &HeaderMap) -> BodyKind {
    let encoded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let Some(kind) = headers.get(header::CONTENT_TYPE).filter(|_| !encoded) else {
        return BodyKind::Opaque;
    };
    let essence = kind
        .as_bytes()
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") {
        BodyKind::Json
    } else if essence.eq_ignore_ascii_case(b"text/event-stream") {
        BodyKind::EventStream
    } else {
        BodyKind::Opaque
    }
}

/// The member `session.id` of W3C `baggage` (Baggage, section 3.2), percent-decoding left aside: keys are compared
/// as they were sent.
#[must_use]
pub fn baggage_session(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all("baggage")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(|list| {
            list.split(',').find_map(|member| {
                let pair = member.split(';').next().unwrap_or_default();
                let (key, value) = pair.split_once('=')?;
                (key.trim() == "session.id" && !value.trim().is_empty()).then(|| value.trim())
            })
        })
}

/// The trace id of `traceparent` (W3C Trace Context, section 3.2.2), if there is a valid one.
#[must_use]
pub fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = value.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let hexadecimal = |text: &str| {
        text.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let valid = version.len() == 2
        && version != "ff"
        && trace.len() == 32
        && hexadecimal(version)
        && hexadecimal(trace)
        && trace.bytes().any(|byte| byte != b'0');
    valid.then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    http::HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn bodies_are_read_by_their_type_unless_compressed() {
        for (pairs, kind) in [
            (&[("content-type", "application/json")][..], BodyKind::Json),
            (
                &[("content-type", "Application/JSON ; charset=utf-8")],
                BodyKind::Json,
            ),
            (
                &[("content-type", "text/event-stream")],
                BodyKind::EventStream,
            ),
            (
                &[
                    ("content-type", "text/event-stream"),
                    ("content-encoding", "gzip"),
                ],
                BodyKind::Opaque,
            ),
            (
                &[
                    ("content-type", "application/json"),
                    ("content-encoding", "identity"),
                ],
                BodyKind::Json,
            ),
            (&[("content-type", "text/html")], BodyKind::Opaque),
            (&[], BodyKind::Opaque),
        ] {
            assert_eq!(body_kind(&headers(pairs)), kind, "{pairs:?}");
        }
    }

    #[test]
    fn baggage_names_a_session() {
        let named = headers(&[("baggage", "a=b, session.id = x1 ;p=q,c=d")]);
        assert_eq!(baggage_session(&named), Some("x1"));
        assert_eq!(
            baggage_session(&headers(&[("baggage", "xsession.id=1,session.id=")])),
            None
        );
    }

    #[test]
    fn only_valid_trace_ids_count() {
        let valid = headers(&[(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )]);
        assert_eq!(trace_id(&valid), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for wrong in [
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF9-1-1",
            "ff",
            "",
        ] {
            assert_eq!(
                trace_id(
                    &[("traceparent", wrong)]
                        .iter()
                        .map(|(name, value)| {
                            (
                                HeaderName::from_static(name),
                                http::HeaderValue::from_static(value),
                            )
                        })
                        .collect()
                ),
                None,
                "{wrong}"
            );
        }
    }
}
