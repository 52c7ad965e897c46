//! Server-sent events with their data (WHATWG HTML, section 9.2), for messages that go on over another transport.

use std::time::Duration;

use memchr::memchr2;

/// What one event brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The data of a message.
    Data(Vec<u8>),
    /// A message that was longer than allowed, and was left out.
    TooLong,
}

/// Reads the events of a stream, in pieces of any size.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the bytes so far"
)]
pub(super) struct Events {
    longest: usize,
    line: Vec<u8>,
    /// Whether the line under way is longer than any may be: only its beginning is kept.
    line_too_long: bool,
    data: Option<Vec<u8>>,
    /// Whether the event under way is.
    too_long: bool,
    /// The last byte was a carriage return: a line feed behind it ends no further line.
    after_cr: bool,
    /// `event` of the event under way, where it is another kind than `message`.
    other: bool,
    pending_id: Option<Vec<u8>>,
    /// The id of the last event that was complete.
    pub(super) last_id: Option<Vec<u8>>,
    /// How long the server wants to be left alone before somebody connects again.
    pub(super) retry: Option<Duration>,
}

impl Events {
    /// A reader of a stream whose messages are at most `longest` bytes long.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            longest,
            line: Vec::new(),
            line_too_long: false,
            data: None,
            too_long: false,
            after_cr: false,
            other: false,
            pending_id: None,
            last_id: None,
            retry: None,
        }
    }

    /// Reads on; what the events that are complete by now brought.
    pub(super) fn feed(&mut self, bytes: &[u8], found: &mut Vec<Event>) {
        let mut rest = bytes;
        if std::mem::take(&mut self.after_cr) && rest.first() == Some(&b'\n') {
            rest = &rest[1..];
        }
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            self.take(&rest[..end]);
            self.line_ended(found);
            let mut next = end + 1;
            if rest[end] == b'\r' {
                match rest.get(next) {
                    Some(b'\n') => next += 1,
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            rest = &rest[next..];
        }
        self.take(rest);
    }

    fn take(&mut self, bytes: &[u8]) {
        // The field's name on top of what a message may have.
        self.line_too_long |= self.line.len() + bytes.len() > self.longest + 64;
        if !self.line_too_long {
            self.line.extend_from_slice(bytes);
        }
    }

    fn line_ended(&mut self, found: &mut Vec<Event>) {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.line_too_long) {
            // A comment may be as long as it likes.
            self.too_long |= line.first() != Some(&b':');
            return;
        }
        if line.is_empty() {
            self.event_ended(found);
            return;
        }
        let (field, value) = match memchr::memchr(b':', &line) {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (&line[..], &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                let data = self.data.get_or_insert_default();
                if !data.is_empty() {
                    data.push(b'\n');
                }
                if data.len() + value.len() > self.longest {
                    self.too_long = true;
                } else {
                    data.extend_from_slice(value);
                }
            }
            b"id" if !value.contains(&0) => self.pending_id = Some(value.to_vec()),
            b"event" => self.other = !matches!(value, b"" | b"message"),
            b"retry" => {
                let millis = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok());
                self.retry = millis.map(Duration::from_millis).or(self.retry);
            }
            _ => {}
        }
        // The memory of a long line is used again.
        self.line = line;
        self.line.clear();
        self.line.shrink_to(1 << 16);
    }

    fn event_ended(&mut self, found: &mut Vec<Event>) {
        if let Some(id) = self.pending_id.take() {
            self.last_id = Some(id).filter(|id| !id.is_empty());
        }
        let (data, too_long) = (self.data.take(), std::mem::take(&mut self.too_long));
        if std::mem::take(&mut self.other) {
            return;
        }
        if too_long {
            found.push(Event::TooLong);
        } else if let Some(data) = data
            && !data.is_empty()
        {
            found.push(Event::Data(data));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\n\nid: 7\ndata:\n\nretry: 250\r\nevent: message\r\ndata: {\"a\":1,\r\ndata:\"b\":2}\r\n\r\n\
        event: ping\ndata: x\n\ndata: y\rid: 8\r\rdata: unfinished\n";

    #[test]
    fn events_are_read_in_any_pieces() {
        for size in 1..=STREAM.len() {
            let (mut events, mut found) = (Events::new(1_000), Vec::new());
            for piece in STREAM.as_bytes().chunks(size) {
                events.feed(piece, &mut found);
            }
            let data = |text: &str| Event::Data(text.as_bytes().to_vec());
            assert_eq!(
                found,
                [data("{\"a\":1,\n\"b\":2}"), data("y")],
                "pieces of {size}"
            );
            assert_eq!(events.last_id.as_deref(), Some(&b"8"[..]));
            assert_eq!(events.retry, Some(Duration::from_millis(250)));
        }
    }

    #[test]
    fn what_is_too_long_is_left_out_and_the_rest_is_read() {
        let (mut events, mut found) = (Events::new(100), Vec::new());
        for _ in 0..1_000 {
            events.feed(b"data: 0123456789\n", &mut found);
        }
        events.feed(b"\ndata: short\n\n", &mut found);
        events.feed(
            format!("data: {}\n\ndata: on\n\n", "x".repeat(5_000)).as_bytes(),
            &mut found,
        );
        assert_eq!(
            found,
            [
                Event::TooLong,
                Event::Data(b"short".to_vec()),
                Event::TooLong,
                Event::Data(b"on".to_vec())
            ]
        );
    }
}
