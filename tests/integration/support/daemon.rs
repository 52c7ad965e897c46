//! `archonctl serve` on a data directory of its own, and the queries on it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::Receiver;

use serde_json::Value;
use tempfile::TempDir;

use super::{Owned, PATIENCE, eventually, lines, send_signal};

/// A running daemon.
pub struct Daemon {
    child: Owned,
    log: Receiver<String>,
    /// Its MCP endpoint.
    pub url: String,
}

impl Daemon {
    /// Starts `archonctl serve` on a free port with `arguments`, and waits until it is ready.
    pub fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        let mut command = archonctl();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir).args(arguments);
        let mut child = Owned(command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("archonctl starts"));
        let log = lines(child.0.stderr.take().expect("piped"));
        let mut seen = Vec::new();
        loop {
            let Ok(line) = log.recv_timeout(PATIENCE) else { panic!("the daemon did not get ready:\n{}", seen.join("\n")) };
            if let Some((_, rest)) = line.split_once("relaying ") {
                let url = rest.split(' ').next().expect("a URL").to_owned();
                return Self { child, log, url };
            }
            seen.push(line);
        }
    }

    /// The URL of `path` on its port.
    pub fn at(&self, path: &str) -> String {
        self.url.replace("/mcp", path)
    }

    /// Ends it gracefully with `signal`.
    pub fn stop_with(mut self, signal: &str) -> ExitStatus {
        send_signal(&self.child.0, signal);
        self.child.0.wait().expect("it ends")
    }

    /// Ends it gracefully; what it logged.
    pub fn stop(mut self) -> Vec<String> {
        send_signal(&self.child.0, "TERM");
        assert!(self.child.0.wait().expect("it ends").success());
        self.log.iter().collect()
    }

    /// Sends it a signal and goes on.
    pub fn signal(&self, signal: &str) {
        send_signal(&self.child.0, signal);
    }

    /// Kills it: no last word, no clean-up.
    pub fn kill(mut self) {
        self.child.0.kill().expect("killed");
        self.child.0.wait().expect("it ends");
    }
}

/// A data directory that does not exist yet, in a temporary one that does.
pub fn new_data_dir() -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a temporary directory");
    let data_dir = root.path().join("new").join("data");
    (root, data_dir)
}

/// The binary, without the settings of whoever runs the tests.
pub fn archonctl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_archonctl"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("ARCHON") || text.starts_with("XDG_") || text == "DATABASE_URL" || text == "NO_COLOR" {
            command.env_remove(name);
        }
    }
    command.current_dir(std::env::temp_dir());
    command
}

/// Runs a query with `-o json` and gives the document.
pub fn json(data_dir: &Path, arguments: &[&str]) -> Value {
    let output = query(data_dir, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn query(data_dir: &Path, arguments: &[&str]) -> Output {
    archonctl().args(arguments).args(["-o", "json", "--data-dir"]).arg(data_dir).output().expect("archonctl runs")
}

/// Waits until the sessions on `data_dir` are as `look` wants them.
pub fn sessions_until(data_dir: &Path, what: &str, look: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    eventually(what, || {
        let document = json(data_dir, &["sessions", "list"]);
        let sessions = document["data"].as_array().expect("an array").clone();
        look(&sessions).then_some(sessions)
    })
}
