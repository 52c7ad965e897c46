//! The headers that revision 2026-07-28 wants on requests over HTTP, made from the body (Streamable HTTP, Request
//! Metadata), tools' own parameters included.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::message::Message;

/// The annotation of a tool's parameter that is repeated in a header.
const ANNOTATION: &str = "x-mcp-header";
/// How many tools' parameters are remembered.
const MOST_TOOLS: usize = 10_000;
/// Deeper schemas are not looked into.
const DEEPEST: usize = 64;
/// The largest integer that every JSON reader keeps (2^53 - 1).
const LARGEST_INTEGER: u64 = (1 << 53) - 1;

/// A header's value: as it stands where HTTP can carry it, else in the form `=?base64?…?=` (Value Encoding).
pub(super) fn encoded(value: &str) -> Vec<u8> {
    let fits = |byte| matches!(byte, b'\t' | b' '..=b'~');
    let ends = |text: &str| text.starts_with([' ', '\t']) || text.ends_with([' ', '\t']);
    let looks_encoded = value.starts_with("=?base64?") && value.ends_with("?=");
    let plain = !value.is_empty() && value.bytes().all(fits);
    if plain && !ends(value) && !looks_encoded {
        value.as_bytes().to_vec()
    } else {
        format!("=?base64?{}?=", STANDARD.encode(value)).into_bytes()
    }
}

/// The standard headers of a modern request.
pub(super) fn standard(message: &Message, version: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut headers = vec![("MCP-Protocol-Version", version.as_bytes().to_vec())];
    if let Some(method) = &message.method {
        headers.push(("Mcp-Method", encoded(method)));
    }
    if let Some(name) = &message.name {
        headers.push(("Mcp-Name", encoded(name)));
    }
    headers
}

/// Where a tool wants a parameter repeated: the header's name, and the way to the parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mirrored {
    header: String,
    path: Vec<String>,
}

/// Which parameters of which tools are repeated in headers, as far as `tools/list` has told.
#[derive(Debug, Default)]
pub(super) struct ToolHeaders(Mutex<HashMap<String, Vec<Mirrored>>>);

impl ToolHeaders {
    fn tools(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<Mirrored>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns from an answer to `tools/list`. Gives the cursor of the next page.
    pub(super) fn learn(&self, result: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct List {
            #[serde(default)]
            tools: Vec<Tool>,
            #[serde(default, rename = "nextCursor")]
            next: Option<String>,
        }
        #[derive(Deserialize)]
        struct Tool {
            name: String,
            #[serde(default, rename = "inputSchema")]
            schema: Value,
        }
        let list: List = serde_json::from_str(result).ok()?;
        let mut tools = self.tools();
        for tool in list.tools {
            match mirrored(&tool.schema) {
                Ok(found) if found.is_empty() => {
                    tools.remove(&tool.name);
                }
                Ok(found) if tools.len() < MOST_TOOLS => {
                    tools.insert(tool.name, found);
                }
                Ok(_) => {}
                Err(why) => {
                    tools.remove(&tool.name);
                    tracing::warn!(tool = %tool.name, why, "calls of this tool carry no Mcp-Param headers, because its definition is not valid");
                }
            }
        }
        list.next
    }

    /// The `Mcp-Param` headers of a call.
    pub(super) fn of_call(&self, call: &Message) -> Vec<(String, Vec<u8>)> {
        let tools = self.tools();
        let mirrored = call.name.as_deref().and_then(|name| tools.get(name));
        let (Some(mirrored), Some(params)) = (mirrored, &call.params) else {
            return Vec::new();
        };
        let params: Value = serde_json::from_str(params.get()).unwrap_or_default();
        let header = |mirrored: &Mirrored| {
            let arguments = params.get("arguments")?;
            let value = mirrored
                .path
                .iter()
                .try_fold(arguments, |value, key| value.get(key))?;
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Bool(truth) => truth.to_string(),
                Value::Number(number) if is_safe(number) => number.to_string(),
                _ => return None,
            };
            Some((format!("Mcp-Param-{}", mirrored.header), encoded(&value)))
        };
        mirrored.iter().filter_map(header).collect()
    }
}

/// Whether a number reads the same everywhere.
fn is_safe(number: &serde_json::Number) -> bool {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => number <= LARGEST_INTEGER,
        (None, Some(number)) => number.unsigned_abs() <= LARGEST_INTEGER,
        (None, None) => number.as_f64().is_some_and(f64::is_finite),
    }
}

/// The parameters of a tool's input schema that are repeated in headers (Schema Extension). Says what is wrong where the
/// definition is not valid.
fn mirrored(schema: &Value) -> Result<Vec<Mirrored>, &'static str> {
    let mut found = Vec::new();
    look_into(schema, &mut Vec::new(), true, &mut found, 0)?;
    let mut names = HashSet::new();
    let unique = found
        .iter()
        .all(|mirrored| names.insert(mirrored.header.to_ascii_lowercase()));
    if unique {
        Ok(found)
    } else {
        Err("two parameters ask for the same header")
    }
}

fn look_into(
    schema: &Value,
    path: &mut Vec<String>,
    reachable: bool,
    found: &mut Vec<Mirrored>,
    depth: usize,
) -> Result<(), &'static str> {
    if depth > DEEPEST {
        return Ok(());
    }
    if let Value::Array(schemas) = schema {
        return schemas
            .iter()
            .try_for_each(|schema| look_into(schema, path, false, found, depth + 1));
    }
    let Value::Object(members) = schema else {
        return Ok(());
    };
    if let Some(name) = members.get(ANNOTATION) {
        if !reachable || path.is_empty() {
            return Err("x-mcp-header stands where no chain of properties leads");
        }
        let name = name.as_str().filter(|name| is_token(name));
        let Some(name) = name else {
            return Err("x-mcp-header is no name of a header");
        };
        let kind = members.get("type").and_then(Value::as_str);
        if !matches!(kind, Some("string" | "integer" | "boolean")) {
            return Err("x-mcp-header is on a parameter that is no string, integer or boolean");
        }
        found.push(Mirrored {
            header: name.to_owned(),
            path: path.clone(),
        });
    }
    for (key, value) in members {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (name, schema) in properties {
                    path.push(name.clone());
                    let looked = look_into(schema, path, reachable, found, depth + 1);
                    path.pop();
                    looked?;
                }
            }
            // What these hold is data, not schemas.
            ("enum" | "const" | "default" | "examples" | "required", _) => {}
            _ => look_into(value, path, false, found, depth + 1)?,
        }
    }
    Ok(())
}

/// Whether `text` is a token (RFC 9110, section 5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::stdio::bridge::message;

    #[test]
    fn values_are_encoded_as_the_revision_says() {
        for (value, header) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            ("", "=?base64??="),
        ] {
            assert_eq!(encoded(value), header.as_bytes(), "{value}");
        }
    }

    fn call(arguments: &str) -> Message {
        let line = format!(
            r#"{{"id":1,"method":"tools/call","params":{{"name":"sql","arguments":{arguments}}}}}"#
        );
        message::read(line.as_bytes()).expect("a call").remove(0)
    }

    #[test]
    fn parameters_are_repeated_as_the_tool_asks() {
        let tools = ToolHeaders::default();
        assert!(tools.of_call(&call(r#"{"region":"x"}"#)).is_empty());
        let next = tools.learn(
            r#"{"tools":[{"name":"sql","inputSchema":{"type":"object","properties":{
                "region":{"type":"string","x-mcp-header":"Region"},
                "deep":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"}}},
                "dry":{"type":"boolean","x-mcp-header":"Dry"},"query":{"type":"string"}}}}],"nextCursor":"p2"}"#,
        );
        assert_eq!(next.as_deref(), Some("p2"));
        let mut headers = tools.of_call(&call(
            r#"{"region":"é","deep":{"n":-7},"dry":true,"query":"q"}"#,
        ));
        headers.sort();
        let text = |value: &str| value.as_bytes().to_vec();
        assert_eq!(
            headers,
            [
                ("Mcp-Param-Dry".to_owned(), text("true")),
                ("Mcp-Param-N".to_owned(), text("-7")),
                ("Mcp-Param-Region".to_owned(), text("=?base64?w6k=?=")),
            ]
        );
        let few = tools.of_call(&call(r#"{"region":null,"deep":{"n":9007199254740993}}"#));
        assert!(few.is_empty(), "{few:?}");
        tools.learn(r#"{"tools":[{"name":"sql","inputSchema":{}}]}"#);
        assert!(tools.of_call(&call(r#"{"region":"x"}"#)).is_empty());
    }

    #[test]
    fn definitions_that_are_not_valid_are_left_out() {
        for schema in [
            r#"{"x-mcp-header":"A","type":"string"}"#,
            r#"{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}"#,
            r#"{"properties":{"a":{"type":"string","x-mcp-header":"A B"}}}"#,
            r#"{"properties":{"a":{"type":"string","x-mcp-header":""}}}"#,
            r#"{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}"#,
            r#"{"properties":{"a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}}}"#,
            r#"{"oneOf":[{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}]}"#,
        ] {
            let schema: Value = serde_json::from_str(schema).expect("JSON");
            assert!(mirrored(&schema).is_err(), "{schema}");
        }
        let data = serde_json::json!({"properties": {"a": {"type": "object", "default": {"x-mcp-header": 1}}}});
        assert_eq!(mirrored(&data), Ok(Vec::new()));
    }
}
