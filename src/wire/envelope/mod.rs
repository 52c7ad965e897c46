//! Reads JSON-RPC envelopes out of a stream of bytes, in pieces of any size, without keeping the bytes.
//!
//! Only what a record needs is captured (id, method, a few members of `params` and `result`), each up to a limit;
//! everything else is skipped, long strings by a vectorised search for their end. The scanner checks structure, not
//! grammar: it never rejects JSON that a parser accepts, and what it cannot follow it reports as unreadable.

use memchr::memchr2;

use super::bits::BitStack;
use super::text::{Taking, Text, TextSink};

mod whole;

/// What was captured of one JSON-RPC message (JSON-RPC 2.0, sections 4 and 5). Captured values are raw JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// `id`, as it stands (`1`, `"a"`); `None` for a notification, or `null`.
    pub id: Option<Box<[u8]>>,
    /// `method` of a request or notification.
    pub method: Option<Box<str>>,
    /// `params.name`.
    pub name: Option<Box<str>>,
    /// `params.uri`.
    pub uri: Option<Box<str>>,
    /// `params.protocolVersion` or `result.protocolVersion`.
    pub protocol_version: Option<Box<str>>,
    /// `params.clientInfo`, a JSON object.
    pub client_info: Option<Box<[u8]>>,
    /// `params.capabilities`, a JSON object.
    pub capabilities: Option<Box<[u8]>>,
    /// `params._meta`, a JSON object.
    pub meta: Option<Box<[u8]>>,
    /// `params.requestId`, in `notifications/cancelled`.
    pub cancelled_id: Option<Box<[u8]>>,
    /// `params.requestState` of a retry, `result.requestState` of an `input_required` result.
    pub request_state: Option<Box<[u8]>>,
    /// Whether there is a `result`.
    pub has_result: bool,
    /// `result.isError` is `true`.
    pub is_error: bool,
    /// `result.resultType`.
    pub result_type: Option<Box<str>>,
    /// The beginning of `result.content` where `isError` is true: there a failed tool says why.
    pub content_start: Option<Box<[u8]>>,
    /// `error`, or its beginning.
    pub error: Option<Box<[u8]>>,
    /// `result.model`: what generated a message (MCP 2025-11-25, Sampling).
    pub model: Option<Box<str>>,
    /// `params.arguments`, the texts of `params.messages`, of `result.content` and its kin, or `result.structuredContent`:
    /// as much of it as the scanner was told to keep.
    pub text: Option<Text>,
}

impl Envelope {
    /// A request: it has a method and wants an answer.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.method.is_some() && self.id.is_some()
    }

    /// A notification: it has a method and wants no answer.
    #[must_use]
    pub fn is_notification(&self) -> bool {
        self.method.is_some() && self.id.is_none()
    }

    /// An answer: a result or an error.
    #[must_use]
    pub fn is_response(&self) -> bool {
        self.method.is_none() && (self.has_result || self.error.is_some())
    }

    /// How much memory the captured members take.
    pub(super) fn captured_bytes(&self) -> usize {
        let texts = [
            &self.method,
            &self.name,
            &self.uri,
            &self.protocol_version,
            &self.result_type,
            &self.model,
        ];
        let raw = [
            &self.id,
            &self.client_info,
            &self.capabilities,
            &self.meta,
            &self.cancelled_id,
            &self.request_state,
            &self.content_start,
            &self.error,
        ];
        let of_texts = texts.into_iter().flatten().map(|text| text.len());
        let of_raw = raw.into_iter().flatten().map(|raw| raw.len());
        let text = self.text.as_ref().map_or(0, Text::kept);
        of_texts.chain(of_raw).sum::<usize>() + text
    }

    /// The message once it has been read: what only a failure wants to know is dropped where there is none.
    fn finished(mut self) -> Self {
        if !self.is_error {
            self.content_start = None;
        }
        self
    }

    /// Takes a member's value, or the beginning of it.
    fn store(&mut self, slot: Slot, value: &[u8]) {
        let raw = || Some(value.into());
        let text = || string(value);
        match slot {
            Slot::Id => self.id = if value == b"null" { None } else { raw() },
            Slot::Method => self.method = text(),
            Slot::Name => self.name = text(),
            Slot::Uri => self.uri = text(),
            Slot::ProtocolVersion => self.protocol_version = text(),
            Slot::ClientInfo => self.client_info = raw(),
            Slot::Capabilities => self.capabilities = raw(),
            Slot::Meta => self.meta = raw(),
            Slot::CancelledId => self.cancelled_id = raw(),
            Slot::RequestState => self.request_state = raw(),
            Slot::IsError => self.is_error = value == b"true",
            Slot::ResultType => self.result_type = text(),
            Slot::ContentStart => self.content_start = raw(),
            Slot::Error => self.error = if value == b"null" { None } else { raw() },
            Slot::Model => self.model = text(),
        }
    }
}

/// What a JSON string says; nothing where `value` is none.
fn string(value: &[u8]) -> Option<Box<str>> {
    let inside = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""))?;
    let plain = |byte: &u8| *byte >= b' ' && !matches!(byte, b'"' | b'\\');
    if inside.iter().all(plain) {
        return std::str::from_utf8(inside).ok().map(Into::into);
    }
    serde_json::from_slice::<String>(value).ok().map(Into::into)
}

/// The members that are captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Id,
    Method,
    Name,
    Uri,
    ProtocolVersion,
    ClientInfo,
    Capabilities,
    Meta,
    CancelledId,
    RequestState,
    IsError,
    ResultType,
    ContentStart,
    Error,
    Model,
}

impl Slot {
    /// How many bytes are kept. Past it a member counts as absent, but for those of which a beginning is of use.
    const fn limit(self) -> usize {
        match self {
            Self::IsError => 8,
            Self::Id
            | Self::CancelledId
            | Self::Method
            | Self::ProtocolVersion
            | Self::ResultType
            | Self::Model => 512,
            Self::ContentStart => 600,
            Self::Name => 2_048,
            Self::Uri | Self::Error => 8_192,
            Self::ClientInfo => 16_384,
            Self::Capabilities | Self::Meta | Self::RequestState => 65_536,
        }
    }

    const fn beginning_is_of_use(self) -> bool {
        matches!(self, Self::ContentStart | Self::Error)
    }

    /// The slot of member `key` of the message itself.
    fn of_message(key: &[u8]) -> Option<Self> {
        match key {
            b"id" => Some(Self::Id),
            b"method" => Some(Self::Method),
            b"error" => Some(Self::Error),
            _ => None,
        }
    }

    /// The slot of member `key` of `params` or `result`.
    fn of_part(part: Part, key: &[u8]) -> Option<Self> {
        match (part, key) {
            (Part::Params, b"name") => Some(Self::Name),
            (Part::Params, b"uri") => Some(Self::Uri),
            (Part::Params | Part::Result, b"protocolVersion") => Some(Self::ProtocolVersion),
            (Part::Params, b"clientInfo") => Some(Self::ClientInfo),
            (Part::Params, b"capabilities") => Some(Self::Capabilities),
            (Part::Params, b"_meta") => Some(Self::Meta),
            (Part::Params, b"requestId") => Some(Self::CancelledId),
            (Part::Params | Part::Result, b"requestState") => Some(Self::RequestState),
            (Part::Result, b"isError") => Some(Self::IsError),
            (Part::Result, b"resultType") => Some(Self::ResultType),
            (Part::Result, b"content") => Some(Self::ContentStart),
            (Part::Result, b"model") => Some(Self::Model),
            _ => None,
        }
    }
}

/// Which member of the message the scanner is inside of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Params,
    Result,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A value must come.
    Value,
    /// A value or `]` must come.
    ValueOrClose,
    /// A key or `}` must come.
    KeyOrClose,
    /// Inside a key; true after a backslash.
    Key(bool),
    /// `:` must come.
    Colon,
    /// Inside a string value; true after a backslash.
    Text(bool),
    /// Inside a number or literal.
    Scalar,
    /// `,` or a closing bracket must come.
    After,
    /// The top-level value is over.
    Done,
    /// Not JSON, or nested too deeply.
    Unreadable,
}

/// Room made for a member that is captured.
const FIRST_ROOM: usize = 608;

/// Longest key that matters.
const LONGEST_KEY: usize = 64;

/// Reads the messages of one JSON text: one JSON-RPC message, or a batch of them (MCP 2025-03-26).
#[derive(Clone, Debug)]
pub struct EnvelopeScanner {
    state: State,
    open: BitStack,
    /// Containers open around a message: 0, or 1 in a batch.
    base: usize,
    key: Vec<u8>,
    part: Part,
    slot: Option<Slot>,
    /// Containers open around the value being captured.
    slot_depth: usize,
    captured: Vec<u8>,
    overflow: bool,
    current: Envelope,
    text: TextSink,
    /// Which text is being taken, and how many containers are open around the member that it is in.
    taking: Option<(Taking, usize)>,
    /// Whether the string being read is a text.
    in_text: bool,
    /// Where the part of the bytes at hand begins that belongs to the text.
    text_from: usize,
}

impl Default for EnvelopeScanner {
    fn default() -> Self {
        Self {
            state: State::Value,
            open: BitStack::default(),
            base: 0,
            key: Vec::new(),
            part: Part::Other,
            slot: None,
            slot_depth: 0,
            captured: Vec::new(),
            overflow: false,
            current: Envelope::default(),
            text: TextSink::default(),
            taking: None,
            in_text: false,
            text_from: 0,
        }
    }
}

impl EnvelopeScanner {
    /// Keeps up to `limit` bytes of the text of each message from now on. Unless told it keeps none, and measures it.
    pub fn keep_text(&mut self, limit: usize) {
        self.text.keep(limit);
    }

    /// Makes the scanner ready for another JSON text.
    pub fn reset(&mut self) {
        self.state = State::Value;
        self.open.clear();
        self.base = 0;
        self.slot = None;
        self.current = Envelope::default();
        self.text.clear();
        (self.taking, self.in_text) = (None, false);
    }

    /// Whether the whole JSON text has been seen.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == State::Done
    }

    /// Whether nothing but blanks has been seen.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.state == State::Value && self.open.len() == 0
    }

    /// Whether the bytes so far cannot be followed.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.state == State::Unreadable
    }

    /// What has been read of a message whose end has not come.
    pub fn take_unfinished(&mut self) -> Envelope {
        self.current.text = self.text.take();
        std::mem::take(&mut self.current).finished()
    }

    /// Reads on. `found` gets each message as soon as its last byte has been seen.
    pub fn feed(&mut self, bytes: &[u8], found: &mut impl FnMut(Envelope)) {
        if self.is_blank()
            && let Some(b'}' | b'\n') = bytes.last()
            && let Some(envelope) = whole::read(bytes, self.text.limit())
        {
            self.state = State::Done;
            found(envelope);
            return;
        }
        let mut at = 0;
        // Where the part of `bytes` begins that belongs to the value being captured.
        let mut capture_from = 0;
        self.text_from = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            match self.state {
                State::Text(escaped) => {
                    at = self.skip_text(bytes, at, escaped);
                    if self.in_text {
                        self.take_text(bytes, at);
                    }
                    if self.state == State::After {
                        self.value_ended(bytes, at, &mut capture_from);
                    }
                    continue;
                }
                State::Scalar => {
                    let ends = |byte: &u8| {
                        matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
                    };
                    let Some(length) = bytes[at..].iter().position(ends) else {
                        break;
                    };
                    at += length;
                    self.state = State::After;
                    self.value_ended(bytes, at, &mut capture_from);
                    continue;
                }
                State::Key(true) => {
                    self.key.push(byte);
                    self.state = State::Key(false);
                }
                State::Key(false) if byte == b'"' => self.state = State::Colon,
                State::Key(false) => {
                    if self.key.len() < LONGEST_KEY {
                        self.key.push(byte);
                    }
                    self.state = State::Key(byte == b'\\');
                }
                _ if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') => {}
                State::Colon => {
                    self.state = if byte == b':' {
                        State::Value
                    } else {
                        State::Unreadable
                    }
                }
                State::KeyOrClose if byte == b'"' => at += self.begin_key(&bytes[at + 1..]),
                State::KeyOrClose | State::After | State::ValueOrClose
                    if matches!(byte, b'}' | b']') =>
                {
                    self.close(byte, at + 1, bytes, &mut capture_from, found);
                }
                State::After if byte == b',' => {
                    self.state = if self.open.top() == Some(true) {
                        State::KeyOrClose
                    } else {
                        State::Value
                    };
                }
                State::Value | State::ValueOrClose => {
                    if self.begin_capture(at) {
                        capture_from = at;
                    }
                    if byte == b'"' && self.is_text() {
                        (self.in_text, self.text_from) = (true, at + 1);
                    }
                    self.begin_value(byte);
                }
                State::Unreadable => return,
                State::Done | State::After | State::KeyOrClose => self.state = State::Unreadable,
            }
            at += 1;
        }
        if self.slot.is_some() {
            self.capture(&bytes[capture_from.min(bytes.len())..]);
        }
        if let Some((taking, _)) = self.taking
            && taking.is_value()
        {
            self.text
                .add(taking, &bytes[self.text_from.min(bytes.len())..]);
        }
    }

    /// Whether a string that begins now is a text: called so within what texts are taken of, or all there is of it.
    fn is_text(&self) -> bool {
        match self.taking {
            Some((Taking::Texts, depth)) => {
                self.open.len() == depth || self.open.top() == Some(true) && self.key == b"text"
            }
            _ => false,
        }
    }

    /// Takes what was read of a text up to `at`, its quote left aside.
    fn take_text(&mut self, bytes: &[u8], at: usize) {
        let over = self.state == State::After;
        let end = at - usize::from(over);
        self.text
            .add(Taking::Texts, &bytes[self.text_from.min(end)..end]);
        if over {
            self.text.part();
            self.in_text = false;
        }
    }

    /// Begins a key, of which `bytes` are what follows its quote. Gives how many of them were read: all of the key where
    /// it is plain and short and all there, as nearly all keys are; otherwise none.
    fn begin_key(&mut self, bytes: &[u8]) -> usize {
        self.key.clear();
        self.state = State::Key(false);
        let mut first = bytes.iter().take(LONGEST_KEY);
        let Some(length) = first.position(|byte| matches!(byte, b'"' | b'\\')) else {
            return 0;
        };
        if bytes[length] == b'\\' {
            return 0;
        }
        self.key.extend_from_slice(&bytes[..length]);
        self.state = State::Colon;
        length + 1
    }

    /// Moves to the end of a string, or of `bytes`.
    fn skip_text(&mut self, bytes: &[u8], mut at: usize, escaped: bool) -> usize {
        if escaped {
            at += 1;
            self.state = State::Text(false);
        }
        while at < bytes.len() {
            match memchr2(b'"', b'\\', &bytes[at..]) {
                None => return bytes.len(),
                Some(offset) if bytes[at + offset] == b'"' => {
                    self.state = State::After;
                    return at + offset + 1;
                }
                Some(offset) => {
                    at += offset + 2;
                    if at > bytes.len() {
                        self.state = State::Text(true);
                        return bytes.len();
                    }
                }
            }
        }
        at
    }

    fn begin_value(&mut self, byte: u8) {
        self.state = match byte {
            b'"' => State::Text(false),
            b'{' | b'[' => {
                let object = byte == b'{';
                self.enter_part(object);
                if !self.open.push(object) {
                    State::Unreadable
                } else if object {
                    State::KeyOrClose
                } else {
                    if self.open.len() == 1 {
                        self.base = 1;
                    }
                    State::ValueOrClose
                }
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => State::Scalar,
            _ => State::Unreadable,
        };
    }

    /// Notes which member of the message is being entered.
    fn enter_part(&mut self, object: bool) {
        if self.open.len() == self.base + 1 && self.open.top() == Some(true) {
            self.part = match self.key.as_slice() {
                b"params" if object => Part::Params,
                b"result" => {
                    self.current.has_result = true;
                    if object { Part::Result } else { Part::Other }
                }
                _ => Part::Other,
            };
        }
    }

    /// Starts capturing the value that begins now, if it is one of those kept; says whether it did.
    fn begin_capture(&mut self, at: usize) -> bool {
        let depth = self.open.len();
        if self.slot.is_some() || self.open.top() != Some(true) {
            return false;
        }
        if depth != self.base + 1 && depth != self.base + 2 {
            return false;
        }
        self.unescape_key();
        let slot = if depth == self.base + 1 {
            if self.key == b"result" {
                self.current.has_result = true;
            }
            Slot::of_message(&self.key)
        } else {
            let taking = match self.part {
                Part::Params => Taking::of_params(&self.key),
                Part::Result => Taking::of_result(&self.key),
                Part::Other => None,
            };
            self.taking = taking.map(|taking| (taking, depth));
            self.text_from = at;
            Slot::of_part(self.part, &self.key)
        };
        self.slot = slot;
        self.slot_depth = depth;
        self.captured.clear();
        self.overflow = false;
        slot.is_some()
    }

    /// A key may be written with escapes (`"\u006dethod"`); those are rare enough to decode at leisure.
    fn unescape_key(&mut self) {
        if self.key.contains(&b'\\') {
            let quoted = [b"\"", self.key.as_slice(), b"\""].concat();
            if let Ok(plain) = serde_json::from_slice::<String>(&quoted) {
                self.key = plain.into_bytes();
            }
        }
    }

    fn capture(&mut self, bytes: &[u8]) {
        if let Some(slot) = self.slot {
            if self.captured.capacity() == 0 {
                // At once what most members need, in place of growing there byte by byte.
                self.captured.reserve(slot.limit().min(FIRST_ROOM));
            }
            let room = slot.limit().saturating_sub(self.captured.len());
            self.overflow |= bytes.len() > room;
            self.captured
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    fn close(
        &mut self,
        byte: u8,
        after: usize,
        bytes: &[u8],
        capture_from: &mut usize,
        found: &mut impl FnMut(Envelope),
    ) {
        if self.open.pop() != Some(byte == b'}') {
            self.state = State::Unreadable;
            return;
        }
        self.state = if self.open.len() == 0 {
            State::Done
        } else {
            State::After
        };
        self.value_ended(bytes, after, capture_from);
        if self.open.len() == self.base && byte == b'}' {
            self.current.text = self.text.take();
            found(std::mem::take(&mut self.current).finished());
        }
    }

    /// A value ended, of which `bytes` up to `after` are the last piece: it may be the one being captured, or taken.
    fn value_ended(&mut self, bytes: &[u8], after: usize, capture_from: &mut usize) {
        if self.open.len() == 0 && self.state == State::After {
            self.state = State::Done;
        }
        if let Some((taking, depth)) = self.taking
            && self.open.len() == depth
        {
            if taking.is_value() {
                self.text
                    .add(taking, &bytes[self.text_from.min(after)..after]);
            }
            self.taking = None;
        }
        let Some(slot) = self.slot else { return };
        if self.open.len() != self.slot_depth {
            return;
        }
        let tail = &bytes[(*capture_from).min(after)..after];
        *capture_from = after;
        if self.captured.is_empty() && tail.len() <= slot.limit() {
            // It came in one piece.
            self.slot = None;
            self.current.store(slot, tail);
            return;
        }
        self.capture(tail);
        self.slot = None;
        if !self.overflow || slot.beginning_is_of_use() {
            let captured = std::mem::take(&mut self.captured);
            self.current.store(slot, &captured);
            self.captured = captured;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan_in_pieces(
        text: &[u8],
        mut cut: impl FnMut(usize) -> usize,
    ) -> (Vec<Envelope>, EnvelopeScanner) {
        let (mut scanner, mut found, mut rest) = (EnvelopeScanner::default(), Vec::new(), text);
        scanner.keep_text(40);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(cut(rest.len()).clamp(1, rest.len()));
            scanner.feed(piece, &mut |envelope| found.push(envelope));
            rest = after;
        }
        (found, scanner)
    }

    fn scan(text: &str) -> Vec<Envelope> {
        scan_in_pieces(text.as_bytes(), |all| all).0
    }

    const CALL: &str = r#" {"jsonrpc":"2.0","id":"a\"1","method":"tools/call","params":{"arguments":{"name":"not this","list":[1,{"id":9}]},
        "name":"écho\u0021","_meta":{"progressToken":3,"io.modelcontextprotocol/clientInfo":{"name":"x}"}}}} "#;

    #[test]
    fn a_call_gives_its_id_method_tool_and_meta() {
        let found = scan(CALL);
        assert_eq!(found.len(), 1);
        let call = &found[0];
        assert_eq!(call.id.as_deref(), Some(br#""a\"1""#.as_slice()));
        assert_eq!(call.method.as_deref(), Some("tools/call"));
        assert_eq!(call.name.as_deref(), Some("écho!"));
        assert!(
            call.meta
                .as_deref()
                .is_some_and(|meta| meta.ends_with(br#"{"name":"x}"}}"#))
        );
        assert!(call.is_request() && !call.is_notification() && !call.is_response());
    }

    #[test]
    fn answers_tell_results_from_failures() {
        let ok = &scan(
            r#"{"result":{"content":[{"type":"text","text":"hi"}],"isError":false},"id":7,"jsonrpc":"2.0"}"#,
        )[0];
        assert!(ok.has_result && !ok.is_error && ok.is_response());
        let failed =
            &scan(r#"{"id":7,"result":{"content":[{"type":"text","text":"no"}],"isError":true}}"#)
                [0];
        assert!(failed.is_error && failed.content_start.is_some());
        let error = &scan(r#"{"id":7,"error":{"code":-32602,"message":"bad"}}"#)[0];
        assert!(error.error.is_some() && !error.has_result && error.is_response());
        let bare = &scan(r#"{"id":7,"result":null}"#)[0];
        assert!(bare.has_result && bare.is_response());
        let own_words =
            &scan(r#"{"id":1,"result":{"structuredContent":{"isError":true,"error":"x"}}}"#)[0];
        assert!(!own_words.is_error && own_words.error.is_none());
    }

    fn texts(envelope: &Envelope) -> Vec<String> {
        let text = envelope.text.as_ref().expect("a text");
        text.pieces().map(|(text, _)| text).collect()
    }

    #[test]
    fn the_text_of_a_call_is_its_arguments_and_that_of_an_answer_its_texts() {
        let call = &scan(
            r#"{"id":1,"method":"tools/call","params":{"arguments":{"a": "b\n"},"name":"x"}}"#,
        )[0];
        assert_eq!(texts(call), ["{\"a\":\"b\n\"}"]);
        assert_eq!(call.text.as_ref().map(Text::length), Some(12));
        let content = r#""content":[{"type":"text","text":"caf\u00e9"},{"type":"image","data":"AAAA","mimeType":"text"},
            {"type":"resource","resource":{"uri":"x","text":"in"}},{"type":"resource","resource":{"blob":"BBBB"}}]"#;
        let structured = r#""structuredContent":{"text":"no"}"#;
        for result in [
            format!("{content},{structured}"),
            format!("{structured},{content}"),
        ] {
            let answer = &scan(&format!(r#"{{"id":1,"result":{{{result}}}}}"#))[0];
            assert_eq!(texts(answer), ["café", "in"]);
        }
        let answer = &scan(&format!(
            r#"{{"id":1,"result":{{"content":[],{structured}}}}}"#
        ))[0];
        assert_eq!(texts(answer), [r#"{"text":"no"}"#]);
        let asked = &scan(
            r#"{"id":1,"method":"sampling/createMessage","params":{"messages":[{"role":"user","content":{"type":"text","text":"hi"}}],"systemPrompt":"be brief"}}"#,
        )[0];
        assert_eq!(texts(asked), ["hi", "be brief"]);
        let sampled = &scan(
            r#"{"id":1,"result":{"role":"assistant","content":{"type":"text","text":"yes"},"model":"gpt-5"}}"#,
        )[0];
        assert_eq!(texts(sampled), ["yes"]);
        assert_eq!(sampled.model.as_deref(), Some("gpt-5"));
    }

    #[test]
    fn of_a_long_text_the_beginning_is_kept_and_the_whole_measured() {
        let words = "word ".repeat(40);
        let text = format!(
            r#"{{"id":1,"result":{{"content":[{{"type":"text","text":"{words}"}},{{"type":"image","data":"{words}"}}]}}}}"#
        );
        for size in [1, 7, 90, text.len()] {
            let (found, _) = scan_in_pieces(text.as_bytes(), |_| size);
            let text = found[0].text.as_ref().expect("a text");
            assert_eq!((text.kept(), text.length()), (40, 200), "pieces of {size}");
        }
    }

    #[test]
    fn a_batch_gives_each_member() {
        let found = scan(
            r#"[{"id":1,"method":"ping"},{"method":"notifications/initialized"},{"id":2,"result":{}}]"#,
        );
        assert_eq!(found.len(), 3);
        assert!(found[0].is_request() && found[1].is_notification() && found[2].is_response());
    }

    #[test]
    fn any_cut_gives_the_same() {
        let batch = format!(
            "[{CALL},{}]",
            r#"{"\u0069d":12,"result":{"isError":true,"x":"\\"}}"#
        );
        let texts = r#"{"id":1,"result":{"structuredContent":{"a":["b\"",1]},"content":[{"text":"c\"d"},{"text":"é\u00e9"},{"data":"e"}]}}"#;
        for text in [CALL, batch.as_str(), texts] {
            let whole = scan(text);
            assert!(!whole.is_empty());
            for size in 1..24 {
                let (found, scanner) = scan_in_pieces(text.as_bytes(), |_| size);
                assert_eq!(found, whole, "pieces of {size}");
                assert!(scanner.is_complete());
            }
        }
    }

    /// What is there in one piece is read by other code than what comes in pieces.
    #[test]
    fn damaged_texts_are_read_alike_whole_and_byte_by_byte() {
        let texts = r#"{"id":7,"result":{"content":[{"type":"text","text":"a \"b\" c"},{"data":"d","text":["x"]},{"text":"e"}],
            "structuredContent":{"text":"f"}},"params":{"arguments":{"g":1},"messages":[{"text":"h"}]}}"#;
        let error = r#"{"error":{"code":-1,"message":"no"},"id":"x","result":{"isError":true,"content":[1,"é"]}}"#;
        let failed = format!(
            r#"{{"id":7,"result":{{"content":["{}"],"isError":true}}}}"#,
            "c".repeat(700)
        );
        let bytes_of_json = br#"{}[]",:\ 0tn"#;
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % below as u64).unwrap_or(0)
        };
        for round in 0..30_000 {
            let text = [CALL, error, failed.as_str(), texts][round % 4];
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..next(3) {
                let at = next(bytes.len());
                match next(3) {
                    0 => bytes[at] = bytes_of_json[next(bytes_of_json.len())],
                    1 => drop(bytes.remove(at)),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            let (whole, at_once) = scan_in_pieces(&bytes, |all| all);
            let (found, scanner) = scan_in_pieces(&bytes, |_| 1);
            let text = String::from_utf8_lossy(&bytes);
            assert_eq!(whole, found, "{text}");
            assert_eq!(at_once.is_complete(), scanner.is_complete(), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_unreadable_and_harmless() {
        for text in [
            "<html>",
            "}",
            "{]",
            "{\"a\" 1}",
            "{} x",
            "nul{",
            "{\"a\":}",
            "[}",
        ] {
            let (_, scanner) = scan_in_pieces(text.as_bytes(), |_| 1);
            assert!(!scanner.is_complete(), "{text}");
        }
        let (found, scanner) = scan_in_pieces("[".repeat(100_000).as_bytes(), |_| 777);
        assert!(found.is_empty() && scanner.is_unreadable());
    }

    #[test]
    fn a_member_over_its_limit_is_left_out_and_the_rest_kept() {
        let text = format!(
            r#"{{"id":1,"method":"tools/call","params":{{"name":"{}","uri":"u"}}}}"#,
            "n".repeat(5_000)
        );
        let found = &scan(&text)[0];
        assert_eq!(
            (found.name.as_deref(), found.uri.as_deref()),
            (None, Some("u"))
        );
    }
}
