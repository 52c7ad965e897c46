//! Header rules of HTTP and of MCP's streamable HTTP transport.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::HeaderName;

use super::coding::Coding;

/// Minted by legacy servers (MCP 2025-11-25, Transports, session management).
pub const MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// The tracked session, given on answers and honoured on requests.
pub const ARCHON_SESSION_ID: HeaderName = HeaderName::from_static("x-archon-session-id");
/// Marks answers that the proxy made itself; its value says why.
pub const ANSWERED_BY: HeaderName = HeaderName::from_static("x-archon-answer");

/// How a body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// One JSON text.
    Json,
    /// Server-sent events.
    EventStream,
    /// Nothing that can be read here: another type, or a coding that is not known.
    Opaque,
}

/// How a body is to be read, by its `Content-Type` and `Content-Encoding`.
#[must_use]
pub fn body_kind(content_type: Option<&[u8]>, content_encoding: Option<&[u8]>) -> BodyKind {
    let unknown = content_encoding.is_some() && Coding::of(content_encoding) == Coding::Other;
    let Some(kind) = content_type.filter(|_| !unknown) else {
        return BodyKind::Opaque;
    };
    // As most send it, to the letter.
    match kind {
        b"application/json" => return BodyKind::Json,
        b"text/event-stream" => return BodyKind::EventStream,
        _ => {}
    }
    let essence = kind
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

/// The member `session.id` of a `baggage` header (W3C Baggage, section 3.2), percent-decoding left aside: keys are
/// compared as they were sent.
#[must_use]
pub fn baggage_session(baggage: &str) -> Option<&str> {
    baggage.split(',').find_map(|member| {
        let pair = member.split(';').next().unwrap_or_default();
        let (key, value) = pair.split_once('=')?;
        (key.trim() == "session.id" && !value.trim().is_empty()).then(|| value.trim())
    })
}

/// The value of an `Mcp-Name` or `Mcp-Param-*` header, out of its `=?base64?…?=` form where it is in that
/// (MCP 2026-07-28, Transports, value encoding). What does not decode to a text is taken as it stands.
#[must_use]
pub fn header_value(value: &str) -> Cow<'_, str> {
    let coded = value
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="));
    coded
        .and_then(|coded| BASE64.decode(coded).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map_or(Cow::Borrowed(value), Cow::Owned)
}

/// The trace id of a `traceparent` header (W3C Trace Context, section 3.2.2), if it is a valid one; and the parent's span id and
/// the flags behind it, as they stand there, where those are valid too.
#[must_use]
pub fn trace_id(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next(), parts.next());
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
    if !valid {
        return None;
    }
    let whole = parent.zip(flags).is_some_and(|(parent, flags)| {
        parent.len() == 16
            && hexadecimal(parent)
            && parent.bytes().any(|byte| byte != b'0')
            && flags.len() == 2
            && hexadecimal(flags)
    });
    if whole {
        traceparent.get(3..55)
    } else {
        Some(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_by_their_type_unless_their_coding_is_unknown() {
        for (kind, encoding, read_as) in [
            (Some("application/json"), None, BodyKind::Json),
            (
                Some("Application/JSON ; charset=utf-8"),
                None,
                BodyKind::Json,
            ),
            (Some("text/event-stream"), None, BodyKind::EventStream),
            (
                Some("text/event-stream"),
                Some("gzip"),
                BodyKind::EventStream,
            ),
            (
                Some("text/event-stream"),
                Some("gzip, br"),
                BodyKind::Opaque,
            ),
            (Some("application/json"), Some("identity"), BodyKind::Json),
            (Some("text/html"), None, BodyKind::Opaque),
            (None, None, BodyKind::Opaque),
        ] {
            let read = body_kind(kind.map(str::as_bytes), encoding.map(str::as_bytes));
            assert_eq!(read, read_as, "{kind:?} {encoding:?}");
        }
    }

    /// Rule: derivation/explicit-baggage
    #[test]
    fn baggage_names_a_session() {
        assert_eq!(baggage_session("a=b, session.id = x1 ;p=q,c=d"), Some("x1"));
        assert_eq!(baggage_session("xsession.id=1,session.id="), None);
    }

    #[test]
    fn names_in_base64_are_read() {
        for (sent, read) in [
            ("echo", "echo"),
            ("=?base64?w6ljaG8=?=", "\u{e9}cho"),
            ("=?base64??=", ""),
            ("=?base64?%%?=", "=?base64?%%?="),
            ("=?base64?/w==?=", "=?base64?/w==?="),
            ("=?base64?", "=?base64?"),
        ] {
            assert_eq!(header_value(sent), read, "{sent}");
        }
    }

    #[test]
    fn only_valid_trace_ids_count() {
        let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_id(valid), Some(&valid[3..]));
        let later = format!("{valid}-what-comes-later").replacen("00", "01", 1);
        assert_eq!(trace_id(&later), Some(&valid[3..]));
        for alone in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-x1",
        ] {
            assert_eq!(trace_id(alone), Some(&valid[3..35]), "{alone}");
        }
        for wrong in [
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF9-1-1",
            "ff",
            "",
        ] {
            assert_eq!(trace_id(wrong), None, "{wrong}");
        }
    }
}
