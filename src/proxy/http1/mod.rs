//! HTTP/1.1 on the wire (RFC 9112), as much of it as a relay needs: where heads and bodies end, and which lines of a
//! head belong to one connection only. Parsing of the lines themselves is httparse's.

mod framing;
mod head;

pub(super) use framing::Framing;
pub(super) use head::{Added, BadHead, MOST_HEADERS, RequestHead, ResponseHead, no_headers};
