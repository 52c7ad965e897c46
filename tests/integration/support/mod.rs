//! What the tests run against: the daemon, real MCP servers and real MCP clients, each ended with its test.

mod balancer;
mod clients;
mod daemon;
mod faulty;
mod http;
mod peer;
pub(crate) mod postgres;
mod servers;
mod stdio;

pub(crate) use balancer::Balancer;
pub(crate) use clients::{Client, Driver, python};
pub(crate) use daemon::{Daemon, archonctl, journals, json, new_data_dir, sessions_until};
pub(crate) use faulty::{Fault, Faulty};
pub(crate) use http::{Legacy, Message as HttpMessage, Scripted, send, send_raw};
pub(crate) use peer::{Fields, Head, Peer, Upstream};
pub(crate) use servers::{Everything, EverythingSse, ModernServer, clients_dir};
pub(crate) use stdio::{
    Family, Lines, Server, StdioClient, StdioDriver, bridge_command, run_command,
};

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long anything may take that is expected to happen; long enough for a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until `look` sees what it looks for.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// The lines of a child's output, as they come. Reads on until the child ends, so that it never blocks.
pub(crate) fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Nobody may be listening any more; the output is read all the same.
            let _ = sender.send(line);
        }
    });
    receiver
}

/// A child process that ends with the test, however the test ends.
#[derive(Debug)]
pub(crate) struct Owned(pub(crate) Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends `signal` (a name such as `TERM`) to a child.
pub(crate) fn send_signal(child: &Child, signal: &str) {
    let sent = std::process::Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .status();
    assert!(
        sent.is_ok_and(|status| status.success()),
        "kill -s {signal}"
    );
}
