//! The life of one server: from its start to the end of everything it started.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout_at};

use crate::tracking::{Process, ProcessEnd};

use super::child::{Child, described, exit_code, group_lives, wait_for_end};
use super::guard::Guard;
use super::pipes;
use super::signals::ClientSignals;

/// How often it is looked whether the answers that a client waits for have come.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long what the child left behind in its group may take to end after SIGTERM.
const LEFTOVERS: Duration = Duration::from_millis(500);
/// How long the child's output may stay open after its group has ended: somebody outside of it has it.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// Settings of one relayed server.
#[derive(Clone, Copy, Debug)]
pub struct StdioOptions {
    /// How long a server may take to end because its client left, before it gets SIGTERM; and from there to SIGKILL.
    /// Clients of the official SDKs allow two seconds for each.
    pub stop_grace: Duration,
    /// How long answers that are still to come are waited for after the client left.
    pub drain_timeout: Duration,
    /// How often `tick` is called.
    pub tick_every: Duration,
}

/// What the threads tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The client ended its side.
    ClientLeft,
    /// Nothing more comes out of the child.
    OutputEnded,
    /// The child ended; it is not reaped yet.
    ChildEnded,
}

/// How far the ending has come.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Running,
    /// The client left: the server has seen the end of its input. Since when, and since when it owes no answer.
    Leaving {
        since: Instant,
        quiet: Instant,
    },
    /// It was told to end; when it will be killed.
    Told {
        kill_at: Instant,
    },
    Killed,
}

struct Relay {
    child: Child,
    process: Option<Arc<Process>>,
    options: StdioOptions,
    stage: Stage,
    output_ended: bool,
}

/// Passes on what client and `child` say to each other until the child has ended, and ends it when its client leaves.
/// `process` is told of all of it. Gives the exit code that tells how the child ended.
///
/// # Errors
/// When the system has no thread or handle to spare; then the child is ended too.
pub async fn relay(
    child: Child,
    process: Option<Arc<Process>>,
    mut signals: ClientSignals,
    options: StdioOptions,
    tick: impl Fn(),
) -> io::Result<u8> {
    let mut relay = Relay {
        child,
        process,
        options,
        stage: Stage::Running,
        output_ended: false,
    };
    let (tell, mut events) = unbounded_channel();
    if let Err(error) = relay.start(&tell) {
        relay.child.signal(Signal::KILL);
        return Err(error);
    }
    let guard = match Guard::start(relay.child.group()) {
        Ok(guard) => Some(guard),
        Err(error) => {
            tracing::warn!(%error, "no guard could be started: if this process is killed, the server may stay");
            None
        }
    };
    let mut ticks = interval(options.tick_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let look_at = relay.look_at();
        tokio::select! {
            event = events.recv() => match event {
                Some(Event::ClientLeft) => relay.client_left(),
                Some(Event::OutputEnded) => relay.output_ended = true,
                Some(Event::ChildEnded) | None => break,
            },
            signal = signals.next() => relay.told_to_end(signal),
            () = sleep_until(look_at.unwrap_or_else(Instant::now)), if look_at.is_some() => relay.look(),
            _ = ticks.tick() => {
                if let Some(process) = &relay.process {
                    process.tick();
                }
                tick();
            }
        }
    }
    let code = relay.wind_up(&mut events).await;
    if let Some(guard) = guard {
        guard.release();
    }
    Ok(code)
}

impl Relay {
    /// Starts the threads.
    fn start(&mut self, tell: &UnboundedSender<Event>) -> io::Result<()> {
        let Some((to_child, output)) = self.child.take_pipes() else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let input = pipes::standard_input()?;
        let to_client = pipes::standard_output()?;
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let (events, process) = (tell.clone(), self.process.clone());
        named("from-client")
            .spawn(move || pipes::from_client(input, to_child, process.as_deref(), &events))?;
        let (events, process) = (tell.clone(), self.process.clone());
        named("from-child")
            .spawn(move || pipes::from_child(output, to_client, process.as_deref(), &events))?;
        let (events, group) = (tell.clone(), self.child.group());
        named("child-end").spawn(move || {
            wait_for_end(group);
            let _ = events.send(Event::ChildEnded);
        })?;
        Ok(())
    }

    /// When the stage is to be looked at again.
    fn look_at(&self) -> Option<Instant> {
        match self.stage {
            Stage::Leaving { .. } => Some(Instant::now() + LOOK_EVERY),
            Stage::Told { kill_at } => Some(kill_at),
            Stage::Running | Stage::Killed => None,
        }
    }

    fn client_left(&mut self) {
        if let Stage::Running = self.stage {
            let now = Instant::now();
            self.stage = Stage::Leaving {
                since: now,
                quiet: now,
            };
        }
    }

    /// The client ends its server by a signal, which the server gets too.
    fn told_to_end(&mut self, signal: Signal) {
        if let Some(process) = &self.process {
            process.client_gone();
        }
        self.child.signal(signal);
        if let Stage::Running | Stage::Leaving { .. } = self.stage {
            let kill_at = Instant::now() + self.options.stop_grace;
            self.stage = Stage::Told { kill_at };
        }
    }

    fn look(&mut self) {
        let now = Instant::now();
        match &mut self.stage {
            Stage::Leaving { since, quiet } => {
                if self
                    .process
                    .as_ref()
                    .is_some_and(|process| process.owes_answers())
                {
                    *quiet = now;
                }
                let over = now >= *quiet + self.options.stop_grace
                    || now >= *since + self.options.drain_timeout.max(self.options.stop_grace);
                if over {
                    self.told_to_end(Signal::TERM);
                }
            }
            Stage::Told { kill_at } if now >= *kill_at => {
                self.child.signal(Signal::KILL);
                self.stage = Stage::Killed;
            }
            Stage::Running | Stage::Told { .. } | Stage::Killed => {}
        }
    }

    /// The child has ended: ends what it left behind, lets its last words out, and says how it went.
    async fn wind_up(mut self, events: &mut UnboundedReceiver<Event>) -> u8 {
        let group = self.child.group();
        self.child.signal(Signal::TERM);
        let status = self.child.reap();
        let until = Instant::now() + LEFTOVERS;
        while group_lives(group) {
            if Instant::now() >= until {
                self.child.signal(Signal::KILL);
                break;
            }
            sleep(LOOK_EVERY / 4).await;
        }
        let until = Instant::now() + LAST_OUTPUT;
        while !self.output_ended {
            match timeout_at(until, events.recv()).await {
                Ok(Some(Event::OutputEnded)) => self.output_ended = true,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        let how = status.map_or_else(|| "nobody knows how".to_owned(), described);
        if let Some(process) = &self.process {
            process.end(&ProcessEnd::ChildExited(how));
            let unreadable = process.unreadable_lines();
            if unreadable > 0 {
                tracing::warn!(
                    lines = unreadable,
                    "lines passed that could not be read as JSON"
                );
            }
        }
        status.map_or(1, exit_code)
    }
}
