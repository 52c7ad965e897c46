//! Heads of requests and answers: what the relay must know of them, and how they go on.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::Framing;

/// Most headers of one head.
pub(crate) const MOST_HEADERS: usize = 128;
/// Longest head of an answer, in bytes.
const LONGEST_HEAD: usize = 64 << 10;

/// Room for the headers of a head while it is read: [`no_headers`].
pub(crate) type Headers<'b> = [MaybeUninit<httparse::Header<'b>>; MOST_HEADERS];

/// Such room, empty. No function: what one returns is copied, and this is four kilobytes of nothing.
macro_rules! no_headers {
    () => {
        [const { std::mem::MaybeUninit::uninit() }; $crate::proxy::http1::MOST_HEADERS]
    };
}

pub(crate) use no_headers;

/// Why a head is not relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadHead {
    /// It is no HTTP/1.1 head.
    #[error("this is no HTTP/1.1 request that can be read")]
    Unreadable,
    /// Where its body ends can be read in two ways, or not at all.
    #[error("the headers do not say clearly where the body ends")]
    Ambiguous,
    /// Too long, or too many headers.
    #[error("the head is longer than is allowed, or has more than 128 headers")]
    TooLong,
}

/// What a header means to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Nothing: it passes as it is.
    EndToEnd,
    Host,
    Origin,
    Expect,
    ContentType,
    ContentEncoding,
    ContentLength,
    McpSessionId,
    Authenticate,
    TransferEncoding,
    Connection,
    /// Any other that belongs to one connection only.
    HopByHop,
}

fn meaning(name: &str) -> Meaning {
    // By length first: most headers are none of these, and this is done for each of every request. Then in the two
    // spellings that nearly everybody uses, before all others.
    let is = |usual: &str, lower: &str| {
        name == lower || name == usual || name.eq_ignore_ascii_case(lower)
    };
    match name.len() {
        2 if is("TE", "te") => Meaning::HopByHop,
        4 if is("Host", "host") => Meaning::Host,
        6 if is("Origin", "origin") => Meaning::Origin,
        6 if is("Expect", "expect") => Meaning::Expect,
        7 if is("Upgrade", "upgrade") => Meaning::HopByHop,
        10 if is("Connection", "connection") => Meaning::Connection,
        10 if is("Keep-Alive", "keep-alive") => Meaning::HopByHop,
        12 if is("Content-Type", "content-type") => Meaning::ContentType,
        14 if is("Content-Length", "content-length") => Meaning::ContentLength,
        14 if is("Mcp-Session-Id", "mcp-session-id") => Meaning::McpSessionId,
        16 if is("WWW-Authenticate", "www-authenticate") => Meaning::Authenticate,
        16 if is("Proxy-Connection", "proxy-connection") => Meaning::HopByHop,
        16 if is("Content-Encoding", "content-encoding") => Meaning::ContentEncoding,
        17 if is("Transfer-Encoding", "transfer-encoding") => Meaning::TransferEncoding,
        _ => Meaning::EndToEnd,
    }
}

/// What both kinds of heads say, found in one pass over their headers.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether a token of a header was there"
)]
struct Common<'b> {
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    /// Whether `Expect` asks for `100 Continue`.
    expects_continue: bool,
    host: Option<&'b [u8]>,
    origin: Option<&'b [u8]>,
    /// Whether there is a second `Host` or `Origin`.
    named_twice: bool,
    content_type: Option<&'b [u8]>,
    content_encoding: Option<&'b [u8]>,
    mcp_session: Option<&'b [u8]>,
    /// A bit for each `WWW-Authenticate`.
    authenticate: u128,
    /// A bit for each `Content-Length`, if there is one.
    measured: u128,
    /// A bit for each header that belongs to this connection and does not pass.
    stays: u128,
}

// A head has no more headers than there are bits.
const _: () = assert!(MOST_HEADERS <= 128);

fn common<'b>(headers: &[httparse::Header<'b>]) -> Result<Common<'b>, BadHead> {
    let mut found = Common {
        length: None,
        chunked: false,
        close: false,
        keep_alive: false,
        expects_continue: false,
        host: None,
        origin: None,
        named_twice: false,
        content_type: None,
        content_encoding: None,
        mcp_session: None,
        authenticate: 0,
        measured: 0,
        stays: 0,
    };
    let mut names_others = false;
    for (number, header) in headers.iter().enumerate() {
        let passes = match meaning(header.name) {
            Meaning::EndToEnd => true,
            Meaning::ContentType => {
                found.content_type.get_or_insert(header.value);
                true
            }
            Meaning::ContentEncoding => {
                found.content_encoding.get_or_insert(header.value);
                true
            }
            Meaning::McpSessionId => {
                found.mcp_session.get_or_insert(header.value);
                true
            }
            Meaning::Authenticate => {
                found.authenticate |= 1 << number;
                true
            }
            Meaning::ContentLength => {
                found.measured |= 1 << number;
                if found
                    .length
                    .replace(content_length(header.value)?)
                    .is_some()
                {
                    return Err(BadHead::Ambiguous);
                }
                true
            }
            Meaning::Host => {
                found.named_twice |= found.host.replace(header.value).is_some();
                false
            }
            Meaning::Origin => {
                found.named_twice |= found.origin.replace(header.value).is_some();
                true
            }
            Meaning::Expect => {
                found.expects_continue = header.value.eq_ignore_ascii_case(b"100-continue");
                false
            }
            Meaning::TransferEncoding => {
                if found.chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
                    return Err(BadHead::Ambiguous);
                }
                found.chunked = true;
                false
            }
            Meaning::Connection => {
                for token in tokens(header.value) {
                    if token.eq_ignore_ascii_case(b"close") {
                        found.close = true;
                    } else if token.eq_ignore_ascii_case(b"keep-alive") {
                        found.keep_alive = true;
                    } else {
                        names_others |= !token.is_empty();
                    }
                }
                false
            }
            Meaning::HopByHop => false,
        };
        if !passes {
            found.stays |= 1 << number;
        }
    }
    // Both together are how requests are smuggled (RFC 9112, section 6.1).
    if found.chunked && found.length.is_some() {
        return Err(BadHead::Ambiguous);
    }
    if names_others {
        for (number, header) in headers.iter().enumerate() {
            // The length passes even where `Connection` names it: the body does too, and must not be taken for another
            // message.
            if meaning(header.name) != Meaning::ContentLength
                && named_by_connection(headers, header.name)
            {
                found.stays |= 1 << number;
            }
        }
    }
    Ok(found)
}

fn content_length(value: &[u8]) -> Result<u64, BadHead> {
    let text = std::str::from_utf8(value).map_err(|_| BadHead::Ambiguous)?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or(BadHead::Ambiguous)
}

/// The members of a list (RFC 9110, section 5.6.1).
fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// Whether `Connection` names `name`.
fn named_by_connection(headers: &[httparse::Header<'_>], name: &str) -> bool {
    headers
        .iter()
        .filter(|header| meaning(header.name) == Meaning::Connection)
        .any(|header| tokens(header.value).any(|token| token.eq_ignore_ascii_case(name.as_bytes())))
}

fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Appends the headers that pass, to the byte as they stand in `head`, which they were read from: neighbours go in one
/// piece.
fn pass_on(head: &[u8], headers: &[httparse::Header<'_>], stays: u128, out: &mut Vec<u8>) {
    let line_start = |header: &httparse::Header<'_>| {
        header
            .name
            .as_ptr()
            .addr()
            .saturating_sub(head.as_ptr().addr())
    };
    // Where the first of the headers stands that pass and have not been appended yet.
    let mut from = None;
    let mut append = |from: &mut Option<usize>, to: usize| {
        if let Some(piece) = from.take().and_then(|from| head.get(from..to)) {
            out.extend_from_slice(piece);
        }
    };
    for (number, header) in headers.iter().enumerate() {
        let start = line_start(header);
        if stays >> number & 1 == 1 {
            append(&mut from, start);
        } else {
            from.get_or_insert(start);
        }
    }
    // The empty line that ends the head is written by whoever adds to it.
    append(&mut from, head.len().saturating_sub(2));
}

/// Headers of our own on requests to one server, in place of the client's.
#[derive(Debug, Default)]
pub(crate) struct Added {
    names: Box<[Box<str>]>,
    lines: Box<[u8]>,
}

impl Added {
    /// Those with these names and values.
    pub(crate) fn new(headers: &[(String, String)]) -> Self {
        let mut lines = Vec::new();
        for (name, value) in headers {
            line(&mut lines, name.as_bytes(), value.as_bytes());
        }
        Self {
            names: headers
                .iter()
                .map(|(name, _)| name.as_str().into())
                .collect(),
            lines: lines.into(),
        }
    }

    /// A bit for each of `headers` that ours stand in for.
    fn replaced(&self, headers: &[httparse::Header<'_>]) -> u128 {
        if self.names.is_empty() {
            return 0;
        }
        let ours = |name: &str| self.names.iter().any(|own| own.eq_ignore_ascii_case(name));
        let headers = headers.iter().enumerate();
        headers
            .filter(|(_, header)| ours(header.name))
            .fold(0, |bits, (number, _)| bits | 1 << number)
    }
}

/// The head of a request.
#[derive(Debug)]
pub(crate) struct RequestHead<'h, 'b> {
    /// Bytes of the head.
    pub(crate) length: usize,
    /// The method.
    pub(crate) method: &'b str,
    /// The path, without the query.
    pub(crate) path: &'b str,
    /// The query, with its `?`; empty if there is none.
    pub(crate) query: &'b str,
    /// How its body is framed.
    pub(crate) framing: Framing,
    /// Whether the connection can serve another request.
    pub(crate) keep_alive: bool,
    /// Whether the client speaks HTTP/1.0, which knows no chunks.
    pub(crate) http_1_0: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub(crate) expects_continue: bool,
    /// `Host`.
    pub(crate) host: Option<&'b [u8]>,
    /// `Origin`.
    pub(crate) origin: Option<&'b [u8]>,
    /// All headers.
    pub(crate) headers: &'h [httparse::Header<'b>],
    /// The head itself.
    bytes: &'b [u8],
    stays: u128,
}

impl<'h, 'b> RequestHead<'h, 'b> {
    /// Reads the head at the beginning of `bytes`; `None` if it is not all there. More than
    /// `longest` bytes are too many.
    pub(crate) fn read(
        bytes: &'b [u8],
        room: &'h mut Headers<'b>,
        longest: usize,
    ) -> Result<Option<Self>, BadHead> {
        let mut request = httparse::Request::new(&mut []);
        let length = match request.parse_with_uninit_headers(bytes, room) {
            Ok(httparse::Status::Complete(length)) if length <= longest => length,
            Ok(httparse::Status::Partial) if bytes.len() <= longest => return Ok(None),
            Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(BadHead::TooLong),
            Err(_) => return Err(BadHead::Unreadable),
        };
        let (Some(method), Some(target), Some(minor)) =
            (request.method, request.path, request.version)
        else {
            return Err(BadHead::Unreadable);
        };
        // httparse takes LF alone for the end of a line, others do not. It takes no CR without LF: counting is enough.
        let count = |byte| memchr::memchr_iter(byte, &bytes[..length]).count();
        if count(b'\n') != count(b'\r') || method == "CONNECT" {
            return Err(BadHead::Unreadable);
        }
        let headers: &'h [httparse::Header<'b>] = request.headers;
        let common = common(headers)?;
        // Two readers could take two different ones.
        if common.named_twice {
            return Err(BadHead::Unreadable);
        }
        let target = origin_form(target).ok_or(BadHead::Unreadable)?;
        let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
        Ok(Some(Self {
            length,
            method,
            path,
            query,
            framing: if common.chunked {
                Framing::CHUNKED
            } else {
                Framing::Length(common.length.unwrap_or(0))
            },
            keep_alive: minor > 0 && !common.close,
            http_1_0: minor == 0,
            // HTTP/1.0 knows no interim answers.
            expects_continue: minor > 0 && common.expects_continue,
            host: common.host,
            origin: common.origin,
            headers,
            bytes: &bytes[..length],
            stays: common.stays,
        }))
    }

    /// Appends the head as the server at `authority` gets it, for `path`.
    pub(crate) fn pass_on(
        &self,
        authority: &[u8],
        path: &str,
        query: &str,
        added: &Added,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(self.method.as_bytes());
        out.push(b' ');
        out.extend_from_slice(path.as_bytes());
        out.extend_from_slice(query.as_bytes());
        out.extend_from_slice(b" HTTP/1.1\r\n");
        line(out, b"Host", authority);
        let stays = self.stays | added.replaced(self.headers);
        pass_on(self.bytes, self.headers, stays, out);
        out.extend_from_slice(&added.lines);
        if self.framing.is_chunked() {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The target as path and query; `None` for the forms that only proxies get (RFC 9112, section 3.2).
fn origin_form(target: &str) -> Option<&str> {
    if target.starts_with('/') {
        return Some(target);
    }
    let authority = target
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?
        .1;
    Some(authority.find('/').map_or("/", |at| &authority[at..]))
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct ResponseHead<'h, 'b> {
    /// Bytes of the head.
    pub(crate) length: usize,
    /// The status code.
    pub(crate) status: u16,
    /// How its body is framed.
    pub(crate) framing: Framing,
    /// Whether the connection can serve another request.
    pub(crate) keep_alive: bool,
    /// `Content-Type`.
    pub(crate) content_type: Option<&'b [u8]>,
    /// `Content-Encoding`.
    pub(crate) content_encoding: Option<&'b [u8]>,
    /// `Mcp-Session-Id`.
    pub(crate) mcp_session: Option<&'b [u8]>,
    headers: &'h [httparse::Header<'b>],
    /// The head itself.
    bytes: &'b [u8],
    /// Where the reason phrase stands.
    reason: Range<usize>,
    stays: u128,
    authenticate: u128,
    measured: u128,
}

impl<'h, 'b> ResponseHead<'h, 'b> {
    /// Reads the head at the beginning of `bytes`; `None` if it is not all there. `to_head` says that the request was a
    /// HEAD, whose answer has no body.
    pub(crate) fn read(
        bytes: &'b [u8],
        room: &'h mut Headers<'b>,
        to_head: bool,
    ) -> Result<Option<Self>, BadHead> {
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            bytes,
            room,
        );
        let length = match parsed {
            Ok(httparse::Status::Complete(length)) if length <= LONGEST_HEAD => length,
            Ok(httparse::Status::Partial) if bytes.len() <= LONGEST_HEAD => return Ok(None),
            Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(BadHead::TooLong),
            Err(_) => return Err(BadHead::Unreadable),
        };
        let (Some(status), Some(minor)) = (response.code, response.version) else {
            return Err(BadHead::Unreadable);
        };
        let headers: &'h [httparse::Header<'b>] = response.headers;
        let common = common(headers)?;
        // RFC 9112, section 6.3.
        let framing = if to_head || status == 204 || status == 304 || (100..200).contains(&status) {
            Framing::Length(0)
        } else if common.chunked {
            Framing::CHUNKED
        } else {
            common.length.map_or(Framing::UntilClose, Framing::Length)
        };
        let keep_alive = if minor == 0 {
            common.keep_alive
        } else {
            !common.close
        };
        let keep_alive = keep_alive && framing != Framing::UntilClose;
        // `HTTP/1.1 200 Reason`: the phrase begins at a fixed place and ends with its line.
        let end = memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(length);
        let reason = 13.min(end)..end;
        Ok(Some(Self {
            length,
            status,
            framing,
            keep_alive,
            content_type: common.content_type,
            content_encoding: common.content_encoding,
            mcp_session: common.mcp_session,
            headers,
            bytes: &bytes[..length],
            reason,
            stays: common.stays,
            authenticate: common.authenticate,
            measured: common.measured,
        }))
    }

    /// The headers that pass.
    pub(crate) fn passing(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let headers = self.headers.iter().enumerate();
        headers
            .filter(|(number, _)| self.stays >> number & 1 == 0)
            .map(|(_, header)| (header.name, header.value))
    }

    /// Leaves the length out when the head is passed on: the body will have another.
    pub(crate) fn unmeasured(&mut self) {
        self.stays |= self.measured;
    }

    /// Whether it asks for authentication.
    pub(crate) fn authenticates(&self) -> bool {
        self.authenticate != 0
    }

    /// Takes out each `WWW-Authenticate` that `rewrite` makes another of; gives the lines to pass in their place.
    pub(crate) fn rewritten(&mut self, rewrite: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
        let mut lines = Vec::new();
        for (number, header) in self.headers.iter().enumerate() {
            if self.authenticate >> number & 1 == 1
                && let Some(value) = rewrite(header.value)
            {
                self.stays |= 1 << number;
                line(&mut lines, header.name.as_bytes(), &value);
            }
        }
        lines
    }

    /// Appends the head as the client gets it.
    pub(crate) fn pass_on(
        &self,
        own: Option<(&str, &[u8])>,
        chunked: bool,
        close: bool,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(b"HTTP/1.1 ");
        let mut digits = [b'0'; 3];
        let mut rest = self.status;
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        out.extend_from_slice(&digits);
        out.push(b' ');
        out.extend_from_slice(&self.bytes[self.reason.clone()]);
        out.extend_from_slice(b"\r\n");
        pass_on(self.bytes, self.headers, self.stays, out);
        if let Some((name, value)) = own {
            line(out, name.as_bytes(), value);
        }
        if chunked {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        if close {
            out.extend_from_slice(b"Connection: close\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Result<Option<String>, BadHead> {
        let mut room = no_headers!();
        Ok(
            RequestHead::read(text.as_bytes(), &mut room, 64 << 10)?.map(|head| {
                let mut out = Vec::new();
                head.pass_on(b"up:1", head.path, head.query, &Added::default(), &mut out);
                String::from_utf8(out).expect("text")
            }),
        )
    }

    #[test]
    fn a_request_passes_with_its_own_headers_and_without_the_connections() {
        let text = "POST /mcp?a=b HTTP/1.1\r\nHost: me\r\nX-Odd-Case: 1\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\n\
            keep-alive: 5\r\nExpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}";
        let out =
            "POST /mcp?a=b HTTP/1.1\r\nHost: up:1\r\nX-Odd-Case: 1\r\ncontent-length: 2\r\n\r\n";
        assert_eq!(request(text).expect("readable").as_deref(), Some(out));
        for cut in 1..text.len() - 3 {
            assert_eq!(request(&text[..cut]), Ok(None), "{cut}");
        }
    }

    #[test]
    fn what_could_smuggle_a_request_is_refused() {
        for (headers, error) in [
            (
                "Content-Length: 1\r\nTransfer-Encoding: chunked",
                BadHead::Ambiguous,
            ),
            ("Content-Length: 1\r\nContent-Length: 1", BadHead::Ambiguous),
            ("Content-Length: +1", BadHead::Ambiguous),
            ("Content-Length: 1,1", BadHead::Ambiguous),
            ("Content-Length:", BadHead::Ambiguous),
            ("Transfer-Encoding: gzip, chunked", BadHead::Ambiguous),
            (
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                BadHead::Ambiguous,
            ),
            ("Transfer-Encoding : chunked", BadHead::Unreadable),
            ("Host: a\r\nHost: b", BadHead::Unreadable),
            ("X: 1\r\n folded", BadHead::Unreadable),
            ("X: 1\nY: 2", BadHead::Unreadable),
        ] {
            let text = format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n");
            assert_eq!(request(&text), Err(error), "{headers}");
        }
        assert_eq!(
            request("CONNECT a:1 HTTP/1.1\r\n\r\n"),
            Err(BadHead::Unreadable)
        );
        // Without its length the body would be the next request.
        let named = "POST / HTTP/1.1\r\nConnection: content-length\r\nContent-Length: 2\r\n\r\n";
        let out = "POST / HTTP/1.1\r\nHost: up:1\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(request(named).expect("readable").as_deref(), Some(out));
        assert_eq!(request(&"X".repeat(70_000)), Err(BadHead::TooLong));
        assert_eq!(
            request(&format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(200))),
            Err(BadHead::TooLong)
        );
    }

    #[test]
    fn an_answer_keeps_its_status_line_and_says_where_it_ends() {
        let read = |text: &str, to_head| {
            let mut room = no_headers!();
            let head = ResponseHead::read(text.as_bytes(), &mut room, to_head)
                .expect("readable")
                .expect("whole");
            let mut out = Vec::new();
            head.pass_on(
                Some(("X-Own", b"1")),
                head.framing.is_chunked(),
                false,
                &mut out,
            );
            (
                head.framing,
                head.keep_alive,
                String::from_utf8(out).expect("text"),
            )
        };
        let (framing, keep_alive, out) = read(
            "HTTP/1.1 404 No Such\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5\r\nA: b\r\n\r\n",
            false,
        );
        assert_eq!((framing, keep_alive), (Framing::CHUNKED, true));
        assert_eq!(
            out,
            "HTTP/1.1 404 No Such\r\nA: b\r\nX-Own: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        assert_eq!(
            read("HTTP/1.1 200 OK\r\n\r\n", false).0,
            Framing::UntilClose
        );
        assert!(!read("HTTP/1.1 200 OK\r\n\r\n", false).1);
        assert_eq!(
            read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true).0,
            Framing::Length(0)
        );
        assert_eq!(
            read("HTTP/1.1 204\r\n\r\n", false).2,
            "HTTP/1.1 204 \r\nX-Own: 1\r\n\r\n"
        );
        assert!(!read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false).1);
    }
}
