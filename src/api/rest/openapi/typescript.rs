//! The types of an OpenAPI document in TypeScript, and which endpoint takes and answers which.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::document::{CONTENT_SCHEMA, SCHEMAS};

const HEAD: &str = "\
// The types of archonctl's REST API. Made by `archonctl schema typescript`; changes here are lost with the next time.
";

/// The declarations.
pub(in super::super) fn typescript(document: &Value) -> String {
    let mut text = HEAD.to_owned();
    for (name, schema) in members(&document["components"]["schemas"]) {
        about(&mut text, schema, "");
        match schema["properties"].as_object() {
            Some(_) => _ = writeln!(text, "export interface {name} {}", object(schema, "")),
            None => _ = writeln!(text, "export type {name} = {};", of(schema, "")),
        }
    }
    for method in ["get", "post"] {
        let (name, verb) = match method {
            "get" => ("Questions", "asked with GET"),
            _ => ("Reports", "written to with POST"),
        };
        let _ = write!(
            text,
            "\n/** What is {verb}: the query and the body that each path takes, and what it answers. */\nexport interface {name} {{\n"
        );
        for (path, operations) in members(&document["paths"]) {
            if let Some(operation) = operations.get(method) {
                endpoint(&mut text, path, operation);
            }
        }
        text.push_str("}\n");
    }
    text
}

/// The members of an object, in the order of their names.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn endpoint(text: &mut String, path: &str, operation: &Value) {
    let mut query = String::new();
    let parameters = operation["parameters"].as_array();
    for parameter in parameters.into_iter().flatten() {
        if parameter["in"] == "query" {
            let name = parameter["name"].as_str().unwrap_or_default();
            let _ = write!(query, "{name}?: {}; ", of(&parameter["schema"], "    "));
        }
    }
    let query = if query.is_empty() {
        "Record<string, never>".to_owned()
    } else {
        format!("{{ {query}}}")
    };
    let content = |part: &Value| {
        let (_, content) = members(&part["content"]).next()?;
        let data = &content["schema"]["properties"]["data"][CONTENT_SCHEMA];
        if !data.is_null() {
            return Some(format!("AsyncIterable<{}>", of(data, "    ")));
        }
        let schema = &content["schema"];
        (!schema.is_null()).then(|| of(schema, "    "))
    };
    let nothing = || "undefined".to_owned();
    let body = content(&operation["requestBody"]).unwrap_or_else(nothing);
    let good = members(&operation["responses"]).find(|(status, _)| status.starts_with('2'));
    let answer = good.and_then(|(_, answer)| content(answer));
    let answer = answer.unwrap_or_else(nothing);
    about(
        text,
        &serde_json::json!({"description": operation["summary"]}),
        "  ",
    );
    let _ = write!(
        text,
        "  \"{path}\": {{\n    query: {query};\n    body: {body};\n    answer: {answer};\n  }};\n"
    );
}

/// The description, where there is one.
fn about(text: &mut String, schema: &Value, indent: &str) {
    if indent.is_empty() {
        text.push('\n');
    }
    if let Some(description) = schema["description"].as_str() {
        let one_line = description.replace('\n', " ").replace("*/", "* /");
        let _ = writeln!(text, "{indent}/** {one_line} */");
    }
}

/// An object with named members.
fn object(schema: &Value, indent: &str) -> String {
    let inner = format!("{indent}  ");
    let mut text = "{\n".to_owned();
    let required = schema["required"].as_array();
    for (name, member) in members(&schema["properties"]) {
        about(&mut text, member, &inner);
        let must = required.is_some_and(|names| names.iter().any(|known| known == name));
        let mark = if must { "" } else { "?" };
        let _ = writeln!(text, "{inner}{name}{mark}: {};", of(member, &inner));
    }
    let _ = write!(text, "{indent}}}");
    text
}

/// A type.
fn of(schema: &Value, indent: &str) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.trim_start_matches(SCHEMAS).to_owned();
    }
    let words = schema["enum"].as_array();
    let either = ["anyOf", "oneOf"]
        .iter()
        .find_map(|name| schema[name].as_array());
    if let Some(words) = words {
        return words
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join(" | ");
    }
    if !schema["const"].is_null() {
        return schema["const"].to_string();
    }
    if let Some(either) = either {
        let each = either.iter().map(|one| of(one, indent));
        return each.collect::<Vec<_>>().join(" | ");
    }
    let one = |kind: &str| match kind {
        "string" => "string".to_owned(),
        "integer" | "number" => "number".to_owned(),
        "boolean" => "boolean".to_owned(),
        "null" => "null".to_owned(),
        "array" => format!("Array<{}>", of(&schema["items"], indent)),
        "object" if schema["properties"].is_object() => object(schema, indent),
        "object" => match &schema["additionalProperties"] {
            Value::Object(_) => {
                let value = of(&schema["additionalProperties"], indent);
                format!("Record<string, {value}>")
            }
            _ => "Record<string, unknown>".to_owned(),
        },
        _ => "unknown".to_owned(),
    };
    match &schema["type"] {
        Value::String(kind) => one(kind),
        Value::Array(kinds) => {
            let each = kinds.iter().filter_map(Value::as_str).map(one);
            each.collect::<Vec<_>>().join(" | ")
        }
        _ => "unknown".to_owned(),
    }
}
