//! What the bridge must know of a message to put it on the other transport. The message itself goes on as it stands.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::Era;
use crate::wire::{self, RequestMeta};

/// A line, or the body of an answer.
#[derive(Debug)]
pub(super) struct Message {
    /// `id`, raw; `None` for notifications and for `null`.
    pub(super) id: Option<Box<str>>,
    /// `method` of a request or notification.
    pub(super) method: Option<Box<str>>,
    /// The revision in `_meta`, where it is one of the modern era.
    pub(super) modern: Option<Box<str>>,
    /// What `Mcp-Name` says of this request.
    pub(super) name: Option<Box<str>>,
    /// The request that `notifications/cancelled` is about, raw.
    pub(super) cancels: Option<Box<str>>,
    /// `result`, raw.
    pub(super) result: Option<Box<RawValue>>,
    /// `error`, raw.
    pub(super) error: Option<Box<RawValue>>,
    /// `params`, raw.
    pub(super) params: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(default)]
    params: Option<Box<RawValue>>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
struct Params<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    uri: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "taskId")]
    task_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "requestId")]
    request_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

/// Reads one JSON-RPC message, or a batch of them (MCP 2025-03-26).
///
/// # Errors
/// What is wrong with it, where it is no JSON or no message.
pub(super) fn read(text: &[u8]) -> Result<Vec<Message>, String> {
    if text.trim_ascii_start().first() == Some(&b'[') {
        let batch: Vec<Raw<'_>> = serde_json::from_slice(text).map_err(|error| told(&error))?;
        Ok(batch.into_iter().map(Message::from).collect())
    } else {
        let one: Raw<'_> = serde_json::from_slice(text).map_err(|error| told(&error))?;
        Ok(vec![one.into()])
    }
}

/// Without the place, which means nothing to who sent it.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line").next().unwrap_or(&text).to_owned()
}

/// A JSON text as Rust has it.
fn text(raw: Option<&RawValue>) -> Option<Box<str>> {
    serde_json::from_str::<String>(raw?.get())
        .ok()
        .map(String::into_boxed_str)
}

fn raw_id(raw: Option<&RawValue>) -> Option<Box<str>> {
    raw.map(RawValue::get)
        .filter(|raw| *raw != "null")
        .map(Into::into)
}

impl From<Raw<'_>> for Message {
    fn from(raw: Raw<'_>) -> Self {
        let params = raw
            .params
            .as_deref()
            .and_then(|params| serde_json::from_str::<Params<'_>>(params.get()).ok())
            .unwrap_or_default();
        let modern = params
            .meta
            .map(|meta| RequestMeta::read(meta.get().as_bytes()))
            .and_then(|meta| meta.protocol_version)
            .filter(|version| wire::era_of(version) == Era::Modern);
        let method = raw.method.as_deref();
        let name = match method {
            Some("tools/call" | "prompts/get") => text(params.name),
            Some("resources/read") => text(params.uri),
            Some("tasks/get" | "tasks/update" | "tasks/cancel") => text(params.task_id),
            _ => None,
        };
        let cancels = match method {
            Some("notifications/cancelled") => raw_id(params.request_id),
            _ => None,
        };
        Self {
            id: raw_id(raw.id),
            method: method.map(Into::into),
            modern,
            name,
            cancels,
            result: raw.result,
            error: raw.error,
            params: raw.params,
        }
    }
}

impl Message {
    /// A request: it wants an answer.
    pub(super) fn is_request(&self) -> bool {
        self.method.is_some() && self.id.is_some()
    }

    /// An answer.
    pub(super) fn is_response(&self) -> bool {
        self.method.is_none() && (self.result.is_some() || self.error.is_some())
    }

    /// Whether it is anything at all: a request, a notification or an answer.
    pub(super) fn is_sound(&self) -> bool {
        self.method.is_some() || self.is_response()
    }

    /// Whether this is a request or notification of `method`.
    pub(super) fn is(&self, method: &str) -> bool {
        self.method.as_deref() == Some(method)
    }
}

/// `text` on one line. JSON has line ends between its tokens only, where a blank means the same.
pub(super) fn on_one_line(mut text: Vec<u8>) -> Vec<u8> {
    for byte in &mut text {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    text.truncate(text.trim_ascii_end().len());
    text.push(b'\n');
    text
}

/// An error in answer to request `id`, raw, as a line. Without an id it answers what could not be read.
pub(super) fn error_line(id: Option<&str>, code: i64, message: &str) -> Vec<u8> {
    let error = serde_json::json!({ "code": code, "message": message });
    answer_with_error(id, &error.to_string())
}

/// The error `error`, raw, in answer to request `id`.
pub(super) fn answer_with_error(id: Option<&str>, error: &str) -> Vec<u8> {
    let id = id.unwrap_or("null");
    on_one_line(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_what_its_headers_say() {
        let line = br#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"caf\u00e9","_meta":{
            "io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        let message = &read(line).expect("a message")[0];
        assert!(message.is_request() && message.is("tools/call"));
        assert_eq!(message.id.as_deref(), Some("\"a\""));
        assert_eq!(message.modern.as_deref(), Some("2026-07-28"));
        assert_eq!(message.name.as_deref(), Some("café"));
        for (line, name) in [
            (
                r#"{"id":1,"method":"resources/read","params":{"uri":"u","name":"n"}}"#,
                Some("u"),
            ),
            (
                r#"{"id":1,"method":"tasks/get","params":{"taskId":"t"}}"#,
                Some("t"),
            ),
            (
                r#"{"id":1,"method":"tools/list","params":{"name":"n"}}"#,
                None,
            ),
            (r#"{"id":1,"method":"tools/call","params":[1]}"#, None),
        ] {
            let message = &read(line.as_bytes()).expect("a message")[0];
            assert_eq!(message.name.as_deref(), name, "{line}");
            assert_eq!(message.modern, None);
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        let batch = br#"[{"id":1,"method":"a"},{"method":"notifications/cancelled","params":{"requestId":7}},
            {"id":2,"result":null},{"id":null,"error":{"code":1}}]"#;
        let messages = read(batch).expect("a batch");
        assert!(messages[0].is_request());
        assert_eq!(messages[1].cancels.as_deref(), Some("7"));
        assert!(!messages[1].is_request() && !messages[1].is_response());
        assert!(messages[3].is_response() && messages[3].id.is_none());
        for wrong in ["", "{", "7", "\"x\"", "[1]", "{} {}"] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_one_line_of_json() {
        let pretty = b"{\r\n  \"id\": 1,\n  \"result\": {}\n}\n".to_vec();
        let line = on_one_line(pretty);
        assert_eq!(memchr::memchr_iter(b'\n', &line).count(), 1);
        assert!(read(&line).is_ok());
        let error = error_line(Some("\"a\""), -32_000, "a \"b\"\nc");
        assert_eq!(memchr::memchr_iter(b'\n', &error).count(), 1);
        let read_back: serde_json::Value = serde_json::from_slice(&error).expect("JSON");
        assert_eq!(read_back["id"], "a");
        assert_eq!(read_back["error"]["message"], "a \"b\"\nc");
    }
}
