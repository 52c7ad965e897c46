//! The text of a call: what of a message a model wrote, or is given to read.
//!
//! Owns which members of a message are text, and how JSON turns into text. Keeps no more of it than it is told to;
//! what lies beyond is only measured.

use std::fmt;

use memchr::memchr;

/// Stands between two texts that were taken out of one message: in UTF-8 there is no such byte.
const BETWEEN: u8 = 0xFF;

/// What the raw bytes of a text are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A JSON value, which is read as it stands, with its strings written out.
    Value,
    /// The insides of JSON strings, each a text of its own.
    Strings,
}

/// The text of one message: as it stands in JSON, or the beginning of it, and how long it is in all.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    raw: Box<[u8]>,
    kind: Kind,
    length: u64,
}

/// What people say to their tools is nobody else's.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text")
            .field("kept", &self.raw.len())
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Text {
    /// Bytes in all, as they stand in JSON: with their escapes, and what was not kept.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// How many bytes of memory it takes.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.raw.len()
    }

    /// Forgets the text; its length stays.
    pub fn forget(&mut self) {
        self.raw = Box::default();
    }

    /// What was kept: each text with how many bytes of JSON it was. What is not UTF-8 is replaced.
    pub fn pieces(&self) -> impl Iterator<Item = (String, usize)> {
        let mut rest = &*self.raw;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let end = match self.kind {
                Kind::Value => rest.len(),
                Kind::Strings => memchr(BETWEEN, rest).unwrap_or(rest.len()),
            };
            let piece = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            let bytes = match self.kind {
                Kind::Value => value(piece),
                Kind::Strings => {
                    let mut plain = Vec::with_capacity(piece.len());
                    unescape(piece, &mut plain);
                    plain
                }
            };
            let text = match String::from_utf8(bytes) {
                Ok(text) => text,
                // A character that was cut off at the end is no character.
                Err(error) if error.utf8_error().error_len().is_none() => {
                    let whole = error.utf8_error().valid_up_to();
                    let mut bytes = error.into_bytes();
                    bytes.truncate(whole);
                    String::from_utf8(bytes).unwrap_or_default()
                }
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            };
            Some((text, piece.len()))
        })
    }
}

/// A JSON value as a text: its strings without escapes, and no blanks between its parts.
fn value(raw: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => {}
            b'"' => {
                plain.push(b'"');
                let read = unescape(rest, &mut plain);
                if read < rest.len() {
                    plain.push(b'"');
                }
                rest = rest.get(read + 1..).unwrap_or_default();
            }
            other => plain.push(*other),
        }
    }
    plain
}

/// Writes the inside of a JSON string out (RFC 8259, section 7). Gives how many bytes were read: up to its quote, or to
/// the end.
fn unescape(raw: &[u8], plain: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while let Some(offset) = memchr::memchr2(b'"', b'\\', &raw[at..]) {
        plain.extend_from_slice(&raw[at..at + offset]);
        at += offset;
        if raw[at] == b'"' {
            return at;
        }
        let Some(escaped) = raw.get(at + 1) else {
            return raw.len();
        };
        at += 2;
        match escaped {
            b'n' => plain.push(b'\n'),
            b't' => plain.push(b'\t'),
            b'r' => plain.push(b'\r'),
            b'b' => plain.push(8),
            b'f' => plain.push(12),
            b'u' => {
                let (character, read) = unicode(&raw[at..]);
                let mut buffer = [0; 4];
                plain.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                at += read;
            }
            other => plain.push(*other),
        }
    }
    plain.extend_from_slice(&raw[at..]);
    raw.len()
}

/// The character behind `\u`, and how many bytes it takes there. Half a pair stands for no character.
fn unicode(raw: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = raw.get(at..at + 4)?;
        let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let Some(first) = unit(0) else {
        return (char::REPLACEMENT_CHARACTER, raw.len().min(4));
    };
    let second = raw.get(4..6).filter(|next| *next == b"\\u");
    let units = [first, second.and_then(|_| unit(6)).unwrap_or_default()];
    match char::decode_utf16(units).next() {
        Some(Ok(character)) => (character, if character.len_utf16() == 2 { 10 } else { 4 }),
        _ => (char::REPLACEMENT_CHARACTER, 4),
    }
}

/// Which text of a message is taken, where it has more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taking {
    /// `arguments`: the value as a whole.
    Arguments,
    /// `structuredContent`: the value as a whole, if there is no text beside it.
    Structured,
    /// The strings called `text` in here.
    Texts,
}

impl Taking {
    /// What member `key` of `params` is.
    pub(super) fn of_params(key: &[u8]) -> Option<Self> {
        match key {
            b"arguments" => Some(Self::Arguments),
            b"messages" | b"systemPrompt" => Some(Self::Texts),
            _ => None,
        }
    }

    /// What member `key` of `result` is.
    pub(super) fn of_result(key: &[u8]) -> Option<Self> {
        match key {
            b"content" | b"contents" | b"messages" => Some(Self::Texts),
            b"structuredContent" => Some(Self::Structured),
            _ => None,
        }
    }

    /// Whether the value is taken as it stands.
    pub(super) const fn is_value(self) -> bool {
        matches!(self, Self::Arguments | Self::Structured)
    }
}

/// Gathers the text of a message while it is read.
#[derive(Clone, Default)]
pub(super) struct TextSink {
    /// Bytes to keep of one message.
    limit: usize,
    raw: Vec<u8>,
    length: u64,
    taken: Option<Taking>,
    /// Whether the next piece begins another text.
    parted: bool,
    /// Whether something was not kept: nothing behind it is then.
    cut: bool,
}

impl fmt::Debug for TextSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextSink")
            .field("kept", &self.raw.len())
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl TextSink {
    /// Keeps up to `limit` bytes of each message from now on.
    pub(super) fn keep(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// Adds a piece of a text.
    pub(super) fn add(&mut self, taking: Taking, piece: &[u8]) {
        if piece.is_empty() {
            return;
        }
        match self.taken {
            Some(taken) if taken == taking => {}
            // The same said twice, once for programs: a model is given one of them.
            Some(Taking::Structured) => self.clear(),
            Some(_) => return,
            None => {}
        }
        self.taken = Some(taking);
        self.length += piece.len() as u64;
        let parting = usize::from(self.parted && !self.raw.is_empty());
        let room = self.limit.saturating_sub(self.raw.len() + parting);
        if self.cut || room == 0 {
            self.cut = true;
            return;
        }
        let piece = &piece[..piece.len().min(room)];
        self.cut = piece.len() == room;
        if self.raw.capacity() == 0 {
            // Most texts come in one piece.
            self.raw.reserve_exact(piece.len());
        }
        if parting > 0 {
            self.raw.push(BETWEEN);
        }
        self.parted = false;
        self.raw.extend_from_slice(piece);
    }

    /// The text that was added last is over.
    pub(super) fn part(&mut self) {
        self.parted = true;
    }

    /// The text of the message that is over.
    pub(super) fn take(&mut self) -> Option<Text> {
        let kind = if self.taken?.is_value() {
            Kind::Value
        } else {
            Kind::Strings
        };
        let text = Text {
            raw: std::mem::take(&mut self.raw).into_boxed_slice(),
            kind,
            length: self.length,
        };
        self.clear();
        Some(text)
    }

    /// Forgets what was added.
    pub(super) fn clear(&mut self) {
        self.raw.clear();
        self.length = 0;
        (self.taken, self.parted, self.cut) = (None, false, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(raw: &str, kind: Kind) -> Vec<String> {
        let text = Text {
            raw: raw.as_bytes().into(),
            kind,
            length: raw.len() as u64,
        };
        text.pieces().map(|(text, _)| text).collect()
    }

    #[test]
    fn strings_are_written_out_and_blanks_between_tokens_are_no_text() {
        let raw = r#"{ "a" : "x\n\"y\" \u00e9 \ud83d\ude00 \/",
            "b": [1, true] }"#;
        assert_eq!(
            text_of(raw, Kind::Value),
            ["{\"a\":\"x\n\"y\" é 😀 /\",\"b\":[1,true]}"]
        );
    }

    #[test]
    fn a_text_that_was_cut_anywhere_is_its_beginning() {
        let raw = r#"{"a":"é\u00e9\ud83d\ude00\n"}"#;
        let whole = "{\"a\":\"éé😀\n\"}";
        for end in 1..raw.len() {
            let text = Text {
                raw: raw.as_bytes()[..end].into(),
                kind: Kind::Value,
                length: raw.len() as u64,
            };
            let (read, _) = text.pieces().next().expect("a text");
            let read = read.trim_end_matches(char::REPLACEMENT_CHARACTER);
            assert!(whole.starts_with(read), "{end}: {read}");
        }
        assert_eq!(text_of(r"\ud83d x", Kind::Strings), ["\u{fffd} x"]);
    }

    #[test]
    fn texts_stay_apart_and_only_the_beginning_is_kept() {
        let mut sink = TextSink::default();
        sink.keep(8);
        sink.add(Taking::Texts, b"one");
        sink.part();
        sink.add(Taking::Texts, b"two");
        sink.add(Taking::Texts, b"three");
        sink.part();
        sink.add(Taking::Texts, b"four");
        let text = sink.take().expect("a text");
        let pieces: Vec<_> = text.pieces().map(|(text, _)| text).collect();
        assert_eq!(pieces, ["one", "twot"]);
        assert_eq!((text.kept(), text.length()), (8, 15));
        assert!(sink.take().is_none());
    }
}
