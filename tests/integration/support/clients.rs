//! Real MCP clients.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;

use serde_json::Value;

use super::servers::clients_dir;
use super::{Owned, PATIENCE, lines};

/// A client: an official SDK, or what is built on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    /// TypeScript 1.x.
    TsLegacy,
    /// Python 1.x.
    PyLegacy,
    /// TypeScript 2.x.
    TsModern,
    /// Python 2.x.
    PyModern,
    /// FastMCP's own, in Python.
    FastMcp,
}

/// Python with the packages of `requirements-NAME.txt`.
pub(crate) fn python(name: &str) -> PathBuf {
    let variable = format!("ARCHONCTL_TEST_PY_{}", name.to_uppercase());
    std::env::var_os(variable).map_or_else(
        || {
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join(format!("target/test-env/py-{name}/bin/python"))
        },
        PathBuf::from,
    )
}

impl Driver {
    fn program(self) -> (PathBuf, &'static str) {
        match self {
            Self::TsLegacy => ("node".into(), "ts_legacy.mjs"),
            Self::TsModern => ("node".into(), "ts_modern.mjs"),
            Self::PyLegacy => (python("legacy"), "py_legacy.py"),
            Self::PyModern => (python("modern"), "py_modern.py"),
            Self::FastMcp => (python("fastmcp"), "py_fastmcp.py"),
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
}

/// A running client.
pub(crate) struct Client {
    child: Owned,
    said: Receiver<String>,
}

impl Client {
    /// Starts `driver` against `url`.
    pub(crate) fn start(driver: Driver, url: &str, scenario: &str, options: &[&str]) -> Self {
        Self::spawn(driver, url, scenario, options, "")
    }

    /// `tools` are called in place of the calls that every driver makes, where there are any.
    fn spawn(driver: Driver, url: &str, scenario: &str, options: &[&str], tools: &str) -> Self {
        let (program, script) = driver.program();
        let mut command = Command::new(&program);
        command
            .arg(script)
            .args([url, scenario])
            .args(options)
            .env("CALL_TOOLS", tools)
            .current_dir(clients_dir());
        let started = command.stdout(Stdio::piped()).spawn();
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
    pub(crate) fn run(driver: Driver, url: &str, scenario: &str, options: &[&str]) -> Vec<Value> {
        Self::start(driver, url, scenario, options).finish()
    }

    /// Runs `driver` politely; it lists the tools and calls `tools`, each without arguments.
    pub(crate) fn call(driver: Driver, url: &str, tools: &[&str]) -> Vec<Value> {
        Self::spawn(driver, url, "polite", &[], &tools.join(",")).finish()
    }

    /// Waits for its end, which must be a good one; the events it told.
    pub(crate) fn finish(mut self) -> Vec<Value> {
        let events = self
            .said
            .iter()
            .map(|line| serde_json::from_str(&line).expect("JSON"));
        let events: Vec<Value> = events.collect();
        let status = self.child.0.wait().expect("it ends");
        assert!(status.success(), "{events:?}");
        events
    }

    /// Waits until it says `READY`; the events until then.
    pub(crate) fn until_ready(&self) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let line = self
                .said
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("never ready: {events:?}"));
            let event: Value = serde_json::from_str(&line).expect("JSON");
            if event["event"] == "READY" {
                return events;
            }
            events.push(event);
        }
    }

    /// SIGKILL: no last word.
    pub(crate) fn kill(mut self) {
        self.child.0.kill().expect("killed");
        self.child.0.wait().expect("it ends");
    }
}
