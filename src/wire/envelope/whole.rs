//! Reads an envelope that is there in one piece, as nearly all are: by recursive descent, at a third of the cost of the
//! scanner that can stop between any two bytes.
//!
//! Reads only what is plain JSON and within every limit. At anything else it gives up and says nothing: the scanner then
//! reads the same bytes and decides.

use memchr::memchr2;

use super::{Envelope, LONGEST_KEY, Part, Slot, Taking, TextSink};

/// Containers in containers that are followed here.
const DEEPEST: usize = 64;

/// The one message that `bytes` are, blanks around it left aside, with up to `limit` bytes of its text.
pub(super) fn read(bytes: &[u8], limit: usize) -> Option<Envelope> {
    let mut reader = Reader {
        bytes,
        at: 0,
        envelope: Envelope::default(),
        content: None,
        text: TextSink::default(),
        in_texts: false,
    };
    reader.text.keep(limit);
    reader.skip_blanks();
    reader.message()?;
    reader.skip_blanks();
    if let (Some(content), true) = (reader.content, reader.envelope.is_error) {
        reader.envelope.store(Slot::ContentStart, content);
    }
    if reader.at < bytes.len() {
        return None;
    }
    reader.envelope.text = reader.text.take();
    Some(reader.envelope)
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    envelope: Envelope,
    /// The beginning of `result.content`, wanted only if the result turns out to be a failure.
    content: Option<&'b [u8]>,
    text: TextSink,
    /// Whether strings called `text` are texts here.
    in_texts: bool,
}

impl<'b> Reader<'b> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let there = self.peek()? == byte;
        self.at += 1;
        there.then_some(())
    }

    fn message(&mut self) -> Option<()> {
        self.members(|reader, key| match key {
            b"params" if reader.peek() == Some(b'{') => reader.part(Part::Params),
            b"result" => {
                reader.envelope.has_result = true;
                if reader.peek() == Some(b'{') {
                    reader.part(Part::Result)
                } else {
                    reader.skip_value(0)
                }
            }
            _ => reader.member(Slot::of_message(key), 0),
        })
    }

    fn part(&mut self, part: Part) -> Option<()> {
        self.members(|reader, key| {
            let taking = match part {
                Part::Params => Taking::of_params(key),
                Part::Result => Taking::of_result(key),
                Part::Other => None,
            };
            let from = reader.at;
            reader.in_texts = taking == Some(Taking::Texts);
            let is_string = reader.peek() == Some(b'"');
            reader.member(Slot::of_part(part, key), 1)?;
            match taking {
                Some(Taking::Texts) if is_string => reader.take_text(from),
                Some(taking) if taking.is_value() => {
                    reader.text.add(taking, &reader.bytes[from..reader.at]);
                }
                _ => {}
            }
            reader.in_texts = false;
            Some(())
        })
    }

    /// Takes the string that began at `from` and ends here.
    fn take_text(&mut self, from: usize) {
        self.text
            .add(Taking::Texts, &self.bytes[from + 1..self.at - 1]);
        self.text.part();
    }

    /// Reads an object; `value` reads the value of each member.
    fn members(&mut self, mut value: impl FnMut(&mut Self, &'b [u8]) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        self.skip_blanks();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let key = self.key()?;
            self.skip_blanks();
            self.expect(b':')?;
            self.skip_blanks();
            value(self, key)?;
            self.skip_blanks();
            self.at += 1;
            match self.bytes.get(self.at - 1)? {
                b',' => self.skip_blanks(),
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Reads a key without escapes, short enough to matter.
    fn key(&mut self) -> Option<&'b [u8]> {
        self.expect(b'"')?;
        let rest = self.bytes.get(self.at..)?;
        let length = memchr2(b'"', b'\\', &rest[..rest.len().min(LONGEST_KEY)])?;
        self.at += length + 1;
        (rest[length] == b'"').then(|| &rest[..length])
    }

    /// Reads a value, and keeps it if it has a slot.
    fn member(&mut self, slot: Option<Slot>, depth: usize) -> Option<()> {
        let from = self.at;
        self.skip_value(depth)?;
        let Some(slot) = slot else {
            return Some(());
        };
        let value = &self.bytes[from..self.at];
        if slot == Slot::ContentStart {
            self.content = Some(&value[..value.len().min(slot.limit())]);
        } else if value.len() <= slot.limit() {
            self.envelope.store(slot, value);
        } else if slot.beginning_is_of_use() {
            self.envelope.store(slot, &value[..slot.limit()]);
        }
        Some(())
    }

    /// Moves behind a value.
    fn skip_value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.skip_text()
            }
            b'{' if depth < DEEPEST => self.members(|reader, key| {
                let from = reader.at;
                let is_text = reader.in_texts && key == b"text" && reader.peek() == Some(b'"');
                reader.skip_value(depth + 1)?;
                if is_text {
                    reader.take_text(from);
                }
                Some(())
            }),
            b'[' if depth < DEEPEST => {
                self.at += 1;
                self.skip_blanks();
                if self.peek()? == b']' {
                    self.at += 1;
                    return Some(());
                }
                loop {
                    self.skip_value(depth + 1)?;
                    self.skip_blanks();
                    self.at += 1;
                    match self.bytes.get(self.at - 1)? {
                        b',' => self.skip_blanks(),
                        b']' => return Some(()),
                        _ => return None,
                    }
                }
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                let rest = &self.bytes[self.at..];
                let ends =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
                self.at += rest.iter().position(ends)?;
                Some(())
            }
            _ => None,
        }
    }

    /// Moves behind a string whose quote has been read.
    fn skip_text(&mut self) -> Option<()> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            let length = memchr2(b'"', b'\\', rest)?;
            if rest[length] == b'"' {
                self.at += length + 1;
                return Some(());
            }
            self.at += length + 2;
        }
    }
}
