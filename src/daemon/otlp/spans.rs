//! A finished request as a span, in the words of OpenTelemetry's conventions for MCP
//! (open-telemetry/semantic-conventions-genai, `docs/gen-ai/mcp.md`).

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use crate::model::{Operation, Target, Timestamp};
use crate::tracking::error_type;

/// An attribute.
pub(super) fn attribute(name: &str, value: &str) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

/// Nanoseconds since 1970.
pub(super) fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_micros())
        .unwrap_or(0)
        .saturating_mul(1_000)
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let pairs = hexadecimal.as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.filter_map(byte).collect()
}

/// The span of `operation`: a child of what `traceparent` named, else the root of a trace of its own. `None` where the caller does
/// not keep the trace. Ids are made of the request's, so that a request has the same ones whenever it is told.
pub(super) fn span(operation: &Operation) -> Option<Span> {
    if !operation.is_sampled() {
        return None;
    }
    let id = operation.request_id.0.as_bytes();
    let mut span_id = id.get(8..).unwrap_or_default().to_vec();
    if let [.., last] = &mut span_id[..]
        && *last == 0
    {
        // Zeros alone are no id.
        *last = 1;
    }
    let mut attributes = vec![
        attribute("mcp.method.name", &operation.method),
        attribute("mcp.session.id", &operation.session_id.to_string()),
    ];
    let mut name = operation.method.to_string();
    match &operation.target {
        Some(Target::Tool(tool)) => {
            attributes.push(attribute("gen_ai.operation.name", "execute_tool"));
            attributes.push(attribute("gen_ai.tool.name", tool));
            name = format!("{name} {tool}");
        }
        Some(Target::Prompt(prompt)) => {
            attributes.push(attribute("gen_ai.prompt.name", prompt));
            name = format!("{name} {prompt}");
        }
        Some(Target::Resource(uri)) => attributes.push(attribute("mcp.resource.uri", uri)),
        None => {}
    }
    if let Some(version) = &operation.protocol_version {
        attributes.push(attribute("mcp.protocol.version", version));
    }
    let error = error_type(operation);
    if !error.is_empty() {
        attributes.push(attribute("error.type", error));
        if error.starts_with('-') {
            attributes.push(attribute("rpc.response.status_code", error));
        }
    }
    // A request of the server is one that the client serves.
    let kind = if operation.from_server {
        SpanKind::Client
    } else {
        SpanKind::Server
    };
    Some(Span {
        trace_id: operation.trace_id().map_or_else(|| id.to_vec(), bytes),
        span_id,
        parent_span_id: operation.parent_span_id().map(bytes).unwrap_or_default(),
        name,
        kind: kind.into(),
        start_time_unix_nano: nanos(operation.started_at),
        end_time_unix_nano: nanos(operation.ended_at()),
        attributes,
        status: Some(Status {
            code: if error.is_empty() {
                StatusCode::Unset.into()
            } else {
                StatusCode::Error.into()
            },
            // What went wrong may hold anything.
            message: String::new(),
        }),
        ..Span::default()
    })
}
