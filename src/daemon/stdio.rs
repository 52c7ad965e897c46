//! `archonctl run` and `archonctl bridge`: one client, relayed and tracked without a daemon.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use crate::config::{Header, StdioOptions};
use crate::proxy::stdio::{self, BridgeOptions, Child, ClientSignals, OwnHeader};
use crate::tracking::{Process, Server};

use super::tracking::Tracking;

/// How long a server may take to end, each time: less than the two seconds that clients of the official SDKs wait before
/// they go on to the next, harder way.
const STOP_GRACE: Duration = Duration::from_millis(1_500);

/// Where a bridge leads.
#[derive(Clone, Debug)]
pub struct BridgeTo {
    /// The name its session is stored under.
    pub name: String,
    /// The MCP endpoint.
    pub url: String,
    /// Sent with every request.
    pub headers: Vec<Header>,
    /// How long a server that cannot be reached is tried.
    pub retry_for: Duration,
}

/// Starts `command`, relays what its client and it say to each other, and tracks it as the server `name`, until it has
/// ended. Gives the exit code that tells how.
///
/// # Errors
/// [`SpawnError`](stdio::SpawnError) when the command does not start. That tracking does not work is no error: it is told,
/// and the server runs all the same.
pub fn run_stdio(name: &str, command: &[OsString], options: &StdioOptions) -> anyhow::Result<u8> {
    runtime()?.block_on(async {
        // Before there is a child that a signal could leave behind.
        let signals = ClientSignals::install().context("listening for signals")?;
        let child = Child::spawn(command)?;
        let tracked = Tracked::start("run", name, options);
        let relay_options = stdio::StdioOptions {
            stop_grace: STOP_GRACE,
            drain_timeout: options.drain_timeout,
            tick_every: tick_every(options),
        };
        let process = tracked.process.clone();
        let relayed = stdio::relay(child, process, signals, relay_options, || tracked.sweep());
        let code = relayed.await.context("relaying")?;
        tracked.stop();
        Ok(code)
    })
}

/// Serves the client on standard input and output, forwarding to the server that `to` names, until the client leaves.
///
/// # Errors
/// [`BridgeError`](stdio::BridgeError) when it does not start.
pub fn run_bridge(to: BridgeTo, options: &StdioOptions) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let signals = ClientSignals::install().context("listening for signals")?;
        let tracked = Tracked::start("bridge", &to.name, options);
        let headers = to.headers.into_iter().map(|header| OwnHeader {
            name: header.name,
            value: header.value.into_bytes(),
        });
        let bridge_options = BridgeOptions {
            url: to.url,
            headers: headers.collect(),
            request_timeout: options.request_timeout,
            retry_for: to.retry_for,
            drain_timeout: options.drain_timeout,
            tick_every: tick_every(options),
        };
        let process = tracked.process.clone();
        stdio::bridge(bridge_options, process, signals, || tracked.sweep()).await?;
        tracked.stop();
        Ok(())
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")
}

fn tick_every(options: &StdioOptions) -> Duration {
    super::sweep_every(options.session_timeout.min(options.idle_after))
}

/// Tracking as far as it works.
struct Tracked {
    tracking: Option<Tracking>,
    process: Option<Arc<Process>>,
}

impl Tracked {
    fn start(kind: &'static str, name: &str, options: &StdioOptions) -> Self {
        let tracking = match Tracking::start(kind, options) {
            Ok(tracking) => Some(tracking),
            Err(error) => {
                tracing::warn!("this server is not tracked: {error:#}");
                None
            }
        };
        let server = Arc::new(Server {
            name: name.into(),
            survives_instance: false,
        });
        let process = tracking.as_ref().map(|tracking| {
            let tracker = &tracking.tracker;
            Arc::new(tracker.begin_process(server, options.request_timeout))
        });
        Self { tracking, process }
    }

    fn sweep(&self) {
        if let Some(tracking) = &self.tracking {
            tracking.tracker.sweep();
        }
    }

    fn stop(self) {
        if let Some(tracking) = self.tracking {
            tracking.stop();
        }
    }
}
