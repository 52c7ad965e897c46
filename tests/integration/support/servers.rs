//! Real MCP servers.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Owned, PATIENCE, lines};

/// Where the clients and servers from npm are.
pub(crate) fn clients_dir() -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    assert!(
        dir.join("node_modules").exists(),
        "the test clients are missing: run scripts/test --setup-only"
    );
    dir
}

/// `@modelcontextprotocol/server-everything`: legacy era, mints session ids.
pub(crate) struct Everything {
    _child: Owned,
    /// Its endpoint.
    pub(crate) url: String,
}

impl Everything {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        // It cannot tell a free port that it took: one that is free now is tried, and another if somebody was faster.
        for _ in 0..10 {
            if let Some(running) = Self::try_port(free_port()) {
                return running;
            }
        }
        panic!("server-everything does not start");
    }

    /// Ends it, and waits until another one runs on the same port, as after a restart: it knows nothing any more.
    pub(crate) fn restart(self, while_away: impl FnOnce()) -> Self {
        let port = self.url.rsplit([':', '/']).nth(1).map(str::parse);
        let port = port.expect("a port").expect("a number");
        drop(self);
        while_away();
        super::eventually("the port", || Self::try_port(port))
    }

    /// Starts it on `port`; `None` when that is taken.
    pub(crate) fn try_port(port: u16) -> Option<Self> {
        let program = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
        let mut command = Command::new("node");
        command
            .args([program, "streamableHttp"])
            .env("PORT", port.to_string())
            .current_dir(clients_dir());
        let mut child = Owned(
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("node starts"),
        );
        let said = lines(child.0.stderr.take().expect("piped"));
        let told = lines(child.0.stdout.take().expect("piped"));
        loop {
            match said.recv_timeout(PATIENCE) {
                Ok(line) if line.contains("listening on port") => break,
                Ok(_) => {}
                Err(_) => return None,
            }
        }
        // With a port that is taken it says so too, and then fails: only a request that this very process tells of
        // proves that the port is its own.
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream
            .write_all(b"GET /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
            .ok()?;
        loop {
            match told.recv_timeout(PATIENCE) {
                Ok(line) if line.contains("Received MCP GET request") => break,
                Ok(_) => {}
                Err(_) => return None,
            }
        }
        Some(Self {
            _child: child,
            url: format!("http://127.0.0.1:{port}/mcp"),
        })
    }
}

/// `@modelcontextprotocol/server-everything` over the HTTP+SSE transport of 2024-11-05.
pub(crate) struct EverythingSse {
    _child: Owned,
    /// Where its event streams are.
    pub(crate) url: String,
}

impl EverythingSse {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        (0..10)
            .find_map(|_| Self::try_port(free_port()))
            .expect("server-everything starts")
    }

    fn try_port(port: u16) -> Option<Self> {
        let program = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
        let mut command = Command::new("node");
        command
            .args([program, "sse"])
            .env("PORT", port.to_string())
            .current_dir(clients_dir());
        let started = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = Owned(started.expect("node starts"));
        let said = lines(child.0.stderr.take().expect("piped"));
        let until = |word: &str| loop {
            match said.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(word) => return Some(()),
                Ok(_) => {}
                Err(_) => return None,
            }
        };
        until("running on port")?;
        // Only a stream that this very process tells of proves that the port is its own.
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream
            .write_all(b"GET /sse HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            .ok()?;
        until("Client Connected")?;
        Some(Self {
            _child: child,
            url: format!("http://127.0.0.1:{port}/sse"),
        })
    }
}

/// A server made with `@modelcontextprotocol/server`: 2026-07-28, and legacy clients without session ids.
pub(crate) struct ModernServer {
    _child: Owned,
    /// Its endpoint.
    pub(crate) url: String,
}

impl ModernServer {
    /// Starts it on a free port with `arguments`.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new("node");
        command
            .arg("modern_server.mjs")
            .args(arguments)
            .current_dir(clients_dir());
        let mut child = Owned(command.stdout(Stdio::piped()).spawn().expect("node starts"));
        let said = lines(child.0.stdout.take().expect("piped"));
        let line = said
            .recv_timeout(PATIENCE)
            .expect("the modern server says its port");
        let port: u16 = line
            .trim_start_matches("LISTENING ")
            .parse()
            .expect("a port");
        Self {
            _child: child,
            url: format!("http://127.0.0.1:{port}/mcp"),
        }
    }
}

/// A port that nothing listens on at this moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
