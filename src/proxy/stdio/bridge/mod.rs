//! A stdio server that forwards to an MCP server over streamable HTTP, for clients that speak only stdio.
//!
//! Lines become the bodies of requests, and answers become lines, byte for byte but for line ends inside of an answer;
//! what the other transport wants beside it (sessions, headers, streams) is added here. Connections that break are made
//! anew, sessions that the server has forgotten too; what cannot be helped is answered with a JSON-RPC error, so that no
//! request hangs.

mod events;
mod exchange;
mod forward;
mod headers;
mod http;
mod lines;
mod message;
mod pass;
mod refusals;
mod session;
mod streams;
mod tools;
mod translate;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::tracking::{Process, ProcessEnd};

use super::signals::ClientSignals;
use headers::ToolHeaders;
use lines::{Incoming, Output};
use session::Legacy;

pub use http::{OwnHeader, TargetError};

/// Longest message, in either direction.
const LONGEST_MESSAGE: usize = 64 << 20;
/// How many requests of the client are under way at once.
const MOST_UNDER_WAY: usize = 512;
/// How long leaving may take the server's time when the client waits for this process to end.
const LAST_WORD: Duration = Duration::from_millis(700);

/// Settings of the bridge.
#[derive(Clone, Debug)]
pub struct BridgeOptions {
    /// The MCP endpoint.
    pub url: String,
    /// Sent with every request.
    pub headers: Vec<OwnHeader>,
    /// How long the server may take to begin an answer.
    pub request_timeout: Duration,
    /// How long a server that cannot be reached is tried before requests are answered with an error.
    pub retry_for: Duration,
    /// How long answers that are still to come are waited for after the client left.
    pub drain_timeout: Duration,
    /// How often `tick` is called.
    pub tick_every: Duration,
}

/// A request that waits for its answer.
#[derive(Clone, Debug)]
struct UnderWay {
    stop: CancellationToken,
    /// Whether closing its connection is how it is cancelled.
    modern: bool,
    listens: bool,
}

/// What the tasks share.
struct Bridge {
    http: Arc<http::Http>,
    options: BridgeOptions,
    process: Option<Arc<Process>>,
    output: Output,
    legacy: Legacy,
    /// For a legacy client of a server that knows only modern revisions.
    translation: Mutex<Option<Arc<translate::Translation>>>,
    tools: ToolHeaders,
    /// The revision of the last modern request: what says nothing itself belongs to it.
    modern: Mutex<Option<Box<str>>>,
    under_way: Mutex<HashMap<Box<str>, UnderWay>>,
    /// Requests whose answers nobody waits for any more.
    cancelled: Mutex<HashSet<Box<str>>>,
    /// Since when the server cannot be reached.
    outage: Mutex<Option<Instant>>,
    tasks: TaskTracker,
    /// Ends what is held open, streams above all.
    closing: CancellationToken,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves the client on standard input and output until it leaves, forwarding to the server that `options` name.
/// `process` is told of all that passes.
///
/// # Errors
/// When the URL names no server, or the system has no thread or handle to spare.
pub async fn bridge(
    options: BridgeOptions,
    process: Option<Arc<Process>>,
    mut signals: ClientSignals,
    tick: impl Fn(),
) -> Result<(), BridgeError> {
    let http = http::Http::new(&options.url, options.headers.clone())?;
    let (output, written) = Output::start(process.clone())?;
    let incoming = lines::start_reading(process.clone())?;
    let mut ticks = interval(options.tick_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let bridge = Arc::new(Bridge {
        http: Arc::new(http),
        options,
        process: process.clone(),
        output,
        legacy: Legacy::default(),
        translation: Mutex::default(),
        tools: ToolHeaders::default(),
        modern: Mutex::default(),
        under_way: Mutex::default(),
        cancelled: Mutex::default(),
        outage: Mutex::default(),
        tasks: TaskTracker::new(),
        closing: CancellationToken::new(),
    });
    let mut taking = tokio::spawn(bridge.clone().take_all(incoming));
    let mut drained_by = None;
    // The client's input first, then the answers that it waits for.
    loop {
        let drain = async {
            match drained_by {
                Some(until) => {
                    let _ = tokio::time::timeout_at(until, bridge.tasks.wait()).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = &mut taking, if drained_by.is_none() => {
                bridge.stop_listening();
                bridge.tasks.close();
                drained_by = Some(Instant::now() + bridge.options.drain_timeout);
            }
            () = drain => break,
            _ = signals.next() => {
                if let Some(process) = &process {
                    process.client_gone();
                }
                break;
            }
            () = bridge.output.broken() => break,
            _ = ticks.tick() => {
                if let Some(process) = &process {
                    process.tick();
                }
                tick();
            }
        }
    }
    taking.abort();
    bridge.closing.cancel();
    let _ = timeout(LAST_WORD, bridge.leave()).await;
    bridge.output.end();
    let _ = timeout(LAST_WORD, written).await;
    if let Some(process) = &process {
        process.end(&ProcessEnd::ClientLeft);
    }
    Ok(())
}

/// Why the bridge does not start.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// The URL, or TLS.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Standard input and output.
    #[error("standard input and output: {0}")]
    Io(#[from] std::io::Error),
}

impl Bridge {
    /// Takes every line in turn, until there are no more.
    async fn take_all(self: Arc<Self>, mut incoming: mpsc::Receiver<Incoming>) {
        while let Some(line) = incoming.recv().await {
            match line {
                Incoming::Line(line) => self.take(line).await,
                Incoming::TooLong => {
                    let why = format!("a message longer than {LONGEST_MESSAGE} bytes");
                    let line = message::error_line(None, refusals::INVALID_REQUEST, &why);
                    self.output.say(line).await;
                }
            }
        }
    }

    /// Ends what a client that has left does not hear any more.
    fn stop_listening(&self) {
        for request in lock(&self.under_way).values() {
            if request.listens {
                request.stop.cancel();
            }
        }
    }
}
