//! Answers that the proxy makes itself. Each carries a header that says so.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use crate::wire::ANSWERED_BY;

use super::body::AnswerBody;

/// A JSON-RPC error (JSON-RPC 2.0, section 5.1) under an HTTP status. `id` is raw JSON.
///
/// The code is one of the range that JSON-RPC leaves to servers; `data.reason` repeats the marker header.
pub(super) fn error(
    status: StatusCode,
    reason: &'static str,
    message: &str,
    id: Option<&[u8]>,
) -> Response<AnswerBody> {
    let id = id
        .and_then(|id| serde_json::from_slice::<serde_json::Value>(id).ok())
        .unwrap_or_default();
    let body = serde_json::json!({
        "jsonrpc": "2.0",
        "id": id,
        "error": { "code": -32_000, "message": message, "data": { "reason": reason, "by": "archonctl" } },
    });
    json(status, reason, body.to_string().into())
}

/// A JSON document of our own.
pub(super) fn json(status: StatusCode, reason: &'static str, body: Bytes) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::Own(Full::new(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(ANSWERED_BY, HeaderValue::from_static(reason));
    response
}
