//! Answers that the proxy makes itself. Each carries a header that says so.

use bytes::Bytes;
use http::StatusCode;

use crate::wire::ANSWERED_BY;

/// An answer of our own.
#[derive(Debug)]
pub(super) struct OwnAnswer {
    pub(super) status: StatusCode,
    /// Value of the marker header.
    pub(super) reason: &'static str,
    /// A JSON document.
    pub(super) body: Bytes,
    /// After how many seconds another try makes sense.
    pub(super) retry_after: Option<u32>,
}

impl OwnAnswer {
    /// A JSON-RPC error (JSON-RPC 2.0, section 5.1) under an HTTP status. `id` is raw JSON.
    ///
    /// The code is one of the range that JSON-RPC leaves to servers; `data.reason` repeats the marker header.
    pub(super) fn error(
        status: StatusCode,
        reason: &'static str,
        message: &str,
        id: Option<&[u8]>,
    ) -> Self {
        let id = id
            .and_then(|id| serde_json::from_slice::<serde_json::Value>(id).ok())
            .unwrap_or_default();
        let body = serde_json::json!({
            "jsonrpc": "2.0",
            "id": id,
            "error": { "code": -32_000, "message": message, "data": { "reason": reason, "by": "archonctl" } },
        });
        Self {
            status,
            reason,
            body: body.to_string().into(),
            retry_after: None,
        }
    }

    /// What `/health` answers to a request with `method`.
    pub(super) fn health(method: &str, body: impl FnOnce() -> Bytes) -> Self {
        match method {
            "GET" | "HEAD" => Self {
                status: StatusCode::OK,
                reason: "health",
                body: body(),
                retry_after: None,
            },
            _ => Self::error(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "/health answers GET",
                None,
            ),
        }
    }

    /// Appends the whole answer as HTTP/1.1; without its body to a HEAD.
    pub(super) fn write(&self, to_head: bool, close: bool, out: &mut Vec<u8>) {
        let (status, reason) = (
            self.status.as_u16(),
            self.status.canonical_reason().unwrap_or_default(),
        );
        let close = if close { "Connection: close\r\n" } else { "" };
        let retry = self
            .retry_after
            .map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n{ANSWERED_BY}: {}\r\nContent-Length: {}\r\n{retry}{close}\r\n",
            self.reason,
            self.body.len()
        );
        out.extend_from_slice(head.as_bytes());
        if !to_head {
            out.extend_from_slice(&self.body);
        }
    }
}
