//! Ends the server's process group when this process cannot do it any more.
//!
//! A client that loses patience kills with SIGKILL, which leaves no time for anything. A second, tiny process waits for
//! that: it holds the reading end of a pipe whose writing end dies with us.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::child::{group_lives, signal_group};

/// The word that stands in place of a command when this program is started as a guard.
pub const GUARD: &str = "__guard-process-group";

/// How long a server may take to end because its standard input did.
const TO_END_BY_ITSELF: Duration = Duration::from_millis(1_500);
/// How long it may take after SIGTERM.
const TO_TERMINATE: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A guard that waits. Dropping it without [`Guard::release`] is what it waits for.
#[derive(Debug)]
pub(super) struct Guard(Child);

impl Guard {
    /// Starts a guard of `group`.
    pub(super) fn start(group: Pid) -> io::Result<Self> {
        let guard = Command::new(own_program()?)
            .arg(GUARD)
            .arg(group.as_raw_nonzero().to_string())
            .current_dir("/")
            .stdin(Stdio::piped())
            // Whoever waits for the end of our output must not have to wait for the guard's.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of the reach of a signal that is meant for our group.
            .process_group(0)
            .spawn()?;
        Ok(Self(guard))
    }

    /// The group has ended: there is nothing to guard.
    pub(super) fn release(mut self) {
        if let Some(mut pipe) = self.0.stdin.take() {
            let _ = pipe.write_all(b".");
        }
        // It has nothing to do but to end, and must not be left behind for whoever counts processes.
        let _ = self.0.wait();
    }
}

/// This program, also after its file was replaced by another version.
fn own_program() -> io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        Ok(running)
    } else {
        std::env::current_exe()
    }
}

/// What the guard does: waits for the end of standard input, and ends the process group `group` unless a byte said
/// before that there is nothing to end.
pub fn guard(group: &str) {
    let group = group.parse().ok().and_then(Pid::from_raw);
    let Some(group) = group else {
        return;
    };
    let released = io::stdin().read(&mut [0]).is_ok_and(|count| count > 0);
    if released {
        return;
    }
    for (patience, signal) in [
        (TO_END_BY_ITSELF, Signal::TERM),
        (TO_TERMINATE, Signal::KILL),
    ] {
        let until = Instant::now() + patience;
        while group_lives(group) {
            if Instant::now() >= until {
                signal_group(group, signal);
                break;
            }
            sleep(LOOK_EVERY);
        }
    }
}
