//! Clients and servers over stdio: real ones, and a client whose every byte the test decides on and sees.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use serde_json::{Value, json};

use super::clients::python;
use super::servers::clients_dir;
use super::{Owned, PATIENCE, eventually, lines, send_signal};

/// A server over stdio, as a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// `@modelcontextprotocol/server-everything`: legacy, and deaf to the end of its input.
    Everything,
    /// `@modelcontextprotocol/server` 2.x: both eras.
    Modern,
    /// Python `mcp` 1.x: legacy.
    PyLegacy,
    /// Python `mcp` 2.x: both eras.
    PyModern,
    /// No SDK: does what a call asks for.
    Scripted(&'static [&'static str]),
}

impl Server {
    /// The command that starts it.
    pub(crate) fn command(self) -> Vec<OsString> {
        let dir = clients_dir();
        let script = |name: &str| dir.join(name).into_os_string();
        let everything = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
        match self {
            Self::Everything => vec!["node".into(), script(everything), "stdio".into()],
            Self::Modern => vec!["node".into(), script("modern_stdio_server.mjs")],
            Self::PyLegacy => vec![python("legacy").into(), script("py_legacy_stdio_server.py")],
            Self::PyModern => vec![python("modern").into(), script("py_modern_stdio_server.py")],
            Self::Scripted(options) => {
                let mut command = vec![python("legacy").into(), script("scripted_stdio_server.py")];
                command.extend(options.iter().map(OsString::from));
                command
            }
        }
    }
}

/// `archonctl run` in front of `server`, with `options`, as the command of a client.
pub(crate) fn run_command(data_dir: &Path, options: &[&str], server: &[OsString]) -> Vec<OsString> {
    let mut command = vec![
        OsString::from(env!("CARGO_BIN_EXE_archonctl")),
        "run".into(),
        "--data-dir".into(),
        data_dir.into(),
    ];
    command.extend(options.iter().map(OsString::from));
    command.push("--".into());
    command.extend(server.iter().cloned());
    command
}

/// `archonctl bridge` to `url`, with `options`, as the command of a client.
pub(crate) fn bridge_command(data_dir: &Path, options: &[&str], url: &str) -> Vec<OsString> {
    let mut command = vec![
        OsString::from(env!("CARGO_BIN_EXE_archonctl")),
        "bridge".into(),
        "--data-dir".into(),
        data_dir.into(),
    ];
    command.extend(options.iter().map(OsString::from));
    command.push(url.into());
    command
}

/// An official client over stdio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StdioDriver {
    /// TypeScript 1.x.
    TsLegacy,
    /// Python 1.x.
    PyLegacy,
    /// TypeScript 2.x.
    TsModern,
    /// Python 2.x.
    PyModern,
    /// FastMCP 4.
    FastMcp,
}

impl StdioDriver {
    fn program(self) -> (PathBuf, &'static str) {
        match self {
            Self::TsLegacy => ("node".into(), "ts_legacy_stdio.mjs"),
            Self::TsModern => ("node".into(), "ts_modern_stdio.mjs"),
            Self::PyLegacy => (python("legacy"), "py_legacy_stdio.py"),
            Self::PyModern => (python("modern"), "py_modern_stdio.py"),
            Self::FastMcp => (python("fastmcp"), "py_fastmcp_stdio.py"),
        }
    }

    /// The name it gives itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TsLegacy => "ts-legacy-driver",
            Self::PyLegacy => "py-legacy-driver",
            Self::TsModern => "ts-modern-driver",
            Self::PyModern => "py-modern-driver",
            Self::FastMcp => "fastmcp-driver",
        }
    }

    /// Whether it speaks the modern era where it can.
    pub(crate) fn is_modern(self) -> bool {
        !matches!(self, Self::TsLegacy | Self::PyLegacy)
    }
}

/// A running client over stdio, and its server.
pub(crate) struct StdioClient {
    child: Owned,
    said: Receiver<String>,
}

impl StdioClient {
    /// Starts `driver`, which starts `command`.
    pub(crate) fn start(
        driver: StdioDriver,
        scenario: &str,
        options: &[&str],
        command: &[OsString],
    ) -> Self {
        let (program, script) = driver.program();
        let started = Command::new(&program)
            .arg(script)
            .arg(scenario)
            .args(options)
            .arg("--")
            .args(command)
            .current_dir(clients_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = Owned(started.unwrap_or_else(|error| {
            panic!(
                "{} does not start ({error}): run scripts/test --setup-only",
                program.display()
            )
        }));
        let said = lines(child.0.stdout.take().expect("piped"));
        Self { child, said }
    }

    /// Runs `driver` to its end, which must be a good one; the events it told.
    pub(crate) fn run(
        driver: StdioDriver,
        scenario: &str,
        options: &[&str],
        command: &[OsString],
    ) -> Vec<Value> {
        let mut client = Self::start(driver, scenario, options, command);
        let events: Vec<Value> = client
            .said
            .iter()
            .map(|line| serde_json::from_str(&line).expect("JSON"))
            .collect();
        let status = client.child.0.wait().expect("it ends");
        assert!(status.success(), "{driver:?}, {command:?}: {events:?}");
        events
    }

    /// Waits until it says `READY`.
    pub(crate) fn until_ready(&self) {
        let mut seen = Vec::new();
        loop {
            let line = self.said.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("never ready: {seen:?}"));
            if line.contains("READY") {
                return;
            }
            seen.push(line);
        }
    }

    /// The id of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// SIGKILL: no last word.
    pub(crate) fn kill(mut self) {
        self.child.0.kill().expect("killed");
        self.child.0.wait().expect("it ends");
    }
}

/// A client made of single lines, at the pipes of a command of this program.
pub(crate) struct Lines {
    /// The command.
    pub(crate) child: Owned,
    input: Option<ChildStdin>,
    said: Receiver<String>,
    errors: Receiver<String>,
}

impl Lines {
    /// Starts `archonctl run` with `options` in front of `server`.
    pub(crate) fn run(data_dir: &Path, options: &[&str], server: &[OsString]) -> Self {
        Self::start(&run_command(data_dir, options, server))
    }

    /// Starts `command`, which is one of this program, in an environment in which servers can be started.
    pub(crate) fn start(command: &[OsString]) -> Self {
        let started = Command::new(&command[0])
            .args(&command[1..])
            .env_clear()
            .env("HOME", "/nonexistent")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .spawn();
        let mut child = Owned(started.expect("archonctl starts"));
        let input = child.0.stdin.take();
        let said = lines(child.0.stdout.take().expect("piped"));
        let errors = lines(child.0.stderr.take().expect("piped"));
        Self {
            child,
            input,
            said,
            errors,
        }
    }

    /// Starts `archonctl bridge` with `options` to `url`.
    pub(crate) fn bridge(data_dir: &Path, options: &[&str], url: &str) -> Self {
        Self::start(&bridge_command(data_dir, options, url))
    }

    /// The id of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Sends a line.
    pub(crate) fn send(&mut self, message: &Value) {
        self.send_raw(format!("{message}\n").as_bytes());
    }

    /// Sends bytes.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("open");
        input
            .write_all(bytes)
            .and_then(|()| input.flush())
            .expect("written");
    }

    /// The next line it says.
    pub(crate) fn line(&self) -> String {
        self.said.recv_timeout(PATIENCE).expect("a line")
    }

    /// The next message it says.
    pub(crate) fn message(&self) -> Value {
        serde_json::from_str(&self.line()).expect("JSON")
    }

    /// The answer to request `id`; what comes before is passed over.
    pub(crate) fn answer(&self, id: &Value) -> Value {
        loop {
            let message = self.message();
            if message["id"] == *id && message.get("method").is_none() {
                return message;
            }
        }
    }

    /// A legacy handshake as a client called `name`.
    pub(crate) fn initialize(&mut self, name: &str) -> Value {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {"roots": {}},
            "clientInfo": {"name": name, "version": "1"}});
        self.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
        let answer = self.answer(&0.into());
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        answer
    }

    /// Asks for a call of `tool`.
    pub(crate) fn ask(&mut self, id: u64, tool: &str, arguments: &Value) {
        let params = json!({"name": tool, "arguments": arguments,
            "_meta": {"traceparent": format!("00-{id:032x}-00f067aa0ba902b7-01")}});
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}));
    }

    /// Calls `tool`; its answer.
    pub(crate) fn call(&mut self, id: u64, tool: &str, arguments: &Value) -> Value {
        self.ask(id, tool, arguments);
        self.answer(&id.into())
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, signal: &str) {
        send_signal(&self.child.0, signal);
    }

    /// Ends the input.
    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Sends a request of the modern era with `params`, whose members stand in front of `_meta`.
    pub(crate) fn ask_modern(&mut self, id: u64, method: &str, mut params: Value) {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "hand", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    /// Waits for the end; how it ended, what it still said, what stands on standard error.
    pub(crate) fn wait(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        let status = self.child.0.wait().expect("it ends");
        (status, rest(&self.said), rest(&self.errors))
    }
}

/// The lines up to the end of the output, which must come.
fn rest(lines: &Receiver<String>) -> Vec<String> {
    let mut rest = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => rest.push(line),
            Err(RecvTimeoutError::Disconnected) => return rest,
            Err(RecvTimeoutError::Timeout) => panic!("somebody holds the output open: {rest:?}"),
        }
    }
}

/// The processes that `pid` started, and those that they started, as far as they live.
#[derive(Debug)]
pub(crate) struct Family(Vec<(u32, String)>);

impl Family {
    /// All descendants of `pid` at this moment, zombies aside.
    pub(crate) fn of(pid: u32) -> Self {
        let all = processes();
        let (mut found, mut parents) = (Vec::new(), vec![pid]);
        while let Some(parent) = parents.pop() {
            for process in all.iter().filter(|process| process.parent == parent) {
                found.push((process.pid, process.started.clone()));
                parents.push(process.pid);
            }
        }
        Self(found)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Waits until none of them is left.
    pub(crate) fn until_gone(&self, what: &str) {
        eventually(what, || {
            let all = processes();
            // A number can be given to another process; the moment it started cannot.
            let left = self.0.iter().any(|(pid, started)| {
                all.iter()
                    .any(|process| process.pid == *pid && process.started == *started)
            });
            (!left).then_some(())
        });
    }
}

struct Process {
    pid: u32,
    parent: u32,
    started: String,
}

/// Every living process, from `/proc/PID/stat` (proc(5)).
fn processes() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").expect("a /proc");
    let of = |entry: std::fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // Behind the name, which may hold blanks and brackets: state, parent, … the 20th is the start time.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        (fields.first() != Some(&"Z")).then(|| Process {
            pid,
            parent: fields
                .get(1)
                .and_then(|parent| parent.parse().ok())
                .unwrap_or(0),
            started: fields
                .get(19)
                .map(|&text| text.to_owned())
                .unwrap_or_default(),
        })
    };
    entries.map_while(Result::ok).filter_map(of).collect()
}
