//! The answer to a request: its head, and its body piece by piece.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncReadExt;

use super::{Http, MOST_IDLE, Stream};
use crate::proxy::http1::Framing;

/// Longest head of an answer.
const LONGEST_HEAD: usize = 64 << 10;
const MOST_HEADERS: usize = 128;
/// Bytes that one read can take.
const BUFFER_BYTES: usize = 32 << 10;

/// The head of an answer, and the rest of it on its way.
pub(in super::super) struct Response {
    pub(in super::super) status: u16,
    headers: Vec<(Box<str>, Box<[u8]>)>,
    pub(in super::super) body: Body,
}

/// The body of an answer. Dropped before its end it closes the connection, which tells the server that nobody waits.
pub(in super::super) struct Body {
    home: Arc<Http>,
    stream: Option<Box<dyn Stream>>,
    framing: Framing,
    keep_alive: bool,
    /// Read already, framing included.
    ahead: Vec<u8>,
}

/// A head.
pub(super) struct Head {
    pub(super) status: u16,
    minor: u8,
    headers: Vec<(Box<str>, Box<[u8]>)>,
}

impl Head {
    /// The head at the beginning of `bytes`, and its length; `None` if it is not all there.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<(usize, Self)>, String> {
        let mut room = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut room);
        let length = match response.parse(bytes) {
            Ok(httparse::Status::Complete(length)) if length <= LONGEST_HEAD => length,
            Ok(httparse::Status::Partial) if bytes.len() <= LONGEST_HEAD => return Ok(None),
            Ok(_) | Err(httparse::Error::TooManyHeaders) => {
                return Err("the head of the answer is too long".to_owned());
            }
            Err(_) => return Err("the answer is no HTTP".to_owned()),
        };
        let headers = response.headers.iter();
        let head = Self {
            status: response.code.unwrap_or_default(),
            minor: response.version.unwrap_or_default(),
            headers: headers
                .map(|header| (header.name.into(), header.value.into()))
                .collect(),
        };
        Ok(Some((length, head)))
    }

    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        let headers = self.headers.iter();
        headers
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// Where the body ends (RFC 9112, section 6.3), and whether the connection can be used again.
    fn framing(&self) -> Result<(Framing, bool), String> {
        let has = |name: &'static str, token: &str| {
            let mut tokens = self
                .values(name)
                .flat_map(|value| value.split(|b| *b == b','));
            tokens.any(|found| found.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
        };
        let keep_alive = self.minor > 0 && !has("connection", "close");
        if matches!(self.status, 204 | 304) {
            return Ok((Framing::Length(0), keep_alive));
        }
        if self.values("transfer-encoding").next().is_some() {
            return if has("transfer-encoding", "chunked") {
                Ok((Framing::CHUNKED, keep_alive))
            } else {
                Err("the answer comes in an encoding that was not asked for".to_owned())
            };
        }
        match self.values("content-length").next() {
            Some(length) => {
                let length = std::str::from_utf8(length)
                    .ok()
                    .and_then(|text| text.parse().ok());
                let length = length.ok_or("the answer's length is no number")?;
                Ok((Framing::Length(length), keep_alive))
            }
            None => Ok((Framing::UntilClose, false)),
        }
    }
}

impl Response {
    /// The answer of `head`, whose body goes on in `stream` behind what of it was read `ahead`. `reusable` says whether
    /// the connection is in order.
    pub(super) fn new(
        home: Arc<Http>,
        head: Head,
        stream: Box<dyn Stream>,
        ahead: Vec<u8>,
        reusable: bool,
    ) -> Result<Self, String> {
        let (framing, keep_alive) = head.framing()?;
        Ok(Self {
            status: head.status,
            headers: head.headers,
            body: Body {
                home,
                stream: Some(stream),
                framing,
                keep_alive: keep_alive && reusable,
                ahead,
            },
        })
    }

    /// The value of header `name`, the first if there are several.
    pub(in super::super) fn header(&self, name: &str) -> Option<&[u8]> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// Whether the status is one of success.
    pub(in super::super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Body {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the body breaks off.
    pub(in super::super) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut piece = Vec::new();
            if !self.ahead.is_empty() {
                let read = self
                    .framing
                    .read(&self.ahead, |data| piece.extend_from_slice(data));
                let taken = read.map_err(io::Error::other)?;
                self.ahead.drain(..taken);
            }
            if self.framing.is_done() {
                self.let_go();
            }
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            let Some(stream) = &mut self.stream else {
                return Ok(None);
            };
            self.ahead.reserve(BUFFER_BYTES);
            if stream.read_buf(&mut self.ahead).await? == 0 {
                self.stream = None;
                return if self.framing == Framing::UntilClose {
                    Ok(None)
                } else {
                    Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the server closed the connection in the middle of its answer",
                    ))
                };
            }
        }
    }

    /// All of it, `longest` bytes at the most.
    ///
    /// # Errors
    /// When it breaks off or is longer.
    pub(in super::super) async fn whole(&mut self, longest: usize) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(piece) = self.next().await? {
            if all.len() + piece.len() > longest {
                return Err(io::Error::other(format!(
                    "the answer is longer than {longest} bytes"
                )));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    /// The body is over: the connection can serve another request.
    fn let_go(&mut self) {
        if let Some(stream) = self.stream.take()
            && self.keep_alive
            && self.ahead.is_empty()
        {
            let mut idle = self.home.idle();
            if idle.len() < MOST_IDLE {
                idle.push(stream);
            }
        }
    }
}
