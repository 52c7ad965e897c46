//! `archonctl serve` on a data directory of its own, and the queries on it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::Receiver;

use serde_json::Value;
use tempfile::TempDir;

use super::{Owned, PATIENCE, eventually, lines, send_signal};

/// A running daemon.
pub(crate) struct Daemon {
    child: Owned,
    log: Receiver<String>,
    /// What it logged before it was ready.
    pub(crate) early: Vec<String>,
    /// Its MCP endpoint.
    pub(crate) url: String,
    /// Where its API is.
    pub(crate) api: String,
}

impl Daemon {
    /// Starts `archonctl serve` on a free port with `arguments`, and waits until it is ready.
    pub(crate) fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        Self::start_with(data_dir, arguments, &[])
    }

    /// The same with environment variables.
    pub(crate) fn start_with(
        data_dir: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = archonctl(&["serve", "--listen", "127.0.0.1:0"]);
        command
            .args(["--api-listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .args(arguments)
            .envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// Starts it by a command of the test's own.
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stderr(Stdio::piped());
        let mut child = Owned(command.spawn().expect("archonctl starts"));
        let log = lines(child.0.stderr.take().expect("piped"));
        let mut seen = Vec::new();
        let mut api = String::new();
        loop {
            let Ok(line) = log.recv_timeout(PATIENCE) else {
                panic!("the daemon did not get ready:\n{}", seen.join("\n"))
            };
            if let Some((_, rest)) = line.split_once("relaying ") {
                let url = rest.split(' ').next().expect("a URL").to_owned();
                return Self {
                    child,
                    log,
                    early: seen,
                    url,
                    api,
                };
            }
            if let Some((_, url)) = line.split_once("the API is at ") {
                url.clone_into(&mut api);
            }
            seen.push(line);
        }
    }

    /// The id of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// The URL of `path` on its port.
    pub(crate) fn at(&self, path: &str) -> String {
        self.url.replace("/mcp", path)
    }

    /// Ends it gracefully with `signal`.
    pub(crate) fn stop_with(mut self, signal: &str) -> ExitStatus {
        send_signal(&self.child.0, signal);
        self.child.0.wait().expect("it ends")
    }

    /// Ends it gracefully; what it logged.
    pub(crate) fn stop(self) -> Vec<String> {
        send_signal(&self.child.0, "TERM");
        self.wait()
    }

    /// Waits until it has logged a line with `text`.
    pub(crate) fn logged(&self, text: &str) {
        loop {
            let line = self.log.recv_timeout(PATIENCE);
            if line
                .unwrap_or_else(|_| panic!("never logged: {text}"))
                .contains(text)
            {
                return;
            }
        }
    }

    /// Waits for its end after a signal, which must be a good one; what it logged until then.
    pub(crate) fn wait(mut self) -> Vec<String> {
        assert!(self.child.0.wait().expect("it ends").success());
        self.log.iter().collect()
    }

    /// Sends it a signal and goes on.
    pub(crate) fn signal(&self, signal: &str) {
        send_signal(&self.child.0, signal);
    }

    /// Kills it: no last word, no clean-up.
    pub(crate) fn kill(mut self) {
        self.child.0.kill().expect("killed");
        self.child.0.wait().expect("it ends");
    }
}

/// A data directory that does not exist yet, in a temporary one that does.
pub(crate) fn new_data_dir() -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a temporary directory");
    let data_dir = root.path().join("new").join("data");
    (root, data_dir)
}

/// The binary in an environment of its own: no terminal, no settings of whoever runs the tests.
pub(crate) fn archonctl(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_archonctl"));
    command
        .args(args)
        .env_clear()
        .env("HOME", "/nonexistent")
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null());
    command
}

/// Runs a query with `-o json` and gives the document.
pub(crate) fn json(data_dir: &Path, arguments: &[&str]) -> Value {
    let output = query(data_dir, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn query(data_dir: &Path, arguments: &[&str]) -> Output {
    archonctl(arguments)
        .args(["-o", "json", "--data-dir"])
        .arg(data_dir)
        .output()
        .expect("archonctl runs")
}

/// How many journals there are on `data_dir`: one for each daemon that runs, or was killed and is not settled.
pub(crate) fn journals(data_dir: &Path) -> usize {
    std::fs::read_dir(data_dir.join("journal"))
        .expect("the journals' folder")
        .count()
}

/// Waits until the sessions on `data_dir` are as `look` wants them.
pub(crate) fn sessions_until(
    data_dir: &Path,
    what: &str,
    look: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    eventually(what, || {
        let document = json(data_dir, &["sessions", "list"]);
        let sessions = document["data"].as_array().expect("an array").clone();
        look(&sessions).then_some(sessions)
    })
}
