//! Reads JSON-RPC messages out of lines of JSON (MCP 2025-11-25 and 2026-07-28, Transports, stdio).

use memchr::memchr;

use super::envelope::{Envelope, EnvelopeScanner};

/// How many bytes of captured members may wait for the end of their line. Only a batch has more; what comes behind is
/// not read, so that no line makes memory grow without bound.
const MOST_WAITING: usize = 1 << 20;

/// Reads the lines of one direction, in pieces of any size and without keeping them. A message is found when its line
/// ends, since that is when the other side gets it.
#[derive(Clone, Debug, Default)]
pub struct LineScanner {
    json: EnvelopeScanner,
    waiting: Vec<Envelope>,
    /// What the waiting ones take.
    waiting_bytes: usize,
    /// Whether the line has more than may wait.
    overfull: bool,
    /// Bytes of the line so far.
    line_bytes: u64,
    unreadable: u64,
}

impl LineScanner {
    /// Keeps up to `limit` bytes of the text of each message from now on.
    pub fn keep_text(&mut self, limit: usize) {
        self.json.keep_text(limit);
    }

    /// Whether the next byte begins a line.
    #[must_use]
    pub fn at_line_start(&self) -> bool {
        self.line_bytes == 0
    }

    /// How many lines could not be read as JSON, in full or in part.
    #[must_use]
    pub fn unreadable_lines(&self) -> u64 {
        self.unreadable
    }

    /// Reads on. `found` gets each message once its line has ended, with the bytes of that line; the further messages
    /// of a batch come with 0, so that no byte is counted twice.
    pub fn feed(&mut self, bytes: &[u8], found: &mut impl FnMut(Envelope, u64)) {
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            self.read_on(&rest[..end]);
            self.line_bytes += 1;
            self.line_ended(found);
            rest = &rest[end + 1..];
        }
        self.read_on(rest);
    }

    /// The stream ended. A line without its end was never a message to the other side.
    pub fn end(&mut self) {
        self.unreadable += u64::from(!self.json.is_blank() || self.overfull);
        self.begin_line();
    }

    fn read_on(&mut self, bytes: &[u8]) {
        self.line_bytes += bytes.len() as u64;
        let (waiting, waiting_bytes, overfull) = (
            &mut self.waiting,
            &mut self.waiting_bytes,
            &mut self.overfull,
        );
        self.json.feed(bytes, &mut |mut envelope| {
            // Texts are worth less than the messages behind them.
            if *waiting_bytes + envelope.captured_bytes() > MOST_WAITING / 2
                && let Some(text) = &mut envelope.text
            {
                text.forget();
            }
            *waiting_bytes += size_of::<Envelope>() + envelope.captured_bytes();
            *overfull |= *waiting_bytes > MOST_WAITING;
            if !*overfull {
                waiting.push(envelope);
            }
        });
    }

    fn line_ended(&mut self, found: &mut impl FnMut(Envelope, u64)) {
        let readable = self.json.is_complete() || self.json.is_blank();
        self.unreadable += u64::from(!readable || self.overfull);
        let mut bytes = self.line_bytes;
        for envelope in self.waiting.drain(..) {
            // The other side throws away a line that is no JSON, whatever its beginning looked like.
            if readable {
                found(envelope, std::mem::take(&mut bytes));
            }
        }
        self.begin_line();
    }

    fn begin_line(&mut self) {
        self.json.reset();
        self.waiting.clear();
        self.waiting.shrink_to(16);
        (self.waiting_bytes, self.overfull, self.line_bytes) = (0, false, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scanner: &mut LineScanner, text: &[u8], piece: usize) -> Vec<(Envelope, u64)> {
        let mut found = Vec::new();
        for bytes in text.chunks(piece) {
            scanner.feed(bytes, &mut |envelope, size| found.push((envelope, size)));
        }
        found
    }

    const LINES: &str = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n\n  \nnot json\n\
        [{\"id\":2,\"method\":\"a\"},{\"method\":\"b\"}]\n{\"id\":1,\"result\":{}}{}\n{\"id\":\"é\",\"result\":{}}\n{\"id\":3,\"res";

    #[test]
    fn messages_are_found_when_their_line_ends_and_in_any_cut() {
        for piece in 1..=LINES.len() {
            let mut scanner = LineScanner::default();
            let found = read(&mut scanner, LINES.as_bytes(), piece);
            let seen: Vec<_> = found
                .iter()
                .map(|(envelope, size)| (envelope.id.as_deref(), *size))
                .collect();
            assert_eq!(
                seen,
                [
                    (Some(&b"1"[..]), 42),
                    (Some(b"2"), 39),
                    (None, 0),
                    (Some("\"é\"".as_bytes()), 24),
                ],
                "pieces of {piece}"
            );
            assert_eq!(scanner.unreadable_lines(), 2);
            assert!(!scanner.at_line_start());
            scanner.end();
            assert_eq!(scanner.unreadable_lines(), 3, "the last line has no end");
            assert!(scanner.at_line_start());
        }
    }

    #[test]
    fn a_message_waits_for_the_end_of_its_line() {
        let mut scanner = LineScanner::default();
        assert!(read(&mut scanner, br#"{"id":1,"result":{}}"#, 99).is_empty());
        assert_eq!(read(&mut scanner, b"\n", 1).len(), 1);
    }

    #[test]
    fn a_line_of_any_length_is_read_without_being_kept() {
        let mut scanner = LineScanner::default();
        let long = format!(
            r#"{{"id":7,"result":{{"content":[{{"type":"text","text":"{}"}}]}}}}"#,
            "x".repeat(8 << 20)
        );
        let mut found = read(&mut scanner, long.as_bytes(), 65_536);
        found.extend(read(&mut scanner, b"\n", 1));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1, long.len() as u64 + 1);
        assert!(found[0].0.captured_bytes() < 1_000);
    }

    #[test]
    fn a_batch_that_is_too_much_is_read_to_its_bound_and_counted() {
        let mut scanner = LineScanner::default();
        let member = r#"{"id":1,"method":"m"},"#;
        let line = format!("[{}{{}}]\n", member.repeat(200_000));
        let found = read(&mut scanner, line.as_bytes(), 65_536);
        assert!(!found.is_empty() && found.len() < 10_000);
        assert_eq!(scanner.unreadable_lines(), 1);
        assert_eq!(read(&mut scanner, LINES.as_bytes(), 7).len(), 4, "and on");
    }

    /// Numbers that look random and are the same in every run (xorshift64*).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
            usize::try_from(number).expect("31 bits") % bound
        }
    }

    /// Pieces that make lines which are messages, nearly messages, or nothing.
    const PIECES: [&str; 24] = [
        "\n",
        "\r\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"x\"}}",
        "{\"id\":\"a\\\"b\",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"\\n\"}],\"isError\":true}}",
        "{\"id\":2,\"error\":{\"code\":-1,\"message\":\"é\"}}",
        "{\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":3}}",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "\\",
        " ",
        "null",
        "true",
        "1.5e3",
        "\"id\"",
        "\"method\"",
        "\"params\"",
        "\u{0}",
        "ü",
        "xyz",
    ];

    /// What the scanner must find: each line on its own, read as a whole.
    fn read_by_lines(bytes: &[u8]) -> (Vec<(Envelope, u64)>, u64) {
        let (mut found, mut unreadable) = (Vec::new(), 0);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (mut scanner, mut messages) = (EnvelopeScanner::default(), Vec::new());
            let text = line.strip_suffix(b"\n");
            scanner.feed(text.unwrap_or(line), &mut |envelope| {
                messages.push(envelope);
            });
            if text.is_some() && (scanner.is_complete() || scanner.is_blank()) {
                let mut size = line.len() as u64;
                found.extend(
                    messages
                        .into_iter()
                        .map(|envelope| (envelope, std::mem::take(&mut size))),
                );
            } else {
                unreadable += u64::from(!scanner.is_blank());
            }
        }
        (found, unreadable)
    }

    #[test]
    fn lines_of_anything_are_read_as_each_on_its_own() {
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
        let mut messages = 0;
        for _ in 0..4_000 {
            let count = numbers.below(40);
            let text: String = (0..count)
                .map(|_| {
                    // Every other piece is one of the whole messages, or ends a line.
                    let most = [6, PIECES.len()][numbers.below(2)];
                    PIECES[numbers.below(most)]
                })
                .collect();
            let (mut scanner, mut found) = (LineScanner::default(), Vec::new());
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(1 + numbers.below(rest.len().min(30)));
                scanner.feed(piece, &mut |envelope, size| found.push((envelope, size)));
                rest = after;
            }
            scanner.end();
            let expected = read_by_lines(text.as_bytes());
            assert_eq!((found, scanner.unreadable_lines()), expected, "{text:?}");
            messages += expected.0.len();
        }
        assert!(messages > 1_000, "{messages}");
    }
}
