//! `archonctl run`: one stdio server, relayed and tracked.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use crate::config::StdioOptions;
use crate::proxy::stdio::{self, Child, ClientSignals};
use crate::tracking::Server;

use super::tracking::Tracking;

/// How long a server may take to end, each time: less than the two seconds that clients of the official SDKs wait before
/// they go on to the next, harder way.
const STOP_GRACE: Duration = Duration::from_millis(1_500);

/// Starts `command`, relays what its client and it say to each other, and tracks it as the server `name`, until it has
/// ended. Gives the exit code that tells how.
///
/// # Errors
/// [`SpawnError`](stdio::SpawnError) when the command does not start. That tracking does not work is no error: it is told,
/// and the server runs all the same.
pub fn run_stdio(name: &str, command: &[OsString], options: &StdioOptions) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(async {
        // Before there is a child that a signal could leave behind.
        let signals = ClientSignals::install().context("listening for signals")?;
        let child = Child::spawn(command)?;
        let tracking = match Tracking::start(options) {
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
        let relay_options = stdio::StdioOptions {
            stop_grace: STOP_GRACE,
            drain_timeout: options.drain_timeout,
            tick_every: super::sweep_every(options.session_timeout.min(options.idle_after)),
        };
        let sweep = || {
            if let Some(tracking) = &tracking {
                tracking.tracker.sweep();
            }
        };
        let code = stdio::relay(child, process, signals, relay_options, sweep)
            .await
            .context("relaying")?;
        if let Some(tracking) = tracking {
            tracking.stop();
        }
        Ok(code)
    })
}
