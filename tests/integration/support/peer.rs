//! One end of a connection that carries many messages, each byte of it the test's.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use super::PATIENCE;

/// Headers or trailers, in order; names in lower case.
pub(crate) type Fields = Vec<(String, Vec<u8>)>;

/// The head of a request or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Request line or status line.
    pub(crate) start: String,
    pub(crate) headers: Fields,
}

impl Head {
    /// The value of a header; `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(known, _)| known == name)?;
        std::str::from_utf8(value).ok()
    }

    /// The HTTP status of an answer.
    pub(crate) fn status(&self) -> u16 {
        let number = self.start.split(' ').nth(1);
        number
            .and_then(|number| number.parse().ok())
            .unwrap_or_else(|| panic!("no status line: {}", self.start))
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: BufReader<TcpStream>,
}

impl Peer {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// A client's end of a connection to `url`.
    pub(crate) fn connect(url: &str) -> Self {
        let rest = url.strip_prefix("http://").expect("a URL");
        let authority = rest.split('/').next().expect("an authority");
        TcpStream::connect(authority)
            .and_then(Self::new)
            .expect("connected")
    }

    /// Another handle of the same connection, to write while this one reads.
    pub(crate) fn writer(&self) -> TcpStream {
        self.stream.get_ref().try_clone().expect("a handle")
    }

    /// Writes to the other side.
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_write(bytes).expect("written");
    }

    /// Writes to the other side, if that is still there.
    pub(crate) fn try_write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        match line.strip_suffix(b"\r\n") {
            Some(text) => Ok(text.to_vec()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The next head.
    pub(crate) fn head(&mut self) -> io::Result<Head> {
        let start = String::from_utf8_lossy(&self.line()?).into_owned();
        let headers = self.fields()?;
        Ok(Head { start, headers })
    }

    /// Headers or trailers, to the empty line.
    fn fields(&mut self) -> io::Result<Fields> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let colon = line.iter().position(|byte| *byte == b':');
            let (name, value) = line.split_at(colon.expect("a colon"));
            let name = String::from_utf8_lossy(name).to_lowercase();
            fields.push((name, value[1..].trim_ascii().to_vec()));
        }
    }

    /// So many bytes.
    pub(crate) fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The data of the next chunk; empty for the last, whose trailers are left.
    pub(crate) fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let line = String::from_utf8_lossy(&self.line()?).into_owned();
        let size = line.split(';').next().unwrap_or_default().trim().to_owned();
        let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
        let data = self.exactly(size)?;
        if size > 0 && !self.line()?.is_empty() {
            return Err(io::Error::other("no end of a chunk"));
        }
        Ok(data)
    }

    /// The body behind `head`, and its trailers.
    pub(crate) fn body(&mut self, head: &Head) -> io::Result<(Vec<u8>, Fields)> {
        if head.header("transfer-encoding").is_some() {
            let mut body = Vec::new();
            loop {
                let data = self.chunk()?;
                if data.is_empty() {
                    return Ok((body, self.fields()?));
                }
                body.extend(data);
            }
        }
        let length = match head.header("content-length") {
            Some(length) => length.parse().expect("a length"),
            None if head.start.starts_with("HTTP/") => return Ok((self.rest()?, Vec::new())),
            None => 0,
        };
        Ok((self.exactly(length)?, Vec::new()))
    }

    /// A message with its body.
    pub(crate) fn message(&mut self) -> io::Result<(Head, Vec<u8>)> {
        let head = self.head()?;
        let (body, _) = self.body(&head)?;
        Ok((head, body))
    }

    /// All until the other side ends.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// Whether the other side has closed, in whatever way, and sent nothing before.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.rest() {
            Ok(rest) => rest.is_empty(),
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    /// Sends no more, and goes on reading. The other side may have closed already.
    pub(crate) fn end(&self) {
        let _ = self.stream.get_ref().shutdown(Shutdown::Write);
    }

    /// Closes with a reset, as a process that crashes does.
    pub(crate) fn reset(self) {
        let socket = socket2::SockRef::from(self.stream.get_ref());
        socket
            .set_linger(Some(std::time::Duration::ZERO))
            .expect("an option");
    }
}

/// A server whose connections are the test's.
pub(crate) struct Upstream {
    /// Its MCP endpoint.
    pub(crate) url: String,
    connections: Receiver<Peer>,
}

impl Upstream {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let (sender, connections) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                std::thread::spawn(move || {
                    // A connection without a request (a try whether it is there) is none of the test's business.
                    if stream.peek(&mut [0]).is_ok_and(|count| count > 0)
                        && let Ok(peer) = Peer::new(stream)
                    {
                        let _ = sender.send(peer);
                    }
                });
            }
        });
        Self { url, connections }
    }

    /// The next connection on which there is a request.
    pub(crate) fn accept(&self) -> Peer {
        self.connections
            .recv_timeout(PATIENCE)
            .expect("a connection")
    }

    /// Whether no connection has come that was not accepted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.connections.try_recv().is_err()
    }

    /// Serves each connection with `serve`, for ever.
    pub(crate) fn each(self, serve: impl Fn(Peer) + Clone + Send + 'static) {
        std::thread::spawn(move || {
            for peer in self.connections {
                let serve = serve.clone();
                std::thread::spawn(move || serve(peer));
            }
        });
    }
}
