//! One child process and its client: the lines that pass between them, as they pass.
//!
//! Rule `process` of `docs/TRACKING.md`: what passes through one process is one session, in whichever era the two
//! speak. Told by `proxy::stdio`; knows neither pipes nor processes.

mod attribution;
mod endings;
mod messages;
mod waiting;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::journal::Group;
use crate::model::{Era, InstanceId, Target, Timestamp};
use crate::wire::{ClientInfo, Envelope, LineScanner, RequestMeta};

use super::facts::Server;
use super::identity::{self, Key};
use super::session::LiveSession;
use super::texts::Said;
use super::tracker::Tracker;

use waiting::{Unfinished, Waiting};

pub use endings::ProcessEnd;

/// Who the sessions of a child process belong to: whoever started it, on this machine.
const PRINCIPAL: &str = "stdio";

/// Follows what passes between a client and one child process. Everything is told before it goes on.
#[derive(Debug)]
pub struct Process {
    tracker: Arc<Tracker>,
    server: Arc<Server>,
    key: Key,
    request_timeout: Duration,
    /// What completes together is written together, before any of it goes on.
    group: Group,
    client: Mutex<Side>,
    child: Mutex<Side>,
    state: Mutex<State>,
}

/// One direction.
#[derive(Debug, Default)]
struct Side {
    lines: LineScanner,
    /// When the first byte of the line under way was seen.
    began: Option<Timestamp>,
}

impl Side {
    /// Reads on. `found` gets each message with the bytes of its line and when that began. Of texts up to `kept` bytes each
    /// are kept.
    fn feed(
        &mut self,
        bytes: &[u8],
        kept: usize,
        now: Timestamp,
        mut found: impl FnMut(Envelope, u64, Timestamp),
    ) {
        let before = self.began.unwrap_or(now);
        let (mut began, mut lines) = (before, 0_u32);
        self.lines.keep_text(kept);
        self.lines.feed(bytes, &mut |envelope, size| {
            // The further members of a batch have no bytes of their own, and began with their line.
            if size > 0 {
                began = if lines == 0 { before } else { now };
                lines += 1;
            }
            found(envelope, size, began);
        });
        self.began = if self.lines.at_line_start() {
            None
        } else if memchr::memchr(b'\n', bytes).is_some() {
            Some(now)
        } else {
            Some(before)
        };
    }
}

/// What the client said of itself, last.
#[derive(Clone, Debug)]
struct Identity {
    era: Era,
    client: ClientInfo,
    capabilities: Option<Box<str>>,
    version: Option<Box<str>>,
}

/// A request of the client that waits for its answer.
#[derive(Debug)]
struct Pending {
    method: Box<str>,
    target: Option<Target>,
    version: Option<Box<str>>,
    trace_id: Option<Box<str>>,
    /// What it says, and what its answer does.
    said: Said,
    started_at: Timestamp,
    bytes_in: u64,
    /// Bytes of the answers that asked for more input.
    bytes_out: u64,
    /// Whether its answer, whatever it says, opens no session.
    opens_none: bool,
}

impl Pending {
    fn listens(&self) -> bool {
        &*self.method == "subscriptions/listen"
    }
}

/// A request of the child that waits for the client's answer.
#[derive(Debug)]
struct Asked {
    method: Box<str>,
    /// What it says, and what its answer does.
    said: Said,
    started_at: Timestamp,
    bytes: u64,
}

#[derive(Debug, Default)]
struct State {
    session: Option<Arc<LiveSession>>,
    identity: Option<Identity>,
    /// The revision that `initialize` agreed on.
    agreed: Option<Box<str>>,
    /// The last `_meta` that was read, as it stood: a client repeats it, and it is not read again.
    known_meta: Option<(Box<[u8]>, Arc<RequestMeta>)>,
    pending: Waiting<Pending>,
    asked: Waiting<Asked>,
    /// Requests answered with `input_required`, by the `requestState` that their retry will bring.
    unfinished: Unfinished,
    notifications: u32,
    /// When the child last told of progress.
    progress_at: Option<Timestamp>,
    /// When the client left.
    left_at: Option<Timestamp>,
    /// Whether the process is over.
    ended: bool,
}

impl Tracker {
    /// Begins to follow a child process, a `server` of its own. A request that is not answered for `request_timeout`
    /// counts as timed out; it is not interfered with.
    #[must_use]
    pub fn begin_process(
        self: &Arc<Self>,
        server: Arc<Server>,
        request_timeout: Duration,
    ) -> Process {
        self.follow(server, request_timeout, self.instance())
    }

    /// Begins to follow one connection of a `server` that is this process itself, and may have others: each is a session of
    /// its own. Else as [`Tracker::begin_process`].
    #[must_use]
    pub fn begin_connection(
        self: &Arc<Self>,
        server: Arc<Server>,
        request_timeout: Duration,
    ) -> Process {
        self.follow(server, request_timeout, InstanceId(self.ids.next()))
    }

    fn follow(
        self: &Arc<Self>,
        server: Arc<Server>,
        request_timeout: Duration,
        process: InstanceId,
    ) -> Process {
        let key = identity::process(&server.name, PRINCIPAL, process);
        Process {
            tracker: self.clone(),
            server,
            key,
            request_timeout,
            group: self.group(),
            client: Mutex::default(),
            child: Mutex::default(),
            state: Mutex::default(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Process {
    /// The client sent `bytes`. What they complete is on disk when this returns.
    pub fn from_client(&self, bytes: &[u8]) {
        let now = self.tracker.now();
        let kept = self.tracker.texts.limit();
        lock(&self.client).feed(bytes, kept, now, |envelope, size, began| {
            let mut state = lock(&self.state);
            self.client_said(&mut state, envelope, size, began, now);
        });
        self.tracker.write_group(&self.group);
    }

    /// The child sent `bytes`. What they complete is on disk when this returns: only then let them go on.
    pub fn from_child(&self, bytes: &[u8]) {
        let now = self.tracker.now();
        let kept = self.tracker.texts.limit();
        lock(&self.child).feed(bytes, kept, now, |envelope, size, began| {
            let mut state = lock(&self.state);
            self.child_said(&mut state, envelope, size, began, now);
        });
        self.tracker.write_group(&self.group);
    }

    /// How many lines passed that could not be read as JSON, in both directions.
    #[must_use]
    pub fn unreadable_lines(&self) -> u64 {
        let of = |side: &Mutex<Side>| lock(side).lines.unreadable_lines();
        of(&self.client) + of(&self.child)
    }
}
