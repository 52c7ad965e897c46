//! One JSON-RPC request and how it went.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cost, RequestId, SessionId, Timestamp};

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OperationStatus {
    /// A result.
    Success,
    /// A JSON-RPC error, a result with `isError: true`, an HTTP error, a broken stream or a cancellation.
    Error,
    /// The server did not answer within the request timeout.
    Timeout,
}

impl OperationStatus {
    /// The word the store keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Timeout => "timeout",
        }
    }
}

impl fmt::Display for OperationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a request was aimed at, where its method aims at something by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// `tools/call`: the tool's name.
    Tool(Box<str>),
    /// `prompts/get`: the prompt's name.
    Prompt(Box<str>),
    /// `resources/read` and its kin: the resource's URI.
    Resource(Box<str>),
}

/// The methods of the handshake. Their operations are rows like any other, but a session's `total_requests` leaves them
/// out: a session that did nothing else has 0.
pub const HANDSHAKE_METHODS: [&str; 2] = ["initialize", "server/discover"];

/// One JSON-RPC request, finished: a row of `archon_mcp_requests`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Minted here; what makes replay idempotent.
    pub request_id: RequestId,
    /// The session it belongs to.
    pub session_id: SessionId,
    /// JSON-RPC method, as sent.
    pub method: Box<str>,
    /// Tool, prompt or resource, if the method names one.
    pub target: Option<Target>,
    /// True for a request that the server sent to the client.
    pub from_server: bool,
    /// When its first byte was seen.
    pub started_at: Timestamp,
    /// Microseconds from the first byte of the request to the frame that completed the answer; [`UNKNOWN_DURATION`] where
    /// nobody measured it.
    pub duration_us: u64,
    /// How it ended.
    pub status: OperationStatus,
    /// What went wrong, for anything but success.
    pub error_message: Option<Box<str>>,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body, up to the end of this answer.
    pub bytes_out: u64,
    /// Protocol revision the request was made under, if it said.
    pub protocol_version: Option<Box<str>>,
    /// Trace id of `traceparent` (W3C Trace Context, section 3.2), 32 hexadecimal digits; behind it, as in `traceparent`, the
    /// span id of the parent and the flags. Records of older versions have the trace id alone.
    pub trace_id: Option<Box<str>>,
    /// Estimated tokens of the arguments; `None` where nothing estimated them.
    pub prompt_tokens: Option<u32>,
    /// Estimated tokens of the result's content; `None` where nothing estimated them.
    pub completion_tokens: Option<u32>,
    /// Estimated cost of those tokens.
    pub estimated_cost: Option<Cost>,
    /// The model that the answer said it is of. Known only while the instance lives that saw it.
    #[serde(skip)]
    pub model: Option<Box<str>>,
}

/// Stands in [`Operation::duration_us`] for a duration that nobody measured.
pub const UNKNOWN_DURATION: u64 = u64::MAX;

impl Operation {
    /// How long it took, if somebody measured it.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        let measured = self.duration_us != UNKNOWN_DURATION;
        measured.then(|| Duration::from_micros(self.duration_us))
    }

    /// When it was over; where nobody measured how long it took, when it began.
    #[must_use]
    pub fn ended_at(&self) -> Timestamp {
        self.started_at.plus(self.duration().unwrap_or_default())
    }

    /// The trace that it belongs to.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        let text = self.trace_id.as_deref()?;
        Some(text.get(..32).unwrap_or(text))
    }

    /// The span that it is a child of, 16 hexadecimal digits.
    #[must_use]
    pub fn parent_span_id(&self) -> Option<&str> {
        self.trace_id.as_deref()?.get(33..49)
    }

    /// Whether its caller keeps the trace (section 3.2.2.5.1, the flag `sampled`); where none said, it is kept.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        let flags = self.trace_id.as_deref().and_then(|text| text.get(50..52));
        let flags = flags.and_then(|flags| u8::from_str_radix(flags, 16).ok());
        flags.is_none_or(|flags| flags & 1 == 1)
    }

    /// Whether this is part of the handshake, which counts leave out.
    #[must_use]
    pub fn is_handshake(&self) -> bool {
        HANDSHAKE_METHODS.contains(&&*self.method)
    }
}
