//! HTTP by hand: a client and a server whose every byte the test decides on and sees.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use super::PATIENCE;

/// The head of a request or an answer, and the rest of its connection.
pub(crate) struct Message {
    /// Request line or status line.
    pub(crate) start: String,
    headers: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
}

impl Message {
    fn read(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let headers = lines.iter().skip(1).filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_lowercase(), value.trim().to_owned()))
        });
        Ok(Self {
            headers: headers.collect(),
            start: lines.first().cloned().unwrap_or_default(),
            stream,
        })
    }

    /// The value of a header; `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The HTTP status of an answer.
    pub(crate) fn status(&self) -> u16 {
        let number = self.start.split(' ').nth(1);
        number
            .and_then(|number| number.parse().ok())
            .expect("a status")
    }

    /// The body to its end, the framing taken off.
    pub(crate) fn body(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.header("transfer-encoding").is_some() {
            while let Some(chunk) = self.chunk()? {
                body.extend(chunk);
            }
        } else if let Some(length) = self.header("content-length") {
            body.resize(length.parse().expect("a length"), 0);
            self.stream.read_exact(&mut body)?;
        } else if self.start.starts_with("HTTP/") {
            self.stream.read_to_end(&mut body)?;
        }
        Ok(body)
    }

    /// The next chunk; `None` at the end.
    pub(crate) fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim_end(), 16)
            .map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk)?;
        chunk.truncate(size);
        Ok((size > 0).then_some(chunk))
    }

    /// What the other side still says.
    pub(crate) fn stream(&mut self) -> &mut impl Read {
        &mut self.stream
    }

    /// Writes to the other side of the connection.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let stream = self.stream.get_mut();
        stream
            .write_all(bytes)
            .and_then(|()| stream.flush())
            .expect("written");
    }

    /// Answers a request with `content_type` and `body`, and ends the connection.
    pub(crate) fn answer(mut self, status: &str, headers: &str, body: &[u8]) {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
        );
        self.write(&[head.as_bytes(), body].concat());
    }
}

/// Sends a request to `url`; `headers` are whole lines. The answer's head, when it is there.
pub(crate) fn send(url: &str, method: &str, headers: &str, body: &[u8]) -> io::Result<Message> {
    let length = body.len();
    let framed = format!("{headers}content-length: {length}\r\n");
    send_raw(url, method, &framed, body)
}

/// The same, with a body whose framing is the caller's.
pub(crate) fn send_raw(url: &str, method: &str, headers: &str, body: &[u8]) -> io::Result<Message> {
    let (authority, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .expect("a URL");
    let mut stream = TcpStream::connect(authority)?;
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n{headers}\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat())?;
    Message::read(stream)
}

/// A server that does what the test says.
pub(crate) struct Scripted {
    /// Its MCP endpoint.
    pub(crate) url: String,
    requests: Receiver<Message>,
}

impl Scripted {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    /// Starts it on `listener`.
    pub(crate) fn on(listener: TcpListener) -> Self {
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                // A connection without a request (a try whether it is there) is none of the test's business.
                std::thread::spawn(move || {
                    if let Ok(request) = Message::read(stream) {
                        let _ = sender.send(request);
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// The next request.
    pub(crate) fn request(&self) -> Message {
        self.requests.recv_timeout(PATIENCE).expect("a request")
    }
}

/// A legacy client made of single requests.
pub(crate) struct Legacy {
    url: String,
    /// The `Mcp-Session-Id`.
    pub(crate) id: String,
    /// What archonctl calls the session.
    pub(crate) archon_id: Option<String>,
}

const COMMON: &str =
    "content-type: application/json\r\naccept: application/json, text/event-stream\r\n";

impl Legacy {
    /// Initialises a session as a client called `name`.
    pub(crate) fn open(url: &str, name: &str) -> Self {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": name, "version": "1"}});
        let body = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let mut answer = send(url, "POST", COMMON, body.to_string().as_bytes()).expect("answered");
        assert_eq!(answer.status(), 200);
        let id = answer
            .header("mcp-session-id")
            .expect("a session")
            .to_owned();
        let archon_id = answer.header("x-archon-session-id").map(str::to_owned);
        answer.body().expect("a body");
        Self {
            url: url.to_owned(),
            id,
            archon_id,
        }
    }

    /// The same session through another endpoint.
    pub(crate) fn moved(&self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            id: self.id.clone(),
            archon_id: self.archon_id.clone(),
        }
    }

    fn headers(&self, more: &str) -> String {
        let id = &self.id;
        format!("{COMMON}mcp-protocol-version: 2025-11-25\r\nmcp-session-id: {id}\r\n{more}")
    }

    /// Sends a request of the session; the head of its answer.
    pub(crate) fn send(&self, method: &str, more_headers: &str, body: &str) -> io::Result<Message> {
        send(
            &self.url,
            method,
            &self.headers(more_headers),
            body.as_bytes(),
        )
    }

    /// Calls `echo` with `traceparent`; what it answered, when all of it has come. Null where that is no JSON.
    pub(crate) fn echo(&self, trace_id: &str) -> io::Result<(Message, Value)> {
        let params = json!({"name": "echo", "arguments": {"message": trace_id}});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let trace = format!("traceparent: 00-{trace_id}-00f067aa0ba902b7-01\r\n");
        let mut answer = self.send("POST", &trace, &body.to_string())?;
        let body = String::from_utf8(answer.body()?).expect("UTF-8");
        let document = body
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data: "));
        let document = serde_json::from_str(document.unwrap_or(&body)).unwrap_or_default();
        Ok((answer, document))
    }
}
