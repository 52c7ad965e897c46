//! What a request's `_meta` says of its client.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::headers::trace_id;

/// `Implementation` of the MCP schema, as far as records need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// `name`, as sent.
    pub name: Option<Box<str>>,
    /// `version`, as sent.
    pub version: Option<Box<str>>,
}

impl ClientInfo {
    /// Reads a JSON object; what is no object, or has no such texts, gives an empty one.
    #[must_use]
    pub fn read(raw: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Texts<'a> {
            #[serde(borrow, default)]
            name: Option<Cow<'a, str>>,
            #[serde(borrow, default)]
            version: Option<Cow<'a, str>>,
        }
        serde_json::from_slice::<Texts>(raw)
            .map(|texts| Self {
                name: texts.name.map(Into::into),
                version: texts.version.map(Into::into),
            })
            .unwrap_or_default()
    }
}

/// The members of `params._meta` that say who sends the request (MCP 2026-07-28, base protocol, `_meta`) and which
/// conversation it belongs to (vendors' own keys).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestMeta {
    /// `io.modelcontextprotocol/protocolVersion`.
    pub protocol_version: Option<Box<str>>,
    /// `io.modelcontextprotocol/clientInfo`.
    pub client: ClientInfo,
    /// `io.modelcontextprotocol/clientCapabilities`, a JSON object.
    pub capabilities: Option<Box<str>>,
    /// A conversation key, with the name of the vendor's member in front.
    pub conversation: Option<Box<str>>,
    /// The trace id of `traceparent`, where a transport without headers carries it (MCP, SEP-414).
    pub trace_id: Option<Box<str>>,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion")]
    protocol_version: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientInfo")]
    client_info: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "vscode.conversationId")]
    vscode: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "sessionID")]
    opencode: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "x-codex-turn-metadata")]
    codex: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "openai/session")]
    openai: Option<&'a RawValue>,
    #[serde(borrow, default)]
    traceparent: Option<&'a RawValue>,
}

fn text(raw: Option<&RawValue>) -> Option<Box<str>> {
    serde_json::from_str::<String>(raw?.get())
        .ok()
        .filter(|text| !text.is_empty())
        .map(String::into_boxed_str)
}

/// Codex sends an object, or an object written out as a text, with the ids of session and thread inside.
fn codex_conversation(raw: Option<&RawValue>) -> Option<String> {
    #[derive(Deserialize)]
    struct Turn {
        #[serde(default)]
        session_id: Option<String>,
        #[serde(default)]
        thread_id: Option<String>,
    }
    let raw = raw?.get();
    let turn = match serde_json::from_str::<String>(raw) {
        Ok(inner) => serde_json::from_str::<Turn>(&inner).ok()?,
        Err(_) => serde_json::from_str::<Turn>(raw).ok()?,
    };
    turn.session_id
        .or(turn.thread_id)
        .filter(|id| !id.is_empty())
}

impl RequestMeta {
    /// Reads `_meta`; what is no object gives an empty one.
    #[must_use]
    pub fn read(raw: &[u8]) -> Self {
        let Ok(raw) = serde_json::from_slice::<Raw>(raw) else {
            return Self::default();
        };
        let vendor =
            |name: &str, value: Option<Box<str>>| value.map(|value| format!("{name}={value}"));
        let conversation = vendor("vscode.conversationId", text(raw.vscode))
            .or_else(|| vendor("sessionID", text(raw.opencode)))
            .or_else(|| {
                vendor(
                    "x-codex-turn-metadata",
                    codex_conversation(raw.codex).map(String::into_boxed_str),
                )
            })
            .or_else(|| vendor("openai/session", text(raw.openai)));
        Self {
            protocol_version: text(raw.protocol_version),
            client: raw
                .client_info
                .map(|info| ClientInfo::read(info.get().as_bytes()))
                .unwrap_or_default(),
            capabilities: raw
                .capabilities
                .map(|capabilities| capabilities.get().into()),
            conversation: conversation.map(String::into_boxed_str),
            trace_id: text(raw.traceparent)
                .as_deref()
                .and_then(trace_id)
                .map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule: era/said-in-meta
    #[test]
    fn a_modern_request_says_who_sends_it() {
        let meta = RequestMeta::read(
            br#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","progressToken":1,
                "io.modelcontextprotocol/clientInfo":{"name":"caf\u00e9","version":"1.0","title":"x"},
                "io.modelcontextprotocol/clientCapabilities":{"roots":{}},
                "traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}"#,
        );
        assert_eq!(meta.protocol_version.as_deref(), Some("2026-07-28"));
        assert_eq!(meta.client.name.as_deref(), Some("café"));
        assert_eq!(meta.capabilities.as_deref(), Some(r#"{"roots":{}}"#));
        assert_eq!(meta.conversation, None);
        assert_eq!(
            meta.trace_id.as_deref(),
            Some("4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        );
    }

    /// Rule: derivation/vendor
    #[test]
    fn vendors_keys_are_told_apart() {
        for (raw, key) in [
            (
                r#"{"vscode.conversationId":"1"}"#,
                Some("vscode.conversationId=1"),
            ),
            (r#"{"sessionID":"1"}"#, Some("sessionID=1")),
            (
                r#"{"x-codex-turn-metadata":{"session_id":"1","thread_id":"2"}}"#,
                Some("x-codex-turn-metadata=1"),
            ),
            (
                r#"{"x-codex-turn-metadata":"{\"thread_id\":\"2\"}"}"#,
                Some("x-codex-turn-metadata=2"),
            ),
            (r#"{"openai/session":"1"}"#, Some("openai/session=1")),
            (r#"{"sessionID":7,"openai/session":""}"#, None),
            ("[]", None),
            ("{", None),
        ] {
            assert_eq!(
                RequestMeta::read(raw.as_bytes()).conversation.as_deref(),
                key,
                "{raw}"
            );
        }
    }
}
