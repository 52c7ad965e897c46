//! The MCP server that benchmarks put behind a proxy: it answers as fast as one thread can, so that what is measured
//! is the proxy. It owns just enough HTTP/1.1 and MCP for that and must not be taken for a server to copy: it checks
//! no sessions, no versions and no headers beyond framing.
//!
//! Started by `scripts/bench`; prints one line with its address when it listens.

use std::{
    borrow::Cow,
    error::Error,
    io::{self, Write as _},
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
};

use memchr::{memchr, memmem};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Larger than a request of the benchmarks: a read that does not fill its buffer saves tokio the second `read` that
/// would only say "would block".
const READ_CHUNK: usize = 16 * 1024;
static BIG_TEXT: [u8; 64 * 1024] = [b'x'; 64 * 1024];

const ID: &[u8] = br#"{"jsonrpc":"2.0","id":"#;
const RESULT: &[u8] = br#","result":"#;
const ERROR: &[u8] = br#","error":"#;
const END: &[u8] = b"}";

const NO_METHOD: &[u8] = br#"{"code":-32601,"message":"Method not found"}"#;
const NO_TOOL: &[u8] = br#"{"code":-32602,"message":"Unknown tool"}"#;
const INITIALIZE: &[u8] = br#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"bench-upstream","version":"1"}}"#;
const DISCOVER: &[u8] = br#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"bench-upstream","version":"1"}}}"#;
const TOOLS: &[u8] = br#"{"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":[{"name":"echo","description":"Says it again","inputSchema":{"type":"object","properties":{"message":{"type":"string"}}}}]}"#;
// `resultType` is of 2026-07-28; older clients skip members they do not know.
const TEXT_OPEN: &[u8] = br#"{"resultType":"complete","content":[{"type":"text","text":"#;
const TEXT_CLOSE: &[u8] = b"}]}";

static SESSIONS: AtomicU64 = AtomicU64::new(1);

fn main() -> Result<(), Box<dyn Error>> {
    let mut listen = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--listen" => listen = arguments.next(),
            "--bench" => {} // cargo bench passes it
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    let Some(listen) = listen else {
        // `cargo bench` starts every bench target: end there instead of serving for ever.
        writeln!(
            io::stdout(),
            "a server for scripts/bench; to start it alone: --listen 127.0.0.1:PORT"
        )?;
        return Ok(());
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?
        .block_on(accept(&listen))
}

async fn accept(listen: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(listen).await?;
    writeln!(
        io::stdout(),
        "listening on http://{}/mcp",
        listener.local_addr()?
    )?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A connection that breaks is the client's business: wrk breaks all of its own at the end of a run.
        tokio::spawn(async move { serve(stream).await.ok() });
    }
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut input = Vec::new();
    let mut output = Vec::new();
    loop {
        input.reserve(READ_CHUNK);
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        let mut close = false;
        while !close && let Some(request) = Request::parse(&input)? {
            close = request.close;
            answer(&request, &mut output)?;
            let end = request.end;
            input.drain(..end);
        }
        stream.write_all(&output).await?;
        output.clear();
        if close {
            return stream.shutdown().await;
        }
    }
}

/// One HTTP request that has arrived in full.
struct Request<'a> {
    method: &'a [u8],
    target: &'a [u8],
    body: Cow<'a, [u8]>,
    /// The client wants no further request on this connection.
    close: bool,
    /// Where the next request starts.
    end: usize,
}

impl<'a> Request<'a> {
    /// The first request in `input`, or `None` while a part of it is missing.
    fn parse(input: &'a [u8]) -> io::Result<Option<Self>> {
        let Some(head_end) = memmem::find(input, b"\r\n\r\n") else {
            return Ok(None);
        };
        let mut lines = input[..head_end].split(|&byte| byte == b'\n');
        let mut words = lines
            .next()
            .unwrap_or_default()
            .splitn(3, |&byte| byte == b' ');
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();

        let (mut length, mut chunked, mut close) = (0, false, false);
        for line in lines {
            let Some(colon) = memchr(b':', line) else {
                continue;
            };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-length") {
                length = number(value, 10)?;
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                chunked = value.eq_ignore_ascii_case(b"chunked");
            } else if name.eq_ignore_ascii_case(b"connection") {
                close = value.eq_ignore_ascii_case(b"close");
            }
        }

        let start = head_end + 4;
        let (body, end) = if chunked {
            let Some((body, end)) = dechunk(input, start)? else {
                return Ok(None);
            };
            (Cow::Owned(body), end)
        } else {
            let Some(body) = input.get(span(start, length)?) else {
                return Ok(None);
            };
            (Cow::Borrowed(body), start + length)
        };
        Ok(Some(Self {
            method,
            target,
            body,
            close,
            end,
        }))
    }
}

/// The chunked body that starts at `at`, and where it ends; `None` while a part of it is missing.
fn dechunk(input: &[u8], mut at: usize) -> io::Result<Option<(Vec<u8>, usize)>> {
    let mut body = Vec::new();
    loop {
        let Some(line) = memmem::find(&input[at..], b"\r\n") else {
            return Ok(None);
        };
        let length = number(&input[at..at + line], 16)?;
        let data = span(at + line + 2, length)?;
        at = data.end + 2;
        // No trailers: after the chunk of length 0 as after every other stands one empty line.
        if at > input.len() {
            return Ok(None);
        }
        if length == 0 {
            return Ok(Some((body, at)));
        }
        body.extend_from_slice(&input[data]);
    }
}

/// `length` bytes from `start`; an error for a length that no memory holds, so that additions cannot overflow.
fn span(start: usize, length: usize) -> io::Result<Range<usize>> {
    if length > isize::MAX as usize / 2 {
        return Err(malformed("length"));
    }
    Ok(start..start + length)
}

fn number(digits: &[u8], radix: u32) -> io::Result<usize> {
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| usize::from_str_radix(digits, radix).ok())
        .ok_or_else(|| malformed("number"))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("malformed request: {what}"),
    )
}

/// What an answer depends on; everything else is skipped unread.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Default, Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    arguments: Option<Arguments<'a>>,
}

#[derive(Deserialize)]
struct Arguments<'a> {
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

fn answer(request: &Request, output: &mut Vec<u8>) -> io::Result<()> {
    if request.target != b"/mcp" {
        return head(output, request, "404 Not Found", "content-length: 0\r\n");
    }
    match request.method {
        b"POST" => answer_message(request, output),
        b"DELETE" => head(output, request, "200 OK", "content-length: 0\r\n"),
        _ => head(
            output,
            request,
            "405 Method Not Allowed",
            "allow: POST, DELETE\r\ncontent-length: 0\r\n",
        ),
    }
}

fn answer_message(request: &Request, output: &mut Vec<u8>) -> io::Result<()> {
    let Ok(message) = serde_json::from_slice::<Message>(&request.body) else {
        return head(output, request, "400 Bad Request", "content-length: 0\r\n");
    };
    let Some(id) = message.id else {
        return head(output, request, "202 Accepted", "content-length: 0\r\n");
    };
    let id = id.get().as_bytes();
    let params = message.params.unwrap_or_default();
    match (&*message.method, params.name.as_deref()) {
        ("initialize", _) => {
            // A uuid in form; a counter, so that two runs see the same ids.
            let session = SESSIONS.fetch_add(1, Ordering::Relaxed);
            let header = format!("mcp-session-id: 00000000-0000-4000-8000-{session:012x}\r\n");
            json(output, request, &header, &[ID, id, RESULT, INITIALIZE, END])
        }
        ("server/discover", _) => json(output, request, "", &[ID, id, RESULT, DISCOVER, END]),
        ("tools/list", _) => json(output, request, "", &[ID, id, RESULT, TOOLS, END]),
        ("ping", _) => json(output, request, "", &[ID, id, RESULT, b"{}", END]),
        ("tools/call", Some(tool @ ("echo" | "echo_sse"))) => {
            let text = params.arguments.and_then(|arguments| arguments.message);
            let text = text.map_or("\"\"", RawValue::get).as_bytes();
            let message = [ID, id, RESULT, TEXT_OPEN, text, TEXT_CLOSE, END];
            if tool == "echo" {
                json(output, request, "", &message)
            } else {
                event(output, request, &message)
            }
        }
        ("tools/call", Some("big")) => {
            let message = [
                ID, id, RESULT, TEXT_OPEN, b"\"", &BIG_TEXT, b"\"", TEXT_CLOSE, END,
            ];
            json(output, request, "", &message)
        }
        ("tools/call", _) => json(output, request, "", &[ID, id, ERROR, NO_TOOL, END]),
        _ => json(output, request, "", &[ID, id, ERROR, NO_METHOD, END]),
    }
}

fn head(output: &mut Vec<u8>, request: &Request, status: &str, headers: &str) -> io::Result<()> {
    let connection = if request.close {
        "connection: close\r\n"
    } else {
        ""
    };
    write!(output, "HTTP/1.1 {status}\r\n{headers}{connection}\r\n")
}

/// An answer whose body is `parts` one after the other.
fn json(output: &mut Vec<u8>, request: &Request, headers: &str, parts: &[&[u8]]) -> io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let headers =
        format!("content-type: application/json\r\ncontent-length: {length}\r\n{headers}");
    head(output, request, "200 OK", &headers)?;
    append(output, parts);
    Ok(())
}

/// An event stream of one event, whose data is `parts`. Event and end of the body go out in one write: the least work
/// for a proxy, and the same for all of them.
fn event(output: &mut Vec<u8>, request: &Request, parts: &[&[u8]]) -> io::Result<()> {
    const BEFORE: &[u8] = b"event: message\ndata: ";
    const AFTER: &[u8] = b"\n\n";
    let headers = "content-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n";
    head(output, request, "200 OK", headers)?;
    let data: usize = parts.iter().map(|part| part.len()).sum();
    write!(output, "{:x}\r\n", BEFORE.len() + data + AFTER.len())?;
    append(output, &[BEFORE]);
    append(output, parts);
    append(output, &[AFTER, b"\r\n0\r\n\r\n"]);
    Ok(())
}

fn append(output: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        output.extend_from_slice(part);
    }
}
