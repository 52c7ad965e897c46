//! Descriptions put together: an OpenAPI document, and the types of the API as JSON Schema.

use serde_json::{Map, Value, json};

use super::super::access::{is_open, scope_of};
use super::{Described, Endpoints, Reply};

/// Where a schema says of what type the data is that a text holds (JSON Schema 2020-12, "contentSchema").
pub(super) const CONTENT_SCHEMA: &str = "contentSchema";

/// Where the document has its types.
pub(super) const SCHEMAS: &str = "#/components/schemas/";

impl Endpoints {
    /// The OpenAPI document.
    pub(in super::super) fn document(mut self) -> Value {
        let mut paths = Map::new();
        for described in &self.described {
            let path = paths.entry(described.path).or_insert_with(|| json!({}));
            path[described.method.as_str().to_lowercase()] = operation(described);
        }
        let mut schemas = self.answers.take_definitions(true);
        schemas.append(&mut self.bodies.take_definitions(true));
        let mut schemas = Value::Object(schemas);
        in_words_of_json(&mut schemas);
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "archonctl",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Sessions and requests of MCP servers: questions, and reports of servers that no proxy stands \
                    before. docs/API.md tells it at length.",
                "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
            },
            "servers": [{"url": "/", "description": "The daemon that serves this document"}],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {"token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `archonctl token create`, or a JWT, with the scope read, write or admin. A \
                        daemon that listens on loopback asks for none.",
                }},
            },
        })
    }
}

fn operation(described: &Described) -> Value {
    let operation = &described.operation;
    let parameters: Vec<_> = operation
        .parameters
        .iter()
        .map(super::Parameter::document)
        .collect();
    let replies = described
        .replies
        .iter()
        .map(|reply| (reply.status.to_string(), response(reply)));
    let mut document = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": replies.collect::<Map<_, _>>(),
        "security": security(described),
    });
    if let (Some(schema), Some(body)) = (&described.body, operation.body) {
        document["requestBody"] = json!({
            "required": body.required,
            "content": {"application/json": {"schema": schema}},
        });
    }
    document
}

/// Which scope a token needs for it; none at all where the daemon asks nobody.
fn security(described: &Described) -> Value {
    if is_open(described.path) {
        return json!([]);
    }
    json!([{"token": [scope_of(&described.method).as_str()]}, {}])
}

fn response(reply: &Reply) -> Value {
    let mut response = json!({"description": reply.description});
    if let Some(schema) = &reply.schema {
        response["content"] = json!({reply.kind: {"schema": schema}});
        if let Some(one) = &reply.of_one {
            // Of a stream the schema is that of each event.
            response["content"][reply.kind]["schema"] = json!({
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "event": {"type": "string"},
                    "data": {"type": "string", "contentMediaType": "application/json", CONTENT_SCHEMA: one},
                },
                "required": ["id", "event", "data"],
            });
        }
    }
    response
}

/// The types of an OpenAPI document as a JSON Schema of their own.
pub(in super::super) fn json_schema(document: &Value) -> Value {
    let mut types = document["components"]["schemas"].clone();
    rename(&mut types);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "archonctl",
        "description": "The types of archonctl's REST API, each under its name in $defs",
        "$defs": types,
    })
}

/// The documentation of types speaks of Rust.
fn in_words_of_json(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "description" => {
                        *text = text.replace("`None`", "`null`");
                    }
                    other => in_words_of_json(other),
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(in_words_of_json),
        _ => {}
    }
}

/// Lets references find the types where they are now.
fn rename(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(to) if name == "$ref" => {
                        *to = to.replace(SCHEMAS, "#/$defs/");
                    }
                    other => rename(other),
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(rename),
        _ => {}
    }
}
