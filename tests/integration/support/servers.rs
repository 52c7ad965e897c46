//! Real MCP servers.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use super::{Owned, PATIENCE, lines};

/// Where the clients and servers from npm are.
pub fn clients_dir() -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    assert!(dir.join("node_modules").exists(), "the test clients are missing: run scripts/test --setup-only");
    dir
}

/// `@modelcontextprotocol/server-everything`: legacy era, mints session ids.
pub struct Everything {
    _child: Owned,
    /// Its endpoint.
    pub url: String,
}

impl Everything {
    /// Starts it on a free port.
    pub fn start() -> Self {
        // It cannot tell a free port that it took: one that is free now is tried, and another if somebody was faster.
        for _ in 0..10 {
            if let Some(running) = Self::try_port(free_port()) {
                return running;
            }
        }
        panic!("server-everything does not start");
    }

    /// Starts it on `port`; `None` when that is taken.
    pub fn try_port(port: u16) -> Option<Self> {
        let program = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
        let mut command = Command::new("node");
        command.args([program, "streamableHttp"]).env("PORT", port.to_string()).current_dir(clients_dir());
        let mut child = Owned(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("node starts"));
        let said = lines(child.0.stderr.take().expect("piped"));
        loop {
            match said.recv_timeout(PATIENCE) {
                Ok(line) if line.contains("listening on port") => break,
                Ok(_) => {}
                Err(_) => return None,
            }
        }
        // With a port that is taken it says so too, and then fails.
        match said.recv_timeout(Duration::from_millis(300)) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(line) if !line.contains("Failed") => {}
            _ => return None,
        }
        Some(Self { _child: child, url: format!("http://127.0.0.1:{port}/mcp") })
    }
}

/// A server made with `@modelcontextprotocol/server`: 2026-07-28, and legacy clients without session ids.
pub struct ModernServer {
    _child: Owned,
    /// Its endpoint.
    pub url: String,
}

impl ModernServer {
    /// Starts it on a free port with `arguments`.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new("node");
        command.arg("modern_server.mjs").args(arguments).current_dir(clients_dir());
        let mut child = Owned(command.stdout(Stdio::piped()).spawn().expect("node starts"));
        let said = lines(child.0.stdout.take().expect("piped"));
        let line = said.recv_timeout(PATIENCE).expect("the modern server says its port");
        let port: u16 = line.trim_start_matches("LISTENING ").parse().expect("a port");
        Self { _child: child, url: format!("http://127.0.0.1:{port}/mcp") }
    }
}

/// A port that nothing listens on at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
