//! Reads JSON-RPC messages out of a stream of server-sent events (WHATWG HTML, section 9.2).

use memchr::{memchr, memchr2};

use super::envelope::{Envelope, EnvelopeScanner};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// At the start of a line; so many bytes of `data:` have matched.
    Field(usize),
    /// Directly behind `data:`, where one blank is dropped.
    DataStart,
    /// In the value of a `data` field.
    Data,
    /// In a line of no interest: a comment, another field.
    Other,
}

const DATA: &[u8] = b"data:";

/// How many messages of one event keep their texts until it ends. Only a batch has more.
const MOST_TEXTS: usize = 64;

/// Reads the events of one stream, in pieces of any size. A message is found when its event ends, since that is when
/// a client gets it.
#[derive(Clone, Debug)]
pub struct SseScanner {
    line: Line,
    /// The last byte was a carriage return: a line feed behind it ends no further line.
    after_cr: bool,
    /// Whether the event has data.
    has_data: bool,
    data: EnvelopeScanner,
    waiting: Vec<Envelope>,
    unreadable: u64,
}

impl Default for SseScanner {
    fn default() -> Self {
        Self {
            line: Line::Field(0),
            after_cr: false,
            has_data: false,
            data: EnvelopeScanner::default(),
            waiting: Vec::new(),
            unreadable: 0,
        }
    }
}

impl SseScanner {
    /// Keeps up to `limit` bytes of the text of each message from now on.
    pub fn keep_text(&mut self, limit: usize) {
        self.data.keep_text(limit);
    }

    /// Makes the scanner ready for another stream.
    pub fn reset(&mut self) {
        (self.line, self.after_cr, self.has_data, self.unreadable) =
            (Line::Field(0), false, false, 0);
        self.data.reset();
        self.waiting.clear();
    }

    /// How many events had data that could not be read as JSON.
    #[must_use]
    pub fn unreadable_events(&self) -> u64 {
        self.unreadable
    }

    /// Reads on. `found` gets each message once its event has ended.
    pub fn feed(&mut self, bytes: &[u8], found: &mut impl FnMut(Envelope)) {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if self.after_cr {
                self.after_cr = false;
                if byte == b'\n' {
                    at += 1;
                    continue;
                }
            }
            match self.line {
                Line::Field(0) if matches!(byte, b'\n' | b'\r') => {
                    self.after_cr = byte == b'\r';
                    self.event_ended(found);
                    at += 1;
                }
                Line::Field(matched) if byte == DATA[matched] => {
                    self.line = if matched + 1 == DATA.len() {
                        // Lines of data are joined by line feeds; between JSON tokens they mean nothing.
                        if self.has_data {
                            self.feed_data(b"\n");
                        }
                        self.has_data = true;
                        Line::DataStart
                    } else {
                        Line::Field(matched + 1)
                    };
                    at += 1;
                }
                Line::Field(_) => self.line = Line::Other,
                Line::DataStart => {
                    self.line = Line::Data;
                    if byte == b' ' {
                        at += 1;
                    }
                }
                Line::Data | Line::Other => {
                    let end = memchr2(b'\n', b'\r', &bytes[at..]).map(|offset| at + offset);
                    if self.line == Line::Data {
                        self.feed_data(&bytes[at..end.unwrap_or(bytes.len())]);
                    }
                    let Some(end) = end else { return };
                    self.after_cr = bytes[end] == b'\r';
                    self.line = Line::Field(0);
                    at = end + 1;
                }
            }
        }
    }

    fn feed_data(&mut self, bytes: &[u8]) {
        let waiting = &mut self.waiting;
        self.data.feed(bytes, &mut |mut envelope| {
            if waiting.len() >= MOST_TEXTS
                && let Some(text) = &mut envelope.text
            {
                text.forget();
            }
            waiting.push(envelope);
        });
    }

    fn event_ended(&mut self, found: &mut impl FnMut(Envelope)) {
        if !self.has_data {
            return;
        }
        // An event with empty data primes the client for resumption and says nothing (MCP 2025-11-25, Transports).
        self.unreadable += u64::from(!self.data.is_complete() && !self.data.is_blank());
        self.waiting.drain(..).for_each(found);
        self.data.reset();
        self.has_data = false;
    }
}

/// The fields of one event's lines, each with its value; comments left out.
pub(super) fn fields(event: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    event
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter(|line| !line.is_empty() && line[0] != b':')
        .map(|line| match memchr(b':', line) {
            None => (line, &line[line.len()..]),
            Some(at) => {
                let value = &line[at + 1..];
                (&line[..at], value.strip_prefix(b" ").unwrap_or(value))
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": keep-alive\n\nid: 0\ndata:\n\nid: 1\nevent: message\ndata: {\"id\":1,\ndata:\"result\":{}}\n\n\
        retry: 10\r\ndata:{\"id\":2,\"method\":\"roots/list\"}\r\n\r\ndata: nonsense\r\rdata\ndatabase: x\n\n\
        data: {\"id\":3,\"result\":{}}\n";

    #[test]
    fn messages_are_found_when_their_event_ends_and_in_any_cut() {
        for size in 1..STREAM.len() {
            let (mut scanner, mut found) = (SseScanner::default(), Vec::new());
            for piece in STREAM.as_bytes().chunks(size) {
                scanner.feed(piece, &mut |envelope| found.push(envelope));
            }
            assert_eq!(found.len(), 2, "pieces of {size}");
            assert!(found[0].is_response() && found[1].is_request());
            assert_eq!(scanner.unreadable_events(), 1);
            scanner.feed(b"\n", &mut |envelope| found.push(envelope));
            assert_eq!(found.len(), 3, "the last event ends with its blank line");
        }
    }
}
