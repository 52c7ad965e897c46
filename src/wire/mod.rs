//! MCP on the wire: protocol eras, JSON-RPC envelopes, lines of JSON, server-sent events, header rules.
//!
//! Pure functions over bytes. Nothing here keeps a whole body, re-serialises, or decides what a session is; bytes
//! that cannot be read are reported as such and pass all the same.

mod bits;
mod coding;
mod endpoint;
mod envelope;
mod era;
mod headers;
mod lines;
mod meta;
mod sse;
mod text;

pub use coding::{Coding, Decoder, Undecodable};
pub use endpoint::EndpointFinder;
pub use envelope::{Envelope, EnvelopeScanner};
pub use era::{FIRST_MODERN_REVISION, era_of};
pub use headers::{
    ANSWERED_BY, ARCHON_SESSION_ID, BodyKind, MCP_SESSION_ID, baggage_session, body_kind,
    header_value, trace_id,
};
pub use lines::LineScanner;
pub use meta::{ClientInfo, RequestMeta};
pub use sse::SseScanner;
pub use text::Text;

#[cfg(test)]
mod fuzz;
