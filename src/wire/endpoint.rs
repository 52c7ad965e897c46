//! Finds the endpoint that an event stream of the HTTP+SSE transport names (MCP 2024-11-05, Transports).

use super::sse::fields;

/// Longest beginning of a stream that is kept to find its first event in.
const MOST_KEPT: usize = 8 << 10;

/// Looks at the beginning of an event stream until its first event has ended.
#[derive(Debug, Default)]
pub struct EndpointFinder {
    kept: Vec<u8>,
    over: bool,
    found: Option<String>,
}

impl EndpointFinder {
    /// Reads on, as long as the first event has not ended.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.over {
            return;
        }
        let room = MOST_KEPT - self.kept.len();
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        while let Some((event, behind)) = first_event(&self.kept) {
            let (mut name, mut data) = (None, None);
            for (field, value) in fields(event) {
                match field {
                    b"event" => name = Some(value),
                    b"data" => data = Some(value),
                    _ => {}
                }
            }
            if name.is_some() || data.is_some() {
                self.over = true;
                self.found = match (name, data) {
                    (Some(b"endpoint"), Some(data)) => {
                        std::str::from_utf8(data).ok().map(str::to_owned)
                    }
                    _ => None,
                };
                break;
            }
            // Comments alone are no event.
            self.kept.drain(..behind);
        }
        self.over |= self.kept.len() >= MOST_KEPT;
        if self.over {
            self.kept = Vec::new();
        }
    }

    /// The endpoint, once, if the first event named one.
    pub fn take(&mut self) -> Option<String> {
        self.found.take()
    }

    /// Whether there is nothing more to find.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }
}

/// What stands before the first blank line, and where the bytes behind that line begin.
fn first_event(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut at = 0;
    while at < bytes.len() {
        let (line, next) = match memchr::memchr2(b'\n', b'\r', &bytes[at..]) {
            None => return None,
            // A line feed that belongs to this carriage return may still be on its way.
            Some(end) if bytes[at + end] == b'\r' && at + end + 1 == bytes.len() => return None,
            Some(end) => {
                let pair = bytes[at + end] == b'\r' && bytes[at + end + 1] == b'\n';
                (end, at + end + 1 + usize::from(pair))
            }
        };
        if line == 0 {
            return Some((&bytes[..at], next));
        }
        at = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(stream: &str, size: usize) -> Option<String> {
        let mut finder = EndpointFinder::default();
        for piece in stream.as_bytes().chunks(size) {
            finder.feed(piece);
        }
        finder.take()
    }

    #[test]
    fn the_first_event_names_the_endpoint() {
        for (stream, endpoint) in [
            (
                "event: endpoint\r\ndata: /messages/?session_id=a1\r\n\r\nevent: message\r\ndata: {}\r\n\r\n",
                Some("/messages/?session_id=a1"),
            ),
            (
                ": hello\n\nevent:endpoint\ndata:/m?sessionId=1\n\n",
                Some("/m?sessionId=1"),
            ),
            (
                "event: message\ndata: {}\n\nevent: endpoint\ndata: /x\n\n",
                None,
            ),
            ("event: endpoint\ndata: /x\n", None),
        ] {
            for size in 1..=stream.len() {
                assert_eq!(
                    found(stream, size).as_deref(),
                    endpoint,
                    "{stream} in {size}"
                );
            }
        }
    }

    #[test]
    fn no_more_than_a_beginning_is_kept() {
        let mut finder = EndpointFinder::default();
        for _ in 0..1_000 {
            finder.feed(&[b':'; 100]);
        }
        assert!(finder.is_over() && finder.kept.capacity() == 0);
    }
}
